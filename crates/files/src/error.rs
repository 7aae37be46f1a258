//! A file that cannot be read or written.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::kind::{Classified, ErrorKind};

/// A file that cannot be read or written, with its path.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot be {access}: {source}", path.display())]
#[non_exhaustive]
pub struct FileError {
    /// The path, as it was given.
    pub path: PathBuf,
    access: Access,
    /// The system's error.
    pub source: io::Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "written",
        })
    }
}

impl FileError {
    /// Turns a system's error into that of a file that cannot be read: for `map_err`.
    pub fn read(path: &Path) -> impl Fn(io::Error) -> Self {
        |source| Self { path: path.to_owned(), access: Access::Read, source }
    }

    /// Turns a system's error into that of a file that cannot be written: for `map_err`.
    pub fn write(path: &Path) -> impl Fn(io::Error) -> Self {
        |source| Self { path: path.to_owned(), access: Access::Write, source }
    }
}

impl Classified for FileError {
    fn kind(&self) -> ErrorKind {
        match self.access {
            Access::Read => ErrorKind::Input,
            Access::Write => ErrorKind::Output,
        }
    }
}
