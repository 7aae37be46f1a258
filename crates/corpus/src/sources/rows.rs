//! Rows of a plain table, whatever the file's format: what JSON Lines, CSV, Parquet and plain text share.

use std::borrow::Cow;
use std::sync::Arc;

use vulnlens_taxonomy::CveId;

use crate::date::Date;
use crate::error::{Place, Problem, RecordError};
use crate::record::{InputRecord, LabelSource, SourceRecord};

/// The names that a column may have, the usual one first.
pub(crate) struct Column(pub(crate) &'static [&'static str]);

pub(crate) const ID: Column = Column(&["id", "cve_id"]);
pub(crate) const PUBLISHED: Column = Column(&["published"]);
pub(crate) const MODIFIED: Column = Column(&["modified"]);
pub(crate) const TEXT: Column = Column(&["description", "text"]);
pub(crate) const CWES: Column = Column(&["cwes", "cwe_ids"]);

impl Column {
    /// Where in `names` the column stands: by the first of its names that is there.
    pub(crate) fn position<S: AsRef<str>>(&self, names: &[S]) -> Option<usize> {
        self.0.iter().find_map(|wanted| names.iter().position(|name| name.as_ref() == *wanted))
    }
}

/// One row, lent by its reader.
#[derive(Default)]
pub(crate) struct Row<'a> {
    /// Line or row number, from 1.
    pub(crate) number: u64,
    pub(crate) id: Option<Cow<'a, str>>,
    pub(crate) published: When,
    pub(crate) modified: Option<Date>,
    pub(crate) text: Option<Cow<'a, str>>,
    pub(crate) cwes: Vec<Cow<'a, str>>,
}

/// A reader of rows.
pub(crate) trait Rows {
    /// The next row, or what is wrong with it.
    fn next_row(&mut self) -> Option<Result<Row<'_>, (Place, Problem)>>;

    /// Where row `number` stands.
    fn place(&self, number: u64) -> Place;
}

/// When something happened, as precisely as a cell says. A date only refines a record, so one that cannot be read
/// is unknown and loses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum When {
    #[default]
    Unknown,
    Year(u16),
    Day(Date),
}

impl When {
    /// Reads a date, with or without a time, or a year of four digits.
    pub(crate) fn read(text: &str) -> Self {
        let text = text.trim();
        let is_year = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        match (is_year, text.parse(), text.parse()) {
            (true, Ok(year), _) => Self::Year(year),
            (_, _, Ok(day)) => Self::Day(day),
            _ => Self::Unknown,
        }
    }

    pub(crate) fn day(self) -> Option<Date> {
        if let Self::Day(day) = self { Some(day) } else { None }
    }

    pub(crate) fn year(self) -> Option<u16> {
        match self {
            Self::Unknown => None,
            Self::Year(year) => Some(year),
            Self::Day(day) => Some(day.year()),
        }
    }
}

/// The weaknesses that one cell lists: `CWE-79;CWE-89`, or the same with commas, bars, spaces, or as a JSON list.
pub(crate) fn split_cwes(cell: &str) -> Vec<Cow<'_, str>> {
    cell.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|part| !part.is_empty())
        .map(Cow::Borrowed)
        .collect()
}

impl Row<'_> {
    fn into_input(self) -> Result<InputRecord, (Option<String>, Problem)> {
        let Some(text) = self.text else {
            return Err((self.id.map(Cow::into_owned), Problem::NoText));
        };
        if text.trim().is_empty() {
            return Err((self.id.map(Cow::into_owned), Problem::Blank));
        }
        let cve_year = || self.id.as_ref().and_then(|id| id.parse::<CveId>().ok()).map(CveId::year);
        let year = self.published.year().or_else(cve_year);
        Ok(InputRecord {
            year,
            id: self.id.map(Cow::into_owned),
            text: without_nul(text),
            published: self.published.day(),
            line: self.number,
        })
    }

    fn into_record(self) -> Result<SourceRecord, (Option<String>, Problem)> {
        let id = self.id.ok_or((None, Problem::MissingField("id")))?;
        let cve = id.parse().map_err(|_| {
            (
                Some(id.chars().take(40).collect()),
                Problem::bad_field("id", &id, "a CVE id such as CVE-2021-44228"),
            )
        })?;
        let mut record = SourceRecord::new(cve);
        record.published = self.published.day();
        record.modified = self.modified;
        record.describe(self.text.as_deref().unwrap_or_default());
        for cwe in &self.cwes {
            record.label(LabelSource::Given, cwe);
        }
        Ok(record)
    }
}

fn without_nul(text: Cow<'_, str>) -> String {
    if memchr::memchr(0, text.as_bytes()).is_some() { crate::record::clean(&text) } else { text.into_owned() }
}

/// The rows of a table as texts to classify.
pub(crate) struct InputRows {
    pub(crate) file: Arc<str>,
    pub(crate) rows: Box<dyn Rows + Send>,
}

/// The rows of a table as CVE records.
pub(crate) struct RecordRows(pub(crate) InputRows);

impl InputRows {
    fn next_as<T>(
        &mut self,
        convert: impl FnOnce(Row<'_>) -> Result<T, (Option<String>, Problem)>,
    ) -> Option<Result<T, RecordError>> {
        let (number, id, problem) = match self.rows.next_row()? {
            Err((place, problem)) => return Some(Err(self.error(place, None, problem))),
            Ok(row) => {
                let number = row.number;
                match convert(row) {
                    Ok(record) => return Some(Ok(record)),
                    Err((id, problem)) => (number, id, problem),
                }
            }
        };
        Some(Err(self.error(self.rows.place(number), id, problem)))
    }

    fn error(&self, place: Place, id: Option<String>, problem: Problem) -> RecordError {
        RecordError { file: Arc::clone(&self.file), place, id, problem }
    }
}

impl Iterator for InputRows {
    type Item = Result<InputRecord, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_as(|row| row.into_input())
    }
}

impl Iterator for RecordRows {
    type Item = Result<SourceRecord, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next_as(|row| row.into_record())
    }
}
