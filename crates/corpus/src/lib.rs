//! Vulnerability records: their sources, labels, duplicates, splits, and the data set on disk.
//!
//! The sources ([`sources`]) stream CVE records out of the official files; [`open_inputs`] streams texts to classify.
//! Inputs are taken as explicit paths or readers, the environment is never read, and one bad record never loses
//! the others: it is an item of the stream, a [`RecordError`] with its place.

pub mod build;
mod columns;
pub mod dataset;
mod date;
mod error;
mod groups;
mod input;
mod inputs;
mod json_items;
mod limits;
mod lines;
mod parquet_file;
mod record;
mod resplit;
pub mod sources;
mod stats;

pub use build::{BuildOptions, BuildReport, Progress, SourceReport, build, kb_version};
pub use dataset::{DataRow, DatasetReader};
pub use date::{Date, ParseDateError};
pub use error::{CorpusError, Place, Problem, RecordError};
pub use groups::{GroupId, ParseGroupError, Split, SplitOptions, fold};
pub use input::Input;
pub use inputs::{InputFormat, Inputs, open_inputs};
pub use limits::Limits;
pub use record::{InputRecord, Label, LabelSource, SourceRecord};
pub use resplit::resplit;
pub use stats::{Conflict, LengthStats, LevelStats, PartCounts, Stats, stats};
