//! The head of techniques as analysts assign them.
//!
//! Analysts' mappings are few, so that the head is linear: a ridge regression on the words of a text, on the rules of a
//! published method ([`rules`]) and on the probabilities of weaknesses that the network gives. Projects differ in what they
//! call a technique of a vulnerability; each has weights of its own for rules and weaknesses, and the head tells how
//! likely the text is to come before which.
//!
//! score(t) = x·w(t) + d·v(t) + Σ_p P(p) (d·v_p(t) + b_p(t)), with x the features of the text, d the dense ones and
//! P(p) the head's own outputs for the projects, cut off at 0 and scaled to sum 1.
//!
//! Techniques without enough mapped texts are known by their descriptions alone: by how similar a text is to them.

mod evidence;
mod head;
mod mapped;
mod method;
mod outputs;
mod sparse;
mod tensors;
mod training;

pub(crate) use evidence::ReadText;
pub use evidence::{CuratedEvidence, NearCve, RuleEvidence, WeaknessEvidence};
pub use head::{CuratedHead, log_odds};
pub(crate) use head::{
    CuratedScores, CuratedText, DenseSums, TextSums, cwe_probabilities, places_of_rows, push_cwe_features,
};
pub use mapped::{MappedCve, MappedCves, MappedTechnique};
pub use method::{Rule, rules};
pub(crate) use outputs::places_of;
pub use outputs::{CuratedOutputs, DescribedTechniques, MAX_PROJECTS};
pub use sparse::SparseTexts;
pub use tensors::CuratedTensors;
pub(crate) use training::CweReader;
pub use training::{CuratedFeatures, features, scores};
