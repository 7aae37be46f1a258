//! Documents of JSON: their findings are read, answered and filled, and all other bytes are passed on.

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::sync::Arc;

use serde::de::IgnoredAny;
use vulnlens_corpus::sources::DocumentReader;
use vulnlens_corpus::{Place, Problem, Record, RecordError, Span};

use crate::error::EnrichError;
use crate::filling::{Filling, Judgement, Origin};
use crate::formats::{self, Finding, Format};
use crate::json::{Edits, Node, Unfit};
use crate::options::EnrichOptions;
use crate::pieces::{Layout, Piece, Pieces};
use crate::predictor::Predictor;
use crate::questions::{Questions, Tell, filling};
use crate::summary::EnrichSummary;

/// The longest document that is held, 1 GiB: a longer one is reported, and passed on as it is.
const LONGEST: usize = 1 << 30;

/// Fills the findings of documents.
pub(crate) struct Documents<'a, P> {
    pub(crate) predictor: &'a mut P,
    pub(crate) origin: &'a Origin,
    pub(crate) options: &'a EnrichOptions,
    pub(crate) file: Arc<str>,
    pub(crate) summary: EnrichSummary,
}

/// A document whose findings wait for their answers.
struct Waiting {
    piece: Piece,
    findings: Vec<Found>,
}

/// A finding that waits for its answer.
struct Found {
    record: Record,
    span: Span,
    format: &'static dyn Format,
    /// The number of its question.
    question: usize,
}

/// The records that share a place: those of one rule.
#[derive(Default)]
struct Shared {
    /// The first one with a text, otherwise the first one.
    record: Option<Record>,
    is_labelled: bool,
}

