//! Sealed files: safetensors with a checksum over all their bytes.
//!
//! A sealed file has one entry of metadata, `vulnlens`: `{"sha256": "…", "model": {…}}`. The entry comes first, so the
//! digits of the checksum always stand at the same place, and the bytes before them are always the same: they tell a
//! sealed file from any other. The checksum is the SHA-256 of the whole file with zeros in the place of its digits. It
//! therefore covers the description, every tensor's name, type, shape and numbers, and any padding: there is no bit
//! whose change goes unnoticed. It detects damage, not forgery.
//!
//! Files from strangers are safe to read: safetensors bounds every range by the file's length.

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::Path;

use safetensors::{SafeTensorError, SafeTensors, View};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::error::FileError;
use crate::hash::{hex, revision};
use crate::kind::{Classified, ErrorKind};
use crate::tensors::{LENGTH, Layout};

/// The name of the one metadata entry.
const ENTRY: &str = "vulnlens";
/// The beginning of every sealed file's header, up to the digits of the checksum.
const BEGINNING: &[u8] = br#"{"__metadata__":{"vulnlens":"{\"sha256\":\""#;
/// Digits of the checksum.
const DIGITS: usize = 64;
/// The place of the digits in the file.
const DIGITS_AT: Range<usize> = LENGTH + BEGINNING.len()..LENGTH + BEGINNING.len() + DIGITS;
/// Longest header that is read; the safetensors crate has the same limit.
const LONGEST_HEADER: u64 = 100_000_000;

/// A file that is not sealed, or not as it was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealedError {
    /// Not safetensors, or cut short.
    #[error("not a whole safetensors file: {0}")]
    NotSafetensors(String),
    /// Safetensors without a seal: a file of something else.
    #[error("not a vulnlens model: {0}")]
    NotSealed(String),
    /// The bytes are not those that were written.
    #[error(
        "the checksum does not fit: the file says {expected}, its content gives {found}; get the file again"
    )]
    Checksum {
        /// The checksum that the file states.
        expected: String,
        /// The checksum of its content.
        found: String,
    },
}

impl Classified for SealedError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Input
    }
}

#[derive(Serialize, Deserialize)]
struct Envelope<M> {
    sha256: String,
    model: M,
}

/// Writes a sealed file. Tensors are borrowed and read twice, for the checksum and for the file.
///
/// # Errors
/// As [`write_tensors`](crate::write_tensors).
pub fn write_to<V: View>(
    out: impl Write,
    model: &RawValue,
    tensors: impl IntoIterator<Item = (String, V)>,
) -> io::Result<()> {
    let (layout, header) = seal(model, tensors)?;
    layout.write(out, &header)
}

/// A sealed file's bytes.
///
/// # Errors
/// As [`write_to`].
pub fn write<V: View>(
    model: &RawValue,
    tensors: impl IntoIterator<Item = (String, V)>,
) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write_to(&mut bytes, model, tensors)?;
    Ok(bytes)
}

/// The tensors in the file's order, and the header with the checksum.
fn seal<V: View>(
    model: &RawValue,
    tensors: impl IntoIterator<Item = (String, V)>,
) -> io::Result<(Layout<V>, Vec<u8>)> {
    let layout = Layout::new(tensors)?;
    let envelope = serde_json::to_string(&Envelope { sha256: "0".repeat(DIGITS), model })?;
    let mut header = layout.header((ENTRY, envelope))?;
    let mut digest = Sha256::new_with_prefix(&header);
    layout.each_data(|data| {
        digest.update(data);
        Ok(())
    })?;
    if let Some(digits) = header.get_mut(DIGITS_AT) {
        digits.copy_from_slice(hex(&digest.finalize()).as_bytes());
    }
    Ok((layout, header))
}

/// True if a file that begins with `head` is sealed; 64 bytes are enough to tell.
#[must_use]
pub fn is_sealed(head: &[u8]) -> bool {
    head.get(LENGTH..).is_some_and(|header| header.starts_with(BEGINNING))
}

/// Reads the description in a file's header alone, or `None` where the file is not sealed. The checksum is not verified.
///
/// # Errors
/// The file cannot be read.
pub fn description(path: &Path) -> Result<Option<Box<RawValue>>, FileError> {
    read_description(path).map_err(FileError::read(path))
}

