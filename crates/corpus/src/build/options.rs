//! Options and progress of a build.

use crate::groups::SplitOptions;
use crate::limits::Limits;
use crate::sources::ColumnNames;

/// Options of a build.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildOptions {
    /// The division of the rows.
    pub splits: SplitOptions,
    /// Columns or keys of tables by name.
    pub columns: ColumnNames,
    /// Bounds on the sources.
    pub limits: Limits,
    /// Sources read at once. The data set is the same for any number.
    pub threads: usize,
    /// Bad records of each source that the report shows.
    pub bad_records_shown: usize,
}

impl Default for BuildOptions {
    fn default() -> Self {
        Self {
            splits: SplitOptions::default(),
            columns: ColumnNames::default(),
            limits: Limits::default(),
            threads: 2,
            bad_records_shown: 20,
        }
    }
}

/// The progress of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Reading the sources.
    Read {
        /// Records read so far.
        records: u64,
        /// Bytes of the sources read so far.
        bytes: u64,
        /// Bytes of the sources.
        total: u64,
    },
    /// Writing the data set.
    Write {
        /// Rows written so far.
        rows: u64,
        /// Rows that there will be.
        total: u64,
    },
}
