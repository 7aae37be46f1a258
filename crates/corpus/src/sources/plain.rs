//! Plain text: every line is one text, without an id.
//!
//! Bytes that are not UTF-8 become U+FFFD: a text file states no encoding, and a description with one odd letter
//! still says what it says. A blank line is a record without a text, so that the lines of input and answers agree.

use std::io::BufRead;

use crate::error::{CorpusError, Problem};
use crate::input::{Content, Opened, is_binary};
use crate::lines::Lines;
use crate::place::Place;
use crate::records::Records;
use crate::sources::format::{Context, FileFormat, Needs};
use crate::sources::rows::{Row, RowRecords, Rows};

/// Plain text.
pub(super) struct Plain;

impl FileFormat for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn about(&self) -> &'static str {
        "One text a line"
    }

    fn recognises(&self, file: &Opened, needs: Needs) -> bool {
        // Anything may be a text: it has no id, and in a folder it is a note beside the records.
        !needs.cve && !file.is_member && matches!(file.content, Content::Text(_))
    }

    fn open(&self, file: Opened, context: &Context) -> Result<Records, CorpusError> {
        if file.is_named(&["parquet"]) {
            let problem = "is named .parquet and is not a Parquet file; fetch it again, or rename it";
            return Err(file.wrong(problem));
        }
        if is_binary(file.head()) {
            return Err(file.wrong("is binary, no UTF-8 text; give text, JSON Lines, CSV or Parquet"));
        }
        let (file, text) = file.into_text()?;
        let rows = PlainRows(Lines::new(text.into_reader(), context.limits.record_bytes));
        let (format, needs) = (self.name(), context.needs);
        Ok(Records::new(RowRecords { file, format, needs, rows }))
    }
}

/// The lines of a text file as rows.
struct PlainRows<R>(Lines<R>);

impl<R: BufRead> Rows for PlainRows<R> {
    fn next_row(&mut self) -> Option<(Place, Result<Row<'_>, Problem>)> {
        let (number, line) = self.0.next_line()?;
        let row = line.map(|line| Row { text: Some(String::from_utf8_lossy(line)), ..Row::default() });
        Some((Place::Line(number), row))
    }
}
