//! The CVE list in the record format 5.x: one file a record, in a folder, in the release zip (the midnight release
//! is a zip within a zip), or alone.

use serde::Deserialize;

use super::json_text::Text;
use super::rows::When;
use crate::error::Problem;
use crate::record::{LabelSource, SourceRecord, is_english};

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct CveRecord<'a> {
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

/// Whether a file of the list holds a record, by its name: the list also has logs of changes.
pub(crate) fn is_record_name(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    name.starts_with("CVE-") && name.ends_with(".json")
}

/// The record in the bytes of one file; or its id, if readable, and what is wrong with it.
pub(crate) fn parse(file: &[u8]) -> Result<SourceRecord, (Option<String>, Problem)> {
    let parsed: CveRecord<'_> =
        serde_json::from_slice(file).map_err(|error| (None, Problem::json(file, &error)))?;
    let metadata = parsed.metadata;
    let bad = |problem| (Some(metadata.id.0.chars().take(40).collect()), problem);
    let id = metadata.id.0.parse();
    let id =
        id.map_err(|_| bad(Problem::bad_field("cveId", &metadata.id.0, "a CVE id such as CVE-2021-44228")))?;
    let mut record = SourceRecord::new(id);
    record.published = metadata.published.day();
    record.modified = metadata.modified.day();
    record.rejected = metadata.state.as_ref().is_some_and(|state| state.0 == "REJECTED");
    for text in parsed.containers.cna.descriptions.iter().filter(|text| is_english(&text.lang.0)) {
        record.describe(&text.value.0);
    }
    label(&mut record, LabelSource::Cna, &parsed.containers.cna);
    parsed.containers.adp.iter().for_each(|adp| label(&mut record, LabelSource::Adp, adp));
    Ok(record)
}

fn label(record: &mut SourceRecord, source: LabelSource, container: &Container<'_>) {
    for problem in container.problem_types.iter().flat_map(|types| &types.descriptions) {
        let id = problem.cwe.as_ref().map(|cwe| cwe.0.as_ref());
        // A third of the CNAs' weaknesses stand in the description alone, as `CWE-79: Cross-site Scripting`.
        let described = || problem.description.as_ref().and_then(|text| leading_cwe(&text.0));
        if let Some(id) = id.filter(|id| !id.trim().is_empty()).or_else(described) {
            record.label(source, id);
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
    fn records_are_told_from_logs_by_their_names() {
        for (path, record) in [
            ("cves/2020/1xxx/CVE-2020-1234.json", true),
            ("CVE-2020-1234.json", true),
            ("cves/delta.json", false),
            ("cves/2020/CVE-2020-1234.json.txt", false),
        ] {
            assert_eq!(is_record_name(path), record, "{path}");
        }
    }
}
