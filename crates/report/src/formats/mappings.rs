//! Mappings Explorer: vulnerabilities mapped to techniques, in the JSON of the Center for Threat-Informed Defense.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use vulnlens_taxonomy::Role;

use crate::answer::Answer;
use crate::findings::{Findings, TechniqueFinding, confidence, own_name};
use crate::format::Format;
use crate::json_object::{Json, JsonObject};
use crate::rendering::{Records, Setup};

pub(super) const FORMAT: Format = Format::records(
    "mappings",
    "Mappings to ATT&CK in the JSON of Mappings Explorer, as CTID publishes them for CVEs",
    |setup| Box::new(Mappings { setup: setup.clone(), groups: Mutex::default() }),
)
.own_ending("json")
.media("application/json")
.with_texts()
.of_techniques();

/// Characters of a description: the format has the name of a vulnerability there, which texts do not give.
const DESCRIPTION: usize = 200;

/// The types of mappings, with what each means. The last is our own.
const TYPES: [(&str, &str); 5] = [
    ("exploitation_technique", "The vulnerability is exploited by it"),
    ("primary_impact", "The exploit makes it possible at once"),
    ("secondary_impact", "The primary impact makes it possible"),
    ("uncategorized", "Analysts assign it without a role"),
    ("derived", "MITRE's catalogues link it to a weakness of the vulnerability"),
];

/// Mappings of records that have an id; one without cannot be mapped. A record without techniques has no mapping.
struct Mappings {
    setup: Setup,
    /// The first weakness of each record, as its group, with its name.
    groups: Mutex<BTreeMap<String, String>>,
}

/// The type of a mapping.
fn mapping_type(finding: &TechniqueFinding) -> &'static str {
    match finding.role {
        Some(Role::Exploitation) => "exploitation_technique",
        Some(Role::PrimaryImpact) => "primary_impact",
        Some(Role::SecondaryImpact) => "secondary_impact",
        Some(Role::Uncategorised) => "uncategorized",
        None => "derived",
    }
}

impl Records for Mappings {
    fn head(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"mapping_objects\":[\n");
    }

    fn push(&self, answer: &Answer, out: &mut Vec<u8>) {
        let Some(id) = answer.record.id.as_ref().filter(|id| !id.trim().is_empty()) else { return };
        let findings = Findings::of(answer, &self.setup);
        if findings.techniques.is_empty() {
            return;
        }
        let kb = &self.setup.kb;
        let group = findings.weaknesses.first().map_or_else(
            || ("other".to_owned(), "Other".to_owned()),
            |first| (first.label.to_string(), kb.name_of_cwe(first.label).unwrap_or_default().to_owned()),
        );
        let description =
            self.setup.layout.glyphs.fit(answer.text.as_deref().unwrap_or_default(), DESCRIPTION);
        let mapping = |finding: &TechniqueFinding| {
            JsonObject::new()
                .put("capability_id", id)
                .put("capability_description", &description)
                .put("mapping_type", mapping_type(finding))
                .put("attack_object_id", finding.id.to_string())
                .put("attack_object_name", own_name(finding.id, kb))
                .put("capability_group", &group.0)
                .put("comments", format!("Predicted from the text: {}", finding.reason()))
                .put("references", Json::list(Vec::<Json>::new()))
                .put("status", "in_progress")
                .put("confidence", confidence(finding.score))
        };
        for (number, finding) in findings.techniques.iter().enumerate() {
            if number > 0 {
                out.extend_from_slice(self.separator());
            }
            mapping(finding).push(out);
        }
        self.groups.lock().unwrap_or_else(PoisonError::into_inner).insert(group.0, group.1);
    }

    fn separator(&self) -> &'static [u8] {
        b",\n"
    }

    fn tail(&self, out: &mut Vec<u8>) {
        let groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let groups = groups.iter().fold(JsonObject::new(), |object, (id, name)| object.put(id, name));
        let types = TYPES.into_iter().fold(JsonObject::new(), |object, (name, description)| {
            object.put(name, JsonObject::new().put("name", name).put("description", description))
        });
        let run = &self.setup.run;
        let metadata = JsonObject::new()
            .put("mapping_version", &run.model_revision)
            .put("technology_domain", "enterprise")
            .put("attack_version", &run.versions.attack)
            .put("mapping_framework", "cve")
            .put("mapping_framework_version", format!("vulnlens, model {}", run.model))
            .put("author", "vulnlens")
            .put("contact", "")
            .put("organization", "")
            .put("creation_date", "")
            .put("last_update", "")
            .put("mapping_types", types)
            .put("capability_groups", groups);
        out.extend_from_slice(b"\n],\"metadata\":");
        Json::from(metadata).push(out);
        out.extend_from_slice(b"}\n");
    }
}
