//! Texts that are not records: labelled ones in other styles, and ones without a vulnerability.

use std::path::Path;

use serde::Deserialize;
use vulnlens_taxonomy::{CveId, CweId, Outcome};

use super::merge::Span;
use super::options::BuildOptions;
use super::spill::SpillWriter;
use super::tally::Tally;
use crate::dataset::writer::unwritable;
use crate::date::{Date, When};
use crate::error::CorpusError;
use crate::groups::GroupId;
use crate::input::Input;
use crate::lines::Lines;
use crate::place::Place;
use crate::problem::{BadRecord, Problem};
use crate::record::{Record, says_withdrawn};
use crate::record_id::RecordId;
use crate::sources::json_text::{List, Text, or_default};
use crate::sources::rows::GIVEN;
use crate::text_kind::TextKind;

/// A text on its way into a row.
pub(super) struct OtherText {
    pub(super) name: String,
    pub(super) kind: TextKind,
    pub(super) style: Option<String>,
    pub(super) cve: Option<CveId>,
    pub(super) aliases: Vec<CveId>,
    pub(super) published: Option<Date>,
    /// Sorted and without repetition.
    pub(super) cwes: Vec<CweId>,
    pub(super) span: Span,
}

impl OtherText {
    pub(super) fn outcome(&self) -> Option<Outcome> {
        (self.kind == TextKind::Negative).then_some(Outcome::NotAVulnerability)
    }
}

/// One line of a file of texts.
#[derive(Deserialize)]
#[serde(expecting = "an object with id and description")]
struct Line<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default)]
    aliases: List<Text<'a>>,
    #[serde(default, deserialize_with = "or_default")]
    published: When,
    #[serde(borrow, default)]
    description: Text<'a>,
    #[serde(borrow, default)]
    cwes: List<Text<'a>>,
    #[serde(borrow, default)]
    source: Text<'a>,
    #[serde(borrow, default)]
    style: Text<'a>,
}

/// The texts of the files that the options name, in their order, with the counts of each file.
pub(super) fn read(
    texts: &mut SpillWriter,
    tallies: &mut Vec<Tally>,
    out: &Path,
    options: &BuildOptions,
) -> Result<Vec<OtherText>, CorpusError> {
    let mut reader = TextReader { texts, out, options, read: Vec::new() };
    for (kind, paths) in [(TextKind::Style, &options.styles), (TextKind::Negative, &options.negatives)] {
        for path in paths {
            tallies.push(reader.read_file(kind, path)?);
        }
    }
    Ok(reader.read)
}

struct TextReader<'a> {
    texts: &'a mut SpillWriter,
    out: &'a Path,
    options: &'a BuildOptions,
    read: Vec<OtherText>,
}

impl TextReader<'_> {
    fn read_file(&mut self, kind: TextKind, path: &Path) -> Result<Tally, CorpusError> {
        let mut tally = Tally::of(path);
        let limits = &self.options.limits;
        let (file, text) = Input::path(path).open(limits, None)?.into_text()?;
        let mut lines = Lines::new(text.into_reader(), limits.record_bytes).skip_blank();
        while let Some((number, line)) = lines.next_line() {
            let record = line.map_err(BadRecord::from).and_then(|line| parsed(kind, line));
            match record {
                Ok((record, style)) => self.take(kind, &record, style, &mut tally)?,
                Err(bad) => {
                    let error = bad.at(&file, Place::Line(number));
                    tally.add_error(&error, self.options.bad_records_shown);
                }
            }
        }
        Ok(tally)
    }

    fn take(
        &mut self,
        kind: TextKind,
        record: &Record,
        style: Option<String>,
        tally: &mut Tally,
    ) -> Result<(), CorpusError> {
        tally.add(record, false);
        let (Ok(text), Some(id)) = (&record.text, &record.id) else { return Ok(()) };
        if record.withdrawn {
            return Ok(());
        }
        let group = GroupId::of(text, self.options.splits.seed);
        let span = self.texts.push(text, group).map_err(|source| unwritable(self.out, source))?;
        let cve = record.cve();
        let ids = record.aliases.iter().filter_map(RecordId::cve).filter(|alias| Some(*alias) != cve);
        let mut text = OtherText {
            name: id.as_str().to_owned(),
            kind,
            style,
            cve,
            aliases: ids.collect(),
            published: record.dates.published.day(),
            cwes: record.labels.iter().map(|label| label.cwe).collect(),
            span,
        };
        text.aliases.sort_unstable();
        text.aliases.dedup();
        text.cwes.sort_unstable();
        self.read.push(text);
        Ok(())
    }
}

/// The record that a line is, and the style of its text.
fn parsed(kind: TextKind, line: &[u8]) -> Result<(Record, Option<String>), BadRecord> {
    let line: Line<'_> = serde_json::from_slice(line).map_err(|error| Problem::Json(error.to_string()))?;
    let id = line.id.0.trim();
    if id.is_empty() {
        return Err(Problem::MissingField("id").into());
    }
    let mut record = Record::new(Some(RecordId::new(id)), Problem::Blank);
    record.describe(&line.description.0);
    if record.text.is_err() {
        return Err(BadRecord { id: record.id, problem: Problem::Blank });
    }
    let before_colon = id.split_once(':').map(|(style, _)| style).filter(|_| kind == TextKind::Negative);
    let styles = [line.style.0.trim(), line.source.0.trim(), before_colon.unwrap_or_default()];
    let style = styles.into_iter().find(|style| !style.is_empty()).map(str::to_owned);
    if kind == TextKind::Style {
        record.withdrawn |= record.text.as_deref().is_ok_and(says_withdrawn);
        record.dates.published = line.published;
        record.aliases = line.aliases.0.iter().map(|alias| RecordId::new(alias.0.trim())).collect();
        line.cwes.0.iter().for_each(|cwe| record.label(GIVEN, &cwe.0));
    }
    Ok((record, style))
}
