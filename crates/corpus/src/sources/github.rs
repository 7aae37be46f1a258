//! Advisories and alerts of GitHub, as its REST and GraphQL interfaces answer them.

use serde::Deserialize;

use super::findings;
use super::osv::GHSA;
use crate::date::When;
use crate::sources::format::{ObjectFormat, Parsed, Settings};
use crate::sources::json_text::{IdList, List, Text};
use crate::sources::object::Object;

/// Objects that are gone into within one another in an answer of GraphQL: organisation, repositories, alerts.
const DEEPEST: u8 = 8;

/// An advisory, an alert, or an answer of GraphQL with some of them.
pub(super) struct Github;

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Advisory<'a> {
    #[serde(borrow, default, alias = "ghsaId")]
    ghsa_id: Text<'a>,
    #[serde(borrow, default)]
    cve_id: Text<'a>,
    #[serde(borrow, default)]
    identifiers: List<Identifier<'a>>,
    #[serde(borrow, default)]
    summary: Text<'a>,
    #[serde(borrow, default)]
    description: Text<'a>,
    #[serde(default, alias = "publishedAt")]
    published_at: When,
    #[serde(default, alias = "updatedAt")]
    updated_at: When,
    #[serde(default, alias = "withdrawnAt")]
    withdrawn_at: When,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Identifier<'a> {
    #[serde(borrow, default)]
    value: Text<'a>,
}

impl ObjectFormat for Github {
    fn name(&self) -> &'static str {
        "github"
    }

    fn about(&self) -> &'static str {
        "advisories and alerts of GitHub"
    }

    fn recognises(&self, object: &Object<'_>) -> bool {
        is_advisory(object) || is_alert(object) || answer(object).is_some()
    }

    fn read(&self, object: &[u8], _: &Settings) -> Vec<Parsed> {
        let keys = Object::new(object);
        let mut found = Vec::new();
        match answer(&keys) {
            Some(answer) => find(&answer, 0, &mut found),
            None => found.extend(read_any(&keys, object)),
        }
        findings::of_document(object, found)
    }
}

fn is_advisory(object: &Object<'_>) -> bool {
    const OTHERS: [&str; 5] = ["identifiers", "cwes", "cvss", "vulnerabilities", "published_at"];
    let is_described = object.has("summary") && object.has("description");
    object.has_any(&["ghsa_id", "ghsaId"]) && (object.has_any(&OTHERS) || is_described)
}

fn is_alert(object: &Object<'_>) -> bool {
    object.object("security_advisory").is_some()
        || object.object("securityAdvisory").is_some()
        || object.object("securityVulnerability").is_some_and(|flaw| flaw.object("advisory").is_some())
}

/// The data of an answer of GraphQL, if alerts or advisories can be in it.
fn answer<'a>(object: &Object<'a>) -> Option<Object<'a>> {
    const ASKED: [&str; 7] = [
        "search",
        "repository",
        "organization",
        "viewer",
        "enterprise",
        "securityAdvisories",
        "securityVulnerabilities",
    ];
    object
        .object("data")
        .filter(|data| data.entries().next().is_some() && data.entries().all(is_one_of(&ASKED)))
}

fn is_one_of<'k>(keys: &'k [&str]) -> impl Fn((&[u8], &[u8])) -> bool + use<'k> {
    |(key, value)| value.starts_with(b"{") && keys.iter().any(|known| known.as_bytes() == key)
}

/// Reads the alerts and advisories below an object of an answer.
fn find(object: &Object<'_>, depth: u8, found: &mut Vec<Parsed>) {
    if depth > DEEPEST {
        return;
    }
    for (key, value) in object.members() {
        let members = match key {
            b"nodes" => findings::members(object, "nodes", found),
            _ => vec![value],
        };
        for member in members.into_iter().filter(|member| member.starts_with(b"{")) {
            let inner = Object::new(member);
            match read_any(&inner, member) {
                Some(record) => found.push(record),
                None => find(&inner, depth.saturating_add(1), found),
            }
        }
    }
}

