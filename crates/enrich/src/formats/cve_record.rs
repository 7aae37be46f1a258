//! Records of the CVE list: a container as authorised data publishers add them, or that container alone, for an authority
//! that fills its own.

use super::format::{Finding, Format};
use crate::filling::{BASIS, Filling, Label, Origin};
use crate::json::{Edits, Json, Object, Style, Unfit};
use vulnlens_corpus::Record;

/// Records of the CVE list.
pub(super) struct CveRecord;

/// The organisation of the container, which the schema demands: an id of the right form that is nobody's.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";
/// The language of descriptions.
const LANGUAGE: &str = "en";

impl Format for CveRecord {
    fn name(&self) -> &'static str {
        "cve-record"
    }

    fn fill(
        &self,
        finding: &Finding<'_>,
        filling: &Filling,
        origin: &Origin,
        edits: &mut Edits,
    ) -> Result<(), Unfit> {
        let record = Object::new(finding.node.clone(), "record")?;
        let Some(mut containers) = record.object("containers")? else {
            return Err(Unfit(
                "field containers is missing; the record has no room for a container".to_owned(),
            ));
        };
        let provider = vec![("orgId", Json::text(NOBODY)), ("shortName", Json::text("vulnlens"))];
        let mut container = vec![
            ("providerMetadata", Json::Object(provider)),
            ("title", Json::text("Weaknesses predicted from the description")),
        ];
        container.extend(members(filling, origin, finding.record));
        containers.extend("adp", vec![Json::Object(container)], edits)?;
        containers.finish(edits);
        Ok(())
    }

    fn container(&self, filling: &Filling, origin: &Origin, record: &Record) -> Option<String> {
        let mut text = String::new();
        Json::Object(members(filling, origin, record)).write(&Style::pretty(), &mut text);
        text.push('\n');
        Some(text)
    }
}

/// The members of a container that hold labels, and the mark.
fn members(filling: &Filling, origin: &Origin, record: &Record) -> Vec<(&'static str, Json)> {
    let described = |label: &Label| format!("{} {}", label.id, label.name);
    let problem = |label: &Label| {
        Json::Object(vec![(
            "descriptions",
            Json::List(vec![Json::Object(vec![
                ("lang", Json::text(LANGUAGE)),
                ("description", Json::text(described(label))),
                ("cweId", Json::text(&*label.id)),
                ("type", Json::text("CWE")),
            ])]),
        )])
    };
    let impact = |label: &Label| {
        let description = vec![("lang", Json::text(LANGUAGE)), ("value", Json::text(described(label)))];
        Json::Object(vec![
            ("capecId", Json::text(&*label.id)),
            ("descriptions", Json::List(vec![Json::Object(description)])),
        ])
    };
    let mut members = vec![("problemTypes", Json::List(filling.weaknesses.iter().map(problem).collect()))];
    if !filling.patterns.is_empty() {
        members.push(("impacts", Json::List(filling.patterns.iter().map(impact).collect())));
    }
    if !filling.techniques.is_empty() {
        let cve = record.cve().map(|cve| cve.to_string()).unwrap_or_default();
        let relation = |label: &Label| {
            Json::Object(vec![
                ("taxonomyId", Json::text(&*label.id)),
                ("relationshipName", Json::text(BASIS)),
                ("relationshipValue", Json::text(&*cve)),
            ])
        };
        let mapping = vec![
            ("taxonomyName", Json::text("ATT&CK")),
            ("taxonomyVersion", Json::text(&*origin.versions.attack)),
            ("taxonomyRelations", Json::List(filling.techniques.iter().map(relation).collect())),
        ];
        members.push(("taxonomyMappings", Json::List(vec![Json::Object(mapping)])));
    }
    members.push(("x_vulnlens", origin.mark(filling)));
    members
}
