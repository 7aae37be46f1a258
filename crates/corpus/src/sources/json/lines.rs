//! JSON, one document a line: each line stands for itself, so that a broken one loses no other.

use std::collections::VecDeque;
use std::io::BufRead;
use std::sync::Arc;

use super::dispatch::{Dispatch, is_json};
use super::row::JsonRow;
use super::walk::Objects;
use crate::error::{BadRecord, Problem, RecordError};
use crate::lines::Lines;
use crate::place::Place;
use crate::record::Record;
use crate::sources::format::{Context, ObjectFormat as _};

/// The records of the lines; lines of white space are passed over.
pub(super) struct LineRecords {
    file: Arc<str>,
    /// Set for a file of a folder or archive, which may be no source at all, until its first record.
    may_be_other: bool,
    lines: Lines<Box<dyn BufRead + Send>>,
    dispatch: Dispatch,
    limit: usize,
    /// Records of the line in hand that are still to be given.
    ready: VecDeque<Result<Record, RecordError>>,
}

impl LineRecords {
    /// The records of `reader`. One that `may_be_other` is passed over if its first line is an object of no known kind.
    pub(super) fn new(
        file: Arc<str>,
        may_be_other: bool,
        reader: Box<dyn BufRead + Send>,
        context: &Context,
    ) -> Self {
        let limit = context.limits.record_bytes;
        let lines = Lines::new(reader, limit).skip_blank();
        Self { file, may_be_other, lines, dispatch: Dispatch::new(context), limit, ready: VecDeque::new() }
    }
}

impl Iterator for LineRecords {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            let (number, line) = self.lines.next_line()?;
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
            match JsonRow.read(line, self.dispatch.needs) {
                Ok(record) if record.text != Err(Problem::NoText) => {
                    return Some(placed(Ok(Record { format: JsonRow.name(), ..record })));
                }
                as_row => {
                    let mut records = others(line, &mut self.dispatch, self.limit);
                    if records.is_empty() && self.may_be_other && is_json(line) {
                        self.lines.end();
                        records.push(Err(Problem::NotASource.into()));
                    } else if records.is_empty() {
                        records.push(as_row.map(|record| Record { format: JsonRow.name(), ..record }));
                    }
                    self.ready.extend(records.into_iter().map(placed));
                }
            }
            self.may_be_other = false;
        }
        self.ready.pop_front()
    }
}

/// The records of a line that is not a row of one's own.
fn others(line: &[u8], dispatch: &mut Dispatch, limit: usize) -> Vec<Result<Record, BadRecord>> {
    let mut records = Vec::new();
    if !line.trim_ascii_start().starts_with(b"{") {
        return records;
    }
    let mut objects = Objects::new(line, dispatch.keys(), limit);
    while let Some((found, object)) = objects.next_object() {
        let format = object.as_ref().ok().and_then(|object| dispatch.format_of(object, found.key));
        match (object, format) {
            (Ok(object), Some(format)) => records.push(dispatch.read(object, format)),
            (Err(problem), _) if !records.is_empty() => {
                records.push(Err(problem.into()));
                break;
            }
            _ => break,
        }
    }
    records
}
