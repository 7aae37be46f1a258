//! MITRE D3FEND as it is published: the ontology in Turtle, `d3fend.ttl` or `d3fend-protege.ttl`.
//!
//! Classes of the ontology that are kept: kinds of `DefensiveTechnique` with a `d3fend-id`, techniques of ATT&CK by their
//! `attack-id`, weaknesses by their `cwe-id`, and kinds of `DigitalArtifact`. They are related by properties: stated of a
//! class, or as restrictions (`owl:someValuesFrom`) that it is a kind of. A technique or a weakness has those of the
//! classes above it, too; a countermeasure has its own, as in the query by which D3FEND publishes its mappings.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::BufRead;
use std::str::FromStr;

use oxrdf::{NamedOrBlankNode, Term, Triple};
use oxttl::{TurtleParseError, TurtleParser};

use crate::defences::{Artifact, Countermeasure, D3fend, Link};
use crate::error::{ParseError, ParseIssue, Position, excerpt};
use crate::ids::{CountermeasureId, CweId, ParseIdError, TechniqueId};
use crate::terms::DefensiveTactic;

/// Most bytes of a file; the ontology of today has three million.
const LARGEST: u64 = 256 << 20;
/// The catalogue, for messages.
const EXPECTED: &str = "D3FEND's ontology in Turtle";
/// The beginning of the names of D3FEND.
const OWN: &str = "http://d3fend.mitre.org/ontologies/d3fend.owl#";
const LABEL: &str = "http://www.w3.org/2000/01/rdf-schema#label";
const SUB_CLASS_OF: &str = "http://www.w3.org/2000/01/rdf-schema#subClassOf";
const ON_PROPERTY: &str = "http://www.w3.org/2002/07/owl#onProperty";
const SOME_VALUES_FROM: &str = "http://www.w3.org/2002/07/owl#someValuesFrom";
const VERSION_INFO: &str = "http://www.w3.org/2002/07/owl#versionInfo";
/// The class of countermeasures, that of tactics, and that of artifacts.
const DEFENSIVE_TECHNIQUE: &str = "DefensiveTechnique";
const DEFENSIVE_TACTIC: &str = "DefensiveTactic";
const DIGITAL_ARTIFACT: &str = "DigitalArtifact";

/// The contents of D3FEND's ontology.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct D3fendCatalog {
    /// Countermeasures, and what they are against.
    pub d3fend: D3fend,
    /// Entries that were left out, with the reasons, in the order of the file.
    pub issues: Vec<ParseIssue>,
}

/// Reads D3FEND's ontology in Turtle; `file` names it in messages. Statements about other things are passed over. A
/// countermeasure, technique or weakness with an unreadable id is left out, and stands in [`D3fendCatalog::issues`].
///
/// # Errors
/// The reader's, malformed Turtle, a file that is too long, or one without a countermeasure.
pub fn parse(reader: impl BufRead, file: &str) -> Result<D3fendCatalog, ParseError> {
    let mut draft = Draft::default();
    let mut statements = TurtleParser::new().for_reader(reader.take(LARGEST));
    for (number, statement) in statements.by_ref().enumerate() {
        match statement {
            Ok(statement) => draft.add(number.saturating_add(1), statement),
            Err(TurtleParseError::Io(source)) => return Err(ParseError::read(file)(source)),
            Err(TurtleParseError::Syntax(error)) => {
                let at = error.location().start;
                let detail = excerpt(error.message());
                let (line, column) = (at.line.saturating_add(1), at.column.saturating_add(1));
                return Err(ParseError::Turtle { file: file.to_owned(), line, column, detail });
            }
        }
    }
    let catalog = draft.finish();
    if catalog.d3fend.countermeasures.is_empty() {
        let detail = "it has no readable countermeasure with a d3fend-id";
        return Err(ParseError::not_catalogue(file, EXPECTED, detail));
    }
    Ok(catalog)
}

/// A class of the ontology, by what its statements say.
#[derive(Default)]
struct Class {
    /// The number of the first statement about it.
    first: usize,
    label: Option<String>,
    /// Its ids in the catalogues, by the properties that give them.
    ids: BTreeMap<&'static str, String>,
    /// The classes that it is a kind of.
    above: Vec<String>,
    /// The restrictions that it is a kind of, by the names of their nodes.
    restrictions: Vec<String>,
    /// Properties that are stated of it, with their objects.
    stated: Vec<(String, String)>,
}

/// A restriction: something that has a property with some object of a class.
#[derive(Default)]
struct Restriction {
    property: Option<String>,
    classes: Vec<String>,
}

#[derive(Default)]
struct Draft {
    version: Option<String>,
    date: Option<String>,
    classes: BTreeMap<String, Class>,
    restrictions: HashMap<String, Restriction>,
}

