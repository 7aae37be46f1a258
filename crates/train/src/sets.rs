//! The CWE sets of the training part: the classes of a chain-consistent model.

use std::collections::{BTreeMap, BTreeSet};

use vulnlens_evaluation::{Example, TextKind};
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

/// The sets without those of several ids that fewer than `fewest` texts have: these texts are taught each of the ids in
/// equal parts, as [`parts_of`] says. Rare combinations would make most of the outputs, and hardly one is ever right.
pub(crate) fn without_rare_combinations(sets: Sets, fewest: u64) -> Sets {
    let is_rare = |set: &[CweId], count: u64| set.len() > 1 && count < fewest;
    let mut kept = Sets::new();
    for (set, (_, count)) in sets {
        if is_rare(&set, count) {
            set.iter().for_each(|id| kept.entry(vec![*id]).or_insert((0, 0)).1 += count);
        } else {
            kept.entry(set).or_insert((0, 0)).1 += count;
        }
    }
    for (index, entry) in kept.values_mut().enumerate() {
        entry.0 = index;
    }
    kept
}

/// The sets that a text with these ids is taught, in equal parts: the set of all of them, or else one for each.
pub(crate) fn parts_of(cwes: &[CweId], sets: &Sets) -> Vec<usize> {
    match sets.get(cwes) {
        Some(&(set, _)) => vec![set],
        None => cwes.iter().filter_map(|id| sets.get([*id].as_slice())).map(|&(set, _)| set).collect(),
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

/// The weaknesses of some texts that none but the catalogue's have, rising.
pub(crate) fn catalogue_only(texts: &[&Example]) -> Vec<CweId> {
    let of = |is_wanted: fn(TextKind) -> bool| -> BTreeSet<CweId> {
        texts.iter().filter(|e| is_wanted(e.kind)).flat_map(|e| &e.cwes).copied().collect()
    };
    let (catalogue, others) =
        (of(|kind| kind == TextKind::Catalogue), of(|kind| kind != TextKind::Catalogue));
    catalogue.difference(&others).copied().collect()
}

/// The sets by rising index.
pub(crate) fn in_order(sets: &Sets) -> Vec<Vec<CweId>> {
    sets.keys().cloned().collect()
}

/// How many texts have each, by rising index.
pub(crate) fn counts(sets: &Sets) -> Vec<u64> {
    sets.values().map(|&(_, count)| count).collect()
}
