//! CWE's catalogue as MITRE publishes it: the XML file `cwec_vX.Y.xml`, read as a stream.

use std::collections::BTreeSet;
use std::io::BufRead;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::entries::{Grouping, GroupingKind, Relation, Weakness};
use crate::error::{ParseError, ParseIssue, Position, excerpt};
use crate::ids::{CapecId, CweId};
use crate::terms::{Abstraction, Nature, Status, Usage};

/// The contents of a CWE catalogue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CweCatalog {
    /// The release, like `4.18`.
    pub version: Option<String>,
    /// The day of the release, `YYYY-MM-DD`.
    pub date: Option<String>,
    /// The weaknesses, in id order.
    pub weaknesses: Vec<Weakness>,
    /// The categories and views, in id order; reduced catalogues have none.
    pub groupings: Vec<Grouping>,
    /// The weaknesses that view 1003 lists at its top (`Has_Member`).
    pub top_of_view_1003: Vec<CweId>,
    /// Entries that were left out, with the reasons, in the order of the file.
    pub issues: Vec<ParseIssue>,
}

/// Reads CWE's XML catalogue; `file` names it in messages.
///
/// Prose is passed over. An unreadable weakness, category or view is left out and an unreadable
/// relation dropped; both stand in [`CweCatalog::issues`].
///
/// # Errors
/// The reader's, malformed or cut-off XML, any document type declaration (entities could expand
/// without end), a file that is no CWE catalogue or holds no weakness.
pub fn parse(reader: impl BufRead, file: &str) -> Result<CweCatalog, ParseError> {
    let mut reader = Reader::from_reader(reader);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.check_end_names = true;
    let mut draft = Draft::default();
    let mut buffer = Vec::new();
    loop {
        let event = reader.read_event_into(&mut buffer);
        let byte = reader.buffer_position();
        match event.map_err(|error| xml_error(error, file, byte))? {
            Event::DocType(_) => return Err(ParseError::Doctype { file: file.to_owned(), byte }),
            Event::Start(element) => draft.start(&element, byte),
            Event::End(_) => draft.end(),
            Event::Text(text) => draft.text(&text),
            Event::Eof => break,
            _ => {}
        }
        buffer.clear();
    }
    draft.finish().map_err(|detail| ParseError::NotCwe { file: file.to_owned(), detail })
}

fn xml_error(error: quick_xml::Error, file: &str, byte: u64) -> ParseError {
    let file = file.to_owned();
    match error {
        quick_xml::Error::Io(error) => {
            let source = std::io::Error::new(error.kind(), error.to_string());
            ParseError::Read { file, source }
        }
        other => ParseError::Xml { file, byte, detail: excerpt(&other.to_string()) },
    }
}

/// The weakness, category or view whose element is open.
#[derive(Default)]
enum Open {
    #[default]
    Nothing,
    Weakness(Box<Weakness>),
    View1003,
}

#[derive(Default)]
struct Draft {
    catalog: CweCatalog,
    seen: BTreeSet<CweId>,
    /// The number of open elements.
    depth: usize,
    root: Option<String>,
    open: Open,
    in_usage: bool,
}

/// The depth of `<Weakness>`, `<Category>` and `<View>`: below the root and their list.
const ENTRY_DEPTH: usize = 3;

impl Draft {
    fn start(&mut self, element: &BytesStart<'_>, byte: u64) {
        self.depth += 1;
        let name = element.local_name();
        match (self.depth, name.as_ref()) {
            (1, root) => {
                self.root = Some(excerpt(root));
                self.catalog.version = attribute(element, "Version").ok();
                self.catalog.date = attribute(element, "Date").ok();
            }
            (ENTRY_DEPTH, "Weakness") => self.entry(element, byte, Self::open_weakness),
            (ENTRY_DEPTH, "Category") => self.entry(element, byte, Self::add_category),
            (ENTRY_DEPTH, "View") => self.entry(element, byte, Self::open_view),
            (_, "Related_Weakness" | "Related_Attack_Pattern" | "Has_Member") => self.member(element, byte),
            (_, "Usage") => self.in_usage = true,
            _ => {}
        }
    }

    fn end(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.in_usage = false;
        if self.depth < ENTRY_DEPTH
            && let Open::Weakness(weakness) = std::mem::take(&mut self.open)
        {
            self.catalog.weaknesses.push(*weakness);
        }
    }

    fn text(&mut self, text: &str) {
        if let (true, Open::Weakness(weakness)) = (self.in_usage, &mut self.open) {
            weakness.usage = Usage::from_word(text.trim()).unwrap_or(Usage::Unstated);
        }
    }

