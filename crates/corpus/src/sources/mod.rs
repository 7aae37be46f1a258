//! The sources of records: one list of formats, one file each, and one door to all of them.

mod arrow;
mod batch_rows;
mod column_names;
mod csaf;
pub(crate) mod csv;
mod cve2capec;
mod cve_record;
mod cyclonedx;
mod dependency_check;
mod findings;
mod format;
mod github;
mod grype;
mod harbor;
mod json;
pub(crate) mod json_text;
mod npm_audit;
mod nvd_api;
mod nvd_feed;
mod object;
mod open;
mod osv;
mod osv_scanner;
mod parquet;
pub(crate) mod rows;
mod sarif;
mod snyk;
mod stix;
#[cfg(test)]
mod testing;
mod texts;
mod trivy;
mod unsupported;
mod xml;

pub use csv::table::{CsvRecord, CsvTable, fields, is_table};
pub use cve2capec::{Cve2Capec, Cve2CapecRecord, open_cve2capec};
pub use format::{ColumnNames, Needs, SourceFormat};
pub use json::held::{DocumentReader, begins_with_a_line, is_weakness_key, object_formats};
pub use open::{Options, expand, file_formats, open};
pub use parquet::{ParquetRows, ParquetTable};

/// The formats that records are read from, in the order in which they are asked.
pub static ALL: &[SourceFormat] = &[
    SourceFormat::object(&cve_record::CveRecord),
    SourceFormat::object(&nvd_feed::NvdFeed),
    SourceFormat::object(&nvd_api::NvdApi),
    SourceFormat::object(&osv::Osv),
    SourceFormat::object(&github::Github),
    SourceFormat::object(&csaf::Csaf),
    SourceFormat::object(&cyclonedx::CycloneDx),
    SourceFormat::object(&stix::Stix),
    SourceFormat::object(&trivy::Trivy),
    SourceFormat::object(&grype::Grype),
    SourceFormat::object(&osv_scanner::OsvScanner),
    SourceFormat::object(&npm_audit::NpmAudit),
    SourceFormat::object(&snyk::Snyk),
    SourceFormat::object(&dependency_check::DependencyCheck),
    SourceFormat::object(&harbor::Harbor),
    SourceFormat::object(&sarif::Sarif),
    SourceFormat::object(&unsupported::Unsupported),
    // Its keys are the widest: asked last.
    SourceFormat::object(&json::row::JsonRow),
    SourceFormat::file(&json::Json),
    SourceFormat::file(&csv::Csv),
    SourceFormat::file(&parquet::Parquet),
    SourceFormat::file(&arrow::Arrow),
    SourceFormat::file(&texts::Document),
    SourceFormat::file(&texts::LineTexts),
];
