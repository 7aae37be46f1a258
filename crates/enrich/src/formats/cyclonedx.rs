//! CycloneDX documents, bills of materials and VEX: `cwes`, which are numbers, and properties for all else.

use super::format::{Finding, Format};
use crate::filling::{BASIS, Filling, Origin};
use crate::json::{Edits, Json, Object, Unfit, score_text};

/// CycloneDX documents.
pub(super) struct CycloneDx;

impl Format for CycloneDx {
    fn name(&self) -> &'static str {
        "cyclonedx"
    }

    fn fill(
        &self,
        finding: &Finding<'_>,
        filling: &Filling,
        origin: &Origin,
        edits: &mut Edits,
    ) -> Result<(), Unfit> {
        let mut vulnerability = Object::new(finding.node.clone(), "vulnerability")?;
        let numbers = filling.weaknesses.iter().map(|label| Json::Whole(label.number)).collect();
        vulnerability.extend("cwes", numbers, edits)?;
        let property = |name: String, value: &str| {
            Json::Object(vec![("name", Json::Text(format!("vulnlens:{name}"))), ("value", Json::text(value))])
        };
        let mut properties = vec![
            property("basis".to_owned(), BASIS),
            property("model".to_owned(), &origin.model),
            property("model_revision".to_owned(), &origin.revision),
        ];
        let versions = &origin.versions;
        for (taxonomy, version, labels) in [
            ("cwe", &versions.cwe, &filling.weaknesses),
            ("capec", &versions.capec, &filling.patterns),
            ("attack", &versions.attack, &filling.techniques),
        ] {
            if labels.is_empty() {
                continue;
            }
            properties.push(property(format!("{taxonomy}:version"), version));
            properties.extend(
                labels.iter().map(|label| {
                    property(format!("{taxonomy}:{}:score", label.id), &score_text(label.score))
                }),
            );
        }
        vulnerability.extend("properties", properties, edits)?;
        vulnerability.finish(edits);
        Ok(())
    }
}
