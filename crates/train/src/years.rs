//! The newest year that a model tells apart.

use std::collections::BTreeMap;

use vulnlens_evaluation::Example;

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
