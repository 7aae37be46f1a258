//! The table of figures, under the names that the field and scikit-learn use.

use serde::{Deserialize, Serialize};

/// All figures of one evaluation.
///
/// Ratios whose denominator is 0 are 0 (scikit-learn's `zero_division=0`); with no rows at all,
/// everything is 0.
///
/// **Ranking figures** see the scores only. *Gold* labels are those that apply. Where scores tie,
/// two rules are in use, each the one that scikit-learn (or NumPy, for what scikit-learn lacks)
/// applies:
/// - *worst rank* (`lrap`, `mrr`, `coverage_error`, `label_ranking_loss`): a label's rank is the
///   number of labels whose score is at least its own, as `scipy.stats.rankdata(-scores, "max")`
///   gives it: a tie with a label that is not gold counts against the gold one;
/// - *stable order* (`precision_at_k`, `recall_at_k`): of labels with equal scores, the one with
///   the lower index comes first, as `numpy.argsort(-scores, kind="stable")` gives it.
///
/// **Rows without gold labels** count as scikit-learn counts them where it defines the figure
/// (1 in `lrap`; 0 in `coverage_error`, `label_ranking_loss` and `samples_f1`); `mrr`,
/// `precision_at_k` and `recall_at_k` are averages over the `rows_with_labels` rows that have some.
///
/// **Decision figures** (`micro_f1` … `subset_accuracy`) see the predicted labels only. Macro
/// averages run over all labels of the label space, those without support included (they
/// contribute 0), as scikit-learn does for an indicator matrix of all columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Number of rows.
    pub rows: u64,
    /// Number of rows with at least one gold label.
    pub rows_with_labels: u64,
    /// Number of labels in the label space.
    pub labels: u64,
    /// Number of labels that are gold in at least one row.
    pub labels_with_support: u64,
    /// Average number of gold labels in a row (label cardinality).
    pub mean_labels_per_row: f64,
    /// Average number of predicted labels in a row.
    pub mean_predicted_per_row: f64,

    /// Label-ranking average precision: mean over rows of the mean over gold labels of
    /// (gold labels ranked at or above it) / rank. In [0, 1], higher is better.
    pub lrap: f64,
    /// Mean reciprocal rank of the first gold label: the mean of 1 / (1 + number of labels that are
    /// not gold and score at least as high as the best gold label). Gold labels that tie with each
    /// other therefore share the best place, and with exactly one gold label a row the figure
    /// equals `lrap`, as scikit-learn's documentation says it must. In [0, 1], higher is better.
    pub mrr: f64,
    /// Mean over rows of the worst rank of any gold label: how far down the list one must go to
    /// meet all of them. At least `mean_labels_per_row`, lower is better.
    pub coverage_error: f64,
    /// Mean over rows of the share of (gold, not gold) label pairs in which the gold one does not
    /// score strictly higher. In [0, 1], lower is better.
    pub label_ranking_loss: f64,
    /// Mean share of the first place that is gold.
    pub precision_at_1: f64,
    /// Mean share of the first 3 places that is gold; divided by 3 even where there are fewer labels.
    pub precision_at_3: f64,
    /// Mean share of the first 5 places that is gold; divided by 5 even where there are fewer labels.
    pub precision_at_5: f64,
    /// Mean share of a row's gold labels found in the first place.
    pub recall_at_1: f64,
    /// Mean share of a row's gold labels found in the first 3 places.
    pub recall_at_3: f64,
    /// Mean share of a row's gold labels found in the first 5 places.
    pub recall_at_5: f64,

    /// True positives over predicted labels, all rows and labels pooled.
    pub micro_precision: f64,
    /// True positives over gold labels, all rows and labels pooled.
    pub micro_recall: f64,
    /// Harmonic mean of `micro_precision` and `micro_recall`.
    pub micro_f1: f64,
    /// Unweighted mean of the labels' precisions.
    pub macro_precision: f64,
    /// Unweighted mean of the labels' recalls.
    pub macro_recall: f64,
    /// Unweighted mean of the labels' F1 (not the harmonic mean of the two above).
    pub macro_f1: f64,
    /// Mean of the labels' F1, weighted by support.
    pub weighted_f1: f64,
    /// Mean of the rows' F1; a row with neither gold nor predicted labels counts 0.
    pub samples_f1: f64,
    /// Share of all row × label cells that are decided wrongly.
    pub hamming_loss: f64,
    /// Share of rows whose predicted labels are exactly the gold ones.
    pub subset_accuracy: f64,

    /// One entry for each label, in label order.
    pub per_label: Vec<LabelRow>,
}

/// The decision figures of one label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelRow {
    /// Index of the label.
    pub label: u32,
    /// Number of rows in which it is gold.
    pub support: u64,
    /// Number of rows in which it is predicted.
    pub predicted: u64,
    /// Number of rows in which it is both.
    pub true_positives: u64,
    /// `true_positives / predicted`.
    pub precision: f64,
    /// `true_positives / support`.
    pub recall: f64,
    /// Harmonic mean of precision and recall, `2·true_positives / (predicted + support)`.
    pub f1: f64,
}
