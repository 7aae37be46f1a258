//! A built data set as the examples that fitting and evaluating work on.

use std::borrow::Cow;
use std::fs::File;
use std::path::Path;

use vulnlens_corpus::{CorpusError, DataRow, DatasetReader, RecordError};
use vulnlens_files::{Classified, ErrorKind, FileError, sha256_of};

use crate::example::Example;
use crate::split::Split;

/// The rows of a data set, with its name and checksum.
#[derive(Debug, Clone)]
pub struct DataSet {
    /// The file's name without its folder.
    pub name: String,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    rows: Vec<DataRow>,
}

/// An error of reading a data set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataSetError {
    /// The file cannot be opened, or is not a data set.
    #[error(transparent)]
    Open(CorpusError),
    /// The rows cannot be read.
    #[error(transparent)]
    Rows(CorpusError),
    /// A row is damaged.
    #[error(transparent)]
    Row(#[from] RecordError),
    /// The file cannot be read a second time, for its checksum.
    #[error(transparent)]
    Read(FileError),
}

impl Classified for DataSetError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Rows(_) | Self::Row(_) => ErrorKind::Input,
            Self::Open(_) | Self::Read(_) => ErrorKind::Unavailable,
        }
    }

    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Open(error) | Self::Rows(error) => error.hint(),
            Self::Row(_) => Some("build the data set again with `data build`".into()),
            Self::Read(_) => None,
        }
    }
}

impl DataSet {
    /// Reads a data set that `data build` made.
    ///
    /// # Errors
    /// See [`DataSetError`].
    pub fn read(path: &Path) -> Result<Self, DataSetError> {
        let reader = DatasetReader::open(path).map_err(DataSetError::Open)?;
        let rows = reader.rows().map_err(DataSetError::Rows)?.collect::<Result<Vec<_>, _>>()?;
        let sha256 = File::open(path).and_then(sha256_of);
        let sha256 = sha256.map_err(|error| DataSetError::Read(FileError::read(path)(error)))?;
        Ok(Self {
            name: path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            sha256,
            rows,
        })
    }

    /// The number of rows with a CWE.
    #[must_use]
    pub fn labelled_rows(&self) -> u64 {
        self.rows.iter().filter(|row| !row.cwes.is_empty()).count() as u64
    }

    /// The rows with their parts of one split.
    #[must_use]
    pub fn examples(&self, split: Split) -> Vec<Example> {
        let example = |row: &DataRow| {
            let mut cwes = row.cwes.clone();
            cwes.sort_unstable();
            cwes.dedup();
            Example { id: row.id, text: row.text.clone(), year: row.year(), cwes, part: split.part(row) }
        };
        self.rows.iter().map(example).collect()
    }
}