/// The properties that give ids.
const IDS: [&str; 3] = ["d3fend-id", "attack-id", "cwe-id"];

/// The name of D3FEND's own behind the common beginning.
fn own(name: &str) -> Option<&str> {
    name.strip_prefix(OWN).filter(|name| !name.is_empty())
}

impl Draft {
    fn add(&mut self, number: usize, statement: Triple) {
        let predicate = statement.predicate.as_str();
        let subject = match statement.subject {
            NamedOrBlankNode::BlankNode(node) => {
                let Term::NamedNode(object) = statement.object else { return };
                let Some(object) = own(object.as_str()) else { return };
                let restriction = self.restrictions.entry(node.into_string()).or_default();
                match predicate {
                    ON_PROPERTY => restriction.property = Some(object.to_owned()),
                    SOME_VALUES_FROM => restriction.classes.push(object.to_owned()),
                    _ => {}
                }
                return;
            }
            NamedOrBlankNode::NamedNode(node) => node.into_string(),
        };
        // The ontology's own name has no `#`.
        if OWN.strip_suffix('#') == Some(&*subject)
            && let Term::Literal(literal) = &statement.object
        {
            match (predicate, own(predicate)) {
                (VERSION_INFO, _) => self.version = Some(excerpt(literal.value())),
                (_, Some("release-date")) => self.date = literal.value().get(..10).map(str::to_owned),
                _ => {}
            }
        }
        let Some(name) = own(&subject) else { return };
        let class = self
            .classes
            .entry(name.to_owned())
            .or_insert_with(|| Class { first: number, ..Class::default() });
        match (statement.object, own(predicate)) {
            (Term::Literal(literal), property) => {
                let id = property.and_then(|property| IDS.into_iter().find(|id| *id == property));
                if let Some(property) = id {
                    class.ids.entry(property).or_insert_with(|| literal.destruct().0);
                } else if predicate == LABEL {
                    class.label.get_or_insert_with(|| literal.destruct().0);
                }
            }
            (Term::NamedNode(object), property) => {
                let Some(object) = own(object.as_str()) else { return };
                match property {
                    Some(property) => class.stated.push((property.to_owned(), object.to_owned())),
                    None if predicate == SUB_CLASS_OF => class.above.push(object.to_owned()),
                    None => {}
                }
            }
            (Term::BlankNode(node), _) if predicate == SUB_CLASS_OF => {
                class.restrictions.push(node.into_string());
            }
            _ => {}
        }
    }

    fn finish(self) -> D3fendCatalog {
        let mut issues = vec![];
        let above = |name: &str| self.above(name);
        let is_a = |name: &str, class: &str| above(name).contains(class);
        let mut countermeasures: BTreeMap<CountermeasureId, (&str, &Class)> = BTreeMap::new();
        let mut techniques: BTreeMap<TechniqueId, &str> = BTreeMap::new();
        let mut weaknesses: BTreeMap<CweId, &str> = BTreeMap::new();
        for (name, class) in &self.classes {
            if class.ids.contains_key("d3fend-id")
                && is_a(name, DEFENSIVE_TECHNIQUE)
                && let Some(id) = class.id("d3fend-id", &mut issues)
                && countermeasures.insert(id, (name, class)).is_some()
            {
                let problem = format!("{id} is one that another class has; one left out");
                issues.push(class.issue("d3fend-id", problem));
            }
            techniques.extend(class.id("attack-id", &mut issues).map(|id| (id, name.as_str())));
            weaknesses.extend(class.id("cwe-id", &mut issues).map(|id| (id, name.as_str())));
        }
        let mut tables = Tables::default();
        let of_name: BTreeMap<&str, CountermeasureId> =
            countermeasures.iter().map(|(id, (name, _))| (*name, *id)).collect();
        let countermeasures: Vec<Countermeasure> = countermeasures
            .iter()
            .map(|(id, (name, class))| Countermeasure {
                id: *id,
                name: class.label.clone().unwrap_or_else(|| (*name).to_owned()),
                tactic: self.tactic(name),
                parent: class.above.iter().find_map(|above| of_name.get(above.as_str())).copied(),
                links: tables.links(&self, [*name]),
            })
            .collect();
        let techniques =
            techniques.iter().map(|(id, name)| (*id, tables.links(&self, above(name).iter().copied())));
        let techniques: Vec<_> = techniques.filter(|(_, links)| !links.is_empty()).collect();
        let weaknesses =
            weaknesses.iter().map(|(id, name)| (*id, tables.links(&self, above(name).iter().copied())));
        let weaknesses: Vec<_> = weaknesses.filter(|(_, links)| !links.is_empty()).collect();
        let artifacts = tables.artifacts(&self);
        issues.sort_by_key(|issue| issue.position);
        let d3fend = D3fend {
            version: self.version.clone(),
            date: self.date.clone(),
            countermeasures,
            relations: tables.relations.into_iter().map(str::to_owned).collect(),
            artifacts,
            techniques,
            weaknesses,
        };
        D3fendCatalog { d3fend, issues }
    }

