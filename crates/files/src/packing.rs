//! The ways in which one file is packed, told apart by the first bytes and unpacked within limits.

use std::io::{self, Read};

use lzma_rust2::XzReader;

use crate::bounded::{Bounded, Counted, UnpackLimits};
use crate::gzip::Gunzip;

/// Most memory for the dictionary of an xz file in KiB: that of `xz -9` takes 64 MiB.
const XZ_MEMORY: u32 = 256 << 10;

/// A way in which one file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Gzip (RFC 1952).
    Gzip,
    /// The .xz format.
    Xz,
    /// Zstandard (RFC 8878).
    Zstandard,
}

impl Packing {
    /// The packing of a file that begins with `head`; none if it is in none of these.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1F, 0x8B, ..] => Some(Self::Gzip),
            [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Some(Self::Zstandard),
            _ => None,
        }
    }

    /// Unpacks `packed`, all its parts; reading fails once that is more than `limits` allow.
    ///
    /// # Errors
    /// The decoder cannot be set up.
    pub fn unpack<'a>(
        self,
        packed: impl Read + Send + 'a,
        limits: UnpackLimits,
    ) -> io::Result<Box<dyn Read + Send + 'a>> {
        let packed = Counted::new(packed);
        let size = packed.size();
        Ok(match self {
            Self::Gzip => Box::new(Gunzip::new(packed, limits)),
            Self::Xz => {
                let packed = io::BufReader::new(packed);
                Box::new(Bounded::new(XzReader::new_mem_limit(packed, true, XZ_MEMORY), limits, size))
            }
            Self::Zstandard => Box::new(Bounded::new(zstd::Decoder::new(packed)?, limits, size)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: UnpackLimits = UnpackLimits { bytes: 1 << 20, ratio: 100, ratio_from: 1 << 10 };
    /// `one ` and `two` as `xz` packs them, one behind the other.
    const XZ: [u8; 120] = [
        0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21, 0x01, 0x16,
        0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0x01, 0x00, 0x03, 0x6f, 0x6e, 0x65, 0x20, 0x00, 0x5a, 0x8c,
        0x83, 0xa3, 0x31, 0x35, 0xef, 0x7e, 0x00, 0x01, 0x1c, 0x04, 0x6f, 0x2c, 0x9c, 0xc1, 0x1f, 0xb6, 0xf3,
        0x7d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a, 0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04,
        0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21, 0x01, 0x16, 0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0x01,
        0x00, 0x02, 0x74, 0x77, 0x6f, 0x00, 0x00, 0x5d, 0xd3, 0x79, 0x29, 0x75, 0x28, 0x52, 0x03, 0x00, 0x01,
        0x1b, 0x03, 0x0b, 0x2f, 0xb9, 0x10, 0x1f, 0xb6, 0xf3, 0x7d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59,
        0x5a,
    ];

    #[test]
    fn the_first_bytes_tell_the_packing() {
        assert_eq!(Packing::of(&XZ), Some(Packing::Xz));
        assert_eq!(Packing::of(&zstd::encode_all(b"one".as_slice(), 1).unwrap()), Some(Packing::Zstandard));
        assert_eq!(Packing::of(&[0x1F, 0x8B, 8]), Some(Packing::Gzip));
        assert_eq!(Packing::of(b"one"), None);
    }

    #[test]
    fn all_frames_are_unpacked_and_a_bomb_is_stopped() {
        let frames = [b"one ".as_slice(), b"two"].map(|part| zstd::encode_all(part, 1).unwrap()).concat();
        let mut text = String::new();
        Packing::Zstandard.unpack(frames.as_slice(), LIMITS).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "one two");
        text.clear();
        Packing::Xz.unpack(XZ.as_slice(), LIMITS).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "one two");
        let bomb = zstd::encode_all(vec![0; 1 << 19].as_slice(), 1).unwrap();
        let error = Packing::Zstandard
            .unpack(bomb.as_slice(), LIMITS)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap_err();
        assert!(error.to_string().contains("100 times its size"), "{error}");
    }
}
