//! The texts of a part by what is measured on them.

use vulnlens_corpus::Part;
use vulnlens_taxonomy::CveId;

use crate::example::{Example, labelled_part};

/// The texts of a part.
pub(super) struct Texts<'e> {
    /// The labelled records.
    pub(super) records: Vec<&'e Example>,
    /// Records without a label: those whose CVE has a text in another style.
    pub(super) unlabelled: Vec<&'e Example>,
    /// Texts of CVEs in other styles than the records', with their styles.
    pub(super) styles: Vec<(&'e str, &'e Example)>,
    /// Texts without a vulnerability, with their styles.
    pub(super) negatives: Vec<(&'e str, &'e Example)>,
}

impl<'e> Texts<'e> {
    pub(super) fn of(examples: &'e [Example], part: Part) -> Self {
        let records = labelled_part(examples, part);
        Self { records, unlabelled: vec![], styles: vec![], negatives: vec![] }
    }
}

/// The CVE that a text is about.
pub(super) fn cve(example: &Example) -> Option<CveId> {
    Some(example.id)
}
