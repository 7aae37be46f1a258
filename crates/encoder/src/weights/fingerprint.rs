//! The revision of a checkpoint, where no commit of a hub names it.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::entry::{Entry, Source};
use super::{Weights, map, tensor};
use crate::error::EncoderError;

impl Weights {
    /// Twelve hexadecimal digits that differ between checkpoints: the beginning of a SHA-256 over names, types, shapes
    /// and all bytes of all tensors.
    ///
    /// # Errors
    /// [`EncoderError::Io`].
    pub fn fingerprint(&self) -> Result<String, EncoderError> {
        let mut hash = Sha256::new();
        for (name, entry) in &self.entries {
            hash.update(format!("{name}\n{} {:?} {:?}\n", entry.dtype, entry.shape, entry.strides));
            self.hash_data(&mut hash, entry)?;
        }
        let mut digits = String::new();
        for byte in hash.finalize().iter().take(6) {
            // Writing to a string cannot fail.
            let _ = write!(digits, "{byte:02x}");
        }
        Ok(digits)
    }

    fn hash_data(&self, hash: &mut Sha256, entry: &Entry) -> Result<(), EncoderError> {
        let len = entry.len;
        if let Some(opened) = self.files.get(entry.file).filter(|_| len > 0) {
            let fail = EncoderError::io(&opened.path);
            match &opened.source {
                Source::File(file) => hash.update(&map::map(file, entry.offset, len).map_err(fail)?[..]),
                Source::Memory(bytes) => hash.update(tensor::within(bytes, entry).map_err(fail)?),
            }
        }
        Ok(())
    }
}
