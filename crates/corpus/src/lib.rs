//! Vulnerability records: their sources, labels, duplicates, splits, and the data set on disk.
//!
//! [`sources::open`] is the one door to records: files of every format in [`sources::ALL`], plain or packed, folders
//! and archives. [`build()`] merges records by CVE, adds texts in other styles, texts without a vulnerability, those of
//! the catalogue and the techniques that people assigned, labels them through the chain, groups those that share a
//! text, divides them into training, validation and test, and writes one Parquet row a text; [`DatasetReader`] reads
//! them back, [`stats()`] counts them and [`resplit()`] divides them anew.
//!
//! Inputs are explicit paths or readers. One bad record never loses the others: it is an item of the stream, a
//! [`RecordError`] that says where it stands and what to do. [`Limits`] bound what an input may make the readers hold.
//!
//! ```
//! use vulnlens_corpus::{Input, sources};
//!
//! let lines = "{\"id\":\"CVE-2021-44228\",\"description\":\"Flaw\"}\n{\"id\":2}\n";
//! let records = sources::open(Input::stream("-", lines.as_bytes()), &sources::Options::default())?;
//! let shown: Vec<String> = records
//!     .with_text()
//!     .map(|record| record.map_or_else(|error| error.to_string(), |record| format!("{:?}", record.year())))
//!     .collect();
//! assert_eq!(shown, ["Some(2021)", "-:2: the text is empty: the record has no field description or text; give it one"]);
//! # Ok::<(), vulnlens_corpus::CorpusError>(())
//! ```

mod build;
mod build_report;
mod columns;
mod components;
mod containers;
mod curated;
mod dataset;
mod date;
mod encoding;
mod error;
mod groups;
mod input;
mod limits;
mod lines;
mod magic;
mod markup;
mod parquet_file;
mod place;
mod problem;
mod prose;
mod record;
mod record_id;
mod records;
mod resplit;
pub mod sources;
mod span;
mod stats;
mod text_kind;
mod weakness_ids;

pub use build::{BuildOptions, Progress, build, kb_version};
pub use build_report::{BuildReport, CuratedReport, CvssReport, LeftOut, ReadAs, SourceReport};
pub use curated::{CuratedPair, CuratedSource};
pub use dataset::{DataRow, DatasetReader, LabelledRows};
pub use date::{Date, ParseDateError, When};
pub use error::{CorpusError, RecordError};
pub use groups::{GroupId, ParseGroupError, Part, SplitOptions, fold};
pub use input::{BytesRead, Input};
pub use limits::Limits;
pub use place::{Entry, Place};
pub use problem::Problem;
pub use record::{Assigner, Dates, Label, Organisation, Rating, Record};
pub use record_id::{IdKind, RecordId};
pub use records::Records;
pub use resplit::resplit;
pub use span::Span;
pub use stats::{Conflict, LengthStats, LevelStats, PartCounts, Stats, stats};
pub use text_kind::TextKind;