impl<P: Predictor> Documents<'_, P> {
    /// Fills the documents of `reader`, whose first bytes are `head`.
    pub(crate) fn run(
        &mut self,
        reader: impl BufRead,
        head: &[u8],
        out: &mut (dyn Write + Send),
        tell: Tell<'_>,
    ) -> Result<(), EnrichError> {
        let format = self.options.format.and_then(|format| format.source());
        let mut records = DocumentReader::new(self.options.columns.clone(), format);
        let mut pieces = Pieces::new(reader, head, LONGEST);
        let layout = pieces.layout();
        let (mut questions, mut waiting, mut number) = (Questions::default(), Vec::new(), 0u64);
        loop {
            let piece = pieces.next_piece();
            let piece = piece.map_err(|source| EnrichError::Read { file: self.file.to_string(), source })?;
            let Some(piece) = piece else { break };
            let mut findings = Vec::new();
            if piece.document.is_some() || piece.is_too_long {
                number = number.saturating_add(1);
                let place = match layout {
                    Layout::Lines => Place::Line(piece.line),
                    Layout::Documents if number == 1 && !piece.before.contains(&b'[') => Place::Whole,
                    Layout::Documents => Place::Item(number),
                };
                findings = self.findings(&piece, &place, &mut records, &mut questions, tell);
            }
            questions.hold(piece.before.len().saturating_add(piece.document.as_ref().map_or(0, Vec::len)));
            waiting.push(Waiting { piece, findings });
            if questions.is_full() {
                self.write(&mut waiting, &mut questions, out, tell)?;
            }
        }
        self.write(&mut waiting, &mut questions, out, tell)
    }

    /// The findings of a piece that are to be filled.
    fn findings(
        &mut self,
        piece: &Piece,
        place: &Place,
        records: &mut DocumentReader,
        questions: &mut Questions,
        tell: Tell<'_>,
    ) -> Vec<Found> {
        let bytes = piece.document.as_deref().unwrap_or_default();
        let document = match readable(bytes) {
            Ok(document) if !piece.is_too_long => document,
            Ok(_) => {
                self.bad(place, None, Problem::TooLong(LONGEST as u64), tell);
                return Vec::new();
            }
            Err(problem) => {
                self.bad(place, None, problem, tell);
                return Vec::new();
            }
        };
        let Some(root) = Node::new(document, 0..document.len()) else { return Vec::new() };
        let mut found = Vec::new();
        for record in self.shared(records.read(&self.file, place, bytes), tell) {
            let count = if record.is_labelled { Some(&mut self.summary.had) } else { None };
            let Some(record_of) = record.record else { continue };
            let count = match (&record_of.text, record_of.withdrawn) {
                _ if count.is_some() => count,
                (_, true) => Some(&mut self.summary.withdrawn),
                (Err(_), _) => Some(&mut self.summary.without_text),
                _ => None,
            };
            if let Some(count) = count {
                *count = count.saturating_add(1);
                continue;
            }
            let finding = record_of.span.clone().and_then(|span| {
                let node = Node::new(document, span.finding.clone())?;
                Some((span, formats::of(&record_of, &node, &root)))
            });
            let (Some((span, Some(format))), Ok(text)) = (finding, record_of.text.clone()) else {
                let known: Vec<_> = formats::names().collect();
                let problem = format!(
                    "{} has no room for weaknesses that is known; documents with room are: {}, csv, parquet",
                    record_of.format,
                    known.join(", ")
                );
                self.bad(&record_of.place, Some(&record_of), Problem::Unreadable(problem), tell);
                continue;
            };
            let question = questions.add(text, record_of.year());
            found.push(Found { record: record_of, span, format, question });
        }
        found
    }

    /// The records of a document, those that share a place as one; bad ones are told.
    fn shared(&mut self, records: Vec<Result<Record, RecordError>>, tell: Tell<'_>) -> Vec<Shared> {
        let mut shared: Vec<Shared> = Vec::new();
        let mut places: HashMap<(usize, usize), usize> = HashMap::new();
        for record in records {
            let record = match record {
                Ok(record) => record,
                Err(error) if error.is_note() || error.is_passed_over() => continue,
                Err(error) => {
                    self.summary.bad = self.summary.bad.saturating_add(1);
                    tell(&error);
                    continue;
                }
            };
            let place = record
                .span
                .as_ref()
                .map_or((usize::MAX, shared.len()), |span| (span.finding.start, span.finding.end));
            let number = *places.entry(place).or_insert(shared.len());
            if number == shared.len() {
                shared.push(Shared::default());
            }
            let Some(of_place) = shared.get_mut(number) else { continue };
            of_place.is_labelled |= is_labelled(&record);
            if of_place.record.as_ref().is_none_or(|known| known.text.is_err() && record.text.is_ok()) {
                of_place.record = Some(record);
            }
        }
        shared
    }

    /// Answers what waits, and writes it filled.
    fn write(
        &mut self,
        waiting: &mut Vec<Waiting>,
        questions: &mut Questions,
        out: &mut (dyn Write + Send),
        tell: Tell<'_>,
    ) -> Result<(), EnrichError> {
        let judgements = questions.judge(self.predictor, self.options.min_score)?;
        for Waiting { piece, findings } in waiting.drain(..) {
            let mut bytes = Vec::new();
            if self.options.container {
                self.containers(&findings, &judgements, &mut bytes, tell);
            } else {
                bytes.extend_from_slice(&piece.before);
                let document = piece.document.unwrap_or_default();
                self.filled(&document, &findings, &judgements, tell).apply(&document, &mut bytes);
            }
            out.write_all(&bytes).map_err(EnrichError::Write)?;
        }
        Ok(())
    }

    /// The insertions into a document.
    fn filled(
        &mut self,
        document: &[u8],
        findings: &[Found],
        judgements: &[Judgement],
        tell: Tell<'_>,
    ) -> Edits {
        let mut edits = Edits::default();
        let Ok(text) = std::str::from_utf8(document) else { return edits };
        let mut filled: Vec<(&Found, &Filling)> = Vec::new();
        let mut version: Option<(std::ops::Range<usize>, Option<String>)> = None;
        for found in findings {
            let Some(filling) = filling(judgements.get(found.question), &mut self.summary) else { continue };
            let at = &found.span.document;
            if version.as_ref().is_none_or(|(known, _)| known != at) {
                let of_document =
                    Node::new(text, at.clone()).and_then(|document| found.format.version(&document));
                version = Some((at.clone(), of_document));
            }
            let Some(node) = Node::new(text, found.span.finding.clone()) else { continue };
            let version = version.as_ref().and_then(|(_, version)| version.as_deref());
            let finding = Finding { node, record: &found.record, version };
            let mark = edits.mark();
            match found.format.fill(&finding, filling, self.origin, &mut edits) {
                Ok(()) => filled.push((found, filling)),
                Err(unfit) => {
                    edits.back_to(mark);
                    self.unfit(&found.record, unfit, tell);
                }
            }
        }
        self.summary.filled = self.summary.filled.saturating_add(filled.len() as u64);
        let mut rest = filled.as_slice();
        while let Some(((first, _), _)) = rest.split_first() {
            let is_of_it = |(found, _): &(&Found, &Filling)| found.span.document == first.span.document;
            let (of_it, others) = rest.split_at(rest.iter().take_while(|found| is_of_it(found)).count());
            rest = others;
            let Some(document) = Node::new(text, first.span.document.clone()) else { continue };
            let places: Vec<_> =
                of_it.iter().map(|(found, filling)| (found.span.finding.clone(), *filling)).collect();
            let mark = edits.mark();
            if let Err(Unfit(problem)) = first.format.close(&document, &places, self.origin, &mut edits) {
                edits.back_to(mark);
                tell(&error(&self.file, &first.record.place, None, Problem::Note(problem)));
            }
        }
        edits
    }

    /// The containers of a document's findings, in place of the document.
    fn containers(
        &mut self,
        findings: &[Found],
        judgements: &[Judgement],
        out: &mut Vec<u8>,
        tell: Tell<'_>,
    ) {
        for found in findings {
            let Some(filling) = filling(judgements.get(found.question), &mut self.summary) else { continue };
            match found.format.container(filling, self.origin, &found.record) {
                Some(container) => {
                    self.summary.filled = self.summary.filled.saturating_add(1);
                    out.extend_from_slice(container.as_bytes());
                }
                None => {
                    let problem = format!(
                        "{} has no containers; only records of the CVE list have",
                        found.format.name()
                    );
                    self.unfit(&found.record, Unfit(problem), tell);
                }
            }
        }
    }

    fn unfit(&mut self, record: &Record, Unfit(problem): Unfit, tell: Tell<'_>) {
        self.bad(&record.place, Some(record), Problem::Unreadable(problem), tell);
    }

    fn bad(&mut self, place: &Place, record: Option<&Record>, problem: Problem, tell: Tell<'_>) {
        self.summary.bad = self.summary.bad.saturating_add(1);
        tell(&error(&self.file, place, record, problem));
    }
}

fn error(file: &Arc<str>, place: &Place, record: Option<&Record>, problem: Problem) -> RecordError {
    let id = record.and_then(|record| record.id.clone());
    RecordError { file: Arc::clone(file), place: place.clone(), id, problem }
}

/// Tests for a record that somebody gave a weakness, or said that there is none to give. 0 stands for none.
pub(crate) fn is_labelled(record: &Record) -> bool {
    record.labels.iter().any(|label| label.cwe.0 != 0)
        || !record.unreadable_labels.is_empty()
        || record.untold
}

/// A document as text, if it is whole: one that is damaged anywhere is passed on as it is.
fn readable(bytes: &[u8]) -> Result<&str, Problem> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| Problem::Utf8(error.valid_up_to().saturating_add(1)))?;
    if text.is_empty() {
        return Ok(text);
    }
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Ok(text),
        Err(error) => {
            Err(Problem::Unreadable(format!("malformed JSON: {error}; mend it, it is passed on as it is")))
        }
    }
}
