//! Texts on their way from the sources to the data set: in an unnamed file, so that memory holds their places alone.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::merge::Span;
use crate::groups::GroupId;

/// A file of texts that is being written.
pub(super) struct SpillWriter {
    file: BufWriter<File>,
    length: u64,
}

impl SpillWriter {
    /// An unnamed file in `folder`: the system removes it when it is closed, however that comes.
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        Ok(Self { file: BufWriter::with_capacity(1 << 20, tempfile::tempfile_in(folder)?), length: 0 })
    }

    pub(super) fn push(&mut self, text: &str, group: GroupId) -> io::Result<Span> {
        self.file.write_all(text.as_bytes())?;
        let length = u32::try_from(text.len()).map_err(io::Error::other)?;
        let span = Span { offset: self.length, length, group };
        self.length = self.length.saturating_add(u64::from(length));
        Ok(span)
    }

    pub(super) fn finish(self) -> io::Result<SpillReader> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(SpillReader { file })
    }
}

/// A file of texts that is whole.
pub(super) struct SpillReader {
    file: File,
}

impl SpillReader {
    pub(super) fn read(&mut self, span: Span) -> io::Result<String> {
        self.file.seek(SeekFrom::Start(span.offset))?;
        let mut text = String::new();
        (&mut self.file).take(u64::from(span.length)).read_to_string(&mut text)?;
        Ok(text)
    }
}
