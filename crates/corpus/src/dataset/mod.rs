//! The data set on disk: one Parquet row a text, the records first and sorted by id, readable as it is by DuckDB, pandas
//! and `datasets`.

pub(crate) mod curated;
mod reader;
pub(crate) mod schema;
pub(crate) mod writer;

pub use reader::{DataRow, DatasetReader, LabelledRows};
