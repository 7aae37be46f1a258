//! `--data` and `--split`: reading a data set that `data build` made.

use std::path::Path;

use clap::builder::TypedValueParser;
use vulnlens_evaluation::{DataSet, Split};

use crate::choice::one_of;
use crate::failure::Failure;

/// Reads a data set.
pub(crate) fn read(path: &Path) -> Result<DataSet, Failure> {
    Ok(DataSet::read(path)?)
}

/// Parses the name of a split.
pub(crate) fn split() -> impl TypedValueParser<Value = Split> {
    one_of(&Split::ALL, Split::name, Split::help)
}
