//! Fitting n-gram models, and training encoders.
//!
//! Nothing here is needed to classify. Data come in as [`Example`](vulnlens_evaluation::Example)s; an n-gram model leaves
//! as the bytes of its file, an encoder as a folder.

pub mod curated;
pub mod encoder;
pub mod ngram;

mod description;
mod error;
mod goal;
mod random;
pub mod search;
mod sets;
pub mod setting;
pub mod severity;
mod years;

pub use description::Description;
pub use error::TrainError;
pub use goal::Goal;