fn read_description(path: &Path) -> io::Result<Option<Box<RawValue>>> {
    #[derive(Deserialize)]
    struct Header {
        #[serde(rename = "__metadata__")]
        metadata: Entries,
    }
    #[derive(Deserialize)]
    struct Entries {
        vulnlens: String,
    }
    let mut file = File::open(path)?;
    let mut head = Vec::new();
    (&mut file).take(DIGITS_AT.start as u64).read_to_end(&mut head)?;
    let Some(length) = head.first_chunk().filter(|_| is_sealed(&head)).map(|n| u64::from_le_bytes(*n)) else {
        return Ok(None);
    };
    let rest = length.min(LONGEST_HEADER).saturating_sub(BEGINNING.len() as u64);
    let mut header = BEGINNING.to_vec();
    file.take(rest).read_to_end(&mut header)?;
    let header: Header = serde_json::from_slice(&header)?;
    let envelope: Envelope<Box<RawValue>> = serde_json::from_str(&header.metadata.vulnlens)?;
    Ok(Some(envelope.model))
}

/// A sealed file, taken apart.
#[derive(Debug)]
pub struct Sealed<'a> {
    bytes: &'a [u8],
    sha256: String,
    model: Box<RawValue>,
    tensors: SafeTensors<'a>,
}

/// Takes a sealed file apart and verifies its checksum.
///
/// # Errors
/// The file is not sealed, or is not as it was written.
pub fn verify(bytes: &[u8]) -> Result<Sealed<'_>, SealedError> {
    let sealed = open(bytes)?;
    sealed.verify()?;
    Ok(sealed)
}

/// Takes a sealed file apart without verifying its checksum: for bytes that are part of the program, and for looking at
/// the version of the description first.
///
/// # Errors
/// The file is not sealed.
pub fn open(bytes: &[u8]) -> Result<Sealed<'_>, SealedError> {
    let tensors = SafeTensors::deserialize(bytes);
    let tensors = tensors.map_err(|error| SealedError::NotSafetensors(error.to_string()))?;
    let (_, metadata) = SafeTensors::read_metadata(bytes)
        .map_err(|error: SafeTensorError| SealedError::NotSafetensors(error.to_string()))?;
    let entry = metadata.metadata().as_ref().and_then(|entries| entries.get(ENTRY));
    let entry = entry.ok_or_else(|| not_sealed(format!("its metadata has no entry {ENTRY:?}")))?;
    let envelope: Envelope<Box<RawValue>> = serde_json::from_str(entry).map_err(not_sealed)?;
    // The digits that are verified are those of the entry, not of another one of the same name.
    if !is_sealed(bytes) || bytes.get(DIGITS_AT) != Some(envelope.sha256.as_bytes()) {
        return Err(not_sealed("the checksum does not stand in its place"));
    }
    Ok(Sealed { bytes, sha256: envelope.sha256, model: envelope.model, tensors })
}

impl<'a> Sealed<'a> {
    /// Verifies the checksum.
    ///
    /// # Errors
    /// The bytes are not those that were written.
    pub fn verify(&self) -> Result<(), SealedError> {
        let found = checksum(self.bytes);
        let expected = self.sha256.clone();
        if found == expected { Ok(()) } else { Err(SealedError::Checksum { expected, found }) }
    }

    /// The checksum that the file states.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The first digits of the checksum: they name the revision.
    #[must_use]
    pub fn revision(&self) -> &str {
        revision(&self.sha256)
    }

    /// The description, as it was written.
    #[must_use]
    pub fn model(&self) -> &RawValue {
        &self.model
    }

    /// The tensors.
    #[must_use]
    pub fn tensors(&self) -> &SafeTensors<'a> {
        &self.tensors
    }
}

fn not_sealed(problem: impl ToString) -> SealedError {
    SealedError::NotSealed(problem.to_string())
}

/// The checksum of a sealed file's bytes: the digits count as zeros.
fn checksum(bytes: &[u8]) -> String {
    let (before, after) = (bytes.get(..DIGITS_AT.start), bytes.get(DIGITS_AT.end..));
    let mut digest = Sha256::new();
    digest.update(before.unwrap_or_default());
    digest.update([b'0'; DIGITS]);
    digest.update(after.unwrap_or_default());
    hex(&digest.finalize())
}

#[cfg(test)]
mod tests {
    use safetensors::Dtype;
    use safetensors::tensor::TensorView;

    use super::*;
    use crate::write_tensors;

    const MODEL: &str = r#"{"name": "a \"b\" é", "sets": [[1, 2], [3]]}"#;

    fn model() -> Box<RawValue> {
        RawValue::from_string(MODEL.to_owned()).unwrap()
    }

