//! Base vectors of CVSS 3.x by CVE: that of the assigner of the lowest rank, of the first source, counts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use vulnlens_taxonomy::{BaseVector, CveId};

use super::merge::Place;
use crate::build_report::CvssReport;
use crate::record::{Assigner, Rating, Record};

/// The distinct unreadable vectors that the report tells apart.
const KINDS: usize = 100;

/// Vectors by CVE.
#[derive(Default)]
pub(super) struct Ratings {
    by_cve: HashMap<CveId, Rated>,
    unreadable: BTreeMap<String, u64>,
}

/// A vector, and what it is chosen by.
struct Rated {
    order: (Assigner, Place),
    vector: BaseVector,
}

impl Ratings {
    /// Takes in the vectors of a record.
    pub(super) fn add(&mut self, id: CveId, record: &Record, place: Place) {
        for Rating { assigner, vector } in record.ratings.iter().filter(|_| !record.withdrawn) {
            let order = (*assigner, place);
            match vector {
                // Of the vectors of one assigner in one record the first counts.
                Ok(vector) if self.by_cve.get(&id).is_none_or(|held| order < held.order) => {
                    self.by_cve.insert(id, Rated { order, vector: *vector });
                }
                Ok(_) => {}
                Err(text) if self.unreadable.len() < KINDS || self.unreadable.contains_key(text) => {
                    let count = self.unreadable.entry(text.clone()).or_default();
                    *count = count.saturating_add(1);
                }
                Err(_) => {}
            }
        }
    }

    /// The vector of a CVE and the name of its assigner.
    pub(super) fn of(&self, id: CveId) -> Option<(BaseVector, &'static str)> {
        self.by_cve.get(&id).map(|rated| (rated.vector, rated.order.0.name))
    }

    /// The report of the vectors, of which those of `records` become part of the data set.
    pub(super) fn report(&self, records: &BTreeSet<CveId>) -> CvssReport {
        let mut report = CvssReport {
            cves: self.by_cve.len() as u64,
            unreadable: self.unreadable.clone(),
            ..CvssReport::default()
        };
        for (_, rated) in self.by_cve.iter().filter(|(id, _)| records.contains(id)) {
            report.rows = report.rows.saturating_add(1);
            let count = report.by_source.entry(rated.order.0.name.to_owned()).or_default();
            *count = count.saturating_add(1);
        }
        report
    }
}
