//! CSAF advisories: `cwe` of version 2.0, which holds one weakness, `cwes` of version 2.1, and a note that says where they
//! come from. The schema has no room for anything else.

use super::format::{Finding, Format};
use crate::filling::{BASIS, Filling, Label, Origin};
use crate::json::{Edits, Json, Node, Object, Unfit, score_text};

/// CSAF advisories.
pub(super) struct Csaf;

impl Format for Csaf {
    fn name(&self) -> &'static str {
        "csaf"
    }

    fn version(&self, document: &Node<'_>) -> Option<String> {
        let document = Object::new(document.clone(), "document").ok()?;
        document.object("document").ok()??.get("csaf_version").ok()??.string()
    }

    fn fill(
        &self,
        finding: &Finding<'_>,
        filling: &Filling,
        origin: &Origin,
        edits: &mut Edits,
    ) -> Result<(), Unfit> {
        let mut vulnerability = Object::new(finding.node.clone(), "vulnerability")?;
        let named = |label: &Label| vec![("id", Json::text(&*label.id)), ("name", Json::text(&*label.name))];
        // Version 2.0 is the last one with a single weakness.
        let has_room_for_one = finding.version.is_none_or(|version| version == "2.0");
        let written: Vec<&Label> = match has_room_for_one {
            true => filling.weaknesses.iter().take(1).collect(),
            false => filling.weaknesses.iter().collect(),
        };
        if has_room_for_one {
            let first = written.first().map(|label| named(label)).unwrap_or_default();
            vulnerability.put("cwe", Json::Object(first), edits)?;
        } else {
            let with_version = |label: &&Label| {
                let mut members = named(label);
                members.push(("version", Json::text(&*origin.versions.cwe)));
                Json::Object(members)
            };
            vulnerability.extend("cwes", written.iter().map(with_version).collect(), edits)?;
        }
        let scores: Vec<String> =
            written.iter().map(|label| format!("{} (score {})", label.id, score_text(label.score))).collect();
        let text = format!(
            "{} {BASIS} from the text by vulnlens, model {} revision {}, CWE {}.",
            scores.join(", "),
            origin.model,
            origin.revision,
            origin.versions.cwe
        );
        let note = vec![
            ("category", Json::text("other")),
            ("text", Json::text(text)),
            ("title", Json::text("Origin of the weakness")),
        ];
        vulnerability.extend("notes", vec![Json::Object(note)], edits)?;
        vulnerability.finish(edits);
        Ok(())
    }
}
