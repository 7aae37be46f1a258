//! Evaluating models: what a data set says of them, in figures, tables and cards. Nothing is trained here.
//!
//! A [`DataSet`] gives [`Example`]s, each in one part of a split. [`calibrate()`] chooses the temperature and the decision
//! rules on the validation part, [`evaluate()`] computes the figures of each task on one part, and a [`Session`] does both
//! for models, for combinations of two models, for the recorded answers of peers, and for [`WrittenAnswers`] of any system. The result is an [`Evaluation`],
//! a file from which [`tables()`] and [`card()`] are rendered.

mod answer_table;
mod answers;
mod by_year;
mod calibrate;
mod card;
mod cells;
mod choose;
mod confusions;
mod cwe_answers;
mod dataset;
mod error;
mod evaluate;
mod example;
mod families;
mod figures;
mod file;
mod first_cwe;
mod fitted_thresholds;
mod labels;
mod peer;
mod recorded;
mod risk;
mod scores;
mod session;
mod sets;
mod split;
mod system;
mod tables;
mod task_labels;
mod thresholds;
mod written;

pub use answers::{Answers, FalseAnswers, StyleFigures, Tail, TailFigures};
pub use by_year::YearF1;
pub use calibrate::{Calibration, calibrate, calibrate_as_given};
pub use card::card;
pub use choose::{ChosenCombination, RecordedPair, common_split};
pub use confusions::{Confusion, Confusions};
pub use dataset::{DataSet, DataSetError, RatedText};
pub use error::EvaluationError;
pub use evaluate::{LabelRule, PUBLISHED_TASKS, TaskEvaluation, evaluate};
pub use example::{Example, judged_part, labelled_part, outcome_part, spread, training_part};
pub use figures::{Figure, figures};
pub use file::{Evaluation, EvaluationRun, ParentsTaken, SCHEMA_VERSION};
pub use first_cwe::FirstCwe;
pub use fitted_thresholds::{FittedThresholds, ThresholdFigures, fit_thresholds};
pub use peer::{PeerScores, PeerScoresError};
pub use recorded::RecordedLogits;
pub use risk::{FamilyRisk, Risk};
pub use scores::{NetworkScores, SetScores};
pub use session::Session;
pub use split::Split;
pub use tables::{Detail, tables, task_title};
pub use thresholds::{LEAST_THRESHOLD, ThresholdRule, answered, thresholds};
pub use vulnlens_corpus::{CuratedPair, CuratedSource, DataRow, Part, TextKind};
pub use written::WrittenAnswers;
