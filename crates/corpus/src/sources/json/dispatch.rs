//! The formats of objects: each object is read in the one that recognises it, and one that none recognises is gone
//! into.

use serde::de::IgnoredAny;

use super::row::JsonRow;
use crate::problem::Problem;
use crate::record::Record;
use crate::sources::format::{Context, ObjectFormat, Parsed, Settings};
use crate::sources::object::{Elements, Object, whole};
use crate::span::Span;

/// Objects that are gone into within one another.
const DEEPEST: u8 = 4;

/// Keys under which the objects of a plain list stand in a larger document. Under any other key a list of objects with
/// a description may be something else: rules, products, references.
pub(super) const LISTS: [&str; 12] = [
    "data",
    "items",
    "records",
    "results",
    "entries",
    "rows",
    "hits",
    "content",
    "vulnerabilities",
    "advisories",
    "findings",
    "cves",
];

/// The formats of objects, of which each object is read in the one that recognises it.
pub(super) struct Dispatch {
    formats: Vec<&'static dyn ObjectFormat>,
    /// The format of the last object, which is asked first: the objects of an input are mostly of one.
    last: Option<&'static dyn ObjectFormat>,
    pub(super) pages: Pages,
    pub(super) settings: Settings,
    /// The address of the document in hand, from which places in it are counted.
    document: usize,
}

impl Dispatch {
    pub(super) fn new(context: &Context) -> Self {
        Self {
            formats: context.objects.clone(),
            last: None,
            pages: Pages::default(),
            settings: context.settings.clone(),
            document: 0,
        }
    }

    /// The keys of arrays that hold records.
    pub(super) fn keys(&self) -> Vec<&'static str> {
        self.formats.iter().flat_map(|format| format.arrays()).copied().chain(LISTS).collect()
    }

    /// The records of `value`, which stands in an array under `key`; none if it is not, and does not hold, an object
    /// that some format recognises.
    pub(super) fn records(&mut self, value: &[u8], key: Option<&str>) -> Option<Vec<Parsed>> {
        self.document = value.as_ptr().addr();
        self.records_at(value, key, 0)
    }

    fn records_at(&mut self, value: &[u8], key: Option<&str>, depth: u8) -> Option<Vec<Parsed>> {
        let object = Object::new(value);
        let format =
            self.format_of(&object).filter(|format| format.name() != JsonRow.name() || !holds_list(&object));
        if let Some(format) = format {
            let records = self.read(value, format);
            // Within something else, a package's description, say, is not what somebody gave.
            return Some(records).filter(|records| depth == 0 || !is_without_records(records));
        }
        if depth >= DEEPEST {
            return None;
        }
        if let Some(members) = Elements::new(value) {
            return self.members(members, key, depth);
        }
        let mut records: Option<Vec<Parsed>> = None;
        for (key, value) in object.entries() {
            let key = std::str::from_utf8(key).unwrap_or_default();
            let found = match value.first() {
                Some(b'[') => Elements::new(value)
                    .and_then(|members| self.members(members, Some(key), depth.saturating_add(1))),
                // A sub-object of a plain list's kind may describe anything: a rule, a product.
                Some(b'{') if self.is_of_a_source(value) || !JsonRow.recognises(&Object::new(value)) => {
                    self.records_at(whole(value).unwrap_or(value), None, depth.saturating_add(1))
                }
                _ => None,
            };
            if let Some(found) = found {
                records.get_or_insert_default().extend(found);
            }
        }
        if let Some(records) = &records {
            self.pages.add(&object, records.len());
        }
        records
    }

    /// The records of an array, if its first member is, or holds, an object of a known kind. A member that is of none
    /// is taken for one of the array's format, or for a record of one's own, whose reader says what is wrong with it.
    fn members(&mut self, members: Elements<'_>, key: Option<&str>, depth: u8) -> Option<Vec<Parsed>> {
        let mut members = members.peekable();
        let is_list = key.is_none_or(|key| LISTS.contains(&key));
        let owner = self.owner(key);
        let Some(first) = members.peek() else { return owner.map(|_| Vec::new()) };
        if !is_list && owner.is_none() && !self.is_of_a_source(first) {
            return None;
        }
        let mut records = Vec::new();
        let mut is_known = owner.is_some();
        for member in members {
            match self.records_at(member, None, depth.saturating_add(1)) {
                Some(found) => {
                    is_known = true;
                    records.extend(found);
                }
                None => records.extend(self.read(member, owner.unwrap_or(&JsonRow))),
            }
        }
        Some(records).filter(|_| is_known)
    }

    /// The format whose objects stand in arrays under `key`: of several, the one of the objects before.
    pub(super) fn owner(&self, key: Option<&str>) -> Option<&'static dyn ObjectFormat> {
        let key = key?;
        self.last.iter().chain(&self.formats).find(|format| format.arrays().contains(&key)).copied()
    }

    /// Tests for an object of another kind than the records of one's own.
    fn is_of_a_source(&mut self, value: &[u8]) -> bool {
        self.format_of(&Object::new(value)).is_some_and(|format| format.name() != JsonRow.name())
    }

    /// The format that recognises `object`.
    fn format_of(&mut self, object: &Object<'_>) -> Option<&'static dyn ObjectFormat> {
        // A key that was asked for tells a record of one's own, whatever else it may be.
        let asked_for = self.settings.columns.text.as_deref();
        if asked_for
            .is_some_and(|text| object.entries().any(|(key, _)| key.eq_ignore_ascii_case(text.as_bytes())))
        {
            return Some(&JsonRow);
        }
        // The records of one's own have the widest keys, and are asked last.
        let last = self.last.filter(|last| last.name() != JsonRow.name());
        let mut asked = last.iter().chain(&self.formats);
        let found = asked.find(|format| format.recognises(object)).copied();
        self.last = found.or(self.last);
        found
    }

    /// A note on a document of a known format that held nothing.
    pub(super) fn note_of_none(&self) -> Option<Problem> {
        let about = self.last?.about();
        Some(Problem::Note(format!("was read as one of the {about}, and holds no vulnerability")))
    }

    pub(super) fn read(&self, object: &[u8], format: &'static dyn ObjectFormat) -> Vec<Parsed> {
        let start = object.as_ptr().addr().checked_sub(self.document);
        let named = |record: Record| {
            let span = record.span.clone().or_else(|| Span::within(object, object));
            let span = span.zip(start).map(|(span, start)| span.behind(start));
            Record { format: format.name(), span, ..record }
        };
        format.read(object, &self.settings).into_iter().map(|record| record.map(named)).collect()
    }
}

