//! Counts and exact sums over rows, from which the table is finished.

use crate::ranking::{CUTOFFS, Ranker, RowRanking};
use crate::ratio::ratio;
use crate::table::{LabelRow, Table};
use crate::unit_sum::UnitSum;
use crate::{MetricsError, RowView};

/// Figures under way: takes rows one at a time, in memory that grows with the labels only.
///
/// Accumulators over parts of the rows [merge](Self::merge) to the same bits as one accumulator
/// over all of them, in whatever order.
#[derive(Debug, Clone)]
pub struct Accumulator {
    first_row: usize,
    rows: u64,
    rows_with_labels: u64,
    exact_rows: u64,
    labels: Vec<LabelCounts>,
    coverage: u128,
    hits: [u64; CUTOFFS.len()],
    average_precision: UnitSum,
    reciprocal_rank: UnitSum,
    pair_loss: UnitSum,
    recall: [UnitSum; CUTOFFS.len()],
    row_f1: UnitSum,
    ranker: Ranker,
}

#[derive(Debug, Clone, Copy, Default)]
struct LabelCounts {
    support: u64,
    predicted: u64,
    true_positives: u64,
}

impl Accumulator {
    /// An empty accumulator over `n_labels` labels.
    #[must_use]
    pub fn new(n_labels: usize) -> Self {
        Self::starting_at(n_labels, 0)
    }

    /// An empty accumulator whose first row is number `first_row` in errors.
    pub(crate) fn starting_at(n_labels: usize, first_row: usize) -> Self {
        Self {
            first_row,
            rows: 0,
            rows_with_labels: 0,
            exact_rows: 0,
            labels: vec![LabelCounts::default(); n_labels],
            coverage: 0,
            hits: [0; CUTOFFS.len()],
            average_precision: UnitSum::default(),
            reciprocal_rank: UnitSum::default(),
            pair_loss: UnitSum::default(),
            recall: [UnitSum::default(); CUTOFFS.len()],
            row_f1: UnitSum::default(),
            ranker: Ranker::default(),
        }
    }

    /// Counts one row. A row that is refused leaves the figures as they were.
    ///
    /// # Errors
    /// Names the row by the number of rows counted before it, and says what is wrong: another
    /// number of scores than labels, a score that is not finite, a label list that is not strictly
    /// increasing or holds an index out of range.
    pub fn add(&mut self, row: RowView<'_>) -> Result<(), MetricsError> {
        row.check(self.first_row + self.rows as usize, self.labels.len())?;
        self.rows += 1;
        self.count_decisions(row.gold, row.predicted);
        match self.ranker.rank(row.scores, row.gold) {
            Some(ranking) => self.count_ranking(&ranking, row.gold.len()),
            // There is nothing to rank wrongly in a row without labels.
            None => self.average_precision.add(1.0),
        }
        Ok(())
    }

    /// Counts all rows of `other`.
    ///
    /// # Errors
    /// [`MetricsError::LabelCountsDiffer`] where the two do not speak of as many labels.
    pub fn merge(&mut self, other: &Self) -> Result<(), MetricsError> {
        if self.labels.len() != other.labels.len() {
            let (expected, found) = (self.labels.len(), other.labels.len());
            return Err(MetricsError::LabelCountsDiffer { expected, found });
        }
        self.rows += other.rows;
        self.rows_with_labels += other.rows_with_labels;
        self.exact_rows += other.exact_rows;
        self.coverage += other.coverage;
        for (mine, theirs) in self.labels.iter_mut().zip(&other.labels) {
            mine.support += theirs.support;
            mine.predicted += theirs.predicted;
            mine.true_positives += theirs.true_positives;
        }
        for cutoff in 0..CUTOFFS.len() {
            self.hits[cutoff] += other.hits[cutoff];
            self.recall[cutoff].merge(other.recall[cutoff]);
        }
        self.average_precision.merge(other.average_precision);
        self.reciprocal_rank.merge(other.reciprocal_rank);
        self.pair_loss.merge(other.pair_loss);
        self.row_f1.merge(other.row_f1);
        Ok(())
    }

    fn count_ranking(&mut self, ranking: &RowRanking, gold: usize) {
        self.rows_with_labels += 1;
        self.coverage += u128::from(ranking.coverage);
        self.average_precision.add(ranking.average_precision);
        self.reciprocal_rank.add(ranking.reciprocal_rank);
        self.pair_loss.add(ranking.pair_loss);
        for (cutoff, &hits) in ranking.hits.iter().enumerate() {
            self.hits[cutoff] += hits;
            self.recall[cutoff].add(hits as f64 / gold as f64);
        }
    }

