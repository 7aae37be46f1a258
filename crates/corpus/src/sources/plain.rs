//! Plain text: every line is one text, without an id.
//!
//! Bytes that are not UTF-8 become U+FFFD: a text file states no encoding, and a description with one odd letter
//! still says what it says. A blank line is a record without a text, so that the lines of input and answers agree.

use std::io::BufRead;

use super::rows::{Row, Rows};
use crate::error::{Place, Problem};
use crate::lines::Lines;

/// The lines of a text file as rows.
pub(crate) struct PlainRows<R>(Lines<R>);

impl<R: BufRead> PlainRows<R> {
    pub(crate) fn new(reader: R, limit: usize) -> Self {
        Self(Lines::new(reader, limit))
    }
}

impl<R: BufRead> Rows for PlainRows<R> {
    fn next_row(&mut self) -> Option<Result<Row<'_>, (Place, Problem)>> {
        let (number, line) = self.0.next_line()?;
        let row =
            line.map(|line| Row { number, text: Some(String::from_utf8_lossy(line)), ..Row::default() });
        Some(row.map_err(|problem| (Place::Line(number), problem)))
    }

    fn place(&self, number: u64) -> Place {
        Place::Line(number)
    }
}
