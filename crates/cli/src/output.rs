//! The place that data go to: standard output, or a file that appears when it is whole.

use std::io::{self, IsTerminal as _, Write};
use std::path::Path;

use vulnlens_files::{FileError, WholeFile};

use crate::failure::{Failure, Kind};
use crate::packing::{PackedFile, Packing};
use crate::terminal::{harmless, harmless_but_styled};

const STDOUT: &str = "standard output";

/// An output. Bytes go straight through: write much at a time.
pub(crate) struct Output {
    sink: Sink,
    /// True if ANSI styles are taken out.
    plain: bool,
}

enum Sink {
    Stdout(io::Stdout),
    File(Box<PackedFile>),
}

impl Output {
    /// Opens `path`, or standard output, which is also called `-`.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path.filter(|path| path.as_os_str() != "-") else { return Ok(Self::stdout()) };
        Ok(Self { sink: Sink::File(Box::new(PackedFile::plain(WholeFile::create(path)?))), plain: true })
    }

    /// As [`Output::open`], compressed if the name asks for it.
    pub(crate) fn packed(path: Option<&Path>) -> Result<Self, Failure> {
        let Some((path, packing)) = path.and_then(|path| Some((path, Packing::of(path)?))) else {
            return Self::open(path);
        };
        let packed = PackedFile::new(WholeFile::create(path)?, packing);
        let packed = packed.map_err(|error| Failure::output(&path.display().to_string(), &error))?;
        Ok(Self { sink: Sink::File(Box::new(packed)), plain: true })
    }

    /// Standard output.
    pub(crate) fn stdout() -> Self {
        let stdout = io::stdout();
        let plain = anstream::AutoStream::choice(&stdout) == anstream::ColorChoice::Never;
        Self { sink: Sink::Stdout(stdout), plain }
    }

    /// Writes data as they are; on a terminal, without what would command it.
    pub(crate) fn data(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if self.is_terminal() {
            return self.write_all(harmless(&String::from_utf8_lossy(bytes)).as_bytes());
        }
        self.write_all(bytes)
    }

    fn is_terminal(&self) -> bool {
        matches!(&self.sink, Sink::Stdout(stdout) if stdout.is_terminal())
    }

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.sink.writer().write_all(bytes).map_err(|error| self.failure(&error))
    }

    /// Writes text that may have ANSI styles.
    pub(crate) fn text(&mut self, text: &[u8]) -> Result<(), Failure> {
        if self.plain {
            let plain: Vec<u8> = anstream::adapter::strip_bytes(text).flatten().copied().collect();
            return self.data(&plain);
        }
        if self.is_terminal() {
            return self.write_all(harmless_but_styled(&String::from_utf8_lossy(text)).as_bytes());
        }
        self.write_all(text)
    }

    /// Hands all that was written on, where it is not a file.
    pub(crate) fn flushed(&mut self) -> Result<(), Failure> {
        self.flush().map_err(|error| self.failure(&error))
    }

    /// Ends the output; a file stands in its place afterwards.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        self.end(WholeFile::finish)
    }

    /// As [`Output::finish`], without waiting for the disk.
    pub(crate) fn finish_soon(self) -> Result<(), Failure> {
        self.end(WholeFile::finish_soon)
    }

    fn end(self, finish: fn(WholeFile) -> Result<(), FileError>) -> Result<(), Failure> {
        match self.sink {
            Sink::Stdout(mut stdout) => stdout.flush().map_err(|error| Failure::output(STDOUT, &error)),
            Sink::File(packed) => {
                let path = packed.path().to_owned();
                let file = packed.into_file();
                Ok(finish(file.map_err(|error| Failure::output(&path.display().to_string(), &error))?)?)
            }
        }
    }

    fn failure(&self, error: &io::Error) -> Failure {
        match &self.sink {
            Sink::Stdout(_) => Failure::output(STDOUT, error),
            Sink::File(file) => Failure::output(&file.path().display().to_string(), error),
        }
    }
}

/// For encoders that write by themselves: the bytes as they are.
impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sink.writer().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.writer().flush()
    }
}

impl Sink {
    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Stdout(stdout) => stdout,
            Self::File(file) => &mut **file,
        }
    }
}

/// Prints text that may have ANSI styles on standard output.
pub(crate) fn print_text(text: &str) -> Result<(), Failure> {
    let mut output = Output::stdout();
    output.text(text.as_bytes())?;
    output.finish()
}

/// Prints `value` as JSON, for reading by people and programs, on standard output.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let mut output = Output::stdout();
    output.data(&json(value)?)?;
    output.finish()
}

/// `value` as indented JSON with a line feed.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, Failure> {
    let json = serde_json::to_vec_pretty(value);
    let mut json = json.map_err(|error| Failure::new(Kind::Failed, error.to_string()))?;
    json.push(b'\n');
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_only_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.txt");
        let mut output = Output::open(Some(&path)).unwrap();
        output.data(b"half").unwrap();
        assert!(!path.exists());
        drop(output);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0, "nothing is left behind");
        let mut output = Output::open(Some(&path)).unwrap();
        output.text(b"\x1b[1mwhole\x1b[0m").unwrap();
        output.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
    }

    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        let path = Path::new("/dev/null");
        if !path.exists() {
            return;
        }
        let mut output = Output::open(Some(path)).unwrap();
        output.data(b"gone").unwrap();
        output.finish().unwrap();
        assert!(!path.metadata().unwrap().is_file());
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let failure = Output::open(Some(Path::new("/no/such/folder/x"))).err().unwrap();
        assert!(failure.message.starts_with("/no/such/folder/x: cannot be written"), "{}", failure.message);
    }
}
