//! Reading no more than a limit.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use crate::bounded::TooMuch;
use crate::error::FileError;

/// The bytes of the file at `path`, which may have at most `limit` of them.
///
/// # Errors
/// The file cannot be read, or is longer.
pub fn read_at_most(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| read_bounded(file, &mut bytes, limit));
    read.map(|()| bytes).map_err(FileError::read(path))
}

/// As [`read_at_most`], or `None` where there is no such file.
///
/// # Errors
/// As [`read_at_most`].
pub fn read_if_there(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, FileError> {
    match read_at_most(path, limit) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads all of `reader` into `bytes`, whose former content goes; more than `limit` bytes are an error ([`TooMuch`]).
///
/// # Errors
/// Those of `reader`; more than `limit` bytes.
pub fn read_bounded(reader: impl Read, bytes: &mut Vec<u8>, limit: u64) -> io::Result<()> {
    bytes.clear();
    let read = reader.take(limit.saturating_add(1)).read_to_end(bytes)?;
    if read as u64 > limit { Err(TooMuch::Length(limit).into()) } else { Ok(()) }
}

/// Copies all of `reader`; more than `limit` bytes are an error ([`TooMuch`]).
///
/// # Errors
/// Those of `reader` and `writer`; more than `limit` bytes.
pub fn copy_at_most(reader: impl Read, writer: &mut impl Write, limit: u64) -> io::Result<u64> {
    let copied = io::copy(&mut reader.take(limit.saturating_add(1)), writer)?;
    if copied > limit { Err(TooMuch::Unpacked(limit).into()) } else { Ok(copied) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_file_is_refused_and_not_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("four");
        std::fs::write(&path, "four").unwrap();
        assert_eq!(read_at_most(&path, 4).unwrap(), b"four");
        let error = read_at_most(&path, 3).unwrap_err();
        let message = format!("{}: cannot be read: is longer than 3 bytes", path.display());
        assert_eq!(error.to_string(), message);
        assert!(read_at_most(folder.path(), 3).is_err());
        assert!(read_if_there(&folder.path().join("none"), 3).unwrap().is_none());
        assert!(read_if_there(folder.path(), 3).is_err(), "a folder is there, and not a file");
    }

    #[test]
    fn a_copy_ends_at_its_limit() {
        let mut copy = Vec::new();
        assert_eq!(copy_at_most(b"four".as_slice(), &mut copy, 4).unwrap(), 4);
        let error = copy_at_most(io::repeat(0), &mut copy, 2 << 20).unwrap_err();
        assert_eq!(error.to_string(), "unpacks to more than 2 MiB");
    }
}
