//! `--answers`: files of record output that are judged.

use std::path::PathBuf;

use vulnlens::KnowledgeBase;
use vulnlens::report::SavedAnswers;
use vulnlens_evaluation::WrittenAnswers;

use crate::failure::{Failure, Kind};

/// A system whose answers were written: its name, and the file.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) name: String,
    file: PathBuf,
}

impl Written {
    /// Parses `NAME=FILE`.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (name, file) = text.split_once('=').ok_or("expected NAME=FILE")?;
        Ok(Self { name: name.to_owned(), file: PathBuf::from(file) })
    }

    /// The answers of the file.
    pub(super) fn read(&self, kb: &KnowledgeBase) -> Result<WrittenAnswers, Failure> {
        let answers = WrittenAnswers::read(SavedAnswers::file(&self.file, kb));
        answers.map_err(|error| Failure { kind: Kind::Unavailable, ..Failure::from(error) })
    }
}
