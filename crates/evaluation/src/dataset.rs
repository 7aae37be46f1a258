//! A built data set as the examples that fitting and evaluating work on.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use vulnlens_corpus::{CorpusError, DataRow, DatasetReader, RecordError};
use vulnlens_files::{Classified, ErrorKind};

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
    #[error("{}: cannot be read: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl Classified for DataSetError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Rows(_) | Self::Row(_) => ErrorKind::Input,
            Self::Open(_) | Self::Read { .. } => ErrorKind::Unavailable,
        }
    }

    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Open(error) | Self::Rows(error) => error.hint(),
            Self::Row(_) => Some("build the data set again with `data build`".into()),
            Self::Read { .. } => None,
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
        let unreadable = |source| DataSetError::Read { file: path.to_owned(), source };
        Ok(Self {
            name: path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            sha256: sha256(path).map_err(unreadable)?,
            rows,
        })
    }

    /// How many rows have a CWE.
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

fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        digest.update(&buffer[..read]);
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
