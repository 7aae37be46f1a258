//! The compiled form of a knowledge base: some hundred kilobytes that load in about a millisecond.
//!
//! | bytes | meaning |
//! |---|---|
//! | 0..8 | `VLENS-KB` |
//! | 8..12 | version of the format, little-endian |
//! | 12..44 | SHA-256 of the rest |
//! | 44.. | the tables, in [postcard](https://postcard.jamesmunns.com)'s encoding |

use sha2::{Digest, Sha256};
use vulnlens_files::{Classified, ErrorKind, hex, revision};

use crate::graph::TooTangled;
use crate::kb::{KnowledgeBase, Tables};

/// The compiled knowledge base that the crate carries.
pub static EMBEDDED_KNOWLEDGE_BASE: &[u8] = include_bytes!("../assets/kb.bin");

pub(crate) const MAGIC: &[u8; 8] = b"VLENS-KB";
/// To be raised with every change to the tables or to the types in them.
const FORMAT_VERSION: u32 = 4;

/// Reasons why bytes are not a compiled knowledge base that this version can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KbFormatError {
    /// The file begins differently.
    #[error("not a compiled knowledge base: it does not begin with \"VLENS-KB\"; make one with `kb build`")]
    NotAKnowledgeBase,
    /// The file ends before its header does.
    #[error("truncated: the header ends after {0} bytes; copy or build the file again")]
    Truncated(usize),
    /// The file is of another format version.
    #[error(
        "format version {found}, but this program reads version {FORMAT_VERSION}: build it again with this program"
    )]
    Version {
        /// The version that the file gives.
        found: u32,
    },
    /// The content is not what was written.
    #[error("checksum differs: the file is damaged or cut off; copy or build it again")]
    Checksum,
    /// The checksum is right, but the content is not what this version writes.
    #[error("unreadable content: {0}; build the file again")]
    Content(String),
    /// The content decodes, but a list in it is out of order.
    #[error("unreadable content: the {0} are not in id order; build the file again")]
    Unordered(&'static str),
    /// The relations are no hierarchy.
    #[error(transparent)]
    TooTangled(#[from] TooTangled),
}

impl Classified for KbFormatError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Input
    }
}

impl KnowledgeBase {
    /// The compiled form; equal knowledge bases have equal bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::from(MAGIC);
        bytes.extend(FORMAT_VERSION.to_le_bytes());
        bytes.extend(self.checksum);
        bytes.extend(payload(&self.tables));
        bytes
    }

    /// The knowledge base that the crate carries, made of the official files by `vulnlens kb build`.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the file is part of the crate; a test reads it")]
    pub fn embedded() -> Self {
        Self::from_bytes(EMBEDDED_KNOWLEDGE_BASE).expect("the embedded knowledge base is of this version")
    }

    /// Reads the compiled form. Any bytes are safe to give: work and memory are bounded by their
    /// number, and what is not exactly as [`Self::to_bytes`] writes it is refused.
    ///
    /// # Errors
    /// The bytes are something else, damaged, or of another format version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KbFormatError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(KbFormatError::NotAKnowledgeBase)?;
        let truncated = KbFormatError::Truncated(bytes.len());
        let (version, rest) = rest.split_first_chunk().ok_or(truncated.clone())?;
        let found = u32::from_le_bytes(*version);
        if found != FORMAT_VERSION {
            return Err(KbFormatError::Version { found });
        }
        let (expected, content) = rest.split_first_chunk::<32>().ok_or(truncated)?;
        if checksum(content) != *expected {
            return Err(KbFormatError::Checksum);
        }
        let unreadable = |error: postcard::Error| KbFormatError::Content(error.to_string());
        let tables: Tables = postcard::from_bytes(content).map_err(unreadable)?;
        // postcard also reads numbers written longer than need be, and leaves a rest unread; then
        // the checksum would not be that of the tables.
        if payload(&tables) != content {
            return Err(KbFormatError::Content("not as this program writes it".to_owned()));
        }
        check_order(&tables)?;
        Ok(Self::link(tables, *expected)?)
    }

    /// The first twelve hexadecimal digits of the compiled form's checksum: which knowledge base
    /// a result was made with.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        revision(&hex(&self.checksum)).to_owned()
    }
}

/// The tables as bytes.
#[expect(
    clippy::expect_used,
    reason = "postcard refuses only sequences of unknown length; the tables have none"
)]
pub(crate) fn payload(tables: &Tables) -> Vec<u8> {
    postcard::to_stdvec(tables).expect("every sequence of the tables knows its length")
}

pub(crate) fn checksum(payload: &[u8]) -> [u8; 32] {
    Sha256::digest(payload).into()
}

/// Look-ups search the lists by halving, which needs their order.
fn check_order(tables: &Tables) -> Result<(), KbFormatError> {
    let ordered = [
        ("weaknesses", tables.weaknesses.is_sorted_by(|a, b| a.id < b.id)),
        ("groupings", tables.groupings.is_sorted_by(|a, b| a.id < b.id)),
        ("members of view 1003", tables.view_1003.is_sorted_by(|a, b| a < b)),
        ("patterns", tables.patterns.is_sorted_by(|a, b| a.id < b.id)),
        ("tactics", tables.tactics.is_sorted_by(|a, b| a.id < b.id)),
        ("techniques", tables.techniques.is_sorted_by(|a, b| a.id < b.id)),
        ("mapping notes", tables.mapping.is_in_order()),
        ("STIX objects", tables.stix.is_in_order()),
    ];
    match ordered.into_iter().find(|(_, in_order)| !in_order) {
        Some((list, _)) => Err(KbFormatError::Unordered(list)),
        None => Ok(()),
    }
}
