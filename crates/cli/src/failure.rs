//! A command's failure: the kind, which gives the exit code, the message, and the hint.

use std::error::Error;
use std::io;

use vulnlens_files::{Classified, ErrorKind};

use crate::{exit_codes, signals};

/// The kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Whoever read the output went away: the end of the work, and no fault.
    OutputClosed,
    /// The output cannot be written, or vulnlens is at fault.
    Failed,
    /// The arguments make no sense together.
    Arguments,
    /// There is no input, or it cannot be read.
    Input,
    /// Some records failed, the rest were done.
    SomeRecords,
    /// A model, a knowledge base or a data set is not available.
    Unavailable,
    /// A record has a verdict that should not be there.
    Verdicts,
    /// A finding got no weakness that should have one.
    Unfilled,
    /// A signal ended the work before its time.
    Interrupted,
}

impl Kind {
    /// The kinds and their exit codes; that of an interruption is its signal's.
    pub(crate) const EXIT_CODES: [(Self, u8); 8] = [
        (Self::OutputClosed, exit_codes::OK),
        (Self::Failed, exit_codes::FAILED),
        (Self::Arguments, exit_codes::BAD_ARGUMENTS),
        (Self::Input, exit_codes::NO_INPUT),
        (Self::SomeRecords, exit_codes::SOME_RECORDS_FAILED),
        (Self::Unavailable, exit_codes::NOT_AVAILABLE),
        (Self::Verdicts, exit_codes::VERDICT_FOUND),
        (Self::Unfilled, exit_codes::NOT_FILLED),
    ];

    pub(crate) fn exit_code(self) -> u8 {
        if self == Self::Interrupted {
            return signals::exit_code();
        }
        let found = Self::EXIT_CODES.iter().find(|(kind, _)| *kind == self);
        found.map_or(exit_codes::FAILED, |(_, code)| *code)
    }
}

/// A failure, worded for the person at the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    /// The place and the problem, in one line.
    pub(crate) message: String,
    /// The way out, where the message does not name it already.
    pub(crate) hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The same failure where the input is a model, a knowledge base or a data set: those are unavailable.
    pub(crate) fn unavailable(self) -> Self {
        Self { kind: if self.kind == Kind::Input { Kind::Unavailable } else { self.kind }, ..self }
    }

    /// An output that cannot be written, `what` being standard output or a path.
    pub(crate) fn output(what: &str, error: &io::Error) -> Self {
        let kind = if error.kind() == io::ErrorKind::BrokenPipe { Kind::OutputClosed } else { Kind::Failed };
        Self::new(kind, format!("{what}: cannot be written: {error}"))
    }
}

/// The one way from an error of the libraries to a failure.
impl<E: Classified> From<E> for Failure {
    fn from(error: E) -> Self {
        let kind = match error.kind() {
            ErrorKind::Arguments => Kind::Arguments,
            ErrorKind::Input => Kind::Input,
            ErrorKind::Unavailable => Kind::Unavailable,
            ErrorKind::Output if is_broken_pipe(&error) => Kind::OutputClosed,
            ErrorKind::Output | ErrorKind::Fault => Kind::Failed,
        };
        let hint = error.hint().map(|hint| hint.into_owned());
        Self { kind, message: error.to_string(), hint }
    }
}

/// True if the reader of the output went away, by the system's error beneath `error`.
fn is_broken_pipe(error: &dyn Error) -> bool {
    let system = |error: &(dyn Error + 'static)| error.downcast_ref().map(io::Error::kind);
    std::iter::successors(error.source(), |error: &&(dyn Error + 'static)| (*error).source())
        .filter_map(system)
        .any(|kind| kind == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use vulnlens_files::FileError;

    use super::*;

    #[test]
    fn each_kind_has_the_exit_code_of_the_documentation() {
        let codes = Kind::EXIT_CODES.map(|(kind, code)| (kind.exit_code(), code));
        assert_eq!(codes.map(|(code, _)| code), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert!(codes.iter().all(|(by_kind, in_table)| by_kind == in_table));
    }

    #[test]
    fn only_an_input_becomes_unavailable() {
        assert_eq!(Failure::new(Kind::Input, "x").unavailable().kind, Kind::Unavailable);
        assert_eq!(Failure::new(Kind::Failed, "x").unavailable().kind, Kind::Failed);
    }

    #[test]
    fn an_error_of_the_libraries_keeps_its_kind_and_its_message() {
        let path = Path::new("out");
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        for (error, kind) in [
            (FileError::read(path)(broken()), Kind::Input),
            (FileError::write(path)(broken()), Kind::OutputClosed),
            (FileError::write(path)(io::ErrorKind::StorageFull.into()), Kind::Failed),
        ] {
            let message = error.to_string();
            let failure = Failure::from(error);
            assert_eq!((failure.kind, failure.message), (kind, message));
        }
    }

    #[test]
    fn a_closed_pipe_is_told_from_a_full_disk() {
        for (error, kind) in
            [(io::ErrorKind::BrokenPipe, Kind::OutputClosed), (io::ErrorKind::StorageFull, Kind::Failed)]
        {
            assert_eq!(Failure::output("standard output", &error.into()).kind, kind);
        }
    }
}
