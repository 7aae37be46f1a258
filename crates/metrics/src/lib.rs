//! Multi-label and ranking metrics that agree with scikit-learn.
//!
//! Pure functions over scores and labels: this crate knows neither texts nor taxonomies, reads
//! nothing and prints nothing. Rows are samples, columns are labels, a label is its column index.
//!
//! - [`evaluate`] (many threads) or [`Accumulator`] (one row at a time) → [`Table`], the whole
//!   table of figures of a model card.
//! - [`calibrate`] → [`Calibration`]: expected calibration error, Brier score, reliability bins.
//! - [`HierarchicalAccumulator`] → [`Hierarchical`]: precision, recall and F1 of labels with all their ancestors.
//! - [`RareRecallAccumulator`] → [`RareRecall`]: recall of labels with few rows.
//! - [`RiskCoverage`]: risk against coverage, of answers with a confidence.
//! - [`F1CurveAccumulator`] → [`F1Point`]s: F1 over the threshold.
//! - [`best_global_threshold`], [`best_label_thresholds`]: the decision thresholds of highest F1.
//!
//! Every result is the same to the last bit whatever the number of threads, the split into chunks
//! or the order of the rows: counts are integers, and per-row averages are summed as 63-bit
//! fractions, whose addition is exact and therefore associative.
//!
//! ```
//! use vulnlens_metrics::{RowView, evaluate};
//!
//! let scores = [[0.9_f32, 0.2, 0.1], [0.3, 0.8, 0.4]];
//! let gold: [&[u32]; 2] = [&[0], &[1, 2]];
//! let predicted: [&[u32]; 2] = [&[0], &[1]];
//! let table = evaluate(3, 2, |row| RowView {
//!     scores: &scores[row],
//!     gold: gold[row],
//!     predicted: predicted[row],
//! })?;
//! assert_eq!(table.lrap, 1.0);
//! assert_eq!(table.micro_f1, 0.8);
//! # Ok::<(), vulnlens_metrics::MetricsError>(())
//! ```

mod accumulator;
mod calibration;
mod error;
mod evaluate;
mod f1_curve;
mod hierarchy;
mod ranking;
mod rare;
mod ratio;
mod risk;
mod row;
mod score_key;
mod table;
mod threshold;
mod unit_sum;

pub use accumulator::Accumulator;
pub use calibration::{Calibration, ReliabilityBin, calibrate, top_1};
pub use error::{LabelList, MetricsError};
pub use evaluate::evaluate;
pub use f1_curve::{F1CurveAccumulator, F1Point};
pub use hierarchy::{Hierarchical, HierarchicalAccumulator};
pub use rare::{PLACES, RareRecall, RareRecallAccumulator};
pub use risk::{RiskCounts, RiskCoverage, RiskPoint};
pub use row::{RowView, ScoredRow};
pub use table::{LabelRow, Table};
pub use threshold::{Threshold, best_global_threshold, best_label_thresholds};
