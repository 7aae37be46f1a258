//! ATT&CK's matrices as MITRE publishes them: the STIX 2.1 bundles `enterprise-attack.json`,
//! `mobile-attack.json` and `ics-attack.json`.

use std::collections::BTreeMap;
use std::io::BufRead;

use serde::Deserialize;

use crate::entries::{Tactic, Technique};
use crate::error::{BadField, ParseError, ParseIssue, Position, excerpt};
use crate::ids::{ParseIdError, TacticId, TechniqueId};
use crate::json::JsonObject;
use crate::stix::{ExternalReference, for_each_object};
use crate::stix_object::StixObject;
use crate::terms::Domain;

/// The contents of an ATT&CK bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttackCatalog {
    /// The release, by the bundle's `x-mitre-collection`; older and reduced bundles have none.
    pub version: Option<String>,
    /// The day of the release, `YYYY-MM-DD`, from the same object.
    pub date: Option<String>,
    /// The day of the newest change to a technique, for bundles that do not say the day of their release.
    pub newest: Option<String>,
    /// Techniques and sub-techniques, in id order.
    pub techniques: Vec<Technique>,
    /// Tactics, in id order.
    pub tactics: Vec<Tactic>,
    /// The descriptions of the techniques that have one.
    pub descriptions: BTreeMap<TechniqueId, String>,
    /// The objects of the techniques, as far as their ids are made of UUIDs.
    pub objects: BTreeMap<TechniqueId, StixObject>,
    /// Entries that were left out, with the reasons, in the order of the file.
    pub issues: Vec<ParseIssue>,
}

/// Reads one of ATT&CK's STIX 2.1 bundles; `file` names it in messages.
///
/// Objects other than techniques, tactics, matrices, the collection and the relationships between
/// techniques are passed over. An unreadable object is left out and a reference to something that
/// the bundle lacks dropped; both stand in [`AttackCatalog::issues`].
///
/// # Errors
/// The reader's, malformed JSON, a file that is no bundle or holds no ATT&CK technique.
pub fn parse(reader: impl BufRead, file: &str) -> Result<AttackCatalog, ParseError> {
    let expected = "a STIX 2.1 bundle of ATT&CK";
    let mut draft = Draft::default();
    for_each_object(reader, file, expected, |index, object| draft.add(Position::Object(index), object))?;
    let catalog = draft.finish();
    if catalog.techniques.is_empty() {
        let detail = "it has no readable attack-pattern with an ATT&CK id";
        return Err(ParseError::not_catalogue(file, expected, detail));
    }
    Ok(catalog)
}

/// An element of `kill_chain_phases`: a tactic by its matrix and short name.
#[derive(Deserialize)]
struct KillChainPhase {
    kill_chain_name: String,
    phase_name: String,
}

/// A technique whose tactics are still short names.
struct UnlinkedTechnique {
    technique: Technique,
    phases: Vec<KillChainPhase>,
    position: Position,
}

/// A relationship between two techniques, by their STIX ids.
struct Relationship {
    kind: RelationshipKind,
    source_ref: String,
    target_ref: String,
    position: Position,
}

#[derive(Clone, Copy)]
enum RelationshipKind {
    SubTechniqueOf,
    RevokedBy,
}

#[derive(Default)]
struct Draft {
    version: Option<String>,
    date: Option<String>,
    newest: Option<String>,
    techniques: BTreeMap<TechniqueId, UnlinkedTechnique>,
    technique_of_ref: BTreeMap<String, TechniqueId>,
    descriptions: BTreeMap<TechniqueId, String>,
    objects: BTreeMap<TechniqueId, StixObject>,
    tactics: BTreeMap<TacticId, Tactic>,
    tactic_of_ref: BTreeMap<String, TacticId>,
    matrices: Vec<Vec<String>>,
    relationships: Vec<Relationship>,
    issues: Vec<ParseIssue>,
}

