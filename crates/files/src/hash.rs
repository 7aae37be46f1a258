//! SHA-256 in hexadecimal digits.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

/// Digits of a checksum that name a revision.
pub const REVISION_DIGITS: usize = 12;
/// Bytes that are read at once.
const BUFFER: usize = 64 << 10;

/// `bytes` in lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// The SHA-256 of `bytes`.
#[must_use]
pub fn sha256_hex(bytes: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(bytes))
}

/// The SHA-256 of everything that `reader` gives, which is not held in memory.
///
/// # Errors
/// Those of `reader`.
pub fn sha256_of(mut reader: impl Read) -> io::Result<String> {
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; BUFFER]);
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(hex(&digest.finalize())),
            Ok(length) => digest.update(buffer.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The part of a checksum or a commit that names a revision.
#[must_use]
pub fn revision(checksum: &str) -> &str {
    checksum.get(..REVISION_DIGITS).unwrap_or(checksum)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf abc | sha256sum`
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_checksum_is_the_same_at_once_and_by_parts() {
        assert_eq!(sha256_hex("abc"), ABC);
        assert_eq!(sha256_of(b"a".chain(b"bc".as_slice())).unwrap(), ABC);
        assert_eq!(revision(ABC), "ba7816bf8f01");
        assert_eq!(revision("main"), "main");
    }
}
