//! Exceptions: those of the package, by the kind of an error, in the words of the command line.

use pyo3::prelude::*;
use vulnlens_files::{Classified, ErrorKind};

/// An error of the libraries, whichever.
pub(crate) type AnyError = Box<dyn Classified + Send + Sync>;

/// The classes of `vulnlens._errors` that the native module raises.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Class {
    Argument,
    Input,
    Model,
    Output,
    Fault,
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Self::Argument => "ArgumentError",
            Self::Input => "InputError",
            Self::Model => "ModelError",
            Self::Output => "OutputError",
            Self::Fault => "Error",
        }
    }
}

/// The exception for an error of the libraries.
pub(crate) fn raised(error: &dyn Classified) -> PyErr {
    let class = match error.kind() {
        ErrorKind::Arguments => Class::Argument,
        ErrorKind::Input => Class::Input,
        ErrorKind::Unavailable => Class::Model,
        ErrorKind::Output => Class::Output,
        ErrorKind::Fault => Class::Fault,
    };
    exception(class, &error.to_string(), error.hint().as_deref())
}

/// An exception with a message and, where the message does not say it, what to do.
pub(crate) fn exception(class: Class, message: &str, hint: Option<&str>) -> PyErr {
    Python::attach(|py| {
        let module = py.import("vulnlens._errors");
        let class = module.and_then(|module| module.getattr(class.name()));
        match class.and_then(|class| class.call1((message, hint))) {
            Ok(value) => PyErr::from_value(value),
            Err(error) => error,
        }
    })
}
