//! The kinds of error: exit codes follow from them.

use std::borrow::Cow;
use std::error::Error;

/// The kind of an error, for whoever has to act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The caller asked for something that makes no sense.
    Arguments,
    /// The input is missing, unreadable or malformed.
    Input,
    /// Something that the work needs (a model, a knowledge base, a data set, a server) is not available.
    Unavailable,
    /// The output cannot be written.
    Output,
    /// The program is at fault, or the machine.
    Fault,
}

/// An error that knows its kind.
pub trait Classified: Error {
    /// The kind of the error.
    fn kind(&self) -> ErrorKind;

    /// The way out, where the message does not name it already.
    fn hint(&self) -> Option<Cow<'_, str>> {
        None
    }
}

impl<E: Classified> Classified for Box<E> {
    fn kind(&self) -> ErrorKind {
        (**self).kind()
    }

    fn hint(&self) -> Option<Cow<'_, str>> {
        (**self).hint()
    }
}
