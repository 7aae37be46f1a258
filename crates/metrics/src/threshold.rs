//! Decision thresholds of highest F1. A label is decided for where its score ≥ the threshold.
//!
//! Below the highest gold score, F1 as a function of the threshold only rises where the threshold
//! passes a gold score, so only gold scores are candidates: the best of them is the highest
//! threshold of highest F1.

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;
use serde::{Deserialize, Serialize};

use crate::score_key::{score_key, score_of_key};
use crate::{MetricsError, ScoredRow};

/// Labels whose scores are gathered in one pass over the rows: as many as fill a cache line.
const BLOCK_LABELS: usize = 16;

/// A decision threshold and what it reaches on the rows it was searched on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Decide for a label where its score is at least this. Itself one of the scores.
    pub threshold: f32,
    /// The F1 reached.
    pub f1: f64,
}

/// The one threshold for all labels whose micro-F1 is highest; the highest such threshold where
/// several are. `None` where no row has a gold label: nothing then prefers one to another.
///
/// Takes 4 bytes of memory a score.
///
/// # Errors
/// That of the first bad row; see [`Accumulator::add`](crate::Accumulator::add).
pub fn best_global_threshold<'a>(
    n_labels: usize,
    rows: usize,
    row: impl Fn(usize) -> ScoredRow<'a> + Sync,
) -> Result<Option<Threshold>, MetricsError> {
    let mut all = Vec::new();
    let mut gold = Vec::new();
    for number in 0..rows {
        let row = row(number);
        row.check(number, n_labels)?;
        all.extend(row.scores.iter().map(|&score| score_key(score)));
        gold.extend(gold_keys(&row, 0, n_labels).map(|(_, key)| key));
    }
    all.par_sort_unstable();
    gold.par_sort_unstable();
    Ok(best_f1(&all, &gold))
}

/// For each label the threshold whose F1 is highest on that label; the highest such threshold
/// where several are. `None` for a label that is gold in no row.
///
/// # Errors
/// That of the first bad row; see [`Accumulator::add`](crate::Accumulator::add).
pub fn best_label_thresholds<'a>(
    n_labels: usize,
    rows: usize,
    row: impl Fn(usize) -> ScoredRow<'a> + Sync,
) -> Result<Vec<Option<Threshold>>, MetricsError> {
    (0..rows).try_for_each(|number| row(number).check(number, n_labels))?;
    let search_block = |block: usize| {
        let first = block * BLOCK_LABELS;
        let labels = BLOCK_LABELS.min(n_labels - first);
        let mut columns = vec![Column { all: Vec::with_capacity(rows), gold: Vec::new() }; labels];
        for number in 0..rows {
            let row = row(number);
            for (column, &score) in columns.iter_mut().zip(row.scores.iter().skip(first)) {
                column.all.push(score_key(score));
            }
            for (label, key) in gold_keys(&row, first, first + labels) {
                if let Some(column) = columns.get_mut(label - first) {
                    column.gold.push(key);
                }
            }
        }
        columns.into_iter().map(Column::best).collect::<Vec<_>>()
    };
    let blocks: Vec<_> = (0..n_labels.div_ceil(BLOCK_LABELS)).into_par_iter().map(search_block).collect();
    Ok(blocks.into_iter().flatten().collect())
}

/// The score keys of one label, over all rows and over those where it is gold.
#[derive(Clone)]
struct Column {
    all: Vec<u32>,
    gold: Vec<u32>,
}

impl Column {
    fn best(mut self) -> Option<Threshold> {
        self.all.sort_unstable();
        self.gold.sort_unstable();
        best_f1(&self.all, &self.gold)
    }
}

/// The gold labels of a row from `first` up to, not including, `end`, with their score keys.
fn gold_keys(row: &ScoredRow<'_>, first: usize, end: usize) -> impl Iterator<Item = (usize, u32)> {
    let from = row.gold.partition_point(|&label| (label as usize) < first);
    let labels =
        row.gold.iter().skip(from).map(|&label| label as usize).take_while(move |&label| label < end);
    labels.filter_map(|label| Some((label, score_key(*row.scores.get(label)?))))
}

/// The best of the `gold` keys as a threshold; both slices sorted, `gold` contained in `all`.
fn best_f1(all: &[u32], gold: &[u32]) -> Option<Threshold> {
    let mut best: Option<(u64, u64, u32)> = None;
    let (mut predicted, mut hits) = (0, 0);
    for tied in gold.chunk_by(|a, b| a == b).rev() {
        let &key = tied.first()?;
        hits += tied.len();
        predicted += all.iter().rev().skip(predicted).take_while(|&&other| other >= key).count();
        let (part, whole) = (2 * hits as u64, (predicted + gold.len()) as u64);
        // Fractions are compared exactly, so that ties are ties; the first, highest one stays.
        if best.is_none_or(|(p, w, _)| u128::from(part) * u128::from(w) > u128::from(p) * u128::from(whole)) {
            best = Some((part, whole, key));
        }
    }
    best.map(|(part, whole, key)| Threshold { threshold: score_of_key(key), f1: part as f64 / whole as f64 })
}