/// The record of an advisory, or of the one in an alert.
fn read_any(object: &Object<'_>, bytes: &[u8]) -> Option<Parsed> {
    if is_advisory(object) {
        return Some(read(bytes));
    }
    let of_flaw = || object.object("securityVulnerability")?.whole("advisory");
    let advisory = object.whole("security_advisory").or_else(|| object.whole("securityAdvisory"));
    is_alert(object).then(|| read(advisory.or_else(of_flaw).unwrap_or(bytes)))
}

fn read(advisory: &[u8]) -> Parsed {
    let keys = Object::new(advisory);
    let weaknesses = match keys.object("cwes") {
        Some(answer) => answer.whole("nodes"),
        None => keys.whole("cwes"),
    };
    let weaknesses: IdList<'_> =
        weaknesses.map_or(Ok(IdList::default()), |list| findings::parse(list, &[]))?;
    let advisory: Advisory<'_> = findings::parse(advisory, &["ghsa_id"])?;
    let identifiers = advisory.identifiers.0.into_iter().map(|identifier| identifier.value);
    let mut record = findings::record([advisory.ghsa_id, advisory.cve_id].into_iter().chain(identifiers));
    record.dates.published = advisory.published_at;
    record.dates.modified = advisory.updated_at.day();
    record.withdrawn = advisory.withdrawn_at != When::Unknown;
    for text in [advisory.description, advisory.summary] {
        record.describe(&text.0);
    }
    weaknesses.0.iter().for_each(|cwe| record.label(GHSA, cwe));
    Ok(record)
}

#[cfg(test)]
mod tests {
    use crate::sources::testing::check;

    const ADVISORY: &str = r#"{"ghsa_id":"GHSA-2222-3333-4444","cve_id":"CVE-2024-0001","summary":"Sum","description":"Desc",
        "identifiers":[{"type":"CVE","value":"CVE-2024-0001"}],"cwes":[{"cwe_id":"CWE-79","name":"XSS"}],
        "published_at":"2024-02-01T00:00:00Z","withdrawn_at":null}"#;
    const READ: &str = "github GHSA-2222-3333-4444,CVE-2024-0001|2024-02-01|ghsa:79|Desc";

    #[test]
    fn advisories_and_alerts_of_the_rest_interface() {
        check(ADVISORY, &[READ]);
        check(
            &format!(
                r#"[{ADVISORY},{{"ghsa_id":"GHSA-5","cwes":[],"description":{{}}}},{{"ghsa_id":"GHSA-6","cwes":null,"cve_id":null,
                "identifiers":null,"summary":"Sum"}},{{"ghsa_id":"GHSA-7","cwes":null}}]"#
            ),
            &[
                READ,
                "in.json: record 2 (GHSA-5): malformed JSON: invalid type: map, expected a string…",
                "github GHSA-6|||Sum",
                "github GHSA-7|||(the record has no description and no title; it is left out)",
            ],
        );
        check(
            &format!(
                r#"[{{"number":1,"state":"open","security_advisory":{ADVISORY},"security_vulnerability":{{}}}}]"#
            ),
            &[READ],
        );
        check(&ADVISORY.replace('\n', " "), &[READ]);
    }

    #[test]
    fn answers_of_graphql() {
        let advisory = r#"{"description":"Desc","summary":"Sum","identifiers":[{"type":"GHSA","value":"GHSA-2222-3333-4444"}],
            "cwes":{"nodes":[{"cweId":"CWE-79"}]}}"#;
        check(
            &format!(
                r#"{{"data":{{"repository":{{"name":"r","vulnerabilityAlerts":{{"nodes":[
                {{"id":"x","securityVulnerability":{{"advisory":{advisory}}}}},{{"securityAdvisory":{advisory}}}]}}}}}}}}"#
            ),
            &["github GHSA-2222-3333-4444||ghsa:79|Desc", "github GHSA-2222-3333-4444||ghsa:79|Desc"],
        );
        check(
            r#"{"data":{"search":{"nodes":[{"name":"r","vulnerabilityAlerts":{"nodes":[]}}]}}}"#,
            &["in.json: was read as one of the advisories and alerts of GitHub, and holds no vulnerability"],
        );
    }
}
