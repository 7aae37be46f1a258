//! JSON, one document a line: each line stands for itself, so that a broken one loses no other.

use std::collections::VecDeque;
use std::io::BufRead;
use std::sync::Arc;

use super::dispatch::{Dispatch, is_json, is_without_records};
use super::row::JsonRow;
use crate::error::RecordError;
use crate::lines::Lines;
use crate::place::Place;
use crate::problem::{BadRecord, Problem};
use crate::record::Record;
use crate::sources::format::Context;

/// The records of the lines; lines of white space are passed over.
pub(super) struct LineRecords {
    file: Arc<str>,
    /// Set for a file of a folder or archive, which may be no source at all, until its first record.
    may_be_other: bool,
    lines: Lines<Box<dyn BufRead + Send>>,
    dispatch: Dispatch,
    /// Records of the line in hand that are still to be given.
    ready: VecDeque<Result<Record, RecordError>>,
    /// Set as long as nothing was given, which somebody who gave the file wants to know.
    is_empty: bool,
    /// Set once a line without records was told.
    is_told: bool,
}

impl LineRecords {
    /// The records of `reader`. One that `may_be_other` is passed over if its first line is an object of no known kind.
    pub(super) fn new(
        file: Arc<str>,
        is_member: bool,
        may_be_other: bool,
        reader: Box<dyn BufRead + Send>,
        context: &Context,
    ) -> Self {
        let lines = Lines::new(reader, context.limits.record_bytes).skip_blank();
        let dispatch = Dispatch::new(context);
        Self {
            file,
            may_be_other,
            lines,
            dispatch,
            ready: VecDeque::new(),
            is_empty: !is_member,
            is_told: false,
        }
    }
}

impl Iterator for LineRecords {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_record().or_else(|| {
            let note = self.dispatch.note_of_none().filter(|_| self.is_empty)?;
            Some(Err(BadRecord::from(note).at(&self.file, Place::Whole)))
        });
        self.is_empty = false;
        next
    }
}

impl LineRecords {
    fn next_record(&mut self) -> Option<Result<Record, RecordError>> {
        while self.ready.is_empty() {
            let Some((number, line)) = self.lines.next_line() else {
                let note = self.dispatch.pages.note()?;
                return Some(Err(BadRecord::from(note).at(&self.file, Place::Whole)));
            };
            let file = &self.file;
            let placed = |item: Result<Record, BadRecord>| match item {
                Ok(record) => Ok(Record { file: Arc::clone(file), place: Place::Line(number), ..record }),
                Err(bad) => Err(bad.at(file, Place::Line(number))),
            };
            let line = match line {
                Ok(line) => line,
                Err(problem) => return Some(placed(Err(problem.into()))),
            };
            // Nearly all lines are rows of one's own, which no search for other keys should slow down.
            if let Some(record) = JsonRow::read_plain(line, &self.dispatch.settings) {
                self.may_be_other = false;
                return Some(placed(Ok(record)));
            }
            let records = match self.dispatch.records(line, None) {
                Some(records) if self.may_be_other && is_without_records(&records) => {
                    self.lines.end();
                    vec![Err(Problem::NotASource.into())]
                }
                // What a line is, all are: told once, it says enough.
                Some(records) if is_without_records(&records) && self.is_told => continue,
                Some(records) => records,
                None if self.may_be_other && is_json(line) => {
                    self.lines.end();
                    vec![Err(Problem::NotASource.into())]
                }
                None => self.dispatch.read(line, &JsonRow),
            };
            self.is_told |= is_without_records(&records);
            self.ready.extend(records.into_iter().map(placed));
            self.may_be_other = false;
        }
        self.ready.pop_front()
    }
}