    /// The names of a class and of all those that it is a kind of, nearest first within the order of the file.
    fn above<'a>(&'a self, name: &str) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut next: Vec<&str> =
            self.classes.get_key_value(name).map(|(name, _)| name.as_str()).into_iter().collect();
        while let Some(name) = next.pop() {
            if found.insert(name)
                && let Some(class) = self.classes.get(name)
            {
                next.extend(class.above.iter().map(String::as_str));
            }
        }
        found
    }

    /// The properties that a class has, by statements and restrictions, with the classes of their objects.
    fn relations<'a>(&'a self, name: &str) -> Vec<(&'a str, &'a str)> {
        let Some(class) = self.classes.get(name) else { return vec![] };
        let stated = class.stated.iter().map(|(property, object)| (property.as_str(), object.as_str()));
        let restrictions = class.restrictions.iter().filter_map(|node| self.restrictions.get(node));
        let restricted = restrictions.flat_map(|restriction| {
            let property = restriction.property.as_deref();
            restriction.classes.iter().filter_map(move |class| Some((property?, class.as_str())))
        });
        stated.chain(restricted).collect()
    }

    /// The tactic that a countermeasure enables, itself or by what it is a kind of.
    fn tactic(&self, name: &str) -> DefensiveTactic {
        let classes = self.above(name);
        let enabled = classes.iter().flat_map(|class| self.relations(class));
        let mut tactics = enabled.filter(|(property, _)| *property == "enables").filter_map(|(_, object)| {
            let is_tactic = self.classes.get(object)?.above.iter().any(|above| above == DEFENSIVE_TACTIC);
            is_tactic.then(|| DefensiveTactic::from_word(object))?
        });
        tactics.next().unwrap_or(DefensiveTactic::Unstated)
    }
}

impl Class {
    /// The id that a property gives; an unreadable one is an issue.
    fn id<Id: FromStr<Err = ParseIdError>>(
        &self,
        property: &'static str,
        issues: &mut Vec<ParseIssue>,
    ) -> Option<Id> {
        let text = self.ids.get(property)?;
        text.parse()
            .map_err(|error| issues.push(self.issue(property, format!("{error}; entry left out"))))
            .ok()
    }

    fn issue(&self, field: &'static str, problem: String) -> ParseIssue {
        let id = self.label.as_deref().map(excerpt);
        ParseIssue { position: Position::Statement(self.first), id, field, problem }
    }
}

/// Relations and artifacts, each once, by their places.
#[derive(Default)]
struct Tables<'a> {
    relations: Vec<&'a str>,
    names: Vec<&'a str>,
    places: BTreeMap<&'a str, Option<u16>>,
}

impl<'a> Tables<'a> {
    /// What the classes of these names are to artifacts, in order and each once.
    fn links<'n>(&mut self, draft: &'a Draft, names: impl IntoIterator<Item = &'n str>) -> Vec<Link> {
        let mut links: Vec<Link> = vec![];
        for (property, object) in names.into_iter().flat_map(|name| draft.relations(name)) {
            let Some(artifact) = self.artifact(draft, object) else { continue };
            let place = self.relations.iter().position(|relation| *relation == property);
            let relation = place.unwrap_or_else(|| {
                self.relations.push(property);
                self.relations.len() - 1
            });
            if let Ok(relation) = u16::try_from(relation) {
                links.push(Link { relation, artifact });
            }
        }
        links.sort_unstable();
        links.dedup();
        links
    }

    /// The place of an artifact, which it gets now if it has none; `None` for what is none, and for the class of all.
    fn artifact(&mut self, draft: &'a Draft, name: &'a str) -> Option<u16> {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let is_artifact = name != DIGITAL_ARTIFACT && draft.above(name).contains(DIGITAL_ARTIFACT);
        let place = is_artifact.then(|| u16::try_from(self.names.len()).ok()).flatten();
        if place.is_some() {
            self.names.push(name);
        }
        self.places.insert(name, place);
        place
    }

    /// The artifacts with those above them, which get places, too.
    fn artifacts(&mut self, draft: &'a Draft) -> Vec<Artifact> {
        let mut artifacts = vec![];
        while let Some(name) = self.names.get(artifacts.len()).copied() {
            let class = draft.classes.get(name);
            let above = class.map_or(&[][..], |class| &class.above);
            let parents = above.iter().filter_map(|above| self.artifact(draft, above)).collect();
            let label = class.and_then(|class| class.label.clone()).unwrap_or_else(|| name.to_owned());
            artifacts.push(Artifact { name: label, parents });
        }
        artifacts
    }
}
