//! Reports of Grype: `cwes` of the vulnerability that a match is about, each with its source and type.

use super::format::{Finding, Format};
use crate::filling::{BASIS, Filling, Label, Origin};
use crate::json::{Edits, Json, Object, Unfit};

/// Reports of Grype.
pub(super) struct Grype;

impl Format for Grype {
    fn name(&self) -> &'static str {
        "grype"
    }

    fn fill(
        &self,
        finding: &Finding<'_>,
        filling: &Filling,
        _: &Origin,
        edits: &mut Edits,
    ) -> Result<(), Unfit> {
        let found = Object::new(finding.node.clone(), "match")?;
        let Some(mut vulnerability) = found.object("vulnerability")? else {
            return Err(Unfit(
                "field vulnerability is missing; the match has no room for weaknesses".to_owned(),
            ));
        };
        let id = finding.id().unwrap_or_default();
        let weakness = |label: &Label| {
            Json::Object(vec![
                ("cve", Json::text(&*id)),
                ("cwe", Json::text(&*label.id)),
                ("source", Json::text("vulnlens")),
                ("type", Json::text(BASIS)),
            ])
        };
        vulnerability.extend("cwes", filling.weaknesses.iter().map(weakness).collect(), edits)?;
        vulnerability.finish(edits);
        Ok(())
    }
}
