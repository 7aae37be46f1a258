//! Errors that end a run, as far as they are not those of one record.

use std::borrow::Cow;
use std::path::PathBuf;

use vulnlens_files::{Classified, ErrorKind, FileError};
use vulnlens_hub::HubError;

/// An error that no record is to blame for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PromptError {
    /// The address of the endpoint cannot be used.
    #[error(
        "{address:?} is not the address of an endpoint: give `https://host/v1`, or `http://host:port/v1` for this \
         machine, without a user name, a query or a fragment"
    )]
    Address {
        /// The address.
        address: String,
    },
    /// The texts and the key would go over the network in the clear.
    #[error(
        "{host} would get texts and key without encryption: give an `https` address, or `--allow-http` where the \
         network may read them"
    )]
    PlainHttp {
        /// The host.
        host: String,
    },
    /// The key could not stand in a header. The key itself is not repeated.
    #[error("the key holds characters that no key has (spaces, control or non-ASCII characters)")]
    Key,
    /// A line of the template cannot be used.
    #[error("{}:{line}: {problem}", file.display())]
    Template {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The problem, with its cure.
        problem: String,
    },
    /// A setting makes no sense.
    #[error("{setting}: {problem}")]
    Setting {
        /// The setting, as the command line writes it.
        setting: &'static str,
        /// The problem, with its cure.
        problem: String,
    },
    /// A prompt without any text is longer than prompts may be.
    #[error(
        "the prompt has {chars} characters before any text of a record, and --max-prompt-chars allows {most}: allow \
         more, or give fewer candidates or examples"
    )]
    TooLong {
        /// Its characters.
        chars: usize,
        /// The most that are allowed.
        most: usize,
    },
    /// The endpoint leads on to another address, which gets neither texts nor key.
    #[error("{from} leads on to {to}, which is not asked: where that is right, give it as the endpoint")]
    Redirect {
        /// The address that was asked.
        from: String,
        /// The address that it leads to.
        to: String,
    },
    /// The endpoint refuses every request.
    #[error("{address} refuses requests with status {status}{}: {}", remark(message), cure(*status))]
    Refused {
        /// The address.
        address: String,
        /// The status.
        status: u16,
        /// The endpoint's message.
        message: Option<String>,
    },
    /// The endpoint has never answered.
    #[error("cannot reach {address}: {reason}; start the server, or check the address of the endpoint")]
    Unreachable {
        /// The address.
        address: String,
        /// The network's error.
        reason: String,
    },
    /// The endpoint fails record after record.
    #[error(
        "{failures} records in a row got no reply, the last because {reason}; what was answered is in the cache, if there \
         is one: run the command again with it"
    )]
    GivenUp {
        /// The number of records.
        failures: u64,
        /// The last failure.
        reason: String,
    },
    /// A thread panicked.
    #[error("a thread that asks stopped; this is a fault of vulnlens")]
    Stopped,
    /// The way to the network cannot be set up.
    #[error(transparent)]
    Network(#[from] HubError),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Classified for PromptError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Address { .. }
            | Self::PlainHttp { .. }
            | Self::Key
            | Self::Template { .. }
            | Self::Setting { .. }
            | Self::TooLong { .. } => ErrorKind::Arguments,
            Self::Stopped => ErrorKind::Fault,
            Self::File(error) => error.kind(),
            _ => ErrorKind::Unavailable,
        }
    }

    fn hint(&self) -> Option<Cow<'_, str>> {
        let schema =
            "where the server knows no JSON Schema, `--schema-style json_object` or `none` asks without";
        matches!(self, Self::GivenUp { .. }).then(|| schema.into())
    }
}

fn remark(message: &Option<String>) -> String {
    message.as_ref().map(|message| format!(" ({message})")).unwrap_or_default()
}

fn cure(status: u16) -> &'static str {
    match status {
        401 | 403 => "name the variable with the key by `--key-variable`, or check the key",
        404 => "check the address, which mostly ends in `/v1`, and the name of the model",
        _ => "check the address of the endpoint",
    }
}
