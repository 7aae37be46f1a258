//! Options and progress of a build.

use std::path::PathBuf;

use crate::groups::SplitOptions;
use crate::limits::Limits;
use crate::sources::ColumnNames;

/// Options of a build.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildOptions {
    /// Files of labelled texts of CVEs in other styles than the records': JSON Lines with `id`, `aliases`, `published`,
    /// `description`, `cwes` and `source`. Each text is a row.
    pub styles: Vec<PathBuf>,
    /// Files of texts without a vulnerability: JSON Lines with `id`, `description` and, where it is not what stands before
    /// the colon of the id, `style`.
    pub negatives: Vec<PathBuf>,
    /// Sources that are read for nothing but their word that a text does not tell the weakness.
    pub untold: Vec<PathBuf>,
    /// An archive of the answers of CWE's REST API, whose prose becomes texts.
    pub catalogue: Option<PathBuf>,
    /// Files of techniques that people assigned to CVEs: the CTID's table of CVEs, documents of its Mappings Explorer,
    /// or JSON Lines with `cve`, `technique`, `source`, `kind`, `licence` and, if known, `role` and `text`.
    pub curated: Vec<PathBuf>,
    /// Sources that are read for nothing but their base vectors of CVSS 3.x.
    pub cvss: Vec<PathBuf>,
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
            styles: Vec::new(),
            negatives: Vec::new(),
            untold: Vec::new(),
            catalogue: None,
            curated: Vec::new(),
            cvss: Vec::new(),
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
