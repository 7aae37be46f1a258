//! Reports of Snyk: a project, several, or a container with the applications in it.
//!
//! Issues with licences are not vulnerabilities, and are passed over. What Snyk says of code is SARIF.

use serde::Deserialize;

use super::findings;
use crate::date::When;
use crate::markup::Markup;
use crate::record::Assigner;
use crate::sources::format::{ObjectFormat, Parsed, Settings};
use crate::sources::json_text::{IdList, List, Text, or_default};
use crate::sources::object::Object;

/// Snyk's own analysts.
const SNYK: Assigner = Assigner { rank: 36, name: "snyk", added: false };
/// The key of the vulnerabilities.
const ITEMS: &str = "vulnerabilities";
/// The key of a container's applications, each with vulnerabilities of its own.
const APPLICATIONS: &str = "applications";

/// A report of Snyk, or a vulnerability of one.
pub(super) struct Snyk;

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Vulnerability<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    identifiers: Identifiers<'a>,
    #[serde(borrow, default)]
    title: Text<'a>,
    #[serde(borrow, default)]
    description: Text<'a>,
    #[serde(default, rename = "publicationTime")]
    published: When,
    #[serde(default, rename = "disclosureTime")]
    disclosed: When,
    #[serde(default, rename = "modificationTime")]
    modified: When,
}

#[derive(Deserialize, Default)]
#[serde(expecting = "an object")]
struct Identifiers<'a> {
    #[serde(borrow, default, rename = "CVE")]
    cve: List<Text<'a>>,
    #[serde(borrow, default, rename = "GHSA")]
    ghsa: List<Text<'a>>,
    #[serde(borrow, default, rename = "CWE")]
    cwe: IdList<'a>,
}

impl ObjectFormat for Snyk {
    fn name(&self) -> &'static str {
        "snyk"
    }

    fn about(&self) -> &'static str {
        "reports of Snyk"
    }

    fn arrays(&self) -> &'static [&'static str] {
        &[ITEMS, APPLICATIONS]
    }

    fn recognises(&self, object: &Object<'_>) -> bool {
        is_report(object) || is_vulnerability(object)
    }

    fn read(&self, object: &[u8], _: &Settings) -> Vec<Parsed> {
        let keys = Object::new(object);
        let mut found = Vec::new();
        if is_report(&keys) {
            find(&keys, &mut found);
            for application in findings::members(&keys, APPLICATIONS, &mut found) {
                find(&Object::new(application), &mut found);
            }
        } else if !is_licence(&keys) {
            found.push(read(object));
        }
        findings::of_document(object, found)
    }
}

fn is_report(object: &Object<'_>) -> bool {
    const OTHERS: [&str; 4] = ["packageManager", "dependencyCount", "uniqueCount", "displayTargetFile"];
    object.array(ITEMS).is_some() && object.has_any(&OTHERS)
}

/// Tests for a member of a report: a vulnerability, or an issue with a licence.
fn is_vulnerability(object: &Object<'_>) -> bool {
    const OTHERS: [&str; 4] = ["identifiers", "semver", "CVSSv3", "from"];
    let is_of_package = object.has_any(&["packageName", "moduleName", "packageManager"]);
    object.has("id") && object.has("title") && is_of_package && object.has_any(&OTHERS)
}

fn is_licence(object: &Object<'_>) -> bool {
    object.is("type", "license")
}

fn find(report: &Object<'_>, found: &mut Vec<Parsed>) {
    let items = findings::members(report, ITEMS, found);
    found.extend(items.into_iter().filter(|item| !is_licence(&Object::new(item))).map(read));
}

fn read(item: &[u8]) -> Parsed {
    let Vulnerability { id, identifiers, title, description, published, disclosed, modified } =
        findings::parse(item, &["id"])?;
    let ids = std::iter::once(id).chain(identifiers.cve.0).chain(identifiers.ghsa.0);
    let mut record = findings::record(ids);
    record.dates.published = if published == When::Unknown { disclosed } else { published };
    record.dates.modified = modified.day();
    record.describe(&Markup::Markdown.strip(&description.0));
    record.describe(&title.0);
    identifiers.cwe.0.iter().for_each(|cwe| record.label(SNYK, cwe));
    Ok(record)
}

#[cfg(test)]
mod tests {
    use crate::sources::testing::{check, check_in_parts};

    const FINDING: &str = r###"{"id":"SNYK-JS-A-1","title":"XSS","description":"## Overview\n[a](http://x/) is *bad*.\n","identifiers":
        {"CVE":["CVE-2024-0001"],"CWE":["CWE-79"],"GHSA":["GHSA-2222-3333-4444"]},"packageName":"a","semver":{},
        "publicationTime":"2024-02-01T00:00:00Z"}"###;
    const READ: &str =
        "snyk SNYK-JS-A-1,CVE-2024-0001,GHSA-2222-3333-4444|2024-02-01|snyk:79|Overview\na is bad.";

    #[test]
    fn a_project_and_what_is_wrong_in_it() {
        let document = format!(
            r#"{{"vulnerabilities":[{FINDING},
              {{"id":"SNYK-2","title":"T","packageName":"a","identifiers":{{"CVE":[{{}}]}}}},
              {{"id":"SNYK-3","title":"T","description":null,"packageName":"a","identifiers":null,"semver":{{}}}},
              {{"id":"SNYK-4","title":"","packageName":"a","identifiers":{{"CWE":null}}}},
              {{"id":"snyk:lic:npm:a:MIT","type":"license","title":"MIT","packageName":"a","semver":{{}}}}],
              "ok":false,"dependencyCount":3,"packageManager":"npm","summary":"3 vulnerable paths"}}"#
        );
        check_in_parts(
            &document,
            &[
                READ,
                "in.json: record 2 (SNYK-2): malformed JSON: invalid type: map, expected a string…",
                "snyk SNYK-3|||T",
                "snyk SNYK-4|||(the record has no description and no title; it is left out)",
            ],
        );
        let line = document.replace('\n', " ");
        assert!(crate::sources::testing::shown(&line)[0].starts_with("snyk SNYK-JS-A-1,CVE-2024-0001"));
    }

    #[test]
    fn several_projects_and_containers() {
        let project = format!(r#"{{"vulnerabilities":[{FINDING}],"packageManager":"npm","ok":false}}"#);
        let clean =
            r#"{"vulnerabilities":[],"packageManager":"npm","ok":true,"summary":"No known vulnerabilities"}"#;
        check(&format!("[{clean},{project},{project}]"), &[READ, READ]);
        check(
            &format!(
                r#"{{"vulnerabilities":[{FINDING}],"packageManager":"deb","applications":[{clean},{project}]}}"#
            ),
            &[READ, READ],
        );
        check(clean, &["in.json: was read as one of the reports of Snyk, and holds no vulnerability"]);
    }
}
