//! JSON Lines: one object a line with `description` (or `text`) and, if known, `id`, `published` and `cwes`.

use std::borrow::Cow;
use std::io::BufRead;

use serde::Deserialize;

use super::json_text::{Id, IdList, Text};
use super::rows::{Row, Rows, When};
use crate::error::{Place, Problem};
use crate::lines::Lines;

/// The rows of a JSON Lines file; lines of white space are passed over.
pub(crate) struct JsonlRows<R>(Lines<R>);

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, default, alias = "cve_id")]
    id: Option<Id<'a>>,
    #[serde(default)]
    published: When,
    #[serde(default)]
    modified: When,
    #[serde(borrow, default)]
    description: Option<Text<'a>>,
    #[serde(borrow, default)]
    text: Option<Text<'a>>,
    #[serde(borrow, default, alias = "cwe_ids")]
    cwes: IdList<'a>,
}

impl<R: BufRead> JsonlRows<R> {
    pub(crate) fn new(reader: R, limit: usize) -> Self {
        Self(Lines::new(reader, limit).skip_blank())
    }
}

impl<R: BufRead> Rows for JsonlRows<R> {
    fn next_row(&mut self) -> Option<Result<Row<'_>, (Place, Problem)>> {
        let (number, line) = self.0.next_line()?;
        Some(line.and_then(|line| parse(number, line)).map_err(|problem| (Place::Line(number), problem)))
    }

    fn place(&self, number: u64) -> Place {
        Place::Line(number)
    }
}

fn parse(number: u64, line: &[u8]) -> Result<Row<'_>, Problem> {
    let line: Line<'_> = serde_json::from_slice(line).map_err(|error| Problem::json(line, &error))?;
    let text = [line.description, line.text].into_iter().flatten().find(|text| !text.0.trim().is_empty());
    Ok(Row {
        number,
        id: line.id.map(|id| id.0),
        published: line.published,
        modified: line.modified.day(),
        text: text.map_or(Some(Cow::Borrowed("")), |text| Some(text.0)),
        cwes: line.cwes.0,
    })
}