/// The id that was made out before an object turned out bad, for the message.
type SeenId = Option<String>;

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
        id: &mut SeenId,
    ) -> Result<(), BadField> {
        let object = object.ok_or_else(|| bad("objects", "holds something that is not an object"))?;
        match object.required::<String>("type")?.as_str() {
            "attack-pattern" => self.add_technique(position, &object, id),
            "x-mitre-tactic" => self.add_tactic(&object, id),
            "x-mitre-matrix" => {
                self.matrices.push(object.required("tactic_refs")?);
                Ok(())
            }
            "x-mitre-collection" => self.add_collection(&object),
            "relationship" => self.add_relationship(position, &object),
            _ => Ok(()),
        }
    }

    fn add_technique(
        &mut self,
        position: Position,
        object: &JsonObject,
        seen: &mut SeenId,
    ) -> Result<(), BadField> {
        let (source, text) = own_id(object)?;
        *seen = Some(excerpt(&text));
        let id: TechniqueId = text.parse().map_err(|error| bad_id(&error))?;
        let technique = Technique {
            id,
            name: object.required("name")?,
            domain: domain_of(object, &source)?,
            tactics: Vec::new(),
            parent: None,
            revoked: object.or_default("revoked")?,
            deprecated: object.or_default("x_mitre_deprecated")?,
            revoked_by: None,
        };
        let phases = object.or_default("kill_chain_phases")?;
        if self.techniques.contains_key(&id) {
            return Err(bad("external_references", "gives an id that an earlier object has"));
        }
        self.technique_of_ref.insert(object.required("id")?, id);
        self.newest = self.newest.take().max(object.day("modified"));
        self.descriptions.extend(object.optional("description")?.map(|description| (id, description)));
        self.objects.extend(StixObject::of(object).map(|object| (id, object)));
        self.techniques.insert(id, UnlinkedTechnique { technique, phases, position });
        Ok(())
    }

    fn add_tactic(&mut self, object: &JsonObject, seen: &mut SeenId) -> Result<(), BadField> {
        let (source, text) = own_id(object)?;
        *seen = Some(excerpt(&text));
        let id: TacticId = text.parse().map_err(|error| bad_id(&error))?;
        let tactic = Tactic {
            id,
            name: object.required("name")?,
            shortname: object.required("x_mitre_shortname")?,
            domain: domain_of(object, &source)?,
            column: None,
        };
        if self.tactics.contains_key(&id) {
            return Err(bad("external_references", "gives an id that an earlier object has"));
        }
        self.tactic_of_ref.insert(object.required("id")?, id);
        self.tactics.insert(id, tactic);
        Ok(())
    }

    fn add_collection(&mut self, object: &JsonObject) -> Result<(), BadField> {
        self.version = object.optional("x_mitre_version")?;
        self.date = object.day("modified");
        Ok(())
    }

    fn add_relationship(&mut self, position: Position, object: &JsonObject) -> Result<(), BadField> {
        let kind = match object.required::<String>("relationship_type")?.as_str() {
            "subtechnique-of" => RelationshipKind::SubTechniqueOf,
            "revoked-by" => RelationshipKind::RevokedBy,
            _ => return Ok(()),
        };
        let withdrawn = object.or_default("revoked")? || object.or_default("x_mitre_deprecated")?;
        let source_ref: String = object.required("source_ref")?;
        // Groups and software are revoked by the same kind of relationship.
        if withdrawn || !source_ref.starts_with("attack-pattern--") {
            return Ok(());
        }
        let target_ref = object.required("target_ref")?;
        self.relationships.push(Relationship { kind, source_ref, target_ref, position });
        Ok(())
    }

    /// Turns short names and STIX ids into ids, now that every object is known.
    fn finish(mut self) -> AttackCatalog {
        self.link_relationships();
        self.place_tactics();
        let techniques = self.link_tactics();
        self.issues.sort_by_key(|issue| issue.position);
        AttackCatalog {
            version: self.version,
            date: self.date,
            newest: self.newest,
            techniques,
            tactics: self.tactics.into_values().collect(),
            descriptions: self.descriptions,
            objects: self.objects,
            issues: self.issues,
        }
    }

    fn link_relationships(&mut self) {
        for Relationship { kind, source_ref, target_ref, position } in std::mem::take(&mut self.relationships)
        {
            let source = self.technique_of_ref.get(&source_ref).copied();
            let target = self.technique_of_ref.get(&target_ref).copied();
            let entry = source.and_then(|id| self.techniques.get_mut(&id));
            let (Some(entry), Some(target)) = (entry, target) else {
                let (field, missing) =
                    if source.is_none() { ("source_ref", source_ref) } else { ("target_ref", target_ref) };
                let problem =
                    format!("{:?} is not a technique of the bundle; relationship dropped", excerpt(&missing));
                let id = source.map(|id| id.to_string());
                self.issues.push(ParseIssue { position, id, field, problem });
                continue;
            };
            match kind {
                RelationshipKind::SubTechniqueOf => entry.technique.parent = Some(target),
                RelationshipKind::RevokedBy => entry.technique.revoked_by = Some(target),
            }
        }
    }

    /// Gives the tactics their columns. A matrix may name a tactic that a reduced bundle lacks: it
    /// still takes its column.
    fn place_tactics(&mut self) {
        for matrix in &self.matrices {
            for (tactic_ref, column) in matrix.iter().zip(0..) {
                let tactic = self.tactic_of_ref.get(tactic_ref).and_then(|id| self.tactics.get_mut(id));
                if let Some(tactic) = tactic {
                    tactic.column.get_or_insert(column);
                }
            }
        }
    }

    fn link_tactics(&mut self) -> Vec<Technique> {
        let by_name: BTreeMap<(Domain, &str), TacticId> = self
            .tactics
            .values()
            .map(|tactic| ((tactic.domain, tactic.shortname.as_str()), tactic.id))
            .collect();
        let mut techniques = Vec::with_capacity(self.techniques.len());
        for UnlinkedTechnique { mut technique, phases, position } in
            std::mem::take(&mut self.techniques).into_values()
        {
            for phase in &phases {
                let domain = domain_of_kill_chain(&phase.kill_chain_name);
                let tactic = domain.and_then(|domain| by_name.get(&(domain, phase.phase_name.as_str())));
                match tactic {
                    Some(&tactic) => technique.tactics.push(tactic),
                    // What is withdrawn keeps the names of tactics that are gone.
                    None if technique.revoked || technique.deprecated => {}
                    None => self.issues.push(ParseIssue {
                        position,
                        id: Some(technique.id.to_string()),
                        field: "kill_chain_phases",
                        problem: format!(
                            "{:?} is not a tactic of the bundle; phase dropped",
                            excerpt(&phase.phase_name)
                        ),
                    }),
                }
            }
            technique.tactics.sort_unstable();
            technique.tactics.dedup();
            techniques.push(technique);
        }
        techniques
    }
}

