//! Plain text: prose, which is one text, and lists, with a text on each line.
//!
//! Neither has ids. Bytes that are not UTF-8 are taken for Windows-1252. Markup is left out. A blank line of a list is a
//! record without a text, so that the lines of input and answers agree.

use std::borrow::Cow;
use std::io::{BufRead, Read as _};
use std::sync::Arc;

use serde::de::IgnoredAny;

use crate::encoding::{Lenient, OddBytes};
use crate::error::CorpusError;
use crate::input::{Content, Opened, Text};
use crate::lines::Lines;
use crate::magic;
use crate::markup::{Markup, is_encoded_mail};
use crate::place::Place;
use crate::problem::{BadRecord, Problem};
use crate::prose::is_one_text;
use crate::records::Records;
use crate::sources::format::{Context, FileFormat, Settings};
use crate::sources::rows::{Row, RowRecords, Rows};
use crate::sources::xml;

/// One text.
pub(super) struct Document;

/// One text a line.
pub(super) struct LineTexts;

/// Bytes that are looked at to tell prose from a list.
const LOOKED_AT: usize = 16 << 10;

impl FileFormat for Document {
    fn name(&self) -> &'static str {
        "text"
    }

    fn about(&self) -> &'static str {
        "One text: prose, Markdown, HTML or a mail"
    }

    fn recognises(&self, file: &Opened, settings: &Settings) -> bool {
        // Anything may be a text: it has no id, and in a folder it is a note beside the records.
        !settings.needs.cve && !file.is_member && matches!(file.content, Content::Text(_))
    }

    fn open(&self, file: Opened, context: &Context) -> Result<Records, CorpusError> {
        check(&file)?;
        let is_page = file.is_named(&["html", "htm", "md", "markdown", "eml"]);
        let (file, mut text) = file.into_text()?;
        // A pipe is read on, too: no line of a text tells that others belong to it.
        text.look_ahead(LOOKED_AT, |_| false);
        let head = String::from_utf8_lossy(text.head());
        let markup = Markup::of(&head);
        let is_page_of_html = markup == Some(Markup::Html) && !head.trim_start().starts_with("<?xml");
        if let Some(kind) = xml::kind(&head).filter(|_| !is_page_of_html) {
            return Err(CorpusError::Format { file: file.as_ref().to_owned(), problem: kind });
        }
        if !context.is_forced && holds_json(&head) {
            let problem = "has JSON behind a line that is none, or in an array of texts; take the line off, or give --input-format jsonl or lines";
            return Err(CorpusError::Format { file: file.as_ref().to_owned(), problem: problem.to_owned() });
        }
        if is_encoded_mail(&head) {
            let problem = "is a mail whose body is encoded or in parts; save its text";
            return Err(CorpusError::Format { file: file.as_ref().to_owned(), problem: problem.to_owned() });
        }
        let is_one = context.is_forced || is_page || markup.is_some() || is_one_text(&head);
        if !is_one {
            return Ok(lines(file, text, context.settings.clone(), context.limits.record_bytes));
        }
        let limit = context.limits.record_bytes;
        let odd = OddBytes::default();
        let mut bytes = Vec::new();
        // One byte more tells that the text is longer.
        let most = (limit as u64).saturating_add(1);
        let mut reader = Lenient::new(text.into_reader(), odd.clone()).take(most);
        let read = reader.read_to_end(&mut bytes).map_err(Problem::from);
        let whole = String::from_utf8_lossy(&bytes);
        let (markup, is_long) = (Markup::of(&whole), bytes.len() > limit);
        let record = match read {
            Err(problem) => Err(BadRecord::from(problem)),
            Ok(_) if is_long => Err(Problem::TooLong(limit as u64).into()),
            Ok(_) => {
                let text =
                    markup.map_or(Cow::Borrowed(whole.as_ref()), |markup| Cow::Owned(markup.strip(&whole)));
                Row::of_text(text).into_record(&context.settings)
            }
        };
        let is_over_lines = whole.trim().contains('\n');
        let about = match markup {
            Some(markup) => Some(format!("is {}, read as one text without its markup", markup.name())),
            None if is_over_lines && !context.is_forced => Some("its lines are read as one text".to_owned()),
            None => None,
        };
        let note =
            about.map(|about| Problem::Note(format!("{about}; --input-format lines reads a text a line")));
        let record = record.map(|record| crate::record::Record { format: self.name(), ..record });
        let items = note.map(|note| Err(note.into())).into_iter().chain([record]);
        Ok(Records::of_whole(Arc::clone(&file), items).with_note_of(file, odd))
    }
}

impl FileFormat for LineTexts {
    fn name(&self) -> &'static str {
        "lines"
    }

    fn about(&self) -> &'static str {
        "One text a line"
    }

    fn recognises(&self, _: &Opened, _: &Settings) -> bool {
        // Prose or a list is told together.
        false
    }

    fn open(&self, file: Opened, context: &Context) -> Result<Records, CorpusError> {
        check(&file)?;
        let (file, text) = file.into_text()?;
        Ok(lines(file, text, context.settings.clone(), context.limits.record_bytes))
    }
}

/// Tests for records in JSON that the first line hides, such as a line of a log, and for an array of texts.
fn holds_json(head: &str) -> bool {
    let is_object = |line: &str| line.starts_with("{\"") && serde_json::from_str::<IgnoredAny>(line).is_ok();
    let is_array = head.trim_start().starts_with("[\"") && serde_json::from_str::<IgnoredAny>(head).is_ok();
    is_array || head.lines().take(20).map(str::trim).any(is_object)
}

/// Refuses a file that is not a text.
fn check(file: &Opened) -> Result<(), CorpusError> {
    if file.is_named(&["parquet"]) {
        return Err(file.wrong("is named .parquet and is not a Parquet file; fetch it again, or rename it"));
    }
    magic::kind(file.head()).map_or(Ok(()), |kind| Err(file.wrong(kind)))
}

fn lines(file: Arc<str>, text: Text, settings: Settings, limit: usize) -> Records {
    let odd = OddBytes::default();
    let rows = LineRows(Lines::new(Lenient::new(text.into_reader(), odd.clone()), limit));
    Records::new(RowRecords { file: Arc::clone(&file), format: LineTexts.name(), settings, rows })
        .with_note_of(file, odd)
}

/// The lines of a text as rows.
struct LineRows<R>(Lines<R>);

impl<R: BufRead> Rows for LineRows<R> {
    fn next_row(&mut self) -> Option<(Place, Result<Row<'_>, Problem>)> {
        let (number, line) = self.0.next_line()?;
        let row = line.map(|line| Row::of_text(String::from_utf8_lossy(line)));
        Some((Place::Line(number), row))
    }
}
