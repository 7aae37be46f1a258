//! The small files of a checkpoint, wherever they stand.

use std::path::{Path, PathBuf};

use vulnlens_files::names::{SENTENCE_PIECES, TOKENIZER, VOCABULARY, WORD_PIECES};
use vulnlens_files::read_if_there;

use super::package::Package;
use crate::error::EncoderError;

/// A folder, or one file that holds what a folder would.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Files<'a> {
    Folder(&'a Path),
    Package(&'a Package),
}

impl Files<'_> {
    /// The folder, or the package: what errors name.
    pub(crate) fn place(&self) -> &Path {
        match self {
            Self::Folder(folder) => folder,
            Self::Package(package) => package.place(),
        }
    }

    /// The name of a file in errors.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.place().join(name)
    }

    /// True if there is such a file.
    pub(crate) fn has(&self, name: &str) -> bool {
        match self {
            Self::Folder(folder) => folder.join(name).is_file(),
            Self::Package(package) => package.file(name).is_some(),
        }
    }

    /// The bytes of a file; `None` if there is none. One longer than `most` is an error, and so is a pointer of Git LFS.
    pub(crate) fn bytes(&self, name: &str, most: u64) -> Result<Option<Vec<u8>>, EncoderError> {
        let file = self.path(name);
        let bytes = match self {
            Self::Folder(_) => read_if_there(&file, most)?,
            Self::Package(package) => package.file(name).map(<[u8]>::to_vec),
        };
        if bytes.as_ref().is_some_and(|bytes| bytes.len() as u64 > most) {
            let fix = "use the files that were published with the weights";
            return Err(EncoderError::format(&file, format!("is longer than {most} bytes"), fix));
        }
        bytes.as_deref().map_or(Ok(()), |bytes| EncoderError::refuse_pointer(bytes, &file))?;
        Ok(bytes)
    }

    /// True if there is a tokenizer, of whatever form.
    pub(crate) fn has_tokenizer(&self) -> bool {
        [TOKENIZER, VOCABULARY, WORD_PIECES, SENTENCE_PIECES].iter().any(|name| self.has(name))
    }
}
