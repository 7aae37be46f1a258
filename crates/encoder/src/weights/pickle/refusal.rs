//! The reason why a pickle is not read.

use std::path::Path;

use crate::error::EncoderError;

/// A problem of a pickle, and its place.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) position: usize,
    pub(crate) problem: String,
}

impl Refusal {
    /// The same as an error about `file`.
    pub(crate) fn of(self, file: &Path) -> EncoderError {
        EncoderError::Pickle {
            file: file.to_owned(),
            position: self.position,
            problem: self.problem,
            fix: "only a plain dictionary of tensors is read, nothing is executed: save the model's `state_dict()`, \
                  best as safetensors, with a PyTorch that you trust the file with"
                .to_owned(),
        }
    }
}
