//! The contents of a CWE catalogue, collected entry by entry from any of its forms.

use std::collections::{BTreeMap, BTreeSet};

use crate::entries::{Grouping, Weakness};
use crate::error::{BadField, ParseError, ParseIssue, Position};
use crate::ids::CweId;
use crate::mapping::MappingNotes;

/// The name of the catalogue in messages.
pub(super) const EXPECTED: &str = "a CWE catalogue";
/// The files that hold it, for messages about others.
pub(super) const WANTED: &str = "give cwec_*.xml of https://cwe.mitre.org, or the answers of CWE's REST API";

/// The contents of a CWE catalogue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CweCatalog {
    /// The release, like `4.18`.
    pub version: Option<String>,
    /// The day of the release, `YYYY-MM-DD`.
    pub date: Option<String>,
    /// The weaknesses, in id order.
    pub weaknesses: Vec<Weakness>,
    /// The categories and views, in id order; reduced catalogues have none.
    pub groupings: Vec<Grouping>,
    /// The notes on mapping vulnerabilities to these entries; reduced catalogues have none.
    pub mapping_notes: BTreeMap<CweId, MappingNotes>,
    /// Entries that were left out, with the reasons, in the order of the file.
    pub issues: Vec<ParseIssue>,
}

/// A catalogue that is being read.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) catalog: CweCatalog,
    seen: BTreeSet<CweId>,
}

impl Draft {
    /// Notes that an entry has this id.
    pub(super) fn claim(&mut self, id: CweId) -> Result<(), BadField> {
        let is_new = self.seen.insert(id);
        let problem = || "an earlier entry has it".to_owned();
        is_new.then_some(()).ok_or_else(|| BadField { field: "ID", problem: problem() })
    }

    /// Takes in the notes of an entry, unless they say nothing.
    pub(super) fn note(&mut self, id: CweId, notes: MappingNotes) {
        if !notes.is_empty() {
            self.catalog.mapping_notes.insert(id, notes);
        }
    }

    pub(super) fn report(&mut self, position: Position, id: Option<String>, bad: BadField, done: &str) {
        let problem = format!("{}; {done}", bad.problem);
        self.catalog.issues.push(ParseIssue { position, id, field: bad.field, problem });
    }

    /// The catalogue with every list in order.
    pub(super) fn finish(mut self, file: &str) -> Result<CweCatalog, ParseError> {
        if self.catalog.weaknesses.is_empty() {
            return Err(ParseError::not_catalogue(file, EXPECTED, "it holds no readable weakness"));
        }
        for weakness in &mut self.catalog.weaknesses {
            weakness.relations.sort_unstable();
            weakness.relations.dedup();
            weakness.capecs.sort_unstable();
            weakness.capecs.dedup();
        }
        for grouping in &mut self.catalog.groupings {
            grouping.members.sort_unstable();
            grouping.members.dedup();
        }
        self.catalog.weaknesses.sort_by_key(|weakness| weakness.id);
        self.catalog.groupings.sort_by_key(|grouping| grouping.id);
        Ok(self.catalog)
    }
}
