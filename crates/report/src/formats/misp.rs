//! MISP: an event in the core format, with the objects of MISP's templates and tags of its galaxy of techniques.

use vulnlens_model::Said;
use vulnlens_taxonomy::{CapecId, CweId, Timestamp};

use crate::answer::Answer;
use crate::findings::{Findings, Seen, TechniqueFinding, cve, own_name, title, uuid};
use crate::format::Format;
use crate::json_object::{Json, JsonObject};
use crate::rendering::{Records, Setup};
use crate::score::percent;
use crate::uuid::Uuid;

pub(super) const FORMAT: Format = Format::records(
    "misp",
    "A MISP event: vulnerability, weakness and attack-pattern objects, techniques as galaxy tags",
    |setup| Box::new(Misp { setup: setup.clone(), seen: Seen::default() }),
)
.own_ending("json")
.media("application/json")
.with_texts()
.of_techniques();

/// An object template of MISP.
struct Template {
    name: &'static str,
    uuid: &'static str,
    version: &'static str,
}

const VULNERABILITY: Template =
    Template { name: "vulnerability", uuid: "81650945-f186-437b-8945-9f31715d32da", version: "12" };
const WEAKNESS: Template =
    Template { name: "weakness", uuid: "b8713fc0-d7a2-4b27-a182-38ed47966802", version: "1" };
const ATTACK_PATTERN: Template =
    Template { name: "attack-pattern", uuid: "35928348-56be-4d7f-9752-a80927936351", version: "1" };

/// One event of all records. A weakness and an attack pattern stand in it once, at the end; vulnerabilities refer to them.
struct Misp {
    setup: Setup,
    seen: Seen,
}

/// Seconds of a point in time, as texts of the format have them.
fn seconds(time: Timestamp) -> String {
    time.milliseconds().div_euclid(1000).to_string()
}

/// An object of a template; its attributes are given as relation, type, category and value.
fn object(
    template: &Template,
    uuid: Uuid,
    time: Timestamp,
    attributes: &[(&str, &str, &str, String)],
    tags: Vec<JsonObject>,
) -> JsonObject {
    let own = uuid.to_string();
    let attribute = |(number, (relation, kind, category, value)): (usize, &(&str, &str, &str, String))| {
        // The first attribute is the id of the thing: tags are its own.
        let tags = if number == 0 { tags.clone() } else { vec![] };
        JsonObject::new()
            .put("uuid", Uuid::of("attribute", &[&own, relation]).to_string())
            .put("object_relation", *relation)
            .put("type", *kind)
            .put("category", *category)
            .put("value", value)
            .put("to_ids", false)
            .put("disable_correlation", *kind == "text" || *kind == "datetime")
            .put("distribution", "5")
            .put("timestamp", seconds(time))
            .put_any("Tag", tags)
    };
    JsonObject::new()
        .put("name", template.name)
        .put("meta-category", "vulnerability")
        .put("template_uuid", template.uuid)
        .put("template_version", template.version)
        .put("uuid", &own)
        .put("timestamp", seconds(time))
        .put("distribution", "5")
        .put("Attribute", Json::list(attributes.iter().enumerate().map(attribute)))
}

fn tag(name: String) -> JsonObject {
    JsonObject::new().put("name", name)
}

/// The value of a tag, which stands in quotes.
fn unquoted(text: &str) -> String {
    text.replace(['"', '\n', '\r'], " ")
}

fn weakness_uuid(id: CweId) -> Uuid {
    Uuid::of("object", &[&id.to_string()])
}

fn pattern_uuid(id: CapecId) -> Uuid {
    Uuid::of("object", &[&id.to_string()])
}

