//! JSON documents that end where they end: objects over several lines, arrays, documents behind one another.

use std::io::BufRead;
use std::sync::Arc;

use super::dispatch::{Dispatch, is_json};
use super::row::JsonRow;
use super::walk::Objects;
use crate::error::{BadRecord, Problem, RecordError};
use crate::place::Place;
use crate::record::Record;
use crate::sources::format::Context;

/// The records of the documents.
pub(super) struct DocumentRecords {
    file: Arc<str>,
    is_member: bool,
    objects: Objects<Box<dyn BufRead + Send>>,
    dispatch: Dispatch,
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
        let objects = Objects::new(reader, dispatch.keys(), context.limits.record_bytes);
        Self { file, is_member, objects, dispatch, done: false }
    }
}

impl Iterator for DocumentRecords {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let (found, object) = self.objects.next_object()?;
        let is_alone = found.is_document && found.number == 1;
        let place = if is_alone { Place::Whole } else { Place::Item(found.number) };
        let record = object.map_err(BadRecord::from).and_then(|object| {
            match self.dispatch.format_of(object, found.key) {
                Some(format) => self.dispatch.read(object, format),
                None if self.is_member && found.number == 1 && is_json(object) => {
                    self.done = true;
                    Err(Problem::NotASource.into())
                }
                None => self.dispatch.read(object, &JsonRow),
            }
        });
        Some(match record {
            Ok(record) => Ok(Record { file: Arc::clone(&self.file), place, ..record }),
            Err(bad) => Err(bad.at(&self.file, place)),
        })
    }
}
