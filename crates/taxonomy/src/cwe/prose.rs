//! The prose of CWE's weaknesses, which the knowledge base does not keep: what it describes, and in which words.

use serde_json::value::RawValue;

use super::api::{Document, document, number, usage};
use crate::error::{BadField, ParseError};
use crate::ids::CweId;
use crate::json::{JsonObject, json_error, shape_problem};
use crate::terms::Usage;

/// The prose of one weakness, with runs of white space as one blank.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WeaknessProse {
    /// Its id.
    pub id: CweId,
    /// Its name.
    pub name: String,
    /// The permission to map vulnerabilities to it.
    pub usage: Usage,
    /// Its description.
    pub description: String,
    /// The extended description.
    pub extended_description: Option<String>,
    /// Other terms for it.
    pub alternate_terms: Vec<AlternateTerm>,
    /// The notes on its consequences; a consequence without a note is left out.
    pub consequence_notes: Vec<String>,
    /// The vulnerabilities that are examples of it.
    pub observed_examples: Vec<ObservedExample>,
}

/// Another term for a weakness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlternateTerm {
    /// The term.
    pub term: String,
    /// Its meaning, or the place where it is used.
    pub description: Option<String>,
}

/// A vulnerability that is an example of a weakness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedExample {
    /// Its id, mostly of a CVE.
    pub reference: String,
    /// The weakness as it was found there.
    pub description: String,
}

impl WeaknessProse {
    /// Reads a document of CWE's REST API with one weakness (`W/79.json` of the published archive); none of one with
    /// something else. `file` names it in messages.
    ///
    /// # Errors
    /// The document is malformed, or lacks a name or a description.
    pub fn parse(bytes: &[u8], file: &str) -> Result<Option<Self>, ParseError> {
        let object = match document(bytes).map_err(|error| json_error(error, file))? {
            Document::Object(object) if object.has("Abstraction") || object.has("Structure") => object,
            _ => return Ok(None),
        };
        let prose = Self::of_entry(&object);
        prose.map(Some).map_err(|bad| {
            ParseError::not_catalogue(file, "a weakness of CWE", format!("its {} {}", bad.field, bad.problem))
        })
    }

    fn of_entry(object: &JsonObject) -> Result<Self, BadField> {
        Ok(Self {
            id: CweId(number(object, "ID")?),
            name: folded(&object.required::<String>("Name")?),
            usage: usage(object),
            description: folded(&object.required::<String>("Description")?),
            extended_description: text(object, "ExtendedDescription")?,
            alternate_terms: each(object, "AlternateTerms", |entry| {
                let Some(term) = text(entry, "Term")? else { return Ok(None) };
                Ok(Some(AlternateTerm { term, description: text(entry, "Description")? }))
            })?,
            consequence_notes: each(object, "CommonConsequences", |entry| text(entry, "Note"))?,
            observed_examples: each(object, "ObservedExamples", |entry| {
                let Some(description) = text(entry, "Description")? else { return Ok(None) };
                let reference = text(entry, "Reference")?.unwrap_or_default();
                Ok(Some(ObservedExample { reference, description }))
            })?,
        })
    }
}

/// What `read` finds in the entries of a list.
fn each<T>(
    object: &JsonObject,
    key: &'static str,
    read: impl Fn(&JsonObject) -> Result<Option<T>, BadField>,
) -> Result<Vec<T>, BadField> {
    let entries: Vec<Box<RawValue>> = object.or_default(key)?;
    let parsed = entries.iter().map(|entry| {
        let entry = serde_json::from_str(entry.get());
        read(&entry.map_err(|error| BadField { field: key, problem: shape_problem(&error) })?)
    });
    parsed.filter_map(Result::transpose).collect()
}

/// The prose of a field, if it has any.
fn text(object: &JsonObject, field: &'static str) -> Result<Option<String>, BadField> {
    let prose = object.optional::<String>(field)?;
    Ok(prose.map(|prose| folded(&prose)).filter(|prose| !prose.is_empty()))
}

/// `prose` with runs of white space as one blank.
pub(super) fn folded(prose: &str) -> String {
    prose.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prose_of_a_weakness_is_read_and_anything_else_is_none() {
        let weakness = r#"{"ID":"7","Name":"Bad\n Thing","Abstraction":"Base","Description":" It is bad. ",
            "ExtendedDescription":"\n\nVery\n bad.\n","MappingNotes":{"Usage":"Allowed"},
            "AlternateTerms":[{"Term":"BT","Description":"Short."},{"Term":"Evil"}],
            "CommonConsequences":[{"Scope":["Integrity"],"Note":"Harm."},{"Scope":["Other"]}],
            "ObservedExamples":[{"Reference":"CVE-2020-0001","Description":"A thing was bad.","Link":"x"}]}"#;
        let prose = WeaknessProse::parse(weakness.as_bytes(), "7.json").unwrap().unwrap();
        assert_eq!((prose.id, prose.name.as_str(), prose.usage), (CweId(7), "Bad Thing", Usage::Allowed));
        assert_eq!(prose.description, "It is bad.");
        assert_eq!(prose.extended_description.as_deref(), Some("Very bad."));
        let terms: Vec<_> =
            prose.alternate_terms.iter().map(|of| (of.term.as_str(), of.description.as_deref())).collect();
        assert_eq!(terms, [("BT", Some("Short.")), ("Evil", None)]);
        assert_eq!(prose.consequence_notes, ["Harm."]);
        assert_eq!(prose.observed_examples[0].reference, "CVE-2020-0001");

        let category = r#"{"ID":"8","Name":"Things","Summary":"All things."}"#;
        assert_eq!(WeaknessProse::parse(category.as_bytes(), "8.json").unwrap(), None);
        let error = WeaknessProse::parse(br#"{"ID":"9","Abstraction":"Base"}"#, "9.json").unwrap_err();
        assert!(error.to_string().contains("9.json") && error.to_string().contains("Name"), "{error}");
    }
}
