//! CSAF advisories, version 2.0 and 2.1, with security and VEX profiles: one record a vulnerability.

use serde::Deserialize;

use super::findings;
use crate::date::When;
use crate::problem::{BadRecord, Problem};
use crate::record::{Assigner, is_english};
use crate::sources::format::{ObjectFormat, Parsed, Settings};
use crate::sources::json_text::{IdList, List, Text, or_default};
use crate::sources::object::Object;

/// The vendor or coordinator that published the advisory.
const CSAF: Assigner = Assigner { rank: 25, name: "csaf", added: false };
/// The key of the vulnerabilities.
const ITEMS: &str = "vulnerabilities";
/// Categories of notes with the text of a vulnerability, the best one first.
const OF_VULNERABILITY: [&str; 3] = ["description", "details", "summary"];
/// The same for notes about the document, whose text stands in the general ones, too.
const OF_DOCUMENT: [&str; 4] = ["description", "details", "summary", "general"];

/// A CSAF document, or a vulnerability of one.
pub(super) struct Csaf;

#[derive(Deserialize, Default)]
#[serde(expecting = "an object")]
struct Document<'a> {
    #[serde(borrow, default)]
    category: Text<'a>,
    #[serde(borrow, default)]
    lang: Text<'a>,
    #[serde(borrow, default)]
    title: Text<'a>,
    #[serde(borrow, default)]
    notes: List<Note<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    tracking: Tracking<'a>,
}

#[derive(Deserialize, Default)]
#[serde(expecting = "an object")]
struct Tracking<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(default)]
    initial_release_date: When,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Note<'a> {
    #[serde(borrow, default)]
    category: Text<'a>,
    #[serde(borrow, default)]
    text: Text<'a>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Vulnerability<'a> {
    #[serde(borrow, default)]
    cve: Text<'a>,
    #[serde(borrow, default)]
    ids: List<OtherId<'a>>,
    #[serde(borrow, default)]
    title: Text<'a>,
    #[serde(borrow, default)]
    notes: List<Note<'a>>,
    #[serde(borrow, default)]
    cwe: IdList<'a>,
    #[serde(borrow, default)]
    cwes: IdList<'a>,
    #[serde(default)]
    release_date: When,
    #[serde(default)]
    discovery_date: When,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct OtherId<'a> {
    #[serde(borrow, default)]
    text: Text<'a>,
}

impl ObjectFormat for Csaf {
    fn name(&self) -> &'static str {
        "csaf"
    }

    fn about(&self) -> &'static str {
        "CSAF advisories"
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
            return vec![read(object, &Document::default())];
        }
        let mut found = Vec::new();
        let head = keys.whole("document").unwrap_or(b"{}");
        let document = findings::parse(head, &["title"]).unwrap_or_else(|bad: BadRecord| {
            found.push(Err(bad));
            Document::default()
        });
        findings::of_list(object, ITEMS, found, |item| read(item, &document))
    }
}

fn is_document(object: &Object<'_>) -> bool {
    object.object("document").is_some_and(|document| document.has("csaf_version"))
}

/// Tests for a member of a document: an id, and notes by category or the state of products.
fn is_vulnerability(object: &Object<'_>) -> bool {
    let is_note = |note: &[u8]| {
        let note = Object::new(note);
        note.has("category") && note.has("text")
    };
    let has_notes = || object.array("notes").is_some_and(|mut notes| notes.next().is_some_and(is_note));
    object.has_any(&["cve", "ids"]) && (object.object("product_status").is_some() || has_notes())
}

fn read(item: &[u8], document: &Document<'_>) -> Parsed {
    let Vulnerability { cve, ids, title, notes, cwe, cwes, release_date, discovery_date } =
        findings::parse(item, &["cve"])?;
    let mut ids: Vec<_> = std::iter::once(cve).chain(ids.0.into_iter().map(|id| id.text)).collect();
    if ids.iter().all(|id| id.0.trim().is_empty()) {
        ids.push(Text(document.tracking.id.0.as_ref().into()));
    }
    let mut record = findings::record(ids);
    let dates = [release_date, discovery_date, document.tracking.initial_release_date];
    record.dates.published = dates.into_iter().find(|date| *date != When::Unknown).unwrap_or_default();
    record.withdrawn = document.category.0.eq_ignore_ascii_case("csaf_withdrawn");
    cwe.0.iter().chain(&cwes.0).for_each(|cwe| record.label(CSAF, cwe));
    if !document.lang.0.is_empty() && !is_english(&document.lang.0) {
        record.text = Err(Problem::NoDescription("English description"));
        return Ok(record);
    }
    texts(&notes, &OF_VULNERABILITY).for_each(|text| record.describe(text));
    record.describe(&title.0);
    texts(&document.notes, &OF_DOCUMENT).for_each(|text| record.describe(findings::beginning(text)));
    record.describe(findings::beginning(&document.title.0));
    Ok(record)
}

