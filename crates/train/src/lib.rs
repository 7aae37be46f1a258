//! Fitting and evaluating vulnlens models.
//!
//! Nothing here is needed to classify. Data come in as [`Example`]s, a model leaves as the bytes of
//! its file, figures leave as [`TaskEvaluation`]s.

pub mod encoder;
pub mod ngram;

mod calibrate;
mod card;
mod combine;
mod error;
mod evaluate;
mod evaluation;
mod example;
mod markdown;
mod random;
mod recorded;
mod scores;
mod sets;
mod task;

pub use calibrate::{Calibration, calibrate, calibrate_as_given};
pub use card::{CardFile, EncoderFacts, card};
pub use combine::{Tempered, choose_combination, combined};
pub use error::TrainError;
pub use evaluate::{PUBLISHED_TASKS, TaskEvaluation, evaluate};
pub use evaluation::{Evaluation, EvaluationRun, SCHEMA_VERSION};
pub use example::{Example, Part};
pub use markdown::{Detail, tables, task_title};
pub use recorded::RecordedLogits;
pub use scores::{PeerScores, PeerScoresError, SetScores};
