//! `--out FOLDER/`: one file for each record.

use std::fs;
use std::path::{Path, PathBuf};

use vulnlens::report::{Answer, FileNames, Format, Setup};
use vulnlens_files::FileError;

use crate::failure::Failure;
use crate::output::Output;

/// A folder of files, each named after its record. A file appears when it is whole.
pub(crate) struct RecordFolder {
    path: PathBuf,
    format: &'static Format,
    setup: Setup,
    names: FileNames,
}

impl RecordFolder {
    /// True if `path` is that of a folder: it exists as one, or ends in a slash.
    pub(crate) fn is_meant(path: &Path) -> bool {
        path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/")
    }

    /// Opens a folder, and makes it if it is not there.
    pub(crate) fn open(path: &Path, format: &'static Format, setup: Setup) -> Result<Self, Failure> {
        if !path.is_dir() {
            fs::create_dir(path).map_err(FileError::write(path))?;
        }
        Ok(Self { path: path.to_owned(), format, setup, names: FileNames::default() })
    }

    /// Writes the file of one record.
    pub(crate) fn write(&mut self, answer: Answer) -> Result<(), Failure> {
        let name = self.names.next(&answer.record, self.format.own_file_ending());
        let bytes = self.format.render(&self.setup, vec![answer])?;
        let mut output = Output::open(Some(&self.path.join(name)))?;
        // Styles are for terminals, which no file is.
        if self.format.is_for_people() {
            output.text(&bytes)?
        } else {
            output.data(&bytes)?
        }
        // There may be many: nobody waits for the disk each time.
        output.finish_soon()
    }
}