impl Misp {
    fn vulnerability(&self, answer: &Answer, findings: &Findings) -> JsonObject {
        let kb = &self.setup.kb;
        let (time, own) = (answer.published.unwrap_or_default(), uuid("object", answer));
        let mut attributes = vec![("id", "vulnerability", "External analysis", title(answer))];
        if let Some(text) = answer.text.as_ref().filter(|text| !text.trim().is_empty()) {
            attributes.push(("description", "text", "Other", text.clone()));
        }
        if let Some(published) = answer.published {
            attributes.push(("published", "datetime", "Other", published.to_string()));
        }
        attributes.extend(cve(answer).map(|id| ("references", "link", "External analysis", id.url())));
        let galaxy = |t: &TechniqueFinding| {
            let name = unquoted(own_name(t.id, kb));
            tag(format!("misp-galaxy:mitre-attack-pattern=\"{name} - {}\"", t.id))
        };
        let outcome = answer.prediction.said.filter(|said| *said != Said::Weaknesses).map(Said::name);
        let tags = findings.techniques.iter().map(galaxy);
        let tags = tags.chain(outcome.map(|name| tag(format!("vulnlens:outcome=\"{name}\""))));
        let weaknesses = findings.weaknesses.iter().map(|w| {
            (weakness_uuid(w.label), "weakened-by", format!("{}: {}", w.label, percent(w.score).trim()))
        });
        let patterns = findings
            .patterns
            .iter()
            .map(|p| (pattern_uuid(p.label), "targeted-by", format!("{}: {}", p.label, p.reason())));
        let reference = |(target, kind, comment): (Uuid, &str, String)| {
            let (from, to) = (own.to_string(), target.to_string());
            JsonObject::new()
                .put("uuid", Uuid::of("reference", &[&from, &to]).to_string())
                .put("object_uuid", from)
                .put("referenced_uuid", to)
                .put("relationship_type", kind)
                .put("comment", comment)
        };
        let reasons: Vec<String> =
            findings.techniques.iter().map(|t| format!("{}: {}", t.id, t.reason())).collect();
        object(&VULNERABILITY, own, time, &attributes, tags.collect())
            .put("comment", reasons.join("\n"))
            .put_any("ObjectReference", weaknesses.chain(patterns).map(reference))
    }

    fn weakness(&self, id: CweId) -> JsonObject {
        let name = self.setup.kb.name_of_cwe(id).unwrap_or_default();
        let mut attributes = vec![("id", "weakness", "External analysis", id.to_string())];
        if !name.is_empty() {
            attributes.push(("name", "text", "Other", name.to_owned()));
        }
        object(&WEAKNESS, weakness_uuid(id), Timestamp::default(), &attributes, vec![])
    }

    fn pattern(&self, id: CapecId) -> JsonObject {
        let mut attributes = vec![("id", "text", "Other", id.to_string())];
        if let Some(pattern) = self.setup.kb.pattern(id) {
            attributes.push(("name", "text", "Other", pattern.name.clone()));
        }
        attributes.push(("references", "link", "External analysis", id.url()));
        object(&ATTACK_PATTERN, pattern_uuid(id), Timestamp::default(), &attributes, vec![])
    }
}

impl Records for Misp {
    fn head(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"Event\":{\"Object\":[\n");
    }

    fn push(&self, answer: &Answer, out: &mut Vec<u8>) {
        let findings = Findings::of(answer, &self.setup);
        self.seen.add(answer, &findings);
        self.vulnerability(answer, &findings).push(out);
    }

    fn separator(&self) -> &'static [u8] {
        b",\n"
    }

    fn tail(&self, out: &mut Vec<u8>) {
        let seen = self.seen.entries();
        let weaknesses = seen.weaknesses.iter().map(|id| self.weakness(*id));
        // Where there is an entry, there is a record in front of it.
        for object in weaknesses.chain(seen.patterns.iter().map(|id| self.pattern(*id))) {
            out.extend_from_slice(self.separator());
            object.push(out);
        }
        let run = &self.setup.run;
        let producer =
            JsonObject::new().put("name", "vulnlens").put("uuid", Uuid::of("identity", &[]).to_string());
        let info = format!(
            "Weaknesses, attack patterns and techniques of {} vulnerabilities, predicted from their texts (model {} {})",
            seen.count, run.model, run.model_revision
        );
        let event = JsonObject::new()
            .put("uuid", seen.uuid("event", &self.setup).to_string())
            .put("info", info)
            .put("date", seen.latest.day())
            .put("timestamp", seconds(seen.latest))
            .put("threat_level_id", "4")
            .put("analysis", "2")
            .put("distribution", "0")
            .put("published", false)
            .put("Orgc", producer)
            .put("Tag", Json::list([tag("vulnlens:basis=\"predicted\"".to_owned())]));
        let mut rest = Vec::new();
        event.push(&mut rest);
        out.extend_from_slice(b"\n],");
        out.extend_from_slice(rest.strip_prefix(b"{").unwrap_or(&rest));
        out.extend_from_slice(b"}\n");
    }
}
