//! The sources of records, one file each.

pub(crate) mod csv;
pub(crate) mod json_text;
pub(crate) mod jsonl;
pub(crate) mod parquet;
pub(crate) mod plain;
pub(crate) mod rows;
