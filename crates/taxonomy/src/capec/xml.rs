//! CAPEC's catalogue in XML: the file `capec_vX.Y.xml` or `capec_latest.xml`.

use std::collections::BTreeSet;
use std::io::BufRead;

use quick_xml::events::BytesStart;

use super::catalog::CapecCatalog;
use crate::entries::AttackPattern;
use crate::error::{BadField, ParseError, ParseIssue, Position, excerpt};
use crate::ids::{CapecId, CweId, ParseIdError, TechniqueId};
use crate::terms::{PatternAbstraction, Status};
use crate::xml::{self, ENTRY_DEPTH, Elements, attribute, number, term};

/// The name of ATT&CK in `Taxonomy_Mapping/@Taxonomy_Name`.
const ATTACK: &str = "ATTACK";

pub(super) fn parse(reader: impl BufRead, file: &str) -> Result<CapecCatalog, ParseError> {
    let mut reading = Reading::default();
    xml::read(reader, file, &mut reading)?;
    let mut catalog = reading.catalog;
    if catalog.patterns.is_empty() {
        let detail = "it holds no readable <Attack_Pattern>";
        return Err(ParseError::not_catalogue(file, Reading::EXPECTED, detail));
    }
    for pattern in &mut catalog.patterns {
        in_order(&mut pattern.parents);
        in_order(&mut pattern.cwes);
        in_order(&mut pattern.techniques);
    }
    catalog.patterns.sort_by_key(|pattern| pattern.id);
    Ok(catalog)
}

fn in_order<T: Ord>(list: &mut Vec<T>) {
    list.sort_unstable();
    list.dedup();
}

#[derive(Default)]
struct Reading {
    catalog: CapecCatalog,
    seen: BTreeSet<CapecId>,
    /// The pattern whose element is open.
    open: Option<AttackPattern>,
    /// True when the last mapping to begin is one to ATT&CK.
    in_mapping: bool,
    /// The text of the mapping's id, once its element is open.
    entry_id: Option<String>,
}

impl Elements for Reading {
    const ROOT: &'static str = "Attack_Pattern_Catalog";
    const EXPECTED: &'static str = "a CAPEC catalogue";

    fn root(&mut self, element: &BytesStart<'_>) {
        self.catalog.version = attribute(element, "Version").ok();
        self.catalog.date = attribute(element, "Date").ok();
    }

    fn start(&mut self, element: &BytesStart<'_>, depth: usize, byte: u64) {
        let name = element.local_name();
        let result = match (depth, name.as_ref(), &mut self.open) {
            (ENTRY_DEPTH, "Attack_Pattern", _) => return self.entry(element, byte),
            (_, "Related_Attack_Pattern", Some(pattern)) => add_parent(element, pattern),
            (_, "Related_Weakness", Some(pattern)) => {
                number(element, "CWE_ID").map(|id| pattern.cwes.push(CweId(id)))
            }
            (_, "Taxonomy_Mapping", Some(_)) => {
                self.in_mapping = attribute(element, "Taxonomy_Name").is_ok_and(|name| name == ATTACK);
                Ok(())
            }
            (_, "Entry_ID", Some(_)) if self.in_mapping => {
                self.entry_id = Some(String::new());
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(bad) = result {
            let id = self.open.as_ref().map(|pattern| pattern.id.to_string());
            self.report(byte, id, bad, &format!("<{}> dropped", excerpt(name.as_ref())));
        }
    }

    fn end(&mut self, depth: usize, byte: u64) {
        if let Some(text) = self.entry_id.take() {
            self.add_technique(text.trim(), byte);
        }
        if depth <= ENTRY_DEPTH {
            self.in_mapping = false;
            self.catalog.patterns.extend(self.open.take());
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(id) = &mut self.entry_id {
            id.push_str(text);
        }
    }
}

impl Reading {
    fn entry(&mut self, element: &BytesStart<'_>, byte: u64) {
        let opened = number(element, "ID").map(CapecId).and_then(|id| {
            if !self.seen.insert(id) {
                return Err(BadField { field: "ID", problem: "an earlier entry has it".to_owned() });
            }
            pattern(id, element)
        });
        match opened {
            Ok(pattern) => self.open = Some(pattern),
            Err(bad) => self.report(byte, attribute(element, "ID").ok(), bad, "entry left out"),
        }
    }

    fn add_technique(&mut self, text: &str, byte: u64) {
        let Some(pattern) = &mut self.open else { return };
        let parsed: Result<TechniqueId, ParseIdError> = text.parse();
        match parsed {
            Ok(technique) => pattern.techniques.push(technique),
            Err(error) => {
                let id = Some(pattern.id.to_string());
                let bad = BadField { field: "Entry_ID", problem: error.to_string() };
                self.report(byte, id, bad, "mapping dropped");
            }
        }
    }

    fn report(&mut self, byte: u64, id: Option<String>, bad: BadField, done: &str) {
        let problem = format!("{}; {done}", bad.problem);
        let position = Position::Byte(byte);
        self.catalog.issues.push(ParseIssue { position, id, field: bad.field, problem });
    }
}

fn pattern(id: CapecId, element: &BytesStart<'_>) -> Result<AttackPattern, BadField> {
    Ok(AttackPattern {
        id,
        name: attribute(element, "Name")?,
        abstraction: term(element, "Abstraction", PatternAbstraction::from_word)
            .unwrap_or(PatternAbstraction::Unstated),
        status: term(element, "Status", Status::from_word).unwrap_or(Status::Unstated),
        parents: Vec::new(),
        cwes: Vec::new(),
        techniques: Vec::new(),
    })
}

/// Adds the pattern that `element` relates to, if it is the parent.
fn add_parent(element: &BytesStart<'_>, pattern: &mut AttackPattern) -> Result<(), BadField> {
    if attribute(element, "Nature")? == "ChildOf" {
        pattern.parents.push(CapecId(number(element, "CAPEC_ID")?));
    }
    Ok(())
}
