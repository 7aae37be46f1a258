//! OCSF 1.5.0: a Vulnerability Finding (class 2002) a record, one on each line.

use vulnlens_taxonomy::{CweId, SeverityBand, TechniqueId};

use crate::answer::Answer;
use crate::findings::{Finding, Findings, TechniqueFinding, confidence, cve, own_name, title, uuid};
use crate::format::Format;
use crate::json_object::{Json, JsonObject};
use crate::rendering::{Records, Setup};

pub(super) const FORMAT: Format =
    Format::records("ocsf", "One OCSF Vulnerability Finding (class 2002) a record, as JSON Lines", |setup| {
        Box::new(Ocsf(setup.clone()))
    })
    .own_ending("json")
    .media("application/x-ndjson")
    .with_texts()
    .of_techniques();

/// The release of the schema.
const RELEASE: &str = "1.5.0";

/// Findings of OCSF. The class wants a CVE, an advisory or a weakness of every vulnerability: a record without an id and
/// without an answered weakness has no place in it.
struct Ocsf(Setup);

impl Ocsf {
    fn weakness(&self, finding: &Finding<CweId>) -> JsonObject {
        JsonObject::new()
            .put("uid", finding.label.to_string())
            .put("caption", self.0.kb.name_of_cwe(finding.label).unwrap_or_default())
            .put("src_url", finding.label.url())
    }

    /// The vulnerability: by its CVE id, by another id, or by each of its weaknesses.
    fn vulnerabilities(&self, answer: &Answer, findings: &Findings) -> Vec<JsonObject> {
        let text = answer.text.as_deref();
        let weaknesses = findings.weaknesses.iter();
        let of = |key: &str, value: JsonObject| JsonObject::new().put_some("desc", text).put(key, value);
        let created = answer.published.map(|time| time.milliseconds());
        let identified = |uid: &str| JsonObject::new().put("uid", uid).put_some("created_time", created);
        let id = answer.record.id.as_deref().filter(|id| !id.trim().is_empty());
        match (cve(answer), id) {
            (Some(id), _) => {
                let object = identified(&id.to_string()).put("references", Json::list([id.url()]));
                vec![of("cve", object.put_any("related_cwes", weaknesses.map(|w| self.weakness(w))))]
            }
            (None, Some(id)) => {
                vec![of(
                    "advisory",
                    identified(id).put_any("related_cwes", weaknesses.map(|w| self.weakness(w))),
                )]
            }
            (None, None) => weaknesses.map(|weakness| of("cwe", self.weakness(weakness))).collect(),
        }
    }

    fn attack(&self, finding: &TechniqueFinding) -> JsonObject {
        let kb = &self.0.kb;
        let technique = |id: TechniqueId| {
            JsonObject::new()
                .put("uid", id.to_string())
                .put("name", own_name(id, kb))
                .put("src_url", id.url())
        };
        let (parent, id) = (kb.parent_technique(finding.id), finding.id);
        let tactics = kb.tactics_of(id).iter().filter_map(|tactic| kb.tactic(*tactic)).map(|tactic| {
            JsonObject::new()
                .put("uid", tactic.id.to_string())
                .put("name", &tactic.name)
                .put("src_url", tactic.id.url())
        });
        JsonObject::new()
            .put_any("tactics", tactics)
            .put("technique", technique(parent))
            .put_some("sub_technique", (parent != id).then(|| technique(id)))
            .put("version", &self.0.run.versions.attack)
    }

    /// What the class has no attribute for: the probabilities, with what they are based on.
    fn unmapped(&self, answer: &Answer, findings: &Findings) -> JsonObject {
        let label = |id: String, score: f32| {
            JsonObject::new().put("uid", id).put("confidence_score", confidence(score))
        };
        let weaknesses = findings.weaknesses.iter().map(|w| label(w.label.to_string(), w.score));
        let patterns =
            findings.patterns.iter().map(|p| label(p.label.to_string(), p.score).put("reason", p.reason()));
        let techniques = findings.techniques.iter().map(|technique| {
            label(technique.id.to_string(), technique.score).put("reason", technique.reason())
        });
        JsonObject::new()
            .put_some("outcome", answer.prediction.said.map(|said| said.name()))
            .put_any("weaknesses", weaknesses)
            .put_any("attack_patterns", patterns)
            .put_any("techniques", techniques)
            .put("model", &self.0.run.model)
            .put("model_revision", &self.0.run.model_revision)
    }
}

/// The severity of the class, as a number and a word, where one was asked for and answered.
fn severity(answer: &Answer) -> (i64, &'static str) {
    let answered = answer.prediction.severity.as_ref().and_then(Option::as_ref);
    match answered.map(vulnlens_model::severity::Severity::band) {
        Some(SeverityBand::None) => (1, "Informational"),
        Some(SeverityBand::Low) => (2, "Low"),
        Some(SeverityBand::Medium) => (3, "Medium"),
        Some(SeverityBand::High) => (4, "High"),
        Some(SeverityBand::Critical) => (5, "Critical"),
        _ => (0, "Unknown"),
    }
}

impl Records for Ocsf {
    fn push(&self, answer: &Answer, out: &mut Vec<u8>) {
        let findings = Findings::of(answer, &self.0);
        let vulnerabilities = self.vulnerabilities(answer, &findings);
        if vulnerabilities.is_empty() {
            return;
        }
        let (severity_id, severity) = severity(answer);
        let product = JsonObject::new()
            .put("name", "vulnlens")
            .put("vendor_name", "vulnlens")
            .put("version", env!("CARGO_PKG_VERSION"));
        let finding = JsonObject::new()
            .put("uid", uuid("finding", answer).to_string())
            .put("title", title(answer))
            .put_some("created_time", answer.published.map(|time| time.milliseconds()))
            .put_any("attacks", findings.techniques.iter().map(|technique| self.attack(technique)));
        let best = findings.weaknesses.first().map(|best| confidence(best.score));
        JsonObject::new()
            .put("class_uid", 2002_i64)
            .put("class_name", "Vulnerability Finding")
            .put("category_uid", 2_i64)
            .put("category_name", "Findings")
            .put("activity_id", 1_i64)
            .put("activity_name", "Create")
            .put("type_uid", 200_201_i64)
            .put("type_name", "Vulnerability Finding: Create")
            .put("time", answer.published.unwrap_or_default().milliseconds())
            .put("severity_id", severity_id)
            .put("severity", severity)
            .put("status_id", 1_i64)
            .put("status", "New")
            .put_some("confidence_score", best)
            .put("metadata", JsonObject::new().put("version", RELEASE).put("product", product))
            .put("finding_info", finding)
            .put("vulnerabilities", Json::list(vulnerabilities))
            .put("unmapped", self.unmapped(answer, &findings))
            .push(out);
        out.push(b'\n');
    }
}
