//! The file that answers are appended to.

use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use vulnlens_files::FileError;

use crate::error::FetchError;

/// A file that is appended to, with the length up to which it is on the disk.
pub(super) struct OutputFile {
    path: PathBuf,
    file: File,
    length: u64,
}

impl OutputFile {
    /// Opens the file at its end; it is made if it is not there.
    pub(super) fn open(path: &Path) -> Result<Self, FetchError> {
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let unwritable = FileError::write(path);
        let mut file = open.map_err(&unwritable)?;
        let length = file.seek(SeekFrom::End(0)).map_err(&unwritable)?;
        Ok(Self { path: path.to_owned(), file, length })
    }

    /// Opens the file and cuts it off at `length`, which `cursor` says; one that is shorter is not the cursor's.
    pub(super) fn open_at(path: &Path, length: u64, cursor: &Path) -> Result<Self, FetchError> {
        let mut output = Self::open(path)?;
        if output.length < length {
            let (output, cursor, found) = (path.to_owned(), cursor.to_owned(), output.length);
            return Err(FetchError::Output { output, cursor, found, expected: length });
        }
        if output.length > length {
            let cut = output.file.set_len(length).and_then(|()| output.file.seek(SeekFrom::Start(length)));
            output.length = cut.map_err(FileError::write(path))?;
        }
        Ok(output)
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Appends bytes and waits until they are on the disk; the length afterwards.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<u64, FetchError> {
        if !bytes.is_empty() {
            let written = self.file.write_all(bytes).and_then(|()| self.file.sync_data());
            written.map_err(FileError::write(&self.path))?;
            self.length = self.length.saturating_add(bytes.len() as u64);
        }
        Ok(self.length)
    }
}
