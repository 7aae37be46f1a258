//! Gzip: one member after another, within limits, with other bytes after the last told from a cut.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

use crate::bounded::{Bounded, Counted, UnpackLimits};

/// The first byte of every member.
const MAGIC: u8 = 0x1F;

/// Other bytes follow the last member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("other bytes follow the gzip data")]
pub struct TrailingBytes;

/// Unpacks all members of a gzip input; fails once that is more than the limits allow.
pub struct Gunzip<R: Read>(Bounded<Members<R>>);

impl<R: Read> Gunzip<R> {
    /// Unpacks `packed` within `limits`.
    pub fn new(packed: R, limits: UnpackLimits) -> Self {
        let packed = Counted::new(packed);
        let size = packed.size();
        let member = Member::Within(Box::new(GzDecoder::new(BufReader::new(packed))));
        Self(Bounded::new(Members { member, last: b'\n' }, limits, size))
    }
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

/// The members of a gzip input.
struct Members<R: Read> {
    member: Member<R>,
    /// The last unpacked byte.
    last: u8,
}

/// The reader's place in the file.
enum Member<R: Read> {
    Within(Box<GzDecoder<BufReader<Counted<R>>>>),
    /// After the last member, with other bytes after it or without.
    After {
        trailing: bool,
    },
}

impl<R: Read> Members<R> {
    /// Goes on to the member after the one that ended, if there is one.
    fn next_member(&mut self) -> io::Result<()> {
        let Member::Within(decoder) = &mut self.member else { return Ok(()) };
        let next = decoder.get_mut().fill_buf()?.first().copied();
        let ended = std::mem::replace(&mut self.member, Member::After { trailing: next.is_some() });
        if let (Member::Within(decoder), Some(MAGIC)) = (ended, next) {
            self.member = Member::Within(Box::new(GzDecoder::new(decoder.into_inner())));
        }
        Ok(())
    }
}

impl<R: Read> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match &mut self.member {
                Member::After { trailing: false } => return Ok(0),
                Member::After { .. } if self.last == b'\n' => return Err(io::Error::other(TrailingBytes)),
                Member::After { .. } => {
                    // The last line is whole, and a failure in its middle would lose it.
                    self.last = b'\n';
                    return b"\n".as_slice().read(buffer);
                }
                Member::Within(decoder) => match decoder.read(buffer)? {
                    0 => self.next_member()?,
                    length => {
                        self.last = buffer.get(length.saturating_sub(1)).copied().unwrap_or_default();
                        return Ok(length);
                    }
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const LIMITS: UnpackLimits = UnpackLimits { bytes: 1 << 20, ratio: 100, ratio_from: 1 << 10 };

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn gunzip(packed: &[u8]) -> (Vec<u8>, Option<io::Error>) {
        let mut bytes = Vec::new();
        let error = Gunzip::new(packed, LIMITS).read_to_end(&mut bytes).err();
        (bytes, error)
    }

    #[test]
    fn all_members_are_unpacked() {
        let (bytes, error) = gunzip(&[gzip(b"one "), gzip(b""), gzip(b"two")].concat());
        assert_eq!(bytes, b"one two");
        assert!(error.is_none());
    }

    #[test]
    fn other_bytes_after_the_last_member_are_told_from_a_cut() {
        let (bytes, error) = gunzip(&[&gzip(b"line"), b"text".as_slice()].concat());
        assert_eq!(bytes, b"line\n", "the last line is whole");
        assert!(error.unwrap().get_ref().unwrap().is::<TrailingBytes>());
        let whole = gzip(b"a text that is cut");
        let (_, error) = gunzip(&whole[..whole.len() - 4]);
        assert_eq!(error.unwrap().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_bomb_is_stopped() {
        let (_, error) = gunzip(&gzip(&vec![0; 1 << 19]));
        let error = error.unwrap().to_string();
        assert_eq!(error, "unpacks to more than 1024 bytes and more than 100 times its size");
    }
}
