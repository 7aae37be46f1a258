//! Texts with their CWE ids, each in one part of a split: what fitting and evaluating work on.

use vulnlens_taxonomy::{CveId, CweId};

/// The part of a split that a text belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Fitted on.
    Train,
    /// Settings, thresholds and temperature are chosen on it.
    Validation,
    /// Read once for each published model.
    Test,
}

impl Part {
    /// The parts that models are evaluated on.
    pub const EVALUATED: [Self; 2] = [Self::Validation, Self::Test];

    /// Its name in files and arguments.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// Its description in the help of an argument.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::Train => "For fitting",
            Self::Validation => "For choosing settings",
            Self::Test => "For publishing, once",
        }
    }
}

/// One text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The record's id.
    pub id: CveId,
    /// The description.
    pub text: String,
    /// The record's year: of its publication, else of its id.
    pub year: u16,
    /// CWE ids as assigned, sorted, without ancestors. Empty: nobody has labelled the record.
    pub cwes: Vec<CweId>,
    /// Its part of the split.
    pub part: Part,
}

impl Example {
    /// True when the record has a CWE.
    #[must_use]
    pub fn is_labelled(&self) -> bool {
        !self.cwes.is_empty()
    }
}
