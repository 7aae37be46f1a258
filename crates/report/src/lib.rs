//! Predictions as tables, JSON Lines, CSV and Parquet; explanations and the knowledge base's entries as text and JSON.
//!
//! Rendering appends bytes to a buffer of the caller's: nothing here computes a prediction or asks what a terminal can
//! do, and files are opened to read answers back alone. Text for people carries ANSI styles; the caller strips them where they are not wanted.
//!
//! - Records: each [`Format`] is one file in `src/formats`, and all stand in [`Format::ALL`]. A format either streams
//!   ([`Records`]), so that threads can share the work, or makes a [`Document`]. [`JsonLines`] is record output
//!   version 1, frozen in `docs/schema/record-v1.json`; a [`Record`] is the same as a value for any format of serde.
//! - One answer in depth: [`explanation_text`]; in [`JsonLines`] its keys stand behind the others.
//! - Answers that were written, read back: [`SavedAnswers`], in `src/saved`; records and labels found in them:
//!   [`FindReport`], in `src/found`.
//! - The knowledge base: [`Entry`], [`Changes`], [`Ways`], [`path_text`].

mod answer;
mod attack_view;
mod changes;
mod column;
mod entry;
mod evidence;
mod explanation;
mod file_names;
mod findings;
mod format;
mod formats;
mod found;
mod generated;
mod glyphs;
mod ids;
mod json_object;
mod json_text;
mod label;
mod layout;
mod mapping;
mod mark;
mod markdown_text;
mod model_info;
mod origins;
mod record;
mod rendering;
mod review;
#[cfg(feature = "parquet")]
mod row_batches;
mod rows;
mod said;
#[cfg(feature = "saved")]
mod saved;
mod schema;
mod score;
mod uuid;
mod ways;
mod writer;

pub use answer::{Answer, RecordKey};
pub use attack_view::AttackView;
pub use changes::{Change, Changes};
pub use entry::{Entry, EntryId, Fact, ParseEntryIdError};
pub use explanation::explanation_text;
pub use file_names::FileNames;
pub use format::Format;
#[cfg(feature = "parquet")]
pub use formats::ParquetTable;
pub use formats::{Csv, JsonLines, Table};
pub use found::{
    AnswerLabel, Find, FindFormat, FindReport, FindSummary, FoundLabel, LabelCount, LabelCounts,
};
pub use generated::{Generated, GeneratedStatus};
pub use glyphs::{Glyphs, path_text};
pub use layout::{TableLayout, is_unseen};
pub use mapping::{AdvisedCwe, MappingAdvice};
pub use model_info::model_info_text;
pub use record::Record;
pub use rendering::{Document, FormatError, Records, Setup};
pub use review::{
    MappedCwe, Objection, Review, ReviewFormat, ReviewReport, ReviewSummary, Verdict, VerdictCounts,
};
pub use rows::NONE_OF_THEM;
#[cfg(feature = "saved")]
pub use saved::{Saved, SavedAnswers, SavedError, SavedPlace, SavedProblem, saved_files};
pub use schema::RECORD_SCHEMA;
pub use vulnlens_model::Run;
pub use ways::{NoWays, Ways};
pub use writer::{Piece, Renderer, Writer};