/// The texts of the notes of some categories, those of the first category first.
fn texts<'n>(notes: &'n List<Note<'_>>, categories: &'static [&str]) -> impl Iterator<Item = &'n str> {
    let of = move |category: &'static str| {
        notes.0.iter().filter(move |note| note.category.0.eq_ignore_ascii_case(category))
    };
    categories.iter().flat_map(move |category| of(category)).map(|note| note.text.0.as_ref())
}

#[cfg(test)]
mod tests {
    use crate::sources::testing::{check, check_in_parts};

    #[test]
    fn the_text_is_the_best_note_and_the_id_the_best_id() {
        let document = r#"{"document":{"csaf_version":"2.0","title":"Two flaws in Larkspur","notes":[
            {"category":"legal_disclaimer","text":"None."},{"category":"general","text":"About all."}],
            "tracking":{"id":"LS-1","initial_release_date":"2024-03-01T00:00:00Z"}},
          "vulnerabilities":[
            {"cve":"CVE-2024-0001","ids":[{"system_name":"x","text":"BUG-7"}],"cwe":{"id":"CWE-79","name":"XSS"},
             "title":"A title","notes":[{"category":"summary","text":"Sum"},{"category":"details","text":"Det"},
             {"category":"description","text":"Desc"}],"release_date":"2024-02-01T00:00:00Z"},
            {"cve":null,"ids":[{"text":"BUG-8"}],"notes":[{"category":"summary","text":"Sum"},{"category":"details","text":"Det"}],
             "cwes":[{"id":"CWE-89","name":"SQL"},{"id":"CWE-oops"}],"discovery_date":"2024-01-01"},
            {"cve":["CVE-2024-0003"],"notes":[]},
            {"cve":"CVE-2024-0004","notes":null,"title":"A title","cwe":null},
            {"product_status":{}},
            7, null]}"#;
        check(
            document,
            &[
                "in.json: record 1: field vulnerabilities is \"7\"; expected a list of objects",
                "csaf CVE-2024-0001,BUG-7|2024-02-01|csaf:79|Desc",
                "csaf BUG-8|2024-01-01|csaf:89,?CWE-oops|Det",
                "in.json: record 4: malformed JSON: invalid type: sequence, expected a string…",
                "csaf CVE-2024-0004|2024-03-01||A title",
                "csaf LS-1|2024-03-01||About all.",
            ],
        );
    }

    #[test]
    fn a_long_document_is_read_in_parts() {
        let document = r#"{"document":{"csaf_version":"2.1"},"vulnerabilities":[
            {"cve":"CVE-2024-0001","notes":[{"category":"description","text":"One"}]},
            {"cve":"CVE-2024-0002","notes":7,"product_status":{}},
            {"cve":"CVE-2024-0003","product_status":{},"title":"Three"}]}"#;
        check_in_parts(
            document,
            &[
                "csaf CVE-2024-0001|||One",
                "in.json: record 2 (CVE-2024-0002): malformed JSON: …",
                "csaf CVE-2024-0003|||Three",
            ],
        );
    }

    #[test]
    fn an_advisory_about_nothing_is_told() {
        let told = ["in.json: was read as one of the CSAF advisories, and holds no vulnerability"];
        check(
            r#"{"document":{"category":"csaf_informational_advisory","csaf_version":"2.0","title":"News"}}"#,
            &told,
        );
        check(r#"{"document":{"csaf_version":"2.0"},"vulnerabilities":null}"#, &told);
        check(
            r#"{"document":{"csaf_version":"2.0","category":"csaf_withdrawn"},"vulnerabilities":[{"cve":"CVE-2024-0001"}]}"#,
            &["csaf CVE-2024-0001|||withdrawn (the record has no description and no title; it is left out)"],
        );
        check(
            r#"{"document":{"csaf_version":"2.0","lang":"de-DE"},"vulnerabilities":[{"cve":"CVE-2024-0001","title":"Ein Fehler"}]}"#,
            &["csaf CVE-2024-0001|||(the record has no English description; it is left out)"],
        );
        check(
            r#"{"document":{"csaf_version":"2.0","notes":{"a":[7]}, "title":7},"vulnerabilities":[
            {"cve":"CVE-2024-0001","title":"T","product_status":{}}"#,
            &["csaf CVE-2024-0001|||T", "in.json: record 2: the file ends too early; …"],
        );
    }
}
