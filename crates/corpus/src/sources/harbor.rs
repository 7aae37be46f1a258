//! Reports of the registry Harbor, by artifact and kind of report or alone.

use serde::Deserialize;

use super::findings;
use crate::record::Assigner;
use crate::sources::format::{ObjectFormat, Parsed, Settings};
use crate::sources::json_text::{IdList, Text};
use crate::sources::object::Object;

/// The scanner that Harbor asked.
const HARBOR: Assigner = Assigner { rank: 44, name: "harbor", added: false };
/// The key of the vulnerabilities.
const ITEMS: &str = "vulnerabilities";
/// The beginning of the keys of reports, which are media types with their versions.
const MEDIA_TYPE: &[u8] = b"application/vnd.";

/// A report of Harbor, or a vulnerability of one.
pub(super) struct Harbor;

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Vulnerability<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default)]
    description: Text<'a>,
    #[serde(borrow, default)]
    cwe_ids: IdList<'a>,
}

impl ObjectFormat for Harbor {
    fn name(&self) -> &'static str {
        "harbor"
    }

    fn about(&self) -> &'static str {
        "reports of Harbor"
    }

    fn arrays(&self) -> &'static [&'static str] {
        &[ITEMS]
    }

    fn recognises(&self, object: &Object<'_>) -> bool {
        is_report(object) || is_vulnerability(object) || reports(object).next().is_some()
    }

    fn read(&self, object: &[u8], _: &Settings) -> Vec<Parsed> {
        let keys = Object::new(object);
        if is_vulnerability(&keys) {
            return vec![read(object)];
        }
        let mut found = Vec::new();
        let nested: Vec<_> = reports(&keys).collect();
        for report in if nested.is_empty() { vec![keys] } else { nested } {
            let items = findings::members(&report, ITEMS, &mut found);
            found.extend(items.into_iter().map(read));
        }
        findings::of_document(object, found)
    }
}

/// The reports of an artifact, by media type.
fn reports<'a>(object: &Object<'a>) -> impl Iterator<Item = Object<'a>> + use<'a> {
    let of_kind = object.entries().take_while(|(key, _)| key.starts_with(MEDIA_TYPE));
    of_kind.map(|(_, report)| Object::new(report)).filter(is_report)
}

fn is_report(object: &Object<'_>) -> bool {
    object.has(ITEMS) && object.has("scanner") && object.has_any(&["generated_at", "severity", "artifact"])
}

fn is_vulnerability(object: &Object<'_>) -> bool {
    object.has("id")
        && object.has("package")
        && object.has_any(&["fix_version", "artifact_digests", "preferred_cvss"])
}

fn read(item: &[u8]) -> Parsed {
    let Vulnerability { id, description, cwe_ids } = findings::parse(item, &["id"])?;
    let mut record = findings::record([id]);
    record.describe(&description.0);
    cwe_ids.0.iter().for_each(|cwe| record.label(HARBOR, cwe));
    Ok(record)
}

#[cfg(test)]
mod tests {
    use crate::sources::testing::check;

    #[test]
    fn reports_by_media_type_and_alone() {
        let report = r#"{"generated_at":"2024-01-01T00:00:00Z","scanner":{"name":"Trivy"},"severity":"High","vulnerabilities":[
            {"id":"CVE-2024-0001","package":"a","fix_version":"","description":"Desc","cwe_ids":["CWE-79",""]},
            {"id":"CVE-2024-0002","package":"a","description":{}},
            {"id":"CVE-2024-0003","package":"a","fix_version":"1","description":null,"cwe_ids":null}]}"#;
        let want = [
            "harbor CVE-2024-0001||harbor:79|Desc",
            "in.json: record 2 (CVE-2024-0002): malformed JSON: invalid type: map, expected a string…",
            "harbor CVE-2024-0003|||(the record has no description and no title; it is left out)",
        ];
        check(report, &want);
        check(
            &format!(r#"{{"application/vnd.security.vulnerability.report; version=1.1":{report}}}"#),
            &want,
        );
        let finding = r#"{"id":"CVE-2024-0001","package":"a","fix_version":"","description":"Desc"}"#;
        check(finding, &["harbor CVE-2024-0001|||Desc"]);
    }
}