fn bad(field: &'static str, problem: &str) -> BadField {
    BadField { field, problem: problem.to_owned() }
}

fn bad_id(error: &ParseIdError) -> BadField {
    bad("external_references", &error.to_string())
}

/// The object's ATT&CK id and the catalogue name it is given under.
fn own_id(object: &JsonObject) -> Result<(String, String), BadField> {
    let references: Vec<ExternalReference> = object.required("external_references")?;
    references
        .into_iter()
        .filter(|reference| domain_of_kill_chain(&reference.source_name).is_some())
        .find_map(|reference| Some((reference.source_name, reference.external_id?)))
        .ok_or_else(|| bad("external_references", "has no ATT&CK id"))
}

/// The matrix an object belongs to: the first known one it says, else that of the catalogue name
/// its id is given under (objects of releases before 2020 say none).
fn domain_of(object: &JsonObject, source: &str) -> Result<Domain, BadField> {
    let domains: Vec<String> = object.or_default("x_mitre_domains")?;
    domains
        .iter()
        .find_map(|name| Domain::from_word(name))
        .or_else(|| domain_of_kill_chain(source))
        .ok_or_else(|| bad("x_mitre_domains", "names no known domain"))
}

/// The matrix that ATT&CK calls `name` in kill chains and external references.
fn domain_of_kill_chain(name: &str) -> Option<Domain> {
    match name {
        "mitre-attack" => Some(Domain::Enterprise),
        "mitre-mobile-attack" => Some(Domain::Mobile),
        "mitre-ics-attack" => Some(Domain::Ics),
        _ => None,
    }
}
