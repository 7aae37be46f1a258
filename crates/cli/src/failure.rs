//! Why a command ends without success: the kind, which gives the exit code, what happened, and what to do.

use std::io;

use vulnlens_corpus::CorpusError;

use crate::exit_codes;

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
}

impl Kind {
    /// The kinds and their exit codes.
    pub(crate) const EXIT_CODES: [(Self, u8); 6] = [
        (Self::OutputClosed, exit_codes::OK),
        (Self::Failed, exit_codes::FAILED),
        (Self::Arguments, exit_codes::BAD_ARGUMENTS),
        (Self::Input, exit_codes::NO_INPUT),
        (Self::SomeRecords, exit_codes::SOME_RECORDS_FAILED),
        (Self::Unavailable, exit_codes::NOT_AVAILABLE),
    ];

    pub(crate) fn exit_code(self) -> u8 {
        let found = Self::EXIT_CODES.iter().find(|(kind, _)| *kind == self);
        found.map_or(exit_codes::FAILED, |(_, code)| *code)
    }
}

/// A failure, worded for the person at the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    /// Where and what, in one line.
    pub(crate) message: String,
    /// What to do about it, where the message does not say so already.
    pub(crate) hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The same failure where it means that something vulnlens works with, not its input, is not to be had.
    pub(crate) fn unavailable(self) -> Self {
        Self { kind: if self.kind == Kind::Input { Kind::Unavailable } else { self.kind }, ..self }
    }

    /// An output that cannot be written, `what` being standard output or a path.
    pub(crate) fn output(what: &str, error: &io::Error) -> Self {
        let kind = if error.kind() == io::ErrorKind::BrokenPipe { Kind::OutputClosed } else { Kind::Failed };
        Self::new(kind, format!("{what}: cannot be written: {error}"))
    }
}

impl From<CorpusError> for Failure {
    fn from(error: CorpusError) -> Self {
        let kind = if matches!(error, CorpusError::Write { .. }) { Kind::Failed } else { Kind::Input };
        let failure = Self::new(kind, error.to_string());
        match error {
            CorpusError::MissingColumn { .. } => {
                failure.hint("rename the column, or give a file that has it")
            }
            _ => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_the_exit_code_of_the_documentation() {
        let codes = Kind::EXIT_CODES.map(|(kind, code)| (kind.exit_code(), code));
        assert_eq!(codes.map(|(code, _)| code), [0, 1, 2, 3, 4, 5]);
        assert!(codes.iter().all(|(by_kind, in_table)| by_kind == in_table));
    }

    #[test]
    fn only_an_input_becomes_unavailable() {
        assert_eq!(Failure::new(Kind::Input, "x").unavailable().kind, Kind::Unavailable);
        assert_eq!(Failure::new(Kind::Failed, "x").unavailable().kind, Kind::Failed);
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
