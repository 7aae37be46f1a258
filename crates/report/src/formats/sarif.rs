//! SARIF 2.1.0: a run with a result a record, whose rules and taxa are weaknesses.

use vulnlens_taxonomy::CweId;

use crate::answer::Answer;
use crate::findings::{Finding, Findings, Seen, TechniqueFinding, confidence, title, uuid};
use crate::format::Format;
use crate::json_object::{Json, JsonObject};
use crate::rendering::{Records, Setup};
use crate::score::percent;
use crate::uuid::Uuid;

pub(super) const FORMAT: Format =
    Format::records("sarif", "A SARIF 2.1.0 log: a result a record, with weaknesses as rules", |setup| {
        Box::new(Sarif { setup: setup.clone(), seen: Seen::default() })
    })
    .own_ending("sarif")
    .endings(&["sarif"])
    .media("application/sarif+json")
    .with_texts()
    .of_techniques();

/// The rule of results without an answered weakness.
const NO_WEAKNESS: &str = "no-weakness";

/// A SARIF log. Results stand in front of the tool that they refer to, so that nothing waits for the end but the rules.
struct Sarif {
    setup: Setup,
    seen: Seen,
}

impl Sarif {
    fn name(&self, id: CweId) -> &str {
        self.setup.kb.name_of_cwe(id).unwrap_or_default()
    }

    fn result(&self, answer: &Answer, findings: &Findings) -> JsonObject {
        let weaknesses = &findings.weaknesses;
        let name = title(answer);
        let told: Vec<String> = weaknesses
            .iter()
            .map(|w| format!("{} {} ({})", w.label, self.name(w.label), percent(w.score).trim()))
            .collect();
        let told = match told.is_empty() {
            true => {
                answer.prediction.said.map_or("no weakness is answered", |said| said.sentence()).to_owned()
            }
            false => told.join("; "),
        };
        let first = weaknesses.first();
        let rule = first.map_or_else(|| NO_WEAKNESS.to_owned(), |first| first.label.to_string());
        let (kind, level) = if first.is_some() { ("fail", "warning") } else { ("informational", "none") };
        let location = JsonObject::new().put("name", &name).put("fullyQualifiedName", &name);
        let location = JsonObject::new().put("logicalLocations", Json::list([location]));
        let taxon = |w: &Finding<CweId>| taxon(w.label);
        let technique = |t: &TechniqueFinding| {
            JsonObject::new()
                .put("id", t.id.to_string())
                .put("confidence", confidence(t.score))
                .put("bases", Json::list(t.bases.iter().copied()))
                .put_some("role", t.role())
        };
        let tags = weaknesses.iter().map(|w| tag(w.label));
        let properties = JsonObject::new()
            .put_any("tags", tags)
            .put_some("outcome", answer.prediction.said.map(|said| said.name()))
            .put_any("techniques", findings.techniques.iter().map(technique))
            .put_any("attackPatterns", findings.patterns.iter().map(|p| p.label.to_string()));
        JsonObject::new()
            .put("ruleId", rule)
            .put("kind", kind)
            .put("level", level)
            .put("message", message(&format!("{name}: {told}")))
            .put("guid", uuid("result", answer).to_string())
            .put("locations", Json::list([location]))
            .put(
                "partialFingerprints",
                JsonObject::new().put("record/v1", uuid("record", answer).to_string()),
            )
            .put_some("rank", first.map(|first| confidence(first.score)))
            .put_any("taxa", weaknesses.iter().map(taxon))
            .put("properties", properties)
    }

    fn rule(&self, id: CweId) -> JsonObject {
        let relationship = JsonObject::new().put("target", taxon(id)).put("kinds", Json::list(["equal"]));
        JsonObject::new()
            .put("id", id.to_string())
            .put_some("shortDescription", Some(self.name(id)).filter(|name| !name.is_empty()).map(message))
            .put("helpUri", id.url())
            .put("relationships", Json::list([relationship]))
            .put("properties", JsonObject::new().put("tags", Json::list(["security".to_owned(), tag(id)])))
    }

    fn taxonomy(&self, weaknesses: impl Iterator<Item = CweId>) -> JsonObject {
        let taxa = weaknesses.map(|id| {
            JsonObject::new()
                .put("id", id.0.to_string())
                .put_some(
                    "shortDescription",
                    Some(self.name(id)).filter(|name| !name.is_empty()).map(message),
                )
                .put("helpUri", id.url())
        });
        JsonObject::new()
            .put("name", "CWE")
            .put("version", &self.setup.run.versions.cwe)
            .put("guid", Uuid::of("taxonomy", &["CWE"]).to_string())
            .put("organization", "MITRE")
            .put("informationUri", "https://cwe.mitre.org/")
            .put("shortDescription", message("Common Weakness Enumeration"))
            .put("taxa", Json::list(taxa))
    }
}

/// `external/cwe/cwe-79`, as code scanning reads it.
fn tag(id: CweId) -> String {
    format!("external/cwe/cwe-{}", id.0)
}

fn taxon(id: CweId) -> JsonObject {
    JsonObject::new().put("id", id.0.to_string()).put("toolComponent", JsonObject::new().put("name", "CWE"))
}

/// A message of plain text, in which nothing is a placeholder or a link.
fn message(text: &str) -> JsonObject {
    let mut plain = String::new();
    for c in text.chars() {
        match c {
            '{' | '}' => plain.extend([c, c]),
            '[' | ']' | '\\' => plain.extend(['\\', c]),
            _ => plain.push(c),
        }
    }
    JsonObject::new().put("text", plain)
}

impl Records for Sarif {
    fn head(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(
            b"{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\"results\":[\n",
        );
    }

    fn push(&self, answer: &Answer, out: &mut Vec<u8>) {
        let findings = Findings::of(answer, &self.setup);
        self.seen.add(answer, &findings);
        self.result(answer, &findings).push(out);
    }

    fn separator(&self) -> &'static [u8] {
        b",\n"
    }

    fn tail(&self, out: &mut Vec<u8>) {
        let seen = self.seen.entries();
        let none = JsonObject::new()
            .put("id", NO_WEAKNESS)
            .put("shortDescription", message("No weakness is answered"));
        let rules = seen.weaknesses.iter().map(|id| self.rule(*id)).chain([none]);
        let run = &self.setup.run;
        let driver = JsonObject::new()
            .put("name", "vulnlens")
            .put("version", env!("CARGO_PKG_VERSION"))
            .put("rules", Json::list(rules))
            .put("supportedTaxonomies", Json::list([JsonObject::new().put("name", "CWE")]))
            .put(
                "properties",
                JsonObject::new().put("model", &run.model).put("modelRevision", &run.model_revision),
            );
        out.extend_from_slice(b"\n],\"tool\":");
        Json::from(JsonObject::new().put("driver", driver)).push(out);
        out.extend_from_slice(b",\"taxonomies\":");
        Json::list([self.taxonomy(seen.weaknesses.into_iter())]).push(out);
        out.extend_from_slice(b"}]}\n");
    }
}
