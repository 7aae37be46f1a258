//! STIX vulnerabilities: references to CWE, and the property by which OpenCTI knows weaknesses.

use super::format::{Finding, Format};
use crate::filling::{Filling, Label, Origin};
use crate::json::{Edits, Json, Object, Unfit};

/// STIX vulnerabilities.
pub(super) struct Stix;

impl Format for Stix {
    fn name(&self) -> &'static str {
        "stix"
    }

    fn fill(
        &self,
        finding: &Finding<'_>,
        filling: &Filling,
        origin: &Origin,
        edits: &mut Edits,
    ) -> Result<(), Unfit> {
        let mut vulnerability = Object::new(finding.node.clone(), "vulnerability")?;
        let reference = |label: &Label| {
            Json::Object(vec![("source_name", Json::text("cwe")), ("external_id", Json::text(&*label.id))])
        };
        let references = filling.weaknesses.iter().map(reference).collect();
        vulnerability.extend("external_references", references, edits)?;
        let ids = filling.weaknesses.iter().map(|label| Json::text(&*label.id)).collect();
        vulnerability.extend("x_opencti_cwe", ids, edits)?;
        vulnerability.put_new("x_vulnlens", origin.mark(filling), edits)?;
        vulnerability.finish(edits);
        Ok(())
    }
}
