//! CWE's catalogue as its REST API answers: JSON documents of one entry each, or of lists of them.

use serde_json::value::RawValue;

use super::catalog::{CweCatalog, Draft};
use super::prose::folded;
use crate::entries::{Grouping, GroupingKind, Relation, Weakness};
use crate::error::{BadField, ParseError, Position, excerpt};
use crate::ids::{CapecId, CweId};
use crate::json::{JsonObject, json_error, shape_problem};
use crate::mapping::{MappingNotes, MappingSuggestion};
use crate::terms::{Abstraction, Nature, Status, Usage};
use crate::xml::number_of;

/// The keys of the lists in which the API wraps its entries.
const LISTS: [&str; 3] = ["Weaknesses", "Categories", "Views"];

/// Collects the answers of CWE's REST API, from any number of documents in any order.
///
/// A document is an entry (`W/79.json` of the published archive), a list of entries, an object with
/// the lists `Weaknesses`, `Categories` and `Views` (the API's `/cwe/weakness/all`), or the answer to
/// `/cwe/version`.
#[derive(Debug, Default)]
pub struct ApiAnswers {
    draft: Draft,
    entries: usize,
}

impl ApiAnswers {
    /// A collection without answers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The answers in one whole document; `file` names it in messages.
    ///
    /// # Errors
    /// The document is malformed.
    pub(super) fn of_document(file: &str, bytes: &[u8]) -> Result<Self, ParseError> {
        let mut answers = Self::new();
        let document = document(bytes).map_err(|error| json_error(error, file))?;
        answers.add_document(file, document);
        Ok(answers)
    }

    /// Adds one document of many; one that cannot be read is left out and noted, as are its entries.
    pub fn add(&mut self, name: &str, bytes: &[u8]) {
        match document(bytes) {
            Ok(document) => self.add_document(name, document),
            Err(error) => {
                let problem = format!("line {}: {}", error.line(), shape_problem(&error));
                self.leave_out(name, BadField { field: "JSON", problem });
            }
        }
    }

    /// True before anything was added, be it readable or not.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// The catalogue of all documents; `file` names them in messages.
    ///
    /// # Errors
    /// They hold no weakness.
    pub fn finish(self, file: &str) -> Result<CweCatalog, ParseError> {
        self.draft.finish(file)
    }

    fn add_document(&mut self, name: &str, document: Document) {
        match document {
            Document::List(entries) => entries.iter().for_each(|entry| self.add_raw(name, entry)),
            Document::Object(object) if LISTS.iter().any(|key| object.has(key)) => {
                for key in LISTS {
                    match object.or_default::<Vec<Box<RawValue>>>(key) {
                        Ok(entries) => entries.iter().for_each(|entry| self.add_raw(name, entry)),
                        Err(bad) => self.leave_out(name, bad),
                    }
                }
            }
            Document::Object(object) if object.has("ContentVersion") => {
                let text = |field| object.optional::<String>(field).ok().flatten();
                self.draft.catalog.version = text("ContentVersion");
                self.draft.catalog.date =
                    text("ContentDate").and_then(|date| Some(date.get(..10)?.to_owned()));
            }
            Document::Object(object) => self.add_entry(name, &object),
        }
    }

    fn add_raw(&mut self, name: &str, entry: &RawValue) {
        match serde_json::from_str(entry.get()) {
            Ok(object) => self.add_entry(name, &object),
            Err(error) => {
                let problem = shape_problem(&error);
                self.leave_out(name, BadField { field: "JSON", problem });
            }
        }
    }

    fn leave_out(&mut self, name: &str, bad: BadField) {
        self.entries = self.entries.saturating_add(1);
        self.draft.report(Position::Entry(self.entries), Some(excerpt(name)), bad, "left out");
    }

    fn add_entry(&mut self, name: &str, object: &JsonObject) {
        let id = match number(object, "ID").map(CweId) {
            Ok(id) => id,
            Err(bad) => return self.leave_out(name, bad),
        };
        if let Err(bad) = self.try_add(id, object) {
            return self.leave_out(&id.to_string(), bad);
        }
        self.entries = self.entries.saturating_add(1);
    }

    fn try_add(&mut self, id: CweId, object: &JsonObject) -> Result<(), BadField> {
        let name: String = object.required("Name")?;
        let name = name.trim().to_owned();
        let kind = if object.has("Abstraction") || object.has("Structure") {
            None
        } else if object.has("Objective") || object.has("Type") {
            Some(GroupingKind::of_view(object.optional::<String>("Type")?.as_deref()))
        } else if object.has("Summary") {
            Some(GroupingKind::Category)
        } else {
            let problem =
                "is missing, as are \"Summary\" and \"Objective\": not a weakness, category or view";
            return Err(BadField { field: "Abstraction", problem: problem.to_owned() });
        };
        self.draft.claim(id)?;
        self.add_notes(id, object);
        match kind {
            None => self.add_weakness(id, name, object),
            Some(kind) => self.add_grouping(Grouping::new(id, name, kind), object),
        }
        Ok(())
    }

