//! The formats of JSON documents that are filled in, one file each.

mod csaf;
mod cve_record;
mod cyclonedx;
mod defectdojo;
mod format;
mod grype;
mod osv;
mod rows;
mod sarif;
mod stix;
mod trivy;

use vulnlens_corpus::Record;

use crate::json::Node;

pub(crate) use format::{Finding, Format};

/// The formats, of which the first one that accepts a finding of its name fills it.
static ALL: [&dyn Format; 11] = [
    &osv::OSV,
    &osv::OSV_SCANNER,
    &cve_record::CveRecord,
    &csaf::Csaf,
    &cyclonedx::CycloneDx,
    &trivy::Trivy,
    &grype::Grype,
    &sarif::Sarif,
    &stix::Stix,
    &defectdojo::DefectDojo,
    &rows::JsonRows,
];

/// The format of a finding.
pub(crate) fn of(record: &Record, finding: &Node<'_>, root: &Node<'_>) -> Option<&'static dyn Format> {
    ALL.into_iter().find(|format| format.name() == record.format && format.accepts(finding, root))
}

/// The names of the formats.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    // Those of one name stand next to each other.
    let mut last = None;
    ALL.into_iter().map(Format::name).filter(move |name| last.replace(*name) != Some(*name))
}
