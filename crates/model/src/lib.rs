//! Classifiers of vulnerability text.
//!
//! A text implies a set of weaknesses, and the rest follows. A [`Network`] scores its outputs: CWE sets, as the
//! [`NgramModel`] does, or the labels of a published checkpoint. A [`Classifier`] is a network with a knowledge base;
//! made ready for some [`Options`] it is a [`Prepared`], which gives [`Prediction`]s: the chain turns a distribution over
//! CWE sets into probabilities of CWE, CAPEC and ATT&CK labels, and a [`DecisionRule`] fitted on validation says which
//! of them are the answer ([`decode`]). The crate reads no file and prints nothing.

pub mod additions;
pub mod curated;
pub mod decode;
pub mod labels;
pub mod ngram;
pub mod severity;
pub mod softmax;

mod classifier;
mod combination;
mod combined;
mod decimals;
mod evidence;
mod explain;
mod gate;
mod header;
mod header_checks;
mod info;
mod network;
mod outputs;
mod prediction;
mod prepared;
mod provenance;
mod room;
mod routes;
mod said;
mod task;
mod wide;

pub use classifier::{Classifier, Run};
pub use combination::{Combination, Mean};
pub use combined::{Combined, SetUnion};
pub use decode::{DecisionRule, SpaceKind};
pub use evidence::WordEvidence;
pub use explain::{EvidenceMethod, Explainer, Explanation, NearRecord, Target};
pub use header::{
    FEATURES, FORMAT_VERSION, Head, HeadOutputs, Header, HeaderError, NetworkKind, NgramShape, Partner, Years,
};
pub use header_checks::MAX_SETS;
pub use info::{Decisions, EncoderInfo, ModelInfo, megabytes};
pub use labels::LabelMap;
pub use network::{Network, Origin};
pub use ngram::{ModelFileError, NgramModel};
pub use outputs::{CweSets, LabelOutputs, Outputs};
pub use prediction::{
    Basis, Family, Input, LabelMode, LabelSource, Labels, Options, Prediction, ScoredLabel, TopK, Via,
};
pub use prepared::{PredictBuffers, Prepared};
pub use provenance::{Provenance, TaxonomyVersions};
pub use room::Room;
pub use routes::{Branch, Parents, Routes};
pub use said::Said;
pub use task::{Task, Tasks};
