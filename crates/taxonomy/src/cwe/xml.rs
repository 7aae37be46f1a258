//! CWE's catalogue in XML: the file `cwec_vX.Y.xml`.

use std::io::BufRead;

use quick_xml::events::BytesStart;

use super::catalog::{CweCatalog, Draft, EXPECTED};
use super::prose::folded;
use crate::entries::{Grouping, GroupingKind, Relation, Weakness};
use crate::error::{BadField, ParseError, Position, excerpt};
use crate::ids::{CapecId, CweId};
use crate::mapping::{MappingNotes, MappingSuggestion};
use crate::terms::{Abstraction, Nature, Status, Usage};
use crate::xml::{self, ENTRY_DEPTH, Elements, attribute, number, term};

pub(super) fn parse(reader: impl BufRead, file: &str) -> Result<CweCatalog, ParseError> {
    let mut reading = Reading::default();
    xml::read(reader, file, &mut reading)?;
    reading.draft.finish(file)
}

/// The depth of the mapping notes: in an entry.
const NOTES_DEPTH: usize = ENTRY_DEPTH + 1;

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
    /// The mapping notes of the open entry; none outside of their element.
    notes: Option<MappingNotes>,
    prose: Option<Prose>,
}

/// An element of the mapping notes whose text is read.
struct Prose {
    element: NotesElement,
    depth: usize,
    text: String,
}

/// Elements of the mapping notes that are text.
#[derive(Clone, Copy)]
enum NotesElement {
    Usage,
    Rationale,
    Comments,
}

impl NotesElement {
    fn named(name: &str) -> Option<Self> {
        match name {
            "Usage" => Some(Self::Usage),
            "Rationale" => Some(Self::Rationale),
            "Comments" => Some(Self::Comments),
            _ => None,
        }
    }
}

/// Elements of XHTML that end a word.
const BLOCKS: [&str; 4] = ["p", "div", "li", "br"];

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
            (NOTES_DEPTH, "Mapping_Notes") => self.notes = Some(MappingNotes::default()),
            _ => {
                if let Err(bad) = self.within_entry(element, depth) {
                    let id = self.open.id().map(|id| id.to_string());
                    let dropped = format!("<{}> dropped", excerpt(name.as_ref()));
                    self.draft.report(Position::Byte(byte), id, bad, &dropped);
                }
            }
        }
    }

    fn end(&mut self, depth: usize, _byte: u64) {
        if let Some(prose) = self.prose.take_if(|prose| prose.depth >= depth) {
            self.take_in(prose.element, &prose.text);
        }
        if depth == NOTES_DEPTH
            && let (Some(notes), Some(id)) = (self.notes.take(), self.open.id())
        {
            self.draft.note(id, notes);
        }
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
        if let Some(prose) = &mut self.prose {
            prose.text.push_str(text);
        }
    }
}

impl Reading {
    /// Takes in an element of the open entry.
    fn within_entry(&mut self, element: &BytesStart<'_>, depth: usize) -> Result<(), BadField> {
        let name = element.local_name();
        if let Some(prose) = &mut self.prose {
            prose.text.push_str(if BLOCKS.contains(&name.as_ref()) { " " } else { "" });
            return Ok(());
        }
        let Some(notes) = &mut self.notes else { return self.open.add(element) };
        match name.as_ref() {
            "Reason" => notes.reasons.push(attribute(element, "Type")?),
            "Suggestion" => {
                let comment = attribute(element, "Comment").unwrap_or_default();
                let cwe = CweId(number(element, "CWE_ID")?);
                notes.suggestions.push(MappingSuggestion { cwe, comment: folded(&comment) });
            }
            name => {
                let prose = |element| Prose { element, depth, text: String::new() };
                self.prose = NotesElement::named(name).map(prose);
            }
        }
        Ok(())
    }

    /// Takes in the text of an element of the mapping notes.
    fn take_in(&mut self, element: NotesElement, text: &str) {
        match (element, self.open.usage(), &mut self.notes) {
            (NotesElement::Usage, Some(usage), _) => {
                *usage = Usage::from_word(text.trim()).unwrap_or(Usage::Unstated);
            }
            (NotesElement::Rationale, _, Some(notes)) => notes.rationale = folded(text),
            (NotesElement::Comments, _, Some(notes)) => notes.comments = folded(text),
            _ => {}
        }
    }

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
