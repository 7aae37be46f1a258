//! The contents of a CAPEC catalogue, whatever its form.

use std::collections::BTreeMap;

use crate::entries::AttackPattern;
use crate::error::ParseIssue;
use crate::ids::CapecId;
use crate::stix_object::StixObject;

/// The contents of a CAPEC catalogue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CapecCatalog {
    /// The release: the first pattern's `x_capec_version` in STIX, the root's `Version` in XML.
    pub version: Option<String>,
    /// The day of the newest change to a pattern in STIX, of the release in XML.
    pub date: Option<String>,
    /// The patterns, in id order.
    pub patterns: Vec<AttackPattern>,
    /// The objects of the patterns; none in XML.
    pub objects: BTreeMap<CapecId, StixObject>,
    /// Entries that were left out, with the reasons, in the order of the file.
    pub issues: Vec<ParseIssue>,
}
