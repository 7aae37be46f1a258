//! CWE's catalogue in XML: the file `cwec_vX.Y.xml`.

use std::io::BufRead;

use quick_xml::events::BytesStart;

use super::catalog::{CweCatalog, Draft, EXPECTED};
use crate::entries::{Grouping, GroupingKind, Relation, Weakness};
use crate::error::{BadField, ParseError, Position, excerpt};
use crate::ids::{CapecId, CweId};
use crate::terms::{Abstraction, Nature, Status, Usage};
use crate::xml::{self, ENTRY_DEPTH, Elements, attribute, number, term};

pub(super) fn parse(reader: impl BufRead, file: &str) -> Result<CweCatalog, ParseError> {
    let mut reading = Reading::default();
    xml::read(reader, file, &mut reading)?;
    reading.draft.finish(file)
}

/// The weakness, category or view whose element is open.
#[derive(Default)]
enum Open {
    #[default]
    Nothing,
    Weakness(Box<Weakness>),
    Grouping(Box<Grouping>),
}

impl Open {
    fn id(&self) -> Option<CweId> {
        match self {
            Self::Nothing => None,
            Self::Weakness(weakness) => Some(weakness.id),
            Self::Grouping(grouping) => Some(grouping.id),
        }
    }

    fn usage(&mut self) -> Option<&mut Usage> {
        match self {
            Self::Nothing => None,
            Self::Weakness(weakness) => Some(&mut weakness.usage),
            Self::Grouping(grouping) => Some(&mut grouping.usage),
        }
    }

    /// Adds a relation, attack pattern or member that `element` gives.
    fn add(&mut self, element: &BytesStart<'_>) -> Result<(), BadField> {
        match (self, element.local_name().as_ref()) {
            (Self::Weakness(weakness), "Related_Weakness") => weakness.relations.push(relation(element)?),
            (Self::Weakness(weakness), "Related_Attack_Pattern") => {
                weakness.capecs.push(CapecId(number(element, "CAPEC_ID")?));
            }
            (Self::Grouping(grouping), "Has_Member") => {
                grouping.members.push(CweId(number(element, "CWE_ID")?));
            }
            _ => {}
        }
        Ok(())
    }
}

#[derive(Default)]
struct Reading {
    draft: Draft,
    open: Open,
    in_usage: bool,
}

impl Elements for Reading {
    const ROOT: &'static str = "Weakness_Catalog";
    const EXPECTED: &'static str = EXPECTED;

    fn root(&mut self, element: &BytesStart<'_>) {
        self.draft.catalog.version = attribute(element, "Version").ok();
        self.draft.catalog.date = attribute(element, "Date").ok();
    }

    fn start(&mut self, element: &BytesStart<'_>, depth: usize, byte: u64) {
        let name = element.local_name();
        match (depth, name.as_ref()) {
            (ENTRY_DEPTH, "Weakness") => self.entry(element, byte, weakness),
            (ENTRY_DEPTH, "Category") => self.entry(element, byte, category),
            (ENTRY_DEPTH, "View") => self.entry(element, byte, view),
            (_, "Usage") => self.in_usage = true,
            _ => {
                if let Err(bad) = self.open.add(element) {
                    let id = self.open.id().map(|id| id.to_string());
                    let dropped = format!("<{}> dropped", excerpt(name.as_ref()));
                    self.draft.report(Position::Byte(byte), id, bad, &dropped);
                }
            }
        }
    }

    fn end(&mut self, depth: usize, _byte: u64) {
        self.in_usage = false;
        if depth > ENTRY_DEPTH {
            return;
        }
        match std::mem::take(&mut self.open) {
            Open::Nothing => {}
            Open::Weakness(weakness) => self.draft.catalog.weaknesses.push(*weakness),
            Open::Grouping(grouping) => self.draft.catalog.groupings.push(*grouping),
        }
    }

    fn text(&mut self, text: &str) {
        if let (true, Some(usage)) = (self.in_usage, self.open.usage()) {
            *usage = Usage::from_word(text.trim()).unwrap_or(Usage::Unstated);
        }
    }
}

impl Reading {
    /// Opens the entry that `read` makes of an element, or reports why it cannot be read.
    fn entry(
        &mut self,
        element: &BytesStart<'_>,
        byte: u64,
        read: fn(CweId, &BytesStart<'_>) -> Result<Open, BadField>,
    ) {
        let id = number(element, "ID").map(CweId);
        let opened = id.and_then(|id| {
            self.draft.claim(id)?;
            read(id, element)
        });
        match opened {
            Ok(open) => self.open = open,
            Err(bad) => {
                let id = attribute(element, "ID").ok();
                self.draft.report(Position::Byte(byte), id, bad, "entry left out");
            }
        }
    }
}

fn weakness(id: CweId, element: &BytesStart<'_>) -> Result<Open, BadField> {
    Ok(Open::Weakness(Box::new(Weakness {
        id,
        name: attribute(element, "Name")?,
        abstraction: term(element, "Abstraction", Abstraction::from_word).unwrap_or(Abstraction::Unstated),
        status: term(element, "Status", Status::from_word).unwrap_or(Status::Unstated),
        usage: Usage::Unstated,
        relations: Vec::new(),
        capecs: Vec::new(),
    })))
}

fn category(id: CweId, element: &BytesStart<'_>) -> Result<Open, BadField> {
    grouping(id, element, GroupingKind::Category)
}

fn view(id: CweId, element: &BytesStart<'_>) -> Result<Open, BadField> {
    grouping(id, element, GroupingKind::of_view(attribute(element, "Type").ok().as_deref()))
}

fn grouping(id: CweId, element: &BytesStart<'_>, kind: GroupingKind) -> Result<Open, BadField> {
    let mut grouping = Grouping::new(id, attribute(element, "Name")?, kind);
    grouping.status = term(element, "Status", Status::from_word).unwrap_or(Status::Unstated);
    Ok(Open::Grouping(Box::new(grouping)))
}

fn relation(element: &BytesStart<'_>) -> Result<Relation, BadField> {
    let nature = attribute(element, "Nature")?;
    let unknown = || BadField { field: "Nature", problem: format!("{:?} is unknown", excerpt(&nature)) };
    Ok(Relation {
        nature: Nature::from_word(&nature).ok_or_else(unknown)?,
        target: CweId(number(element, "CWE_ID")?),
        view: number(element, "View_ID")?,
        primary: attribute(element, "Ordinal").is_ok_and(|ordinal| ordinal == "Primary"),
    })
}