/// Tests for a list of records within an object, whose description is then that of the list.
fn holds_list(object: &Object<'_>) -> bool {
    let lists = LISTS.iter().filter_map(|key| object.array(key));
    lists.filter_map(|mut members| members.next()).any(|first| JsonRow.recognises(&Object::new(first)))
}

/// The pages of an answer in one input: the records that they hold, and the number that they say there are.
#[derive(Default)]
pub(super) struct Pages {
    held: u64,
    total: u64,
}

impl Pages {
    /// Adds a page that holds so many records.
    fn add(&mut self, page: &Object<'_>, held: usize) {
        if stated(page).is_some() {
            self.hold(held);
        }
        self.state(page);
    }

    /// Counts records of a page that is read one by one.
    pub(super) fn hold(&mut self, records: usize) {
        self.held = self.held.saturating_add(records as u64);
    }

    /// Takes in what a page says.
    pub(super) fn state(&mut self, page: &Object<'_>) {
        self.total = self.total.max(stated(page).unwrap_or_default());
    }

    /// A note, once, if some are missing.
    pub(super) fn note(&mut self) -> Option<Problem> {
        let Self { held, total } = std::mem::take(self);
        (total > held).then_some(Problem::Partial { held, total })
    }
}

/// Tests for the reading of a document that holds no texts of vulnerabilities.
pub(super) fn is_without_records(records: &[Parsed]) -> bool {
    matches!(records, [Err(bad)] if matches!(bad.problem, Problem::WithoutRecords(_)))
}

/// The number of records that there are, as a page says.
fn stated(page: &Object<'_>) -> Option<u64> {
    page.number("totalResults").or_else(|| page.number("total_count"))
}

/// Tests for well-formed JSON.
pub(super) fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}
