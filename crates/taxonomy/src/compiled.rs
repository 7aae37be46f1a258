//! The compiled form of a knowledge base: some hundred kilobytes that load in about a millisecond.
//!
//! | bytes | meaning |
//! |---|---|
//! | 0..8 | `VLENS-KB` |
//! | 8..12 | version of the format, little-endian |
//! | 12..44 | SHA-256 of the rest |
//! | 44..48 | number of bytes of the tables, little-endian |
//! | 48..52 | number of bytes of the supplement, likewise |
//! | 52.. | the tables, in [postcard](https://postcard.jamesmunns.com)'s encoding |
//! | | the supplement (ATLAS and D3FEND), in the same, by deflate |
//! | | the descriptions of techniques of ATLAS, ICS and Mobile, likewise |
//!
//! Of the embedded knowledge base, the last two are decoded where they are asked for.

use sha2::{Digest, Sha256};
use vulnlens_files::{Classified, ErrorKind, hex, revision};

use crate::graph::TooTangled;
use crate::kb::{KnowledgeBase, Tables};
use crate::sections::Lazy;

/// The compiled knowledge base that the crate carries.
pub static EMBEDDED_KNOWLEDGE_BASE: &[u8] = include_bytes!("../assets/kb.bin");

pub(crate) const MAGIC: &[u8; 8] = b"VLENS-KB";
/// To be raised with every change to the tables or to the types in them.
const FORMAT_VERSION: u32 = 5;

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
        bytes.extend(content(&payload(&self.tables), self.supplement.bytes(), self.descriptions.bytes()));
        bytes
    }

    /// The knowledge base that the crate carries, made of the official files by `vulnlens kb build`.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the file is part of the crate; a test reads it")]
    pub fn embedded() -> Self {
        let parts =
            Parts::of(EMBEDDED_KNOWLEDGE_BASE).expect("the embedded knowledge base is of this version");
        let (supplement, descriptions) = (Lazy::trusted(parts.supplement), Lazy::trusted(parts.descriptions));
        Self::link(parts.tables, supplement, descriptions, parts.checksum)
            .expect("its relations are a hierarchy")
    }

    /// Reads the compiled form. Any bytes are safe to give: work and memory are bounded by their
    /// number, and what is not exactly as [`Self::to_bytes`] writes it is refused.
    ///
    /// # Errors
    /// The bytes are something else, damaged, or of another format version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KbFormatError> {
        let parts = Parts::of(bytes)?;
        let supplement = Lazy::checked(parts.supplement).map_err(KbFormatError::Content)?;
        let descriptions = Lazy::checked(parts.descriptions).map_err(KbFormatError::Content)?;
        Ok(Self::link(parts.tables, supplement, descriptions, parts.checksum)?)
    }

    /// The first twelve hexadecimal digits of the compiled form's checksum: which knowledge base
    /// a result was made with.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        revision(&hex(&self.checksum)).to_owned()
    }
}

/// The parts of a compiled knowledge base, the tables decoded and checked.
struct Parts<'b> {
    tables: Tables,
    supplement: &'b [u8],
    descriptions: &'b [u8],
    checksum: [u8; 32],
}

impl<'b> Parts<'b> {
    fn of(bytes: &'b [u8]) -> Result<Self, KbFormatError> {
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
        let (written, supplement, descriptions) = sections(content)
            .ok_or_else(|| KbFormatError::Content("a section is longer than the file".to_owned()))?;
        let unreadable = |error: postcard::Error| KbFormatError::Content(error.to_string());
        let tables: Tables = postcard::from_bytes(written).map_err(unreadable)?;
        // postcard also reads numbers written longer than need be, and leaves a rest unread; then
        // the checksum would not be that of the tables.
        if payload(&tables) != written {
            return Err(KbFormatError::Content("not as this program writes it".to_owned()));
        }
        check_order(&tables)?;
        Ok(Self { tables, supplement, descriptions, checksum: *expected })
    }
}

/// The content behind the checksum, cut into its three sections.
fn sections(content: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (tables, rest) = content.split_first_chunk()?;
    let (supplement, rest) = rest.split_first_chunk()?;
    let length = |bytes: &[u8; 4]| usize::try_from(u32::from_le_bytes(*bytes)).ok();
    let (tables, rest) = rest.split_at_checked(length(tables)?)?;
    let (supplement, descriptions) = rest.split_at_checked(length(supplement)?)?;
    Some((tables, supplement, descriptions))
}

/// The content behind the checksum.
pub(crate) fn content(tables: &[u8], supplement: &[u8], descriptions: &[u8]) -> Vec<u8> {
    // Catalogues are bounded by far less than four billion bytes.
    let length = |part: &[u8]| u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes();
    [&length(tables), &length(supplement), tables, supplement, descriptions].concat()
}

/// The tables as bytes.
#[expect(
    clippy::expect_used,
    reason = "postcard refuses only sequences of unknown length; the tables have none"
)]
pub(crate) fn payload(tables: &Tables) -> Vec<u8> {
    postcard::to_stdvec(tables).expect("every sequence of the tables knows its length")
}

pub(crate) fn checksum(content: &[u8]) -> [u8; 32] {
    Sha256::digest(content).into()
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