    fn add_weakness(&mut self, id: CweId, name: String, object: &JsonObject) {
        let weakness = Weakness {
            id,
            name,
            abstraction: term(object, "Abstraction", Abstraction::from_word).unwrap_or(Abstraction::Unstated),
            status: term(object, "Status", Status::from_word).unwrap_or(Status::Unstated),
            usage: usage(object),
            relations: self.each(id, object, "RelatedWeaknesses", |raw| relation(&parsed(raw)?)),
            capecs: self.each(id, object, "RelatedAttackPatterns", |raw| {
                number_of(raw.get().trim_matches('"'), "RelatedAttackPatterns").map(CapecId)
            }),
        };
        self.draft.catalog.weaknesses.push(weakness);
    }

    fn add_grouping(&mut self, mut grouping: Grouping, object: &JsonObject) {
        grouping.status = term(object, "Status", Status::from_word).unwrap_or(Status::Unstated);
        grouping.usage = usage(object);
        let key = if grouping.kind == GroupingKind::Category { "Relationships" } else { "Members" };
        grouping.members =
            self.each(grouping.id, object, key, |raw| number(&parsed(raw)?, "CweID").map(CweId));
        self.draft.catalog.groupings.push(grouping);
    }

    fn add_notes(&mut self, id: CweId, object: &JsonObject) {
        let Some(object) = object.optional::<JsonObject>("MappingNotes").ok().flatten() else { return };
        let prose = |field| folded(&object.optional::<String>(field).ok().flatten().unwrap_or_default());
        let notes = MappingNotes {
            rationale: prose("Rationale"),
            comments: prose("Comments"),
            reasons: self.each(id, &object, "Reasons", |raw| {
                let reason = serde_json::from_str::<String>(raw.get());
                reason.map_err(|error| BadField { field: "Reasons", problem: shape_problem(&error) })
            }),
            suggestions: self.each(id, &object, "Suggestions", |raw| {
                let better = parsed(raw)?;
                let comment = better.optional::<String>("Comment")?.unwrap_or_default();
                Ok(MappingSuggestion { cwe: CweId(number(&better, "CweID")?), comment: folded(&comment) })
            }),
        };
        self.draft.note(id, notes);
    }

    /// The readable elements of a list of the entry `id`; the others are reported.
    fn each<T>(
        &mut self,
        id: CweId,
        object: &JsonObject,
        key: &'static str,
        read: fn(&RawValue) -> Result<T, BadField>,
    ) -> Vec<T> {
        let position = Position::Entry(self.entries.saturating_add(1));
        let mut report = |bad| self.draft.report(position, Some(id.to_string()), bad, "dropped");
        let elements: Vec<Box<RawValue>> = object.or_default(key).unwrap_or_else(|bad| {
            report(bad);
            vec![]
        });
        elements.iter().filter_map(|raw| read(raw).map_err(&mut report).ok()).collect()
    }
}

/// A document of the API.
pub(super) enum Document {
    Object(JsonObject),
    List(Vec<Box<RawValue>>),
}

pub(super) fn document(bytes: &[u8]) -> Result<Document, serde_json::Error> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if bytes.trim_ascii_start().starts_with(b"[") {
        return serde_json::from_slice(bytes).map(Document::List);
    }
    serde_json::from_slice(bytes).map(Document::Object)
}

fn parsed(raw: &RawValue) -> Result<JsonObject, BadField> {
    let bad = |error: serde_json::Error| BadField { field: "JSON", problem: shape_problem(&error) };
    serde_json::from_str(raw.get()).map_err(bad)
}

/// The field as a number, which the API writes as text.
pub(super) fn number(object: &JsonObject, field: &'static str) -> Result<u32, BadField> {
    let raw: Box<RawValue> = object.required(field)?;
    number_of(raw.get().trim_matches('"'), field)
}

fn term<T>(object: &JsonObject, field: &'static str, from_word: fn(&str) -> Option<T>) -> Option<T> {
    object.optional::<String>(field).ok().flatten().and_then(|word| from_word(&word))
}

pub(super) fn usage(object: &JsonObject) -> Usage {
    let notes = object.optional::<JsonObject>("MappingNotes").ok().flatten();
    notes.and_then(|notes| term(&notes, "Usage", Usage::from_word)).unwrap_or(Usage::Unstated)
}

fn relation(object: &JsonObject) -> Result<Relation, BadField> {
    let nature: String = object.required("Nature")?;
    let unknown = || BadField { field: "Nature", problem: format!("{:?} is unknown", excerpt(&nature)) };
    Ok(Relation {
        nature: Nature::from_word(&nature).ok_or_else(unknown)?,
        target: CweId(number(object, "CweID")?),
        view: number(object, "ViewID")?,
        primary: object.optional::<String>("Ordinal").ok().flatten().is_some_and(|word| word == "Primary"),
    })
}
