//! Where data go: standard output, or a file that appears when it is whole.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::failure::Failure;

const STDOUT: &str = "standard output";

/// An output. Bytes go straight through: write much at a time.
pub(crate) struct Output {
    sink: Sink,
    /// Whether ANSI styles are taken out.
    plain: bool,
}

enum Sink {
    Stdout(io::Stdout),
    /// A file beside the one asked for, renamed when it is whole.
    Aside(NamedTempFile, PathBuf),
    /// A device or a pipe, which must not be replaced.
    Special(File, PathBuf),
}

impl Output {
    /// Opens `path`, or standard output, which is also called `-`.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path.filter(|path| path.as_os_str() != "-") else { return Ok(Self::stdout()) };
        let sink = open_file(path).map_err(|error| Failure::output(&path.display().to_string(), &error))?;
        Ok(Self { sink, plain: true })
    }

    /// Standard output.
    pub(crate) fn stdout() -> Self {
        let stdout = io::stdout();
        let plain = anstream::AutoStream::choice(&stdout) == anstream::ColorChoice::Never;
        Self { sink: Sink::Stdout(stdout), plain }
    }

    /// Writes data as they are.
    pub(crate) fn data(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.sink.writer().write_all(bytes).map_err(|error| self.failure(&error))
    }

    /// Writes text that may have ANSI styles.
    pub(crate) fn text(&mut self, text: &[u8]) -> Result<(), Failure> {
        if !self.plain {
            return self.data(text);
        }
        let plain: Vec<u8> = anstream::adapter::strip_bytes(text).flatten().copied().collect();
        self.data(&plain)
    }

    /// Ends the output; a file stands in its place afterwards.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.sink.writer().flush().map_err(|error| self.failure(&error))?;
        let name = self.name();
        match self.sink {
            Sink::Aside(file, path) => {
                file.persist(path).map(drop).map_err(|error| Failure::output(&name, &error.error))
            }
            _ => Ok(()),
        }
    }

    fn name(&self) -> String {
        match &self.sink {
            Sink::Stdout(_) => STDOUT.to_owned(),
            Sink::Aside(_, path) | Sink::Special(_, path) => path.display().to_string(),
        }
    }

    fn failure(&self, error: &io::Error) -> Failure {
        Failure::output(&self.name(), error)
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
            Self::Aside(file, _) => file,
            Self::Special(file, _) => file,
        }
    }
}

fn open_file(path: &Path) -> io::Result<Sink> {
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return Ok(Sink::Special(File::options().write(true).open(path)?, path.to_owned()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".vulnlens-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any program would create it; the process's umask is applied.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    Ok(Sink::Aside(builder.tempfile_in(folder)?, path.to_owned()))
}

/// Prints text that may have ANSI styles on standard output.
pub(crate) fn print_text(text: &str) -> Result<(), Failure> {
    let mut output = Output::stdout();
    output.text(text.as_bytes())?;
    output.finish()
}

/// Prints `value` as JSON, for reading by people and programs, on standard output.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let kind = crate::failure::Kind::Failed;
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::new(kind, error.to_string()))?;
    let mut output = Output::stdout();
    output.data((text + "\n").as_bytes())?;
    output.finish()
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
