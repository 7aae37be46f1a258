//! Vulnerability records: their sources, labels, duplicates, splits, and the data set on disk.
//!
//! Texts to classify come from [`open_inputs`], CVE records from the official files through [`sources`]. [`build()`]
//! merges the records by CVE, labels them through the chain, groups those that share a text, divides them into
//! training, validation and test, and writes one Parquet row a CVE; [`DatasetReader`] reads them back, [`stats()`]
//! counts them and [`resplit()`] divides them anew.
//!
//! Inputs are explicit paths or readers. One bad record never loses the others: it is an item of the stream, a
//! [`RecordError`] that says where it stands and what to do. [`Limits`] bound what an input may make the readers hold.
//!
//! ```
//! use vulnlens_corpus::{Input, InputFormat, Limits, open_inputs};
//!
//! let lines = "{\"id\":\"CVE-2021-44228\",\"description\":\"Flaw\"}\n{\"id\":2}\n";
//! let records = open_inputs(Input::stream("-", lines.as_bytes()), InputFormat::Auto, &Limits::default())?;
//! let shown: Vec<String> = records
//!     .map(|record| record.map_or_else(|error| error.to_string(), |record| format!("{:?}", record.year)))
//!     .collect();
//! assert_eq!(shown, ["Some(2021)", "-:2: the text is empty: the record has no field description or text; give it one"]);
//! # Ok::<(), vulnlens_corpus::CorpusError>(())
//! ```

mod build;
mod columns;
mod dataset;
mod date;
mod error;
mod groups;
mod gzip;
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
pub use dataset::{DataRow, DatasetReader, LabelledRows};
pub use date::{Date, ParseDateError};
pub use error::{CorpusError, Place, Problem, RecordError};
pub use groups::{GroupId, ParseGroupError, Split, SplitOptions, fold};
pub use input::Input;
pub use inputs::{InputFormat, Inputs, open_inputs};
pub use limits::Limits;
pub use record::{InputRecord, Label, LabelSource, SourceRecord};
pub use resplit::resplit;
pub use stats::{Conflict, LengthStats, LevelStats, PartCounts, Stats, stats};
