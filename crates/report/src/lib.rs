//! Predictions as tables, JSON Lines, CSV and Parquet; explanations and the knowledge base's entries as text and JSON.
//!
//! Pure rendering: one file a format, bytes appended to a buffer of the caller's. Nothing here computes a prediction,
//! opens a file or asks what a terminal can do. Text for people carries ANSI styles; the caller strips them where they
//! are not wanted.
//!
//! - Records: [`JsonLines`] (record output version 1, frozen in `docs/schema/record-v1.json`), [`Csv`],
//!   [`ParquetRows`], [`Table`]; each takes the record's [`RecordKey`].
//! - One answer in depth: [`explanation_text`], [`explanation_json`].
//! - The knowledge base: [`Entry`], [`Changes`], [`path_text`].

mod changes;
mod csv;
mod entry;
mod explanation;
mod glyphs;
mod json_text;
mod jsonl;
mod label;
mod mark;
mod parquet;
mod record_key;
mod score;
mod table;

pub use changes::{Change, Changes};
pub use csv::{Csv, NONE_OF_THEM};
pub use entry::{Entry, EntryId, Fact, ParseEntryIdError};
pub use explanation::{explanation_json, explanation_text};
pub use glyphs::{Glyphs, path_text};
pub use jsonl::JsonLines;
pub use parquet::{ParquetError, ParquetRows};
pub use record_key::RecordKey;
pub use table::{Table, TableLayout};
pub use vulnlens_model::Run;
