//! A file that is to be fetched.

use crate::content::Kind;
use crate::fetched::FetchedFile;

/// The ending of a file that is not whole yet.
pub(crate) const PART: &str = ".part";

/// A file to fetch.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// The name in the folder.
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) kind: Kind,
    /// Most bytes.
    pub(crate) limit: u64,
    pub(crate) checksum: Option<Checksum>,
}

/// The SHA-256 that a publisher gives, in lower-case digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Checksum {
    /// That of the file.
    File(String),
    /// That of what the file unpacks to.
    Content(String),
}

impl Checksum {
    /// True for the checksum of a file that was fetched.
    pub(crate) fn is_of(&self, file: &FetchedFile) -> bool {
        match self {
            Self::File(sum) => *sum == file.sha256,
            Self::Content(sum) => Some(sum) == file.content_sha256.as_ref(),
        }
    }

    /// The digits.
    pub(crate) fn expected(&self) -> &str {
        let (Self::File(sum) | Self::Content(sum)) = self;
        sum
    }
}
