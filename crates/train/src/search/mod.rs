//! Searching for settings: trials over ranges of the settings of encoders, hierarchies and n-gram models.
//!
//! Every trial is a run in a folder of its own, `trial-001` and so on, with the same data, beginning and seed. Its score is that of
//! the validation part, which chooses checkpoints, too. A journal has all that ended; a search that was broken off makes the same
//! trials as one that was not. Where runs are evaluated on the way, bad ones are ended early.

mod driver;
mod folders;
mod forest;
mod importance;
mod journal;
mod kinds;
mod pruning;
mod range;
mod sampler;
mod setting;
mod subjects;
mod table;
mod trial;

pub use driver::{SearchControl, SearchEnding, SearchObserver, SearchSettings};
pub use importance::{Importance, Importances, importances};
pub use kinds::SearchKind;
pub use range::SettingRange;
pub use sampler::Sampler;
pub use setting::{Searchable, SettingValue};
pub use subjects::{search_encoder, search_hierarchy, search_ngram};
pub use trial::{Trial, TrialState};
