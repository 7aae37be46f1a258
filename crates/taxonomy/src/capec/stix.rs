//! CAPEC's catalogue in STIX: the bundle `stix-capec.json`.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::str::FromStr;

use super::catalog::CapecCatalog;
use crate::entries::AttackPattern;
use crate::error::{BadField, ParseError, ParseIssue, Position, excerpt};
use crate::ids::{CapecId, ParseIdError};
use crate::json::JsonObject;
use crate::stix::{ExternalReference, for_each_object};
use crate::stix_object::StixObject;
use crate::terms::{PatternAbstraction, Status};

pub(super) fn parse(reader: impl BufRead, file: &str) -> Result<CapecCatalog, ParseError> {
    let expected = "a STIX 2.1 bundle of CAPEC";
    let mut draft = Draft::default();
    for_each_object(reader, file, expected, |index, object| draft.add(Position::Object(index), object))?;
    let catalog = draft.finish();
    if catalog.patterns.is_empty() {
        let detail = "it has no readable attack-pattern with a CAPEC id";
        return Err(ParseError::not_catalogue(file, expected, detail));
    }
    Ok(catalog)
}

/// A pattern whose parents are still STIX ids.
struct UnlinkedPattern {
    pattern: AttackPattern,
    parent_refs: Vec<String>,
    position: Position,
}

#[derive(Default)]
struct Draft {
    version: Option<String>,
    date: Option<String>,
    patterns: BTreeMap<CapecId, UnlinkedPattern>,
    id_of_ref: BTreeMap<String, CapecId>,
    objects: BTreeMap<CapecId, StixObject>,
    issues: Vec<ParseIssue>,
}

impl Draft {
    fn add(&mut self, position: Position, object: Option<JsonObject>) {
        let mut id = None;
        if let Err(BadField { field, problem }) = self.try_add(position, object, &mut id) {
            self.issues.push(ParseIssue {
                position,
                id,
                field,
                problem: format!("{problem}; object left out"),
            });
        }
    }

    fn try_add(
        &mut self,
        position: Position,
        object: Option<JsonObject>,
        seen_id: &mut Option<String>,
    ) -> Result<(), BadField> {
        let bad = |field, problem: &str| BadField { field, problem: problem.to_owned() };
        let object = object.ok_or_else(|| bad("objects", "holds something that is not an object"))?;
        if object.required::<String>("type")? != "attack-pattern" {
            return Ok(());
        }
        let references: Vec<ExternalReference> = object.required("external_references")?;
        // ATT&CK's techniques refer to CAPEC too; the other way round the source is "ATTACK".
        if references.iter().any(|reference| reference.source_name.starts_with("mitre-")) {
            return Err(bad(
                "external_references",
                "has an ATT&CK id and is therefore not a pattern of CAPEC",
            ));
        }
        let own = of_source(&references, "capec")
            .next()
            .ok_or_else(|| bad("external_references", "has no CAPEC id"))?;
        *seen_id = Some(excerpt(own));
        let id = own.parse().map_err(|error: ParseIdError| bad("external_references", &error.to_string()))?;
        if self.patterns.contains_key(&id) {
            return Err(bad("external_references", "gives an id that an earlier object has"));
        }
        let cwes = self.linked_ids(&references, "cwe", position, id);
        let techniques = self.linked_ids(&references, "ATTACK", position, id);
        let pattern = AttackPattern {
            id,
            name: object.required("name")?,
            abstraction: object
                .optional::<String>("x_capec_abstraction")?
                .and_then(|word| PatternAbstraction::from_word(&word))
                .unwrap_or(PatternAbstraction::Unstated),
            status: object
                .optional::<String>("x_capec_status")?
                .and_then(|word| Status::from_word(&word))
                .unwrap_or(Status::Unstated),
            parents: Vec::new(),
            cwes,
            techniques,
        };
        let parent_refs = object.or_default("x_capec_child_of_refs")?;
        let version = object.optional("x_capec_version")?;
        self.id_of_ref.insert(object.required("id")?, id);
        self.version = self.version.take().or(version);
        self.date = self.date.take().max(object.day("modified"));
        self.objects.extend(StixObject::of(&object).map(|object| (id, object)));
        self.patterns.insert(id, UnlinkedPattern { pattern, parent_refs, position });
        Ok(())
    }

    /// The ids that `references` give for the catalogue `source`, sorted; an unreadable one is reported.
    fn linked_ids<T: FromStr<Err = ParseIdError> + Ord>(
        &mut self,
        references: &[ExternalReference],
        source: &str,
        position: Position,
        id: CapecId,
    ) -> Vec<T> {
        let mut ids = Vec::new();
        for text in of_source(references, source) {
            match text.parse() {
                Ok(linked) => ids.push(linked),
                Err(error) => self.issues.push(ParseIssue {
                    position,
                    id: Some(id.to_string()),
                    field: "external_references",
                    problem: format!("{error}; reference dropped"),
                }),
            }
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Turns the parents' STIX ids into CAPEC ids, now that every object is known.
    fn finish(mut self) -> CapecCatalog {
        let mut patterns = Vec::with_capacity(self.patterns.len());
        for (id, UnlinkedPattern { mut pattern, parent_refs, position }) in self.patterns {
            for parent in parent_refs {
                match self.id_of_ref.get(&parent) {
                    Some(&parent) => pattern.parents.push(parent),
                    None => self.issues.push(ParseIssue {
                        position,
                        id: Some(id.to_string()),
                        field: "x_capec_child_of_refs",
                        problem: format!(
                            "{:?} is not a pattern of the bundle; parent dropped",
                            excerpt(&parent)
                        ),
                    }),
                }
            }
            pattern.parents.sort_unstable();
            pattern.parents.dedup();
            patterns.push(pattern);
        }
        self.issues.sort_by_key(|issue| issue.position);
        CapecCatalog {
            version: self.version,
            date: self.date,
            patterns,
            objects: self.objects,
            issues: self.issues,
        }
    }
}

/// The external ids that `references` give for the catalogue `source`.
fn of_source<'a>(references: &'a [ExternalReference], source: &str) -> impl Iterator<Item = &'a str> {
    references.iter().filter(move |r| r.source_name == source).filter_map(|r| r.external_id.as_deref())
}
