//! Audits of npm, version 6 and 7 and later, and of pnpm and yarn, which write the same advisories.

use serde::Deserialize;

use super::findings;
use crate::date::When;
use crate::record::Assigner;
use crate::record_id;
use crate::sources::format::{ObjectFormat, Parsed, Settings};
use crate::sources::json_text::{IdList, List, Text};
use crate::sources::object::{Elements, Object};

/// The registry, which takes its advisories from GitHub's database.
const NPM: Assigner = Assigner { rank: 41, name: "npm", added: false };

/// An audit, or one line of an audit of yarn.
pub(super) struct NpmAudit;

/// An advisory of any version: later ones have a title and no text.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Advisory<'a> {
    #[serde(borrow, default)]
    github_advisory_id: Text<'a>,
    #[serde(borrow, default)]
    cves: List<Text<'a>>,
    #[serde(borrow, default, alias = "URL")]
    url: Text<'a>,
    #[serde(borrow, default, alias = "ID")]
    id: Text<'a>,
    #[serde(borrow, default)]
    source: Text<'a>,
    #[serde(borrow, default)]
    overview: Text<'a>,
    #[serde(borrow, default, alias = "Issue")]
    title: Text<'a>,
    #[serde(borrow, default)]
    cwe: IdList<'a>,
    #[serde(default)]
    created: When,
    #[serde(default)]
    updated: When,
    #[serde(default)]
    deleted: When,
}

impl ObjectFormat for NpmAudit {
    fn name(&self) -> &'static str {
        "npm-audit"
    }

    fn about(&self) -> &'static str {
        "audits of npm, pnpm and yarn"
    }

    fn recognises(&self, object: &Object<'_>) -> bool {
        let of_version_6 =
            object.object("advisories").is_some() && object.has_any(&["actions", "muted", "metadata"]);
        object.has("auditReportVersion") || of_version_6 || is_line(object)
    }

    fn read(&self, object: &[u8], _: &Settings) -> Vec<Parsed> {
        let keys = Object::new(object);
        let mut found = Vec::new();
        if is_line(&keys) {
            find_in_line(&keys, &mut found);
        } else if keys.has("auditReportVersion") {
            for (_, package) in entries(&keys, "vulnerabilities", &mut found) {
                find_in_package(package, &mut found);
            }
        } else {
            let advisories = entries(&keys, "advisories", &mut found);
            found.extend(advisories.into_iter().map(|(_, advisory)| read(advisory)));
        }
        findings::of_document(object, found)
    }
}

/// Tests for a line of yarn's: of its first version, or of later ones.
fn is_line(object: &Object<'_>) -> bool {
    let of_version_1 = object.is("type", "auditAdvisory") || object.is("type", "auditSummary");
    let is_issue = |issue: Object<'_>| issue.has("Issue") && issue.has("Severity");
    (of_version_1 && object.has("data"))
        || (object.has("value") && object.object("children").is_some_and(is_issue))
}

/// The entries of the map under `key`; anything else there is an error among `found`.
fn entries<'a>(object: &Object<'a>, key: &'static str, found: &mut Vec<Parsed>) -> Vec<(&'a [u8], &'a [u8])> {
    match object.object(key) {
        Some(map) => map.members().filter(|(_, value)| *value != b"null").collect(),
        None => {
            let value = object.whole(key).filter(|value| *value != b"null");
            found.extend(value.map(|value| Err(findings::misplaced(key, value, "an object"))));
            Vec::new()
        }
    }
}

/// Reads the advisories of a package: the names among them refer to the advisories of others.
fn find_in_package(package: &[u8], found: &mut Vec<Parsed>) {
    let Some(causes) = Object::new(package).whole("via").and_then(Elements::new) else {
        return found.push(Err(findings::misplaced("via", package, "a list")));
    };
    let causes = causes.filter(|cause| !cause.starts_with(b"\"") && *cause != b"null");
    found.extend(causes.map(read));
}

fn find_in_line(line: &Object<'_>, found: &mut Vec<Parsed>) {
    let issue = line.whole("children");
    let is_notice = |issue: Object<'_>| issue.text("ID").is_some_and(|id| id.ends_with("(deprecation)"));
    if line.object("children").is_some_and(is_notice) {
        return;
    }
    let advisory = || line.object("data")?.whole("advisory");
    found.extend(issue.or_else(advisory).map(read));
}