    /// Runs `add` on an entry's element and reports what it could not read.
    fn entry(
        &mut self,
        element: &BytesStart<'_>,
        byte: u64,
        add: fn(&mut Self, CweId, &BytesStart<'_>) -> Result<(), BadAttribute>,
    ) {
        let id = attribute(element, "ID");
        let result = number(element, "ID").map(CweId).and_then(|id| {
            if !self.seen.insert(id) {
                return Err(BadAttribute { name: "ID", problem: "an earlier entry has it".to_owned() });
            }
            add(self, id, element)
        });
        if let Err(BadAttribute { name, problem }) = result {
            self.report(byte, id.ok(), name, format!("{problem}; entry left out"));
        }
    }

    fn open_weakness(&mut self, id: CweId, element: &BytesStart<'_>) -> Result<(), BadAttribute> {
        let term = |name| attribute(element, name).ok();
        let weakness = Weakness {
            id,
            name: attribute(element, "Name")?,
            abstraction: term("Abstraction")
                .and_then(|w| Abstraction::from_word(&w))
                .unwrap_or(Abstraction::Unstated),
            status: term("Status").and_then(|w| Status::from_word(&w)).unwrap_or(Status::Unstated),
            usage: Usage::Unstated,
            relations: Vec::new(),
            capecs: Vec::new(),
        };
        self.open = Open::Weakness(Box::new(weakness));
        Ok(())
    }

    fn add_category(&mut self, id: CweId, element: &BytesStart<'_>) -> Result<(), BadAttribute> {
        let name = attribute(element, "Name")?;
        self.catalog.groupings.push(Grouping { id, name, kind: GroupingKind::Category });
        Ok(())
    }

    fn open_view(&mut self, id: CweId, element: &BytesStart<'_>) -> Result<(), BadAttribute> {
        let name = attribute(element, "Name")?;
        self.catalog.groupings.push(Grouping { id, name, kind: GroupingKind::View });
        if id == CweId(1003) {
            self.open = Open::View1003;
        }
        Ok(())
    }

    /// Adds a relation, attack pattern or member to the entry that is open.
    fn member(&mut self, element: &BytesStart<'_>, byte: u64) {
        let result = match (&mut self.open, element.local_name().as_ref()) {
            (Open::Weakness(weakness), "Related_Weakness") => {
                relation(element).map(|r| weakness.relations.push(r))
            }
            (Open::Weakness(weakness), "Related_Attack_Pattern") => {
                number(element, "CAPEC_ID").map(|id| weakness.capecs.push(CapecId(id)))
            }
            (Open::View1003, "Has_Member") => {
                number(element, "CWE_ID").map(|id| self.catalog.top_of_view_1003.push(CweId(id)))
            }
            _ => Ok(()),
        };
        if let Err(BadAttribute { name, problem }) = result {
            let id = match &self.open {
                Open::Weakness(weakness) => Some(weakness.id.to_string()),
                Open::View1003 => Some(CweId(1003).to_string()),
                Open::Nothing => None,
            };
            let element = excerpt(element.local_name().as_ref());
            self.report(byte, id, name, format!("{problem}; <{element}> dropped"));
        }
    }

    fn report(&mut self, byte: u64, id: Option<String>, field: &'static str, problem: String) {
        self.catalog.issues.push(ParseIssue { position: Position::Byte(byte), id, field, problem });
    }

    fn finish(mut self) -> Result<CweCatalog, String> {
        match self.root.as_deref() {
            Some("Weakness_Catalog") => {}
            Some(root) => return Err(format!("the root element is <{root}>, expected <Weakness_Catalog>")),
            None => return Err("it holds no element at all".to_owned()),
        }
        if self.depth > 0 {
            return Err(format!("it is cut off inside {} open elements; download it again", self.depth));
        }
        if self.catalog.weaknesses.is_empty() {
            return Err("it holds no readable <Weakness>".to_owned());
        }
        for weakness in &mut self.catalog.weaknesses {
            weakness.relations.sort_unstable();
            weakness.relations.dedup();
            weakness.capecs.sort_unstable();
            weakness.capecs.dedup();
        }
        self.catalog.weaknesses.sort_by_key(|weakness| weakness.id);
        self.catalog.groupings.sort_by_key(|grouping| grouping.id);
        Ok(self.catalog)
    }
}

/// An attribute that is missing or unreadable.
struct BadAttribute {
    name: &'static str,
    problem: String,
}

/// The attribute's value with the five predefined entities resolved, and no others.
fn attribute(element: &BytesStart<'_>, name: &'static str) -> Result<String, BadAttribute> {
    let bad = |problem: String| BadAttribute { name, problem };
    let attribute = element
        .try_get_attribute(name)
        .map_err(|error| bad(excerpt(&error.to_string())))?
        .ok_or_else(|| bad("is missing".to_owned()))?;
    let value = attribute.normalized_value(XmlVersion::Implicit1_0);
    Ok(value.map_err(|error| bad(excerpt(&error.to_string())))?.into_owned())
}

/// The attribute's value as the number of a CWE or CAPEC entry or of a view.
fn number(element: &BytesStart<'_>, name: &'static str) -> Result<u32, BadAttribute> {
    let text = attribute(element, name)?;
    let id: Result<CweId, _> = text.parse();
    id.map(|id| id.0)
        .map_err(|_| BadAttribute { name, problem: format!("{:?} is not a number", excerpt(&text)) })
}

fn relation(element: &BytesStart<'_>) -> Result<Relation, BadAttribute> {
    let nature = attribute(element, "Nature")?;
    let unknown = || BadAttribute { name: "Nature", problem: format!("{:?} is unknown", excerpt(&nature)) };
    Ok(Relation {
        nature: Nature::from_word(&nature).ok_or_else(unknown)?,
        target: CweId(number(element, "CWE_ID")?),
        view: number(element, "View_ID")?,
        primary: attribute(element, "Ordinal").is_ok_and(|ordinal| ordinal == "Primary"),
    })
}
