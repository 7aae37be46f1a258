//! Classifiers of vulnerability text.
//!
//! A text implies a set of weaknesses, and the rest follows. A [`Network`] scores its outputs: CWE sets, as the
//! [`NgramModel`] does, or the labels of a published checkpoint. A [`Classifier`] is a network with a knowledge base;
//! made ready for some [`Options`] it is a [`Prepared`], which gives [`Prediction`]s: the chain turns a distribution over
//! CWE sets into probabilities of CWE, CAPEC and ATT&CK labels, and a [`DecisionRule`] fitted on validation says which
//! of them are the answer ([`decode`]). The crate reads no file and prints nothing.

pub mod decode;
pub mod labels;
pub mod ngram;
pub mod softmax;

mod classifier;
mod combined;
mod explain;
mod header;
mod info;
mod network;
mod prediction;
mod prepared;
mod task;

pub use classifier::{Classifier, Run};
pub use combined::{Combination, Combined, Mean, SetUnion};
pub use decode::{DecisionRule, SpaceKind};
pub use explain::{Explanation, SetAnswer};
pub use header::{
    FEATURES, FORMAT_VERSION, Head, HeadOutputs, Header, HeaderError, MAX_SETS, NetworkKind, NgramShape,
    Partner, Provenance, TaxonomyVersions, Years,
};
pub use info::{Decisions, EncoderInfo, ModelInfo, megabytes};
pub use labels::LabelMap;
pub use network::{CweSets, LabelOutputs, Network, Origin, Outputs, Room};
pub use ngram::{ModelFileError, NgramModel, WordEvidence};
pub use prediction::{Input, LabelMode, LabelSource, Labels, Options, Prediction, ScoredLabel};
pub use prepared::{PredictBuffers, Prepared};
pub use task::{Task, Tasks};
