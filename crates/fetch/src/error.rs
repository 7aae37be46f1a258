//! Errors of fetching.

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use vulnlens_corpus::CorpusError;
use vulnlens_files::{Classified, ErrorKind, FileError};
use vulnlens_hub::HubError;

/// A failure to fetch, or to read what was fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The environment says that the network may not be used.
    #[error(
        "the network may not be used (HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set): unset it, or copy the folder \
         from a machine that has a network"
    )]
    Offline,
    /// A line of a table of addresses cannot be used.
    #[error("{}:{line}: {problem}", file.display())]
    Hosts {
        /// The table.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The problem.
        problem: String,
    },
    /// A host leads on to one that is not in the table.
    #[error(
        "{from} leads on to {to}, which is not a host of the table, or not by https: where that is right, add it to \
         `redirects` of a file for `--hosts`"
    )]
    ForeignHost {
        /// The address that was asked.
        from: String,
        /// The address that it leads to.
        to: String,
    },
    /// Too many redirects, or one without an address.
    #[error("{address} leads in circles or nowhere: try again later, or name another address by `--hosts`")]
    Redirects {
        /// The address that was asked first.
        address: String,
    },
    /// A host cannot be reached.
    #[error(
        "cannot reach {address}: {reason}; behind a proxy set HTTPS_PROXY, behind one that has its own certificates \
         also REQUESTS_CA_BUNDLE; name a mirror by `--hosts`"
    )]
    NoConnection {
        /// The address.
        address: String,
        /// The network's error.
        reason: String,
    },
    /// The connection ended before the file did; what has arrived is kept.
    #[error("{name}: the transfer was cut after {done} bytes: {reason}; run the command again to resume")]
    Cut {
        /// The file.
        name: String,
        /// Bytes on disk.
        done: u64,
        /// The network's error.
        reason: String,
    },
    /// The server asks for fewer requests, or has a fault of its own.
    #[error("{address} answers with status {status}{}: run the command again later", later(*.wait))]
    Busy {
        /// The address.
        address: String,
        /// The status.
        status: u16,
        /// The time after which to ask again, as the server says it.
        wait: Option<Duration>,
    },
    /// Any other status that is not a success.
    #[error(
        "{address} answers with status {status}{}: check the address, or name another by `--hosts`",
        remark(message)
    )]
    Status {
        /// The address.
        address: String,
        /// The status.
        status: u16,
        /// The server's message, which NVD gives.
        message: Option<String>,
    },
    /// A file is longer than it may be.
    #[error("{name}: is longer than {limit} bytes and was left where it is: check {address}")]
    TooLong {
        /// The file.
        name: String,
        /// The address.
        address: String,
        /// Most bytes.
        limit: u64,
    },
    /// A file or an answer is not what it should be.
    #[error(
        "{address}: {problem}; nothing was kept of it: try again later, or name another address by `--hosts`"
    )]
    Malformed {
        /// The address.
        address: String,
        /// The problem.
        problem: String,
    },
    /// A file has another checksum than its publisher says.
    #[error(
        "{name}: arrived damaged (SHA-256 {found}, expected {expected}); it was deleted: try again, or check {address}"
    )]
    Checksum {
        /// The file.
        name: String,
        /// The address.
        address: String,
        /// The checksum that the publisher gives.
        expected: String,
        /// The checksum of what arrived.
        found: String,
    },
    /// The answers of an interface changed while they were read, again and again.
    #[error("{address}: the records of {window} change while they are read: run the command again later")]
    Unsteady {
        /// The address.
        address: String,
        /// The span of time.
        window: String,
    },
    /// Another process fetches into the folder, or watches with it.
    #[error("{}: another process works in this folder: wait for it to end, or choose another folder", folder.display())]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder holds another source.
    #[error("{}: holds `{found}`, and `{asked}` is asked for: give each source a folder of its own", folder.display())]
    OtherSource {
        /// The folder.
        folder: PathBuf,
        /// Its source.
        found: String,
        /// The source that was asked for.
        asked: String,
    },
    /// A record of the folder cannot be read.
    #[error("{}: {problem}; delete the file, and fetch again", path.display())]
    Record {
        /// The record.
        path: PathBuf,
        /// The problem.
        problem: String,
    },
    /// The output of a watch is shorter than its cursor says.
    #[error(
        "{}: has {found} bytes, and {} says that {expected} were written: restore the output, or delete the cursor to \
         begin anew", output.display(), cursor.display()
    )]
    Output {
        /// The output.
        output: PathBuf,
        /// The cursor.
        cursor: PathBuf,
        /// Bytes of the output.
        found: u64,
        /// Bytes that the cursor says.
        expected: u64,
    },
    /// The cursor belongs to a watch of another kind.
    #[error("{}: is the cursor of {found}, and {asked} is asked for: name another by `--cursor`", cursor.display())]
    OtherCursor {
        /// The cursor.
        cursor: PathBuf,
        /// Its source and output.
        found: String,
        /// The source and output that were asked for.
        asked: String,
    },
    /// The way to the network cannot be set up.
    #[error(transparent)]
    Network(#[from] HubError),
    /// A fetched file cannot be read as records.
    #[error(transparent)]
    Records(#[from] CorpusError),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl FetchError {
    pub(crate) fn malformed(address: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Malformed { address: address.into(), problem: problem.into() }
    }

    pub(crate) fn status(address: impl Into<String>, status: u16) -> Self {
        Self::Status { address: address.into(), status, message: None }
    }

    /// True for a failure that may pass.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::NoConnection { .. } | Self::Cut { .. } | Self::Busy { .. })
    }
}

impl Classified for FetchError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Hosts { .. } | Self::OtherSource { .. } | Self::OtherCursor { .. } => ErrorKind::Arguments,
            Self::Record { .. } | Self::Output { .. } => ErrorKind::Input,
            Self::Records(error) => error.kind(),
            Self::File(error) => error.kind(),
            _ => ErrorKind::Unavailable,
        }
    }

    fn hint(&self) -> Option<Cow<'_, str>> {
        if let Self::Records(error) = self { error.hint() } else { None }
    }
}

fn later(wait: Option<Duration>) -> String {
    wait.map(|wait| format!(" and asks to wait {} s", wait.as_secs())).unwrap_or_default()
}

fn remark(message: &Option<String>) -> String {
    message.as_ref().map(|message| format!(" ({message})")).unwrap_or_default()
}
