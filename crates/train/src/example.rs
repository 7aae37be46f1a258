//! What fitting and evaluating work on: texts with their CWE ids, each in one part of a split.

use std::collections::BTreeMap;

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
    /// Whether the record has any CWE.
    #[must_use]
    pub fn is_labelled(&self) -> bool {
        !self.cwes.is_empty()
    }
}

/// Labelled texts that a year must have to be told apart from the one before it: late publications of
/// old ids say little of a year's habits.
const TEXTS_OF_A_YEAR: usize = 500;

/// The newest year with enough labelled texts; in a small corpus the newest of all.
pub(crate) fn newest_year(texts: &[&Example]) -> u16 {
    let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
    for example in texts.iter().filter(|e| e.is_labelled()) {
        *counts.entry(example.year).or_default() += 1;
    }
    let newest = counts.keys().next_back().copied().unwrap_or(0);
    counts.into_iter().rev().find(|&(_, n)| n >= TEXTS_OF_A_YEAR).map_or(newest, |(year, _)| year)
}
