//! Reports of Trivy: `CweIDs`. There is no room for the origin of a weakness.

use super::format::{Finding, Format};
use crate::filling::{Filling, Origin};
use crate::json::{Edits, Json, Object, Unfit};

/// Reports of Trivy.
pub(super) struct Trivy;

impl Format for Trivy {
    fn name(&self) -> &'static str {
        "trivy"
    }

    fn fill(
        &self,
        finding: &Finding<'_>,
        filling: &Filling,
        _: &Origin,
        edits: &mut Edits,
    ) -> Result<(), Unfit> {
        let mut vulnerability = Object::new(finding.node.clone(), "vulnerability")?;
        if vulnerability.get("VulnerabilityID")?.is_none() {
            return Err(Unfit(
                "reports of Trivy's operator have no room for weaknesses; give the report of Trivy"
                    .to_owned(),
            ));
        }
        let ids = filling.weaknesses.iter().map(|label| Json::text(&*label.id)).collect();
        vulnerability.extend("CweIDs", ids, edits)?;
        vulnerability.finish(edits);
        Ok(())
    }
}
