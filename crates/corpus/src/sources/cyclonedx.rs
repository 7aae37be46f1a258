//! CycloneDX documents with vulnerabilities: bills of materials and VEX, versions 1.4 to 1.7.

use serde::Deserialize;

use super::findings;
use crate::date::When;
use crate::record::Assigner;
use crate::sources::format::{ObjectFormat, Parsed, Settings};
use crate::sources::json_text::{IdList, List, Text};
use crate::sources::object::Object;

/// Whoever rated the vulnerability: mostly a scanner, by a database.
const CYCLONEDX: Assigner = Assigner { rank: 37, name: "cyclonedx", added: false };
/// The key of the vulnerabilities.
const ITEMS: &str = "vulnerabilities";

/// A CycloneDX document, or a vulnerability of one.
pub(super) struct CycloneDx;

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Vulnerability<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default, rename = "bom-ref")]
    reference: Text<'a>,
    #[serde(borrow, default)]
    references: List<Reference<'a>>,
    #[serde(borrow, default)]
    description: Text<'a>,
    #[serde(borrow, default)]
    detail: Text<'a>,
    #[serde(borrow, default)]
    cwes: IdList<'a>,
    #[serde(default)]
    published: When,
    #[serde(default)]
    created: When,
    #[serde(default)]
    updated: When,
    #[serde(default)]
    rejected: When,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Reference<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
}

impl ObjectFormat for CycloneDx {
    fn name(&self) -> &'static str {
        "cyclonedx"
    }

    fn about(&self) -> &'static str {
        "CycloneDX documents"
    }

    fn arrays(&self) -> &'static [&'static str] {
        &[ITEMS]
    }

    fn recognises(&self, object: &Object<'_>) -> bool {
        is_document(object) || is_vulnerability(object)
    }

    fn read(&self, object: &[u8], _: &Settings) -> Vec<Parsed> {
        let keys = Object::new(object);
        if !is_document(&keys) {
            return vec![read(object)];
        }
        findings::of_list(object, ITEMS, Vec::new(), read)
    }
}

fn is_document(object: &Object<'_>) -> bool {
    object.is("bomFormat", "CycloneDX")
}

/// Tests for a member of a document.
fn is_vulnerability(object: &Object<'_>) -> bool {
    let is_rated = object.array("ratings").is_some() || object.object("analysis").is_some();
    let is_named = object.has_any(&["id", "bom-ref"]);
    is_named && (object.array("affects").is_some() || (is_rated && object.has_any(&["source", "cwes"])))
}

fn read(item: &[u8]) -> Parsed {
    let vulnerability: Vulnerability<'_> = findings::parse(item, &["id"])?;
    // A reference within the document is better than nothing.
    let ids = std::iter::once(vulnerability.id)
        .chain(vulnerability.references.0.into_iter().map(|reference| reference.id))
        .chain(std::iter::once(vulnerability.reference));
    let mut record = findings::record(ids);
    let dates = [vulnerability.published, vulnerability.created];
    record.dates.published = dates.into_iter().find(|date| *date != When::Unknown).unwrap_or_default();
    record.dates.modified = vulnerability.updated.day();
    record.withdrawn = vulnerability.rejected != When::Unknown;
    for text in [vulnerability.description, vulnerability.detail] {
        record.describe(&text.0);
    }
    vulnerability.cwes.0.iter().for_each(|cwe| record.label(CYCLONEDX, cwe));
    Ok(record)
}

#[cfg(test)]
mod tests {
    use crate::sources::testing::{check, check_in_parts};

    #[test]
    fn each_vulnerability_is_a_record() {
        let document = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"name":"a","description":"A library"}],
          "dependencies":[{"ref":"a"}],"vulnerabilities":[
            {"id":"GHSA-2222-3333-4444","references":[{"id":"CVE-2024-0001","source":{"name":"NVD"}},{"id":"CVE-2024-0001"}],
             "ratings":[],"cwes":[79,89],"description":"Desc","detail":"Det","published":"2024-02-01T00:00:00Z","affects":[]},
            {"bom-ref":"r-2","id":null,"description":null,"detail":"Det","cwes":null,"references":null,"affects":[]},
            {"id":"CVE-2024-0003","affects":[],"description":{"text":"no"}},
            {"id":"CVE-2024-0004","affects":[],"ratings":[]},
            {"id":"CVE-2024-0005","affects":[],"description":"Not it","rejected":"2024-02-01T00:00:00Z"}]}"#;
        check_in_parts(
            document,
            &[
                "cyclonedx GHSA-2222-3333-4444,CVE-2024-0001|2024-02-01|cyclonedx:79,cyclonedx:89|Desc",
                "cyclonedx r-2|||Det",
                "in.json: record 3 (CVE-2024-0003): malformed JSON: invalid type: map, expected a string…",
                "cyclonedx CVE-2024-0004|||(the record has no description and no title; it is left out)",
                "cyclonedx CVE-2024-0005|||withdrawn Not it",
            ],
        );
    }

    #[test]
    fn a_bill_of_materials_has_no_vulnerability() {
        let told = "in.json: was read as one of the CycloneDX documents, and holds no vulnerability";
        check(r#"{"bomFormat":"CycloneDX","components":[{"name":"a","description":"A library"}]}"#, &[told]);
        check(
            r#"{"bomFormat":"CycloneDX","vulnerabilities":{"id":"CVE-2024-0001"}}"#,
            &["in.json:1: field vulnerabilities is \"{\\\"id\\\":\\\"CVE-2024-0001\\\"}\"; expected a list"],
        );
    }
}
