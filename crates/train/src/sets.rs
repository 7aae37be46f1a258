//! The CWE sets of the training part: the classes of a chain-consistent model.

use std::collections::BTreeMap;

use vulnlens_evaluation::Example;
use vulnlens_model::MAX_SETS;
use vulnlens_taxonomy::{CweId, Outcome};

use crate::error::TrainError;

/// The distinct CWE sets of the labelled texts: index (in the sets' own order) and frequency.
pub(crate) type Sets = BTreeMap<Vec<CweId>, (usize, u64)>;

/// The sets of some texts.
///
/// # Errors
/// When there is no labelled text, only one set, or more sets than a model can hold.
pub(crate) fn sets_of(texts: &[&Example]) -> Result<Sets, TrainError> {
    let mut sets = Sets::new();
    for example in texts.iter().filter(|e| e.is_labelled()) {
        sets.entry(example.cwes.clone()).or_insert((0, 0)).1 += 1;
    }
    for (index, entry) in sets.values_mut().enumerate() {
        entry.0 = index;
    }
    match sets.len() {
        0 => Err(TrainError::NoTrainingTexts { texts: texts.len() }),
        1 => Err(TrainError::OneSetOnly),
        found if found > MAX_SETS => Err(TrainError::TooManySets { found }),
        _ => Ok(sets),
    }
}

/// The outcomes of some texts that are not sets of weaknesses, in order, and how many texts have each.
pub(crate) fn outcomes_of(texts: &[&Example]) -> Vec<(Outcome, u64)> {
    let mut counts: BTreeMap<Outcome, u64> = BTreeMap::new();
    for outcome in texts.iter().filter(|e| !e.is_labelled()).filter_map(|e| e.outcome) {
        *counts.entry(outcome).or_default() += 1;
    }
    counts.into_iter().collect()
}

/// The sets by rising index.
pub(crate) fn in_order(sets: &Sets) -> Vec<Vec<CweId>> {
    sets.keys().cloned().collect()
}

/// How many texts have each, by rising index.
pub(crate) fn counts(sets: &Sets) -> Vec<u64> {
    sets.values().map(|&(_, count)| count).collect()
}
