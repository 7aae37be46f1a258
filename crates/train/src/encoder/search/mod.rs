//! Searching for settings: trials of [`train_classifier`](super::train_classifier) over ranges, bad ones ended early.
//!
//! Every trial is a run in a folder of its own, `trial-001` and so on, with the same data, beginning and seed. Its score is that of
//! the validation part, which chooses checkpoints, too. A journal has all that ended; a search that was broken off makes the same
//! trials as one that was not.

mod driver;
mod folders;
mod journal;
mod pruning;
mod range;
mod sampler;
mod setting;
mod table;
mod trial;

pub use driver::{SearchControl, SearchEnding, SearchObserver, SearchSettings, search};
pub use range::SettingRange;
pub use sampler::Sampler;
pub use setting::{SettingValue, searchable_settings};
pub use trial::{Trial, TrialState};
