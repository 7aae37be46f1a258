//! A built data set as the examples that fitting and evaluating work on.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use clap::ValueEnum;
use sha2::{Digest, Sha256};
use vulnlens_corpus::{DataRow, DatasetReader, Split};
use vulnlens_train::{Example, Part};

use crate::failure::{Failure, Kind};

/// The splits of a data set, or no split at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SplitName {
    /// By a hash of the text
    Random,
    /// By the year of the CVE id
    Temporal,
    /// The training parts of both have in common what is fitted on: no test text of either is seen
    Both,
    /// Every row is fitted on; nothing is left to measure on
    All,
}

impl SplitName {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Temporal => "temporal",
            Self::Both => "both",
            Self::All => "all",
        }
    }

    fn part(self, row: &DataRow) -> Part {
        let split = match self {
            Self::Random => row.random,
            Self::Temporal => row.temporal,
            Self::Both => match (row.random, row.temporal) {
                (Split::Train, Split::Train) => Split::Train,
                (Split::Test, _) | (_, Split::Test) => Split::Test,
                _ => Split::Validation,
            },
            Self::All => Split::Train,
        };
        match split {
            Split::Train => Part::Train,
            Split::Validation => Part::Validation,
            Split::Test => Part::Test,
        }
    }
}

/// The rows of a data set, with what a file says of where it comes from.
pub(crate) struct TrainingData {
    /// The file's name without its folder.
    pub(crate) name: String,
    pub(crate) sha256: String,
    rows: Vec<DataRow>,
}

impl TrainingData {
    /// Reads a data set that `data build` made.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let reader = DatasetReader::open(path).map_err(|error| Failure::from(error).unavailable())?;
        let rows = reader.rows()?.collect::<Result<Vec<_>, _>>().map_err(|error| {
            Failure::new(Kind::Input, error.to_string()).hint("build the data set again with `data build`")
        })?;
        let unreadable = |error: io::Error| {
            Failure::new(Kind::Unavailable, format!("{}: cannot be read: {error}", path.display()))
        };
        Ok(Self {
            name: path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            sha256: sha256(path).map_err(unreadable)?,
            rows,
        })
    }

    /// How many rows have a CWE.
    pub(crate) fn labelled_rows(&self) -> u64 {
        self.rows.iter().filter(|row| !row.cwes.is_empty()).count() as u64
    }

    /// The rows with their parts of one split.
    pub(crate) fn examples(&self, split: SplitName) -> Vec<Example> {
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

/// Runs `work` on a pool of so many threads.
pub(crate) fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| Failure::new(Kind::Failed, format!("no threads: {error}")))?;
    Ok(pool.install(work))
}
