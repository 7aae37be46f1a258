//! The record of a folder, `fetched.json`: each file with its address, date and checksum, written behind the files.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vulnlens_files::{FileError, WholeFile, read_if_there, sha256_of};

use crate::error::FetchError;
use crate::source::Source;

/// The name of the record.
pub const RECORD: &str = "fetched.json";
/// The version of its form.
const VERSION: u32 = 1;
/// Most bytes of a record; one with a file for each week of thirty years has a megabyte.
const MOST_BYTES: u64 = 64 << 20;

/// The record of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fetched {
    version: u32,
    /// The source that the folder holds.
    pub source: Source,
    /// The files, the one that counts before the others first.
    pub files: Vec<FetchedFile>,
    /// The time up to which the changes that NVD's API gives are in the files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_through: Option<String>,
}

/// A file that was fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchedFile {
    /// The name in the folder.
    pub name: String,
    /// The address.
    pub url: String,
    /// The time of the fetch.
    pub fetched: String,
    /// The length in bytes.
    pub bytes: u64,
    /// The checksum of the file as it lies in the folder.
    pub sha256: String,
    /// The checksum of what the file unpacks to, where the publisher gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_sha256: Option<String>,
    /// The server's word for this state of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The time of the last change, as the server says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

impl Fetched {
    pub(crate) fn new(source: Source) -> Self {
        Self { version: VERSION, source, files: Vec::new(), api_through: None }
    }

    /// Reads the record of a folder; none where it has none.
    ///
    /// # Errors
    /// The record cannot be read, or is damaged.
    pub fn read(folder: &Path) -> Result<Option<Self>, FetchError> {
        let path = folder.join(RECORD);
        let Some(bytes) = read_if_there(&path, MOST_BYTES)? else { return Ok(None) };
        let damaged = |problem: String| FetchError::Record { path: path.clone(), problem };
        let record: Self = serde_json::from_slice(&bytes)
            .map_err(|error| damaged(format!("is not the record of a fetch: {error}")))?;
        if record.version != VERSION {
            return Err(damaged(format!("has the form {}, and {VERSION} is read", record.version)));
        }
        if let Some(file) = record.files.iter().find(|file| !is_plain(&file.name)) {
            return Err(damaged(format!("names {:?}, which is not a file of the folder", file.name)));
        }
        Ok(Some(record))
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<(), FetchError> {
        let path = folder.join(RECORD);
        let json = serde_json::to_vec_pretty(self);
        let mut json =
            json.map_err(|error| FetchError::Record { path: path.clone(), problem: error.to_string() })?;
        json.push(b'\n');
        Ok(WholeFile::write(&path, json)?)
    }

    /// The files of a folder, the one that counts before the others first.
    #[must_use]
    pub fn paths(&self, folder: &Path) -> Vec<PathBuf> {
        self.files.iter().map(|file| folder.join(&file.name)).collect()
    }
}

impl FetchedFile {
    /// True if the file lies in the folder as it was fetched.
    pub(crate) fn is_intact(&self, folder: &Path) -> Result<bool, FetchError> {
        let path = folder.join(&self.name);
        let length = path.metadata().map(|metadata| metadata.is_file().then_some(metadata.len()));
        if length.ok().flatten() != Some(self.bytes) {
            return Ok(false);
        }
        let found = File::open(&path).and_then(sha256_of).map_err(FileError::read(&path))?;
        Ok(found == self.sha256)
    }
}

/// True for the name of a file that lies in the folder itself and is not hidden.
pub(crate) fn is_plain(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && !name.starts_with('.') && name.len() <= 128 && name.chars().all(is_plain)
}
