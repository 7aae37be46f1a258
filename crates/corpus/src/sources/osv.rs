//! OSV records, as osv.dev, the GitHub Advisory Database and the ecosystems' databases publish them.

use serde::Deserialize;

use super::findings;
use crate::date::When;
use crate::problem::Problem;
use crate::record::{Assigner, Record};
use crate::record_id::RecordId;
use crate::sources::format::{ObjectFormat, Parsed, Settings};
use crate::sources::json_text::{IdList, List, Text};
use crate::sources::object::Object;

/// The database that published the advisory, in practice GitHub's.
pub(super) const GHSA: Assigner = Assigner { rank: 35, name: "ghsa", added: false };

/// An OSV record.
pub(super) struct Osv;

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Advisory<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow, default)]
    aliases: List<Text<'a>>,
    #[serde(default)]
    published: When,
    #[serde(default)]
    modified: When,
    #[serde(default)]
    withdrawn: When,
    #[serde(borrow, default)]
    summary: Text<'a>,
    #[serde(borrow, default)]
    details: Text<'a>,
    #[serde(borrow, default)]
    database_specific: Option<DatabaseSpecific<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct DatabaseSpecific<'a> {
    #[serde(borrow, default)]
    cwe_ids: IdList<'a>,
}

impl ObjectFormat for Osv {
    fn name(&self) -> &'static str {
        "osv"
    }

    fn about(&self) -> &'static str {
        "OSV records"
    }

    /// The key in answers of osv.dev's API.
    fn arrays(&self) -> &'static [&'static str] {
        &["vulns"]
    }

    fn recognises(&self, object: &Object<'_>) -> bool {
        // The version of this program's own answers is a number.
        let has_version = object.has("schema_version") && object.number("schema_version").is_none();
        // Records of one's own have details, too.
        let is_of_osv = object.has_any(&["modified", "aliases"]) && object.has_any(&["details", "affected"]);
        let is_record = object.has("id") && (has_version || is_of_osv);
        is_record || is_answers(object)
    }

    fn read(&self, object: &[u8], _: &Settings) -> Vec<Parsed> {
        let keys = Object::new(object);
        if !is_answers(&keys) {
            return vec![read(object)];
        }
        let mut found = Vec::new();
        for answer in findings::members(&keys, "results", &mut found) {
            let records = findings::members(&Object::new(answer), "vulns", &mut found);
            found.extend(records.into_iter().map(|item| findings::at(object, item, read(item))));
        }
        findings::of_document(object, found)
    }
}

/// Tests for answers to several queries of osv.dev's API; those without a vulnerability are empty.
fn is_answers(object: &Object<'_>) -> bool {
    object.array("results").is_some_and(|mut answers| answers.any(|answer| Object::new(answer).has("vulns")))
}

/// Reads a record.
pub(super) fn read(object: &[u8]) -> Parsed {
    let advisory: Advisory<'_> =
        serde_json::from_slice(object).map_err(|error| Problem::json(object, &error))?;
    let id = RecordId::new(advisory.id.0.into_owned());
    let mut record = Record::new(Some(id), Problem::NoDescription("details and no summary"));
    record.aliases =
        advisory.aliases.0.into_iter().map(|alias| RecordId::new(alias.0.into_owned())).collect();
    record.dates.published = advisory.published;
    record.dates.modified = advisory.modified.day();
    record.withdrawn = advisory.withdrawn != When::Unknown;
    for text in [advisory.details, advisory.summary] {
        record.describe(&text.0);
    }
    for cwe in advisory.database_specific.iter().flat_map(|specific| &specific.cwe_ids.0) {
        record.label(GHSA, cwe);
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use crate::sources::testing::check;

    #[test]
    fn an_answer_to_many_queries_holds_records_or_their_ids() {
        let record = r#"{"id":"GHSA-2222-3333-4444","details":"Det","affected":[]}"#;
        check(
            &format!(
                r#"{{"results":[{{"vulns":[{record}]}},{{}},{{"vulns":[{{"id":"PYSEC-2","modified":"2024-01-01"}}]}}]}}"#
            ),
            &[
                "osv GHSA-2222-3333-4444|||Det",
                "osv PYSEC-2|||(the record has no details and no summary; it is left out)",
            ],
        );
    }
}
