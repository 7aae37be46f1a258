//! `--data` and `--split`: reading a data set that `data build` made.

use std::path::Path;

use clap::builder::TypedValueParser;
use vulnlens_evaluation::{DataSet, DataSetError, Split};

use crate::choice::one_of;
use crate::failure::{Failure, Kind};

/// Reads a data set.
pub(crate) fn read(path: &Path) -> Result<DataSet, Failure> {
    DataSet::read(path).map_err(|error| match error {
        DataSetError::Open(error) => Failure::from(error).unavailable(),
        DataSetError::Rows(error) => Failure::from(error),
        DataSetError::Row(error) => {
            Failure::new(Kind::Input, error.to_string()).hint("build the data set again with `data build`")
        }
        error => Failure::new(Kind::Unavailable, error.to_string()),
    })
}

/// Parses the name of a split.
pub(crate) fn split() -> impl TypedValueParser<Value = Split> {
    one_of(&Split::ALL, Split::name, Split::help)
}
