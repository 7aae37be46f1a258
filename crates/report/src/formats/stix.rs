//! STIX 2.1: a bundle of vulnerabilities, the techniques and attack patterns that target them, and the relationships.

use vulnlens_model::Said;
use vulnlens_taxonomy::{CapecId, StixObject, TechniqueId, Timestamp};

use crate::answer::Answer;
use crate::findings::{Finding, Findings, Seen, confidence, cve, own_name, title, uuid};
use crate::format::Format;
use crate::json_object::{Json, JsonObject};
use crate::rendering::{Records, Setup};
use crate::score::percent;
use crate::uuid::Uuid;

pub(super) const FORMAT: Format = Format::records(
    "stix",
    "A STIX 2.1 bundle: vulnerabilities, and the techniques and attack patterns that target them",
    |setup| Box::new(Stix::new(setup)),
)
.own_ending("json")
.media("application/stix+json;version=2.1")
.with_texts()
.of_techniques();

/// A STIX 2.1 bundle.
///
/// Ids are made of names (UUIDs of version 5), and times are those of the records: the same record has the same objects in
/// every run. Techniques and attack patterns are MITRE's own objects, in their first version, so that a newer one stays
/// what it is where it is known; each stands once, at the end.
struct Stix {
    setup: Setup,
    seen: Seen,
    /// The id of the producer.
    producer: String,
}

/// The bytes between two objects: the producer stands in front of all others.
const BETWEEN: &[u8] = b",\n";

impl Stix {
    fn new(setup: &Setup) -> Self {
        let producer = format!("identity--{}", Uuid::of("identity", &[]));
        Self { setup: setup.clone(), seen: Seen::default(), producer }
    }

    /// An object of our own, with what all of them have.
    fn object(&self, kind: &str, uuid: Uuid, time: Timestamp) -> JsonObject {
        head(kind, &format!("{kind}--{uuid}"), time).put("created_by_ref", &self.producer)
    }

    fn vulnerability(&self, answer: &Answer, findings: &Findings) -> JsonObject {
        let id = answer.record.id.as_deref();
        let number = cve(answer).map(|id| {
            JsonObject::new()
                .put("source_name", "cve")
                .put("external_id", id.to_string())
                .put("url", id.url())
        });
        let other = id.filter(|_| number.is_none()).map(|id| {
            // Ids of these forms are for references to those catalogues alone.
            let is_reserved = id.contains("CVE-") || id.contains("CAPEC-");
            let key = if is_reserved { "description" } else { "external_id" };
            JsonObject::new().put("source_name", "record").put(key, id)
        });
        let weakness = |finding: &Finding<_>| {
            let name = self.setup.kb.name_of_cwe(finding.label).unwrap_or_default();
            JsonObject::new()
                .put("source_name", "cwe")
                .put("description", format!("{name} ({})", percent(finding.score).trim()))
                .put("url", finding.label.url())
                .put("external_id", finding.label.to_string())
        };
        let references = number.into_iter().chain(other).chain(findings.weaknesses.iter().map(weakness));
        self.object("vulnerability", uuid("vulnerability", answer), time(answer))
            .put("name", title(answer))
            .put_some("description", answer.text.as_deref().filter(|text| !text.is_empty()))
            .put_any(
                "labels",
                answer.prediction.said.filter(|said| *said != Said::Weaknesses).map(Said::name),
            )
            .put_any("external_references", references)
    }

    /// The relationship of an attack pattern with a vulnerability: the standard has it in this direction.
    fn relationship(
        &self,
        answer: &Answer,
        source: &str,
        score: f32,
        why: &str,
        labels: &[&str],
    ) -> JsonObject {
        let target = format!("vulnerability--{}", uuid("vulnerability", answer));
        let uuid = Uuid::of("relationship", &["targets", source, &target]);
        self.object("relationship", uuid, time(answer))
            .put("relationship_type", "targets")
            .put("description", why)
            .put("source_ref", source)
            .put("target_ref", &target)
            .put("confidence", confidence(score))
            .put("labels", Json::list(labels.iter().copied()))
    }

