//! Texts with their CWE ids, each in one part of a split: what fitting and evaluating work on.

use vulnlens_corpus::Part;
use vulnlens_taxonomy::{CveId, CweId};

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

/// The labelled examples of a part, in their order.
#[must_use]
pub fn labelled_part(examples: &[Example], part: Part) -> Vec<&Example> {
    examples.iter().filter(|example| example.part == part && example.is_labelled()).collect()
}
