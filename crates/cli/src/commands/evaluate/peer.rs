//! The files of a peer's recorded answers.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use vulnlens_evaluation::{Part, PeerScores, Split};
use vulnlens_files::FileError;

use crate::failure::Failure;

/// A system whose answers were recorded: its name, and the folder of its files.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) name: String,
    folder: PathBuf,
}

impl Peer {
    /// Parses `NAME=FOLDER`.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (name, folder) = text.split_once('=').ok_or("expected NAME=FOLDER")?;
        Ok(Self { name: name.to_owned(), folder: PathBuf::from(folder) })
    }

    /// Refuses a folder without the answers to one part of a split.
    pub(super) fn check(&self, split: Split, part: Part) -> Result<(), Failure> {
        open(&self.file(split, part)).map(drop)
    }

    /// The answers to one part of a split.
    pub(super) fn read(&self, split: Split, part: Part) -> Result<PeerScores, Failure> {
        let path = self.file(split, part);
        let name = path.display().to_string();
        Ok(PeerScores::read(BufReader::new(open(&path)?), &name)?)
    }

    fn file(&self, split: Split, part: Part) -> PathBuf {
        self.folder.join(format!("{}-{}.jsonl", split.name(), part.name()))
    }
}

fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|error| {
        Failure::from(FileError::read(path)(error))
            .unavailable()
            .hint("a peer's folder holds SPLIT-validation.jsonl and SPLIT-test.jsonl")
    })
}
