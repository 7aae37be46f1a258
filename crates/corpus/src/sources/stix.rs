//! STIX 2 vulnerabilities, alone or in a bundle. Objects of other types are passed over.

use serde::Deserialize;

use super::findings;
use crate::date::When;
use crate::record::Assigner;
use crate::record_id::RecordId;
use crate::sources::format::{ObjectFormat, Parsed, Settings};
use crate::sources::json_text::{IdList, List, Text, or_default};
use crate::sources::object::Object;

/// Whoever made the object, by a reference to a weakness.
const STIX: Assigner = Assigner { rank: 42, name: "stix", added: false };
/// The key of a bundle's objects.
const ITEMS: &str = "objects";
/// The type of the objects that are read.
const VULNERABILITY: &str = "vulnerability";

/// A STIX object, or a bundle of them.
pub(super) struct Stix;

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Vulnerability<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    description: Text<'a>,
    #[serde(borrow, default)]
    external_references: List<Reference<'a>>,
    /// Where OpenCTI keeps weaknesses.
    #[serde(borrow, default)]
    x_opencti_cwe: IdList<'a>,
    #[serde(default)]
    created: When,
    #[serde(default)]
    modified: When,
    #[serde(default, deserialize_with = "or_default")]
    revoked: bool,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Reference<'a> {
    #[serde(borrow, default)]
    source_name: Text<'a>,
    #[serde(borrow, default)]
    external_id: Text<'a>,
}

impl ObjectFormat for Stix {
    fn name(&self) -> &'static str {
        "stix"
    }

    fn about(&self) -> &'static str {
        "STIX bundles with vulnerabilities"
    }

    fn arrays(&self) -> &'static [&'static str] {
        &[ITEMS]
    }

    fn recognises(&self, object: &Object<'_>) -> bool {
        is_bundle(object) || is_object(object)
    }

    fn read(&self, object: &[u8], _: &Settings) -> Vec<Parsed> {
        let keys = Object::new(object);
        let mut found = Vec::new();
        if is_bundle(&keys) {
            let objects = findings::members(&keys, ITEMS, &mut found);
            let items = objects.into_iter().filter(|item| Object::new(item).is("type", VULNERABILITY));
            found.extend(items.map(|item| findings::at(object, item, read(item))));
        } else if keys.is("type", VULNERABILITY) {
            found.push(read(object));
        }
        findings::of_document(object, found)
    }
}

fn is_bundle(object: &Object<'_>) -> bool {
    object.is("type", "bundle") && object.has(ITEMS)
}

/// Tests for an object of any type: its id begins with the type.
fn is_object(object: &Object<'_>) -> bool {
    let is_id = || {
        let (kind, id) = (object.text("type")?, object.text("id")?);
        id.strip_prefix(&kind).map(|rest| rest.starts_with("--"))
    };
    object.has("type") && object.has("id") && is_id().unwrap_or_default()
}

fn read(item: &[u8]) -> Parsed {
    let Vulnerability { name, description, external_references, x_opencti_cwe, created, modified, revoked } =
        findings::parse(item, &["name"])?;
    let (weaknesses, others): (Vec<_>, Vec<_>) = external_references
        .0
        .into_iter()
        .partition(|reference| reference.source_name.0.eq_ignore_ascii_case("cwe"));
    let is_cve = |id: &Text<'_>| RecordId::new(id.0.trim()).cve().is_some();
    let (mut ids, others): (Vec<_>, Vec<_>) =
        others.into_iter().map(|other| other.external_id).partition(is_cve);
    let text = match is_cve(&name) {
        true => {
            ids.insert(0, name);
            None
        }
        // A name in words says what the vulnerability is.
        false => Some(name),
    };
    let mut record = findings::record(ids.into_iter().chain(others));
    if record.id.is_none() {
        record.id = Object::new(item).text("id").map(RecordId::new);
    }
    if record.cve().is_none() {
        // The day on which the object was made: of a CVE, the year of its id is nearer to the truth.
        record.dates.published = created;
    }
    record.dates.modified = modified.day();
    record.withdrawn = revoked;
    record.describe(&description.0);
    text.iter().for_each(|name| record.describe(&name.0));
    weaknesses.iter().for_each(|weakness| record.label(STIX, &weakness.external_id.0));
    x_opencti_cwe.0.iter().for_each(|weakness| record.label(STIX, weakness));
    Ok(record)
}

#[cfg(test)]
mod tests {
    use crate::sources::testing::{check, check_in_parts};

    #[test]
    fn vulnerabilities_of_a_bundle_are_read_and_nothing_else() {
        let document = r#"{"type":"bundle","id":"bundle--1","objects":[
            {"type":"identity","id":"identity--1","spec_version":"2.1","name":"Somebody","description":"no"},
            {"type":"vulnerability","id":"vulnerability--1","name":"CVE-2024-0001","created":"2025-01-01T00:00:00Z",
             "description":"Desc","external_references":[{"source_name":"cve","external_id":"CVE-2024-0001"},
             {"source_name":"cwe","external_id":"CWE-79"},{"source_name":"x","url":"http://x/"}]},
            {"type":"vulnerability","id":"vulnerability--2","name":"CVE-2024-0002","description":[1]},
            {"type":"vulnerability","id":"vulnerability--3","name":"Overflow in Larkspur","created":"2024-02-01T00:00:00Z",
             "external_references":null},
            {"type":"vulnerability","id":"vulnerability--4","name":"CVE-2024-0004"},
            {"type":"vulnerability","id":"vulnerability--5","name":"Named","revoked":true,
             "external_references":[{"source_name":"x","external_id":"X-1"},{"source_name":"cve","external_id":"CVE-2024-0005"}]},
            {"type":"relationship","id":"relationship--1"}]}"#;
        check_in_parts(
            document,
            &[
                "stix CVE-2024-0001||stix:79|Desc",
                "in.json: record 2 (CVE-2024-0002): malformed JSON: invalid type: sequence, expected a string…",
                "stix vulnerability--3|2024-02-01||Overflow in Larkspur",
                "stix CVE-2024-0004|||(the record has no description and no title; it is left out)",
                "stix CVE-2024-0005,X-1|||withdrawn Named",
            ],
        );
        check(
            r#"{"type":"vulnerability","spec_version":"2.1","id":"vulnerability--1","name":"CVE-2024-0001","description":"Desc"}"#,
            &["stix CVE-2024-0001|||Desc"],
        );
        let told =
            "in.json: was read as one of the STIX bundles with vulnerabilities, and holds no vulnerability";
        check(r#"{"type":"bundle","id":"bundle--1","objects":[{"type":"tool","id":"tool--1"}]}"#, &[told]);
    }
}