fn read(advisory: &[u8]) -> Parsed {
    let advisory: Advisory<'_> = findings::parse(advisory, &["id"])?;
    let in_url = record_id::named(&advisory.url.0).map(|id| Text(id.into()));
    let ids = std::iter::once(advisory.github_advisory_id)
        .chain(in_url)
        .chain(advisory.cves.0)
        .chain([advisory.id, advisory.source]);
    let mut record = findings::record(ids);
    record.dates.published = advisory.created;
    record.dates.modified = advisory.updated.day();
    record.withdrawn = advisory.deleted != When::Unknown;
    record.describe(&advisory.overview.0);
    record.describe(&advisory.title.0);
    advisory.cwe.0.iter().for_each(|cwe| record.label(NPM, cwe));
    Ok(record)
}

#[cfg(test)]
mod tests {
    use crate::sources::testing::check;

    const ADVISORY: &str = r#"{"id":7,"created":"2024-02-01T00:00:00Z","deleted":null,"title":"T","module_name":"a",
        "cves":["CVE-2024-0001"],"overview":"Over","cwe":"CWE-79","url":"https://github.com/advisories/GHSA-2222-3333-4444"}"#;
    const READ: &str = "GHSA-2222-3333-4444,CVE-2024-0001,7|2024-02-01|npm:79|Over";

    #[test]
    fn advisories_of_version_6_and_of_yarn() {
        check(
            &format!(
                r#"{{"actions":[],"advisories":{{"7":{ADVISORY},"8":{{"id":8,"title":["x"]}},"9":null,"10":5,
                "11":{{"id":11,"cves":null,"cwe":null,"overview":null,"title":"T"}},"12":{{"id":12}}}},"metadata":{{}}}}"#
            ),
            &[
                &format!("npm-audit {READ}"),
                "in.json: record 2 (8): malformed JSON: …",
                "in.json: record 3: malformed JSON: invalid type: integer `5`, expected an object…",
                "npm-audit 11|||T",
                "npm-audit 12|||(the record has no description and no title; it is left out)",
            ],
        );
        let advisory = ADVISORY.replace('\n', " ");
        check(
            &format!(
                "{{\"type\":\"auditAdvisory\",\"data\":{{\"advisory\":{advisory}}}}}\n{{\"type\":\"auditSummary\",\"data\":{{}}}}\n\
                 {{\"value\":\"b\",\"children\":{{\"ID\":\"b (deprecation)\",\"Issue\":\"Use c\",\"Severity\":\"low\"}}}}\n\
                 {{\"value\":\"a\",\"children\":{{\"ID\":9,\"Issue\":\"T\",\"Severity\":\"low\",\"URL\":\"https://x/GHSA-2222-3333-4444\"}}}}"
            ),
            &[&format!("npm-audit {READ}"), "npm-audit GHSA-2222-3333-4444,9|||T"],
        );
    }

    #[test]
    fn advisories_of_version_7() {
        check(
            r#"{"auditReportVersion":2,"vulnerabilities":{
                "a":{"name":"a","via":[{"source":7,"title":"T","url":"https://github.com/advisories/GHSA-2222-3333-4444",
                  "cwe":["CWE-400","CWE-1333"]},"b",null,{"source":8,"title":{}}]},
                "b":{"name":"b","via":["a"]},"c":{"name":"c","via":7},
                "d":{"via":[{"source":9}]}},"metadata":{"vulnerabilities":{"total":1}}}"#,
            &[
                "npm-audit GHSA-2222-3333-4444,7||npm:400,npm:1333|T",
                "in.json: record 2: malformed JSON: …",
                "in.json: record 3: field via is …",
                "npm-audit 9|||(the record has no description and no title; it is left out)",
            ],
        );
        check(
            r#"{"auditReportVersion":2,"vulnerabilities":[]}"#,
            &["in.json: field vulnerabilities is \"[]\"; expected an object"],
        );
        let told = "in.json: was read as one of the audits of npm, pnpm and yarn, and holds no vulnerability";
        check(r#"{"auditReportVersion":2,"vulnerabilities":{},"metadata":{}}"#, &[told]);
    }
}
