//! JSON documents that end where they end: objects over several lines, arrays, documents behind one another.

use std::collections::VecDeque;
use std::io::BufRead;
use std::sync::Arc;

use super::dispatch::{Dispatch, is_json, is_without_records};
use super::row::JsonRow;
use super::walk::Objects;
use crate::error::RecordError;
use crate::place::Place;
use crate::problem::Problem;
use crate::record::Record;
use crate::sources::format::{Context, Parsed};

/// The records of the documents.
pub(super) struct DocumentRecords {
    file: Arc<str>,
    is_member: bool,
    objects: Objects<Box<dyn BufRead + Send>>,
    dispatch: Dispatch,
    /// Records read so far.
    number: u64,
    /// Records of the object in hand that are still to be given, each with its place.
    ready: VecDeque<(Place, Parsed)>,
    /// Set as long as nothing was given, which somebody who gave the file wants to know.
    is_empty: bool,
    done: bool,
}

impl DocumentRecords {
    /// The records of `reader`. A file of a folder or archive that begins with an object of no known kind is not a
    /// source at all.
    pub(super) fn new(
        file: Arc<str>,
        is_member: bool,
        reader: Box<dyn BufRead + Send>,
        context: &Context,
    ) -> Self {
        let dispatch = Dispatch::new(context);
        let objects = Objects::new(reader, dispatch.keys(), &context.limits);
        Self {
            file,
            is_member,
            objects,
            dispatch,
            number: 0,
            ready: VecDeque::new(),
            is_empty: !is_member,
            done: false,
        }
    }

    /// Makes the records of the next object ready; false at the end.
    fn advance(&mut self) -> bool {
        let Some((found, object)) = self.objects.next_object() else {
            self.done = true;
            self.dispatch.pages.state(&self.objects.around());
            let note = self.dispatch.pages.note().map(|note| (Place::Whole, Err(note.into())));
            self.ready.extend(note);
            return !self.ready.is_empty();
        };
        let records = match object {
            Err(problem) => vec![Err(problem.into())],
            Ok(object) => match self.dispatch.records(object, found.key) {
                Some(records) if self.is_member && found.number == 1 && is_without_records(&records) => {
                    vec![Err(Problem::NotASource.into())]
                }
                Some(records) => records,
                None if self.is_member && found.number == 1 && is_json(object) => {
                    self.done = true;
                    vec![Err(Problem::NotASource.into())]
                }
                None => {
                    let format = self.dispatch.owner(found.key).unwrap_or(&JsonRow);
                    self.dispatch.read(object, format)
                }
            },
        };
        if found.key.is_some() {
            self.dispatch.pages.hold(records.len());
        }
        let is_alone = found.is_document && found.number == 1 && records.len() == 1;
        for record in records {
            self.number = self.number.saturating_add(1);
            let place = if is_alone { Place::Whole } else { Place::Item(self.number) };
            self.ready.push_back((place, record));
        }
        true
    }
}

impl Iterator for DocumentRecords {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && !self.done && self.advance() {}
        let (place, record) = match self.ready.pop_front() {
            Some(ready) => ready,
            None => (Place::Whole, Err(self.dispatch.note_of_none().filter(|_| self.is_empty)?.into())),
        };
        self.is_empty = false;
        Some(match record {
            Ok(record) => Ok(Record { file: Arc::clone(&self.file), place, ..record }),
            Err(bad) => Err(bad.at(&self.file, place)),
        })
    }
}
