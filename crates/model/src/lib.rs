//! Classifiers of vulnerability text.
//!
//! A text implies a set of weaknesses, and the rest follows: the [`NgramModel`] gives a
//! distribution over CWE sets, as any [`SetModel`] does, the chain of a knowledge base turns it into probabilities of CWE,
//! CAPEC and ATT&CK labels ([`space`]), a [`DecisionRule`] fitted on validation says which of them
//! are the answer, and [`Lens`] puts the three together. Published checkpoints answer by their own
//! labels ([`checkpoint`]). Both are [`Classifier`]s. The crate reads no file and prints nothing.

pub mod checkpoint;
pub mod gemm;
pub mod ngram;
pub mod softmax;
pub mod space;
pub mod text;
pub mod vocabulary;

mod classifier;
mod decision;
mod explain;
mod file;
mod header;
mod lens;
mod listing;
mod mixture;
mod prediction;
mod set_model;
mod task;

pub use checkpoint::{CheckpointLens, CheckpointPredictor, LabelMap, LabelScores};
pub use classifier::{Classifier, PredictBuffers};
pub use decision::DecisionRule;
pub use explain::{Explanation, SetAnswer, WordEvidence};
pub use file::{MAX_SETS, ModelFileError, Tensors, verify, with_header, write};
pub use header::{FEATURES, FORMAT_VERSION, ModelHeader, Provenance, TaxonomyVersions};
pub use lens::{Lens, Predictor};
pub use mixture::{Combination, Mean, SetUnion};
pub use ngram::{NgramModel, Scorer};
pub use prediction::{Input, LabelMode, LabelSource, Labels, Options, Prediction, ScoredLabel};
pub use set_model::SetModel;
pub use task::{Task, Tasks};
