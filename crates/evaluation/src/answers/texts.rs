//! The texts of a part by what is measured on them.

use std::collections::BTreeSet;

use vulnlens_corpus::{Part, TextKind};
use vulnlens_taxonomy::CveId;

use crate::example::{Example, labelled_part};

/// The style of a text that has none.
const UNKNOWN: &str = "unknown";

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
        let of_kind =
            |kind| examples.iter().filter(move |example| example.part == part && example.kind == kind);
        let with_styles = |kind| {
            of_kind(kind).map(|example| (example.style.as_deref().unwrap_or(UNKNOWN), example)).collect()
        };
        let styles: Vec<(&str, &Example)> = with_styles(TextKind::Style);
        let cves: BTreeSet<CveId> = styles.iter().filter_map(|(_, example)| example.cve).collect();
        let is_paired =
            |example: &&Example| !example.is_labelled() && example.cve.is_some_and(|cve| cves.contains(&cve));
        Self {
            records: labelled_part(examples, part),
            unlabelled: of_kind(TextKind::Record).filter(is_paired).collect(),
            negatives: with_styles(TextKind::Negative),
            styles,
        }
    }
}
