//! Reports of Grype: matches of packages with vulnerabilities.

use serde::Deserialize;

use super::findings;
use crate::record::Assigner;
use crate::sources::format::{ObjectFormat, Parsed, Settings};
use crate::sources::json_text::{IdList, List, Text};
use crate::sources::object::Object;

/// The database that Grype took the vulnerability from.
const GRYPE: Assigner = Assigner { rank: 39, name: "grype", added: false };
/// The key of the matches.
const ITEMS: &str = "matches";

/// A report of Grype, or a match of one.
pub(super) struct Grype;

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Match<'a> {
    #[serde(borrow)]
    vulnerability: Vulnerability<'a>,
    /// The same vulnerability in other databases, mostly that of NVD.
    #[serde(borrow, default, rename = "relatedVulnerabilities")]
    related: List<Vulnerability<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Vulnerability<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default)]
    description: Text<'a>,
    #[serde(borrow, default)]
    cwes: IdList<'a>,
}

impl ObjectFormat for Grype {
    fn name(&self) -> &'static str {
        "grype"
    }

    fn about(&self) -> &'static str {
        "reports of Grype"
    }

    fn arrays(&self) -> &'static [&'static str] {
        &[ITEMS]
    }

    fn recognises(&self, object: &Object<'_>) -> bool {
        is_report(object) || is_match(object)
    }

    fn read(&self, object: &[u8], _: &Settings) -> Vec<Parsed> {
        let keys = Object::new(object);
        if !is_report(&keys) {
            return vec![read(object)];
        }
        findings::of_list(object, ITEMS, Vec::new(), read)
    }
}

fn is_report(object: &Object<'_>) -> bool {
    object.has(ITEMS) && object.has_any(&["descriptor", "distro", "ignoredMatches"])
}

fn is_match(object: &Object<'_>) -> bool {
    object.object("vulnerability").is_some()
        && object.has_any(&["artifact", "matchDetails", "relatedVulnerabilities"])
}

fn read(item: &[u8]) -> Parsed {
    let found: Match<'_> = findings::parse(item, &["vulnerability", "id"])?;
    let (mut ids, mut texts, mut cwes) = (Vec::new(), Vec::new(), Vec::new());
    for vulnerability in std::iter::once(found.vulnerability).chain(found.related.0) {
        ids.push(vulnerability.id);
        texts.push(vulnerability.description);
        cwes.extend(vulnerability.cwes.0);
    }
    let mut record = findings::record(ids);
    texts.iter().for_each(|text| record.describe(&text.0));
    cwes.iter().for_each(|cwe| record.label(GRYPE, cwe));
    Ok(record)
}

#[cfg(test)]
mod tests {
    use crate::sources::testing::{check, check_in_parts};

    #[test]
    fn each_match_is_a_record_and_related_ones_fill_it() {
        let document = r#"{"matches":[
            {"vulnerability":{"id":"GHSA-2222-3333-4444","description":""},"artifact":{"name":"a"},
             "relatedVulnerabilities":[{"id":"CVE-2024-0001","description":"Related","cwes":[{"cve":"CVE-2024-0001","cwe":"CWE-79"}]}]},
            {"vulnerability":{"id":"CVE-2024-0002","description":"Own","cwes":null},"artifact":{},"relatedVulnerabilities":null},
            {"vulnerability":{"id":"CVE-2024-0003","description":7.5,"cwes":"x"},"artifact":{}},
            {"vulnerability":{"id":"CVE-2024-0004","description":{}},"artifact":{}},
            {"vulnerability":{"id":"CVE-2024-0005"},"artifact":{}}],
          "ignoredMatches":[{"vulnerability":{"id":"CVE-2024-0009"}}],"descriptor":{"name":"grype"}}"#;
        check_in_parts(
            document,
            &[
                "grype GHSA-2222-3333-4444,CVE-2024-0001||grype:79|Related",
                "grype CVE-2024-0002|||Own",
                "grype CVE-2024-0003||?x|7.5",
                "in.json: record 4 (CVE-2024-0004): malformed JSON: invalid type: map, expected a string…",
                "grype CVE-2024-0005|||(the record has no description and no title; it is left out)",
            ],
        );
        let told = "in.json: was read as one of the reports of Grype, and holds no vulnerability";
        check(r#"{"matches":[],"descriptor":{"name":"grype"}}"#, &[told]);
    }
}
