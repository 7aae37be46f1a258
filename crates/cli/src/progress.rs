//! Progress of reading records: a count and a rate, and the time left where the size of the input is known.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use vulnlens_corpus::Input;

use crate::terminal::Terminal;

/// The place up to which a file was read.
pub(crate) struct Position {
    /// Another handle of the file that the records are read from: the system keeps one place for both.
    file: File,
    size: u64,
}

impl Position {
    /// The file at `path` as an input, with its position if it is read from the front to the end.
    pub(crate) fn input(path: &Path) -> (Input, Option<Self>) {
        // What cannot be opened is told of by the reader of the records.
        match opened(path) {
            Some((file, position)) => (Input::file(&path.display().to_string(), file), Some(position)),
            None => (Input::path(path), None),
        }
    }
}

fn opened(path: &Path) -> Option<(File, Position)> {
    let metadata = path.metadata().ok().filter(|metadata| metadata.is_file() && metadata.len() > 0)?;
    let mut file = File::open(path).ok()?;
    let mut head = Vec::new();
    file.by_ref().take(4).read_to_end(&mut head).ok()?;
    file.rewind().ok()?;
    // Parquet files and zip archives are read from the end, and here and there.
    let is_streamed = !head.starts_with(b"PAR1") && !head.starts_with(b"PK");
    let position = Position { file: file.try_clone().ok()?, size: metadata.len() };
    is_streamed.then_some((file, position))
}

/// The progress of reading records, as the terminal shows it.
pub(crate) struct Reading {
    bar: ProgressBar,
    position: Option<Position>,
    begun: Instant,
    records: u64,
}

impl Reading {
    /// Begins to show progress, where the output leaves the terminal free for it.
    pub(crate) fn new(position: Option<Position>, is_output_shown: bool, terminal: &Terminal) -> Self {
        let template = match position {
            Some(_) => "{spinner} {percent}% {msg}, {eta} left",
            None => "{spinner} {msg}, {elapsed}",
        };
        let bar = if is_output_shown { ProgressBar::hidden() } else { terminal.progress(template) };
        if let Some(position) = &position {
            bar.set_length(position.size);
        }
        let mut reading = Self { bar, position, begun: Instant::now(), records: 0 };
        reading.add(0);
        reading
    }

    /// Adds records that were answered.
    pub(crate) fn add(&mut self, records: u64) {
        self.records = self.records.saturating_add(records);
        if self.bar.is_hidden() {
            return;
        }
        self.bar.set_message(counted(self.records, self.begun.elapsed()));
        if let Some(read) = self.position.as_mut().and_then(|position| position.file.stream_position().ok()) {
            self.bar.set_position(read);
        }
    }

    /// Takes the progress off the terminal.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A count of records and their rate.
pub(crate) fn counted(records: u64, elapsed: Duration) -> String {
    let rate = records as f64 / elapsed.as_secs_f64().max(1e-3);
    format!("{records} records, {rate:.0} records/s")
}

#[cfg(test)]
mod tests {
    use std::io::BufRead as _;
    use std::io::BufReader;

    use super::*;

    #[test]
    fn the_position_follows_the_reader() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in.jsonl");
        std::fs::write(&path, "one\ntwo\n").unwrap();
        let (file, mut position) = opened(&path).unwrap();
        let mut reader = BufReader::with_capacity(4, file);
        reader.read_line(&mut String::new()).unwrap();
        assert_eq!((position.file.stream_position().unwrap(), position.size), (4, 8));
        for (name, bytes) in [("a.parquet", &b"PAR1...."[..]), ("a.zip", b"PK\x03\x04"), ("empty", b"")] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            assert!(opened(&path).is_none(), "{name}");
        }
    }

    #[test]
    fn rates_have_a_unit_and_no_decimals() {
        assert_eq!(counted(4096, Duration::from_millis(1500)), "4096 records, 2731 records/s");
    }
}