    fn tensors() -> [(String, TensorView<'static>); 3] {
        let view = |shape: &[usize], dtype, data| TensorView::new(dtype, shape.to_vec(), data).unwrap();
        [
            ("bytes".to_owned(), view(&[3], Dtype::U8, b"abc".as_slice())),
            ("none".to_owned(), view(&[0, 7], Dtype::F32, b"")),
            ("pairs".to_owned(), view(&[2, 1], Dtype::BF16, b"wxyz")),
        ]
    }

    fn file() -> Vec<u8> {
        write(&model(), tensors()).unwrap()
    }

    #[test]
    fn a_file_says_what_was_written() {
        let bytes = file();
        let sealed = verify(&bytes).unwrap();
        assert_eq!(sealed.model().get(), MODEL, "to the space");
        assert_eq!(sealed.tensors().len(), 3);
        let pairs = sealed.tensors().tensor("pairs").unwrap();
        assert_eq!(
            (pairs.dtype(), pairs.shape(), pairs.data()),
            (Dtype::BF16, [2, 1].as_slice(), b"wxyz".as_slice())
        );
        assert!(sealed.sha256().starts_with(sealed.revision()));
        assert_eq!((sealed.sha256().len(), sealed.revision().len()), (64, 12));
        assert!(is_sealed(&bytes[..64]));
        assert_eq!(bytes, file(), "the same content gives the same bytes");
    }

    #[test]
    fn no_bit_changes_unnoticed() {
        let mut bytes = file();
        for at in 0..bytes.len() * 8 {
            bytes[at / 8] ^= 1 << (at % 8);
            assert!(verify(&bytes).is_err(), "bit {} of byte {}", at % 8, at / 8);
            bytes[at / 8] ^= 1 << (at % 8);
        }
        assert!(verify(&bytes).is_ok());
        for length in 0..bytes.len() {
            assert!(verify(&bytes[..length]).is_err(), "cut to {length} bytes");
        }
        bytes.push(0);
        assert!(verify(&bytes).is_err());
    }

    #[test]
    fn a_change_of_anything_changes_the_revision() {
        let first = file();
        let mut others = vec![];
        let other_model = RawValue::from_string(r#"{"name": "b"}"#.to_owned()).unwrap();
        others.push(write(&other_model, tensors()).unwrap());
        let [(_, bytes), none, pairs] = tensors();
        others.push(
            write(&model(), [("other".to_owned(), bytes.clone()), none.clone(), pairs.clone()]).unwrap(),
        );
        let flat = TensorView::new(Dtype::BF16, vec![1, 2], b"wxyz").unwrap();
        others
            .push(write(&model(), [("bytes".to_owned(), bytes), none, ("pairs".to_owned(), flat)]).unwrap());
        for other in others {
            assert_ne!(verify(&other).unwrap().revision(), verify(&first).unwrap().revision());
        }
    }

    #[test]
    fn other_files_are_told_apart() {
        let mut plain = Vec::new();
        write_tensors(&mut plain, ("format", "pt".to_owned()), tensors()).unwrap();
        assert!(!is_sealed(&plain));
        let error = verify(&plain).unwrap_err().to_string();
        assert_eq!(error, "not a vulnlens model: its metadata has no entry \"vulnlens\"");
        assert!(matches!(verify(b"text"), Err(SealedError::NotSafetensors(_))));
        let mut damaged = file();
        *damaged.last_mut().unwrap() ^= 1;
        assert!(matches!(verify(&damaged), Err(SealedError::Checksum { .. })));
        assert!(open(&damaged).is_ok(), "the checksum is not looked at");
    }

    #[test]
    fn a_second_entry_of_the_same_name_is_refused() {
        let forged = r#"{"__metadata__":{"vulnlens":"{\"sha256\":\"0\",\"model\":{}}","vulnlens":"{\"sha256\":\"1\",\"model\":{}}"}}"#;
        let mut bytes = (forged.len() as u64).to_le_bytes().to_vec();
        bytes.extend(forged.as_bytes());
        let error = open(&bytes).unwrap_err().to_string();
        assert_eq!(error, "not a vulnlens model: the checksum does not stand in its place");
    }

    #[test]
    fn the_description_is_read_without_the_tensors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        std::fs::write(&path, file()).unwrap();
        assert_eq!(description(&path).unwrap().unwrap().get(), MODEL);
        std::fs::write(&path, "{}").unwrap();
        assert!(description(&path).unwrap().is_none());
        let mut endless = file();
        endless[..8].fill(0xFF);
        std::fs::write(&path, endless).unwrap();
        assert!(description(&path).is_err(), "the file is shorter than its header");
    }
}
