//! Labels of published checkpoints: the entries of the catalogues that their texts name.
//!
//! A checkpoint knows its labels as texts (`id2label`). The [`LabelMap`] says which entries of the catalogues the texts
//! name, [`read_thresholds`] from which score on each is answered.

mod label_map;
mod numbers;
mod thresholds;
mod written;

pub use label_map::{Count, LabelCounts, LabelMap, OutputsOf};
pub use thresholds::{ThresholdsError, read_thresholds};
