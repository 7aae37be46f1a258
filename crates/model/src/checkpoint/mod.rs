//! Published checkpoints as classifiers: what their labels are, and predictions from their scores.
//!
//! A checkpoint knows its labels as texts (`id2label`) and gives each a score. The [`LabelMap`] says
//! which entries of the catalogues the texts name, [`CheckpointLens`] turns scores into
//! [`Prediction`](crate::Prediction)s. How the scores come about is not known here: whatever gives
//! them is a [`LabelScores`].

mod label_map;
mod lens;
mod numbers;
mod outputs;
mod taxonomy_file;
mod thresholds;
mod written;

pub use label_map::{Count, LabelCounts, LabelMap};
pub use lens::{CheckpointLens, CheckpointPredictor, LabelScores};
pub use taxonomy_file::{TaxonomyFile, TaxonomyFileError, TrainingRecord};
pub use thresholds::{ThresholdsError, read_thresholds};
