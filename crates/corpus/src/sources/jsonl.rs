//! JSON Lines: one object a line with `description` (or `text`) and, if known, `id`, `published` and `cwes`.

use std::borrow::Cow;
use std::io::BufRead;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::json_text::{Id, IdList, Text};
use super::rows::{Row, Rows, When};
use crate::error::{Place, Problem};
use crate::lines::Lines;

/// The rows of a JSON Lines file; lines of white space are passed over.
pub(crate) struct JsonlRows<R>(Lines<R>);

#[derive(Deserialize)]
#[serde(expecting = "an object")]
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
    /// The marks of NVD's feeds and API pages and of the CVE list's records.
    #[serde(default, rename = "CVE_Items")]
    feed: Option<IgnoredAny>,
    #[serde(default, rename = "vulnerabilities")]
    page: Option<IgnoredAny>,
    #[serde(default, rename = "cveMetadata")]
    list_record: Option<IgnoredAny>,
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
    if line.trim_ascii_start().starts_with(b"[") {
        return Err(Problem::Json("an array; give one object a line".to_owned()));
    }
    let line: Line<'_> = serde_json::from_slice(line).map_err(|error| Problem::json(line, &error))?;
    let has_text = line.description.is_some() || line.text.is_some();
    if !has_text && (line.feed.is_some() || line.page.is_some() || line.list_record.is_some()) {
        return Err(Problem::OfficialRecord);
    }
    let text = [line.description, line.text].into_iter().flatten().find(|text| !text.0.trim().is_empty());
    Ok(Row {
        number,
        id: line.id.map(|id| id.0),
        published: line.published,
        modified: line.modified.day(),
        text: text.map(|text| text.0).or(has_text.then_some(Cow::Borrowed(""))),
        cwes: line.cwes.0,
    })
}