    fn technique_object(&self, id: TechniqueId) -> JsonObject {
        let kb = &self.setup.kb;
        let phases = kb.tactics_of(id).iter().filter_map(|tactic| kb.tactic(*tactic)).map(|tactic| {
            JsonObject::new().put("kill_chain_name", "mitre-attack").put("phase_name", &tactic.shortname)
        });
        let reference = JsonObject::new()
            .put("source_name", "mitre-attack")
            .put("url", id.url())
            .put("external_id", id.to_string());
        pattern_head(kb.stix_of_technique(id), &id.to_string())
            .put("name", named(own_name(id, kb), &id.to_string()))
            .put_any("kill_chain_phases", phases)
            .put("external_references", Json::list([reference]))
    }

    fn pattern_object(&self, id: CapecId) -> JsonObject {
        let kb = &self.setup.kb;
        let name = kb.pattern(id).map_or("", |pattern| &pattern.name);
        let reference = JsonObject::new()
            .put("source_name", "capec")
            .put("url", id.url())
            .put("external_id", id.to_string());
        pattern_head(kb.stix_of_pattern(id), &id.to_string())
            .put("name", named(name, &id.to_string()))
            .put("external_references", Json::list([reference]))
    }

    fn ref_of_technique(&self, id: TechniqueId) -> String {
        ref_of(self.setup.kb.stix_of_technique(id), &id.to_string())
    }

    fn ref_of_pattern(&self, id: CapecId) -> String {
        ref_of(self.setup.kb.stix_of_pattern(id), &id.to_string())
    }
}

/// What every object begins with.
fn head(kind: &str, id: &str, time: Timestamp) -> JsonObject {
    let time = time.to_string();
    JsonObject::new()
        .put("type", kind)
        .put("spec_version", "2.1")
        .put("id", id)
        .put("created", &time)
        .put("modified", time)
}

/// The time of a record's objects: the same in every run.
fn time(answer: &Answer) -> Timestamp {
    answer.published.unwrap_or_default()
}

/// MITRE's id of an entry; where it is not known, one that is made of its id in the catalogue.
fn ref_of(object: Option<StixObject>, id: &str) -> String {
    object.map_or_else(
        || format!("attack-pattern--{}", Uuid::of("attack-pattern", &[id])),
        |object| object.id(),
    )
}

fn pattern_head(object: Option<StixObject>, id: &str) -> JsonObject {
    let created = object.map(|object| object.created).unwrap_or_default();
    head("attack-pattern", &ref_of(object, id), created)
}

/// A name, which no object may lack.
fn named<'a>(name: &'a str, id: &'a str) -> &'a str {
    if name.is_empty() { id } else { name }
}

impl Records for Stix {
    fn head(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"type\":\"bundle\",\"objects\":[\n");
        head("identity", &self.producer, Timestamp::default())
            .put("name", "vulnlens")
            .put(
                "description",
                "Predicts weaknesses, attack patterns and techniques from the texts of vulnerabilities",
            )
            .put("identity_class", "system")
            .push(out);
    }

    fn push(&self, answer: &Answer, out: &mut Vec<u8>) {
        let findings = Findings::of(answer, &self.setup);
        self.seen.add(answer, &findings);
        out.extend_from_slice(BETWEEN);
        self.vulnerability(answer, &findings).push(out);
        for finding in &findings.techniques {
            let labels: Vec<&str> = finding.bases.iter().copied().chain(finding.role()).collect();
            let source = self.ref_of_technique(finding.id);
            out.extend_from_slice(BETWEEN);
            self.relationship(answer, &source, finding.score, &finding.reason(), &labels).push(out);
        }
        for finding in &findings.patterns {
            let source = self.ref_of_pattern(finding.label);
            out.extend_from_slice(BETWEEN);
            let (why, basis) = (finding.reason(), finding.basis());
            self.relationship(answer, &source, finding.score, &why, &[basis]).push(out);
        }
    }

    fn tail(&self, out: &mut Vec<u8>) {
        let seen = self.seen.entries();
        let techniques = seen.techniques.iter().map(|id| self.technique_object(*id));
        let patterns = seen.patterns.iter().map(|id| self.pattern_object(*id));
        for object in techniques.chain(patterns) {
            out.extend_from_slice(BETWEEN);
            object.push(out);
        }
        let id = format!("bundle--{}", seen.uuid("bundle", &self.setup));
        out.extend_from_slice(format!("\n],\"id\":\"{id}\"}}\n").as_bytes());
    }
}
