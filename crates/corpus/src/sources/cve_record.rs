//! Records of the CVE list in the record format 5.x.

use serde::Deserialize;

use crate::date::When;
use crate::error::{BadRecord, Problem};
use crate::record::{Assigner, Record, is_english};
use crate::record_id::RecordId;
use crate::sources::format::{Needs, ObjectFormat};
use crate::sources::json_text::Text;
use crate::sources::object::Object;

/// The CVE numbering authority that published the record.
pub(super) const CNA: Assigner = Assigner { rank: 20, name: "cna", added: false };
/// An authorised data publisher, in practice CISA's Vulnrichment.
pub(super) const ADP: Assigner = Assigner { rank: 30, name: "adp", added: true };

/// A record of the CVE list.
pub(super) struct CveRecord;

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Document<'a> {
    #[serde(borrow, rename = "cveMetadata")]
    metadata: Metadata<'a>,
    #[serde(borrow, default)]
    containers: Containers<'a>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Metadata<'a> {
    #[serde(borrow, rename = "cveId")]
    id: Text<'a>,
    #[serde(borrow, default)]
    state: Option<Text<'a>>,
    #[serde(default, rename = "datePublished")]
    published: When,
    #[serde(default, rename = "dateUpdated")]
    modified: When,
}

#[derive(Deserialize, Default)]
#[serde(expecting = "an object")]
struct Containers<'a> {
    #[serde(borrow, default)]
    cna: Container<'a>,
    #[serde(borrow, default)]
    adp: Vec<Container<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(expecting = "an object")]
struct Container<'a> {
    #[serde(borrow, default)]
    descriptions: Vec<Description<'a>>,
    #[serde(borrow, default, rename = "problemTypes")]
    problem_types: Vec<ProblemType<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Description<'a> {
    #[serde(borrow, default)]
    lang: Text<'a>,
    #[serde(borrow, default)]
    value: Text<'a>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct ProblemType<'a> {
    #[serde(borrow, default)]
    descriptions: Vec<ProblemDescription<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct ProblemDescription<'a> {
    #[serde(borrow, default, rename = "cweId")]
    cwe: Option<Text<'a>>,
    #[serde(borrow, default)]
    description: Option<Text<'a>>,
}

impl ObjectFormat for CveRecord {
    fn name(&self) -> &'static str {
        "cve-record"
    }

    fn about(&self) -> &'static str {
        "records of the CVE list"
    }

    fn recognises(&self, object: &Object<'_>) -> bool {
        object.has("cveMetadata") || (object.has("dataType") && object.has("containers"))
    }

    fn read(&self, object: &[u8], _: Needs) -> Result<Record, BadRecord> {
        let parsed: Document<'_> =
            serde_json::from_slice(object).map_err(|error| Problem::json(object, &error))?;
        let metadata = parsed.metadata;
        let id = RecordId::new(metadata.id.0.as_ref());
        if id.cve().is_none() {
            return Err(BadRecord::not_a_cve("cveId", id.as_str()));
        }
        let mut record = Record::new(Some(id), Problem::NoDescription("English description"));
        record.dates.published = metadata.published;
        record.dates.modified = metadata.modified.day();
        record.withdrawn = metadata.state.as_ref().is_some_and(|state| state.0 == "REJECTED");
        for text in parsed.containers.cna.descriptions.iter().filter(|text| is_english(&text.lang.0)) {
            record.describe(&text.value.0);
        }
        label(&mut record, CNA, &parsed.containers.cna);
        parsed.containers.adp.iter().for_each(|adp| label(&mut record, ADP, adp));
        Ok(record)
    }

    /// The list is laid out as `cves`, years, and records.
    fn is_folder_entry(&self, name: &str) -> bool {
        let is_year = name.len() == 4 && name.bytes().all(|byte| byte.is_ascii_digit());
        name == "cves" || is_year || (name.starts_with("CVE-") && name.ends_with(".json"))
    }
}

fn label(record: &mut Record, assigner: Assigner, container: &Container<'_>) {
    for problem in container.problem_types.iter().flat_map(|types| &types.descriptions) {
        let id = problem.cwe.as_ref().map(|cwe| cwe.0.as_ref());
        // A third of the CNAs' weaknesses stand in the description alone, as `CWE-79: Cross-site Scripting`.
        let described = || problem.description.as_ref().and_then(|text| leading_cwe(&text.0));
        if let Some(id) = id.filter(|id| !id.trim().is_empty()).or_else(described) {
            record.label(assigner, id);
        }
    }
}

/// The id that a description of a weakness begins with.
fn leading_cwe(text: &str) -> Option<&str> {
    let text = text.trim_start();
    text.get(..4).filter(|head| head.eq_ignore_ascii_case("CWE-"))?;
    let digits = text.bytes().skip(4).take_while(u8::is_ascii_digit).count();
    if digits == 0 { None } else { text.get(..digits.saturating_add(4)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_gives_the_id_it_begins_with() {
        for (text, want) in [
            ("CWE-79: Cross-site Scripting", Some("CWE-79")),
            (" cwe-89 SQL", Some("cwe-89")),
            ("CWE-", None),
            ("see CWE-79", None),
            ("é", None),
        ] {
            assert_eq!(leading_cwe(text), want, "{text}");
        }
    }

    #[test]
    fn a_folder_of_the_list_is_told_by_its_entries() {
        for (name, is_entry) in [
            ("cves", true),
            ("2024", true),
            ("CVE-2020-1234.json", true),
            ("delta.json", false),
            ("nvdcve-1.1-2020.json.gz", false),
            ("CVE-2020-1234.json.txt", false),
        ] {
            assert_eq!(CveRecord.is_folder_entry(name), is_entry, "{name}");
        }
    }
}
