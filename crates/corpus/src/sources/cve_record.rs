//! Records of the CVE list in the record format 5.x.

use serde::Deserialize;

use crate::date::When;
use crate::markup;
use crate::problem::{BadRecord, Problem};
use crate::record::{Assigner, Record, is_english};
use crate::record_id::RecordId;
use crate::sources::format::{ObjectFormat, Parsed, Settings};
use crate::sources::json_text::{List, Text, or_default};
use crate::sources::nvd_feed::Cvss;
use crate::sources::object::Object;
use crate::weakness_ids;

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
    #[serde(borrow, default, deserialize_with = "or_default")]
    containers: Containers<'a>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Metadata<'a> {
    #[serde(borrow, rename = "cveId")]
    id: Text<'a>,
    #[serde(borrow, default)]
    state: Text<'a>,
    #[serde(borrow, default, rename = "assignerShortName")]
    assigner: Text<'a>,
    #[serde(default, rename = "datePublished")]
    published: When,
    #[serde(default, rename = "dateUpdated")]
    modified: When,
}

#[derive(Deserialize, Default)]
#[serde(expecting = "an object")]
struct Containers<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    cna: Container<'a>,
    #[serde(borrow, default)]
    adp: List<Container<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(expecting = "an object")]
struct Container<'a> {
    #[serde(borrow, default, rename = "providerMetadata", deserialize_with = "or_default")]
    provider: Provider<'a>,
    #[serde(borrow, default)]
    title: Text<'a>,
    #[serde(borrow, default)]
    descriptions: List<Description<'a>>,
    #[serde(borrow, default, rename = "problemTypes")]
    problem_types: List<ProblemType<'a>>,
    #[serde(borrow, default)]
    metrics: List<Metric<'a>>,
}

/// A rating, by one version of CVSS or several.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Metric<'a> {
    #[serde(borrow, default, rename = "cvssV3_1", deserialize_with = "or_default")]
    v31: Cvss<'a>,
    #[serde(borrow, default, rename = "cvssV3_0", deserialize_with = "or_default")]
    v30: Cvss<'a>,
}

#[derive(Deserialize, Default)]
#[serde(expecting = "an object")]
struct Provider<'a> {
    #[serde(borrow, default, rename = "shortName")]
    short_name: Text<'a>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Description<'a> {
    #[serde(borrow, default)]
    lang: Text<'a>,
    #[serde(borrow, default)]
    value: Text<'a>,
    #[serde(borrow, default, rename = "supportingMedia")]
    media: List<Media<'a>>,
}

/// The same text with markup.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Media<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
    #[serde(default, deserialize_with = "or_default")]
    base64: bool,
    #[serde(borrow, default)]
    value: Text<'a>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct ProblemType<'a> {
    #[serde(borrow, default)]
    descriptions: List<ProblemDescription<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct ProblemDescription<'a> {
    #[serde(borrow, default, rename = "cweId")]
    cwe: Text<'a>,
    #[serde(borrow, default)]
    description: Text<'a>,
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

    fn read(&self, object: &[u8], _: &Settings) -> Vec<Parsed> {
        vec![read(object)]
    }

    /// The list is laid out as `cves`, years, and records.
    fn is_folder_entry(&self, name: &str) -> bool {
        let is_year = name.len() == 4 && name.bytes().all(|byte| byte.is_ascii_digit());
        name == "cves" || is_year || (name.starts_with("CVE-") && name.ends_with(".json"))
    }
}

fn read(object: &[u8]) -> Parsed {
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
    let is_in_force =
        |state: &str| !["REJECTED", "RESERVED"].iter().any(|other| other.eq_ignore_ascii_case(state));
    record.withdrawn = !is_in_force(metadata.state.0.trim());
    let Containers { cna, adp: List(adp) } = &parsed.containers;
    let containers = || std::iter::once(cna).chain(adp);
    containers().for_each(|container| describe(&mut record, container));
    // A title is better than nothing.
    containers().for_each(|container| record.describe(&container.title.0));
    label(&mut record, CNA, cna);
    if record.labels.iter().any(|label| label.assigner == CNA) {
        record.assigned_by(CNA, &metadata.assigner.0);
    }
    adp.iter().for_each(|adp| label(&mut record, ADP, adp));
    Ok(record)
}

/// Takes in the description of a container: the plain text, else the same with markup.
fn describe(record: &mut Record, container: &Container<'_>) {
    let in_english = || container.descriptions.0.iter().filter(|text| is_english(&text.lang.0));
    in_english().for_each(|text| record.describe(&text.value.0));
    for media in in_english().flat_map(|text| &text.media.0).filter(|media| !media.base64) {
        match media.kind.0.to_ascii_lowercase().starts_with("text/html") {
            true => record.describe(&markup::of_html(&media.value.0)),
            false => record.describe(&media.value.0),
        }
    }
}

fn label(record: &mut Record, assigner: Assigner, container: &Container<'_>) {
    let ratings = || container.metrics.0.iter();
    // Those of the newer version before the older one's.
    ratings().for_each(|metric| record.rate(assigner, &metric.v31.vector.0));
    ratings().for_each(|metric| record.rate(assigner, &metric.v30.vector.0));
    for problem in container.problem_types.0.iter().flat_map(|types| &types.descriptions.0) {
        // A third of the CNAs' weaknesses stand in the description alone, as `CWE-79: Cross-site Scripting`.
        let id = problem.cwe.0.trim();
        if weakness_ids::read(id).is_empty() {
            record.label_named(assigner, &problem.description.0);
        }
        record.label(assigner, id);
    }
    // A container without weaknesses, as the CVE programme's own, is nobody who assigned any.
    if record.labels.iter().any(|label| label.assigner == assigner) {
        record.assigned_by(assigner, &container.provider.short_name.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