    fn count_decisions(&mut self, gold: &[u32], predicted: &[u32]) {
        let mut true_positives = 0;
        let mut still_gold = gold;
        for &label in predicted {
            while let [first, rest @ ..] = still_gold
                && *first < label
            {
                still_gold = rest;
            }
            let is_gold = still_gold.first() == Some(&label);
            true_positives += u64::from(is_gold);
            if let Some(counts) = self.labels.get_mut(label as usize) {
                counts.predicted += 1;
                counts.true_positives += u64::from(is_gold);
            }
        }
        for &label in gold {
            if let Some(counts) = self.labels.get_mut(label as usize) {
                counts.support += 1;
            }
        }
        self.exact_rows += u64::from(gold == predicted);
        self.row_f1.add(ratio(2 * true_positives, (gold.len() + predicted.len()) as u64));
    }

    /// The table of all rows counted so far.
    #[must_use]
    pub fn finish(&self) -> Table {
        let per_label: Vec<LabelRow> = self.labels.iter().zip(0..).map(|(c, label)| c.row(label)).collect();
        let total = self.total();
        let cells = self.rows as f64 * self.labels.len() as f64;
        let wrong = total.support + total.predicted - 2 * total.true_positives;
        let pooled = total.row(0);
        let mean_of =
            |figure: fn(&LabelRow) -> f64| mean(per_label.iter().map(figure), self.labels.len() as f64);
        let weighted = per_label.iter().map(|label| label.f1 * label.support as f64);
        let [precision_at_1, precision_at_3, precision_at_5] = self.precision_at_cutoffs();
        let [recall_at_1, recall_at_3, recall_at_5] = self.recall.map(|sum| sum.mean(self.rows_with_labels));
        Table {
            rows: self.rows,
            rows_with_labels: self.rows_with_labels,
            labels: self.labels.len() as u64,
            labels_with_support: self.labels.iter().filter(|counts| counts.support > 0).count() as u64,
            mean_labels_per_row: ratio(total.support, self.rows),
            mean_predicted_per_row: ratio(total.predicted, self.rows),
            lrap: self.average_precision.mean(self.rows),
            mrr: self.reciprocal_rank.mean(self.rows_with_labels),
            coverage_error: if self.rows == 0 { 0.0 } else { self.coverage as f64 / self.rows as f64 },
            label_ranking_loss: self.pair_loss.mean(self.rows),
            precision_at_1,
            precision_at_3,
            precision_at_5,
            recall_at_1,
            recall_at_3,
            recall_at_5,
            micro_precision: pooled.precision,
            micro_recall: pooled.recall,
            micro_f1: pooled.f1,
            macro_precision: mean_of(|label| label.precision),
            macro_recall: mean_of(|label| label.recall),
            macro_f1: mean_of(|label| label.f1),
            weighted_f1: mean(weighted, total.support as f64),
            samples_f1: self.row_f1.mean(self.rows),
            hamming_loss: if cells == 0.0 { 0.0 } else { wrong as f64 / cells },
            subset_accuracy: ratio(self.exact_rows, self.rows),
            per_label,
        }
    }

    fn total(&self) -> LabelCounts {
        self.labels.iter().fold(LabelCounts::default(), |sum, label| LabelCounts {
            support: sum.support + label.support,
            predicted: sum.predicted + label.predicted,
            true_positives: sum.true_positives + label.true_positives,
        })
    }

    fn precision_at_cutoffs(&self) -> [f64; CUTOFFS.len()] {
        let mut precision = [0.0; CUTOFFS.len()];
        for ((precision, hits), cutoff) in precision.iter_mut().zip(self.hits).zip(CUTOFFS) {
            *precision = ratio(hits, self.rows_with_labels * cutoff as u64);
        }
        precision
    }
}

impl LabelCounts {
    fn row(self, label: u32) -> LabelRow {
        let Self { support, predicted, true_positives } = self;
        LabelRow {
            label,
            support,
            predicted,
            true_positives,
            precision: ratio(true_positives, predicted),
            recall: ratio(true_positives, support),
            f1: ratio(2 * true_positives, predicted + support),
        }
    }
}

fn mean(values: impl Iterator<Item = f64>, weight: f64) -> f64 {
    if weight == 0.0 { 0.0 } else { values.sum::<f64>() / weight }
}
