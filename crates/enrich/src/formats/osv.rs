//! OSV records, alone and in reports of osv-scanner: `database_specific.cwe_ids`, as GitHub writes it, and the mark next to
//! it.

use super::format::{Finding, Format};
use crate::filling::{Filling, Origin};
use crate::json::{Edits, Json, Object, Unfit};

/// OSV records.
pub(super) static OSV: Osv = Osv { name: "osv" };
/// OSV records in reports of osv-scanner.
pub(super) static OSV_SCANNER: Osv = Osv { name: "osv-scanner" };

/// OSV records of a format of records.
pub(super) struct Osv {
    name: &'static str,
}

/// The object that databases may put anything into.
const SPECIFIC: &str = "database_specific";

impl Format for Osv {
    fn name(&self) -> &'static str {
        self.name
    }

    fn fill(
        &self,
        finding: &Finding<'_>,
        filling: &Filling,
        origin: &Origin,
        edits: &mut Edits,
    ) -> Result<(), Unfit> {
        let ids = || filling.weaknesses.iter().map(|label| &*label.id);
        let mut record = Object::new(finding.node.clone(), "record")?;
        match record.object(SPECIFIC)? {
            Some(mut specific) => {
                specific.extend("cwe_ids", ids().map(Json::text).collect(), edits)?;
                specific.put_new("vulnlens", origin.mark(filling), edits)?;
                specific.finish(edits);
            }
            None => {
                let members = vec![("cwe_ids", Json::texts(ids())), ("vulnlens", origin.mark(filling))];
                record.put(SPECIFIC, Json::Object(members), edits)?;
            }
        }
        record.finish(edits);
        Ok(())
    }
}
