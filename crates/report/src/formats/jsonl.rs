//! JSON Lines: record output version 1, one object a record. Its form is frozen (`docs/schema/record-v1.json`):
//! keys may be added behind the ones that are there, nothing else changes.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::Serialize;
use vulnlens_model::{LabelSource, Prediction, ScoredLabel, Tasks, Via};
use vulnlens_taxonomy::{KnowledgeBase, Standing, Tactic};

use crate::answer::{Answer, RecordKey};
use crate::column::{Column, each_column};
use crate::evidence::ExplanationV1;
use crate::format::Format;
use crate::ids::{push_entries, push_number};
use crate::json_text::push_json_string;
use crate::label::{ATLAS, D3FEND, Label, OTHER, OTHER_DOMAINS, SEVERITY};
use crate::mark::Mark;
use crate::rendering::{Records, Setup};
use crate::said::push_said;
use crate::score::push_score;

pub(super) const FORMAT: Format =
    Format::records("jsonl", "One JSON object a record: record output, version 1", |setup| {
        Box::new(JsonLines::new(setup))
    })
    .endings(&["jsonl", "ndjson", "json"])
    .media("application/x-ndjson");

/// Predictions as JSON Lines.
///
/// All that does not change from record to record is escaped once; a record is then little but copied bytes.
///
/// A record's id is null where there is none; then the record's line, where it has one, stands in a last key, `line`. A
/// task that was not asked for has an empty list. Labels that follow from a weakness have `via` and `distance`,
/// techniques `tactics`, and those that analysts assign `role`. An answer in a word has `outcome` and `said`, with
/// `outcomes` and `family` where there are such, and one that was asked for its severity `severity` behind them, as one that
/// was asked for more has `atlas`, `d3fend` and `other_domains`. Records of checkpoints have no key `labels`, but behind all others
/// `derived` and, if they have any, their labels of no task. Behind all of these stand the keys of an answer's explanation,
/// where it has one: `explained`, `words` (`start` and `end` are byte offsets into the text), `without`, `paths` and
/// `curated`; and at the end `generated`, where a text-generation model had a part in the answer.
pub struct JsonLines {
    kb: Arc<KnowledgeBase>,
    /// The bytes between the id and the first list.
    head: Vec<u8>,
    columns: Vec<Box<dyn JsonColumn>>,
    /// The bytes between the last `none` and the end of what all records have.
    tail: Vec<u8>,
    /// The bytes between the line and the labels of no task.
    end: Vec<u8>,
    /// The tactics by their ids, for models that have labels of no task.
    tactics: Option<BTreeMap<String, String>>,
}

impl JsonLines {
    /// The format made ready for a run.
    #[must_use]
    pub fn new(setup: &Setup) -> Self {
        let (run, kb) = (&setup.run, &setup.kb);
        let mut head = Vec::new();
        let versions = &run.versions;
        for (key, text) in [
            (&b",\"model\":"[..], &run.model),
            (b",\"model_revision\":", &run.model_revision),
            (b",\"taxonomies\":{\"cwe\":", &versions.cwe),
            (b",\"capec\":", &versions.capec),
            (b",\"attack\":", &versions.attack),
        ] {
            head.extend_from_slice(key);
            push_json_string(&mut head, text);
        }
        head.push(b'}');
        let (tail, end, has_other, is_marked) = match run.labels {
            LabelSource::Spaces(mode) => {
                (format!("}},\"labels\":\"{}\"", mode.name()), String::new(), false, false)
            }
            LabelSource::Checkpoint { derived, other } => {
                ("}".to_owned(), format!(",\"derived\":[{}]", names(derived)), other, true)
            }
        };
        let mut columns: Vec<Box<dyn JsonColumn>> = vec![];
        each_column!(C => columns.push(Box::new(List::<C>::new(kb, is_marked))));
        let tactic = |tactic: &Tactic| (tactic.id.to_string(), tactic.name.clone());
        Self {
            kb: Arc::clone(kb),
            head,
            columns,
            tail: tail.into_bytes(),
            end: end.into_bytes(),
            tactics: has_other.then(|| kb.tactics().map(tactic).collect()),
        }
    }
}

impl Records for JsonLines {
    fn push(&self, answer: &Answer, out: &mut Vec<u8>) {
        let Answer { record, prediction, explanation, generated, .. } = answer;
        out.extend_from_slice(b"{\"schema_version\":1,\"id\":");
        match &record.id {
            Some(id) => push_json_string(out, id),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(&self.head);
        self.columns.iter().for_each(|column| column.push_list(prediction, out));
        out.extend_from_slice(b",\"none\":{");
        let begin = out.len();
        self.columns.iter().for_each(|column| column.push_none(prediction, begin, out));
        out.extend_from_slice(&self.tail);
        push_said(prediction, &self.kb, out);
        if let RecordKey { id: None, line: Some(line) } = record {
            out.extend_from_slice(b",\"line\":");
            push_number(out, *line);
        }
        out.extend_from_slice(&self.end);
        if let Some(tactics) = &self.tactics {
            push_others(&prediction.other, tactics, out);
        }
        if let Some(severity) = &prediction.severity {
            push_json(SEVERITY, severity, out);
        }
        if let Some(atlas) = &prediction.atlas {
            push_json(ATLAS, atlas, out);
        }
        if let Some(d3fend) = &prediction.d3fend {
            push_json(D3FEND, d3fend, out);
        }
        if let Some(labels) = &prediction.other_domains {
            push_json(OTHER_DOMAINS, labels, out);
        }
        if let Some(explanation) = explanation {
            ExplanationV1::of(answer, explanation, &self.kb).push(out);
        }
        if let Some(generated) = generated {
            generated.push(out);
        }
        out.extend_from_slice(b"}\n");
    }
}

/// Appends a value with its key; the few that are asked for need no writer of their own.
fn push_json(key: &str, value: &impl Serialize, out: &mut Vec<u8>) {
    // Numbers, texts and lists of them always become JSON.
    let json = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
    out.extend_from_slice(format!(",\"{key}\":{json}").as_bytes());
}

/// The keys of `tasks`, quoted and with commas between them.
fn names(tasks: Tasks) -> String {
    tasks.iter().map(|task| format!("\"{}\"", task.key())).collect::<Vec<_>>().join(",")
}

fn push_others(labels: &[ScoredLabel<Arc<str>>], tactics: &BTreeMap<String, String>, out: &mut Vec<u8>) {
    out.extend_from_slice(format!(",\"{OTHER}\":[").as_bytes());
    for (number, scored) in labels.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        push_opening(&scored.label, tactics.get(&*scored.label).map_or("", String::as_str), out);
        push_score(out, scored.score);
        out.extend_from_slice(predicted(scored.predicted));
        out.push(b'}');
    }
    out.push(b']');
}

fn predicted(predicted: bool) -> &'static [u8] {
    if predicted { b",\"predicted\":true" } else { b",\"predicted\":false" }
}

fn push_via(via: Via, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"via\":[\"");
    push_entries(out, via, b"\",\"");
    out.extend_from_slice(b"\"],\"distance\":");
    push_number(out, u64::from(via.distance));
}

fn push_tactics<'a>(tactics: impl Iterator<Item = &'a str>, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"tactics\":[");
    for (number, tactic) in tactics.enumerate() {
        if number > 0 {
            out.push(b',');
        }
        push_json_string(out, tactic);
    }
    out.push(b']');
}

/// A column's part of a record.
trait JsonColumn: Send + Sync {
    /// Appends the list of labels, with its key.
    fn push_list(&self, prediction: &Prediction, out: &mut Vec<u8>);

    /// Appends the probability that none applies, with its key, where the prediction has one; the object of these
    /// begins at `begin`.
    fn push_none(&self, prediction: &Prediction, begin: usize, out: &mut Vec<u8>);
}

/// The list of a column's labels.
struct List<C: Column> {
    kb: Arc<KnowledgeBase>,
    is_marked: bool,
    /// Made for the first label: not all lists have one.
    openings: OnceLock<Openings<C::Id>>,
}

impl<C: Column> List<C> {
    fn new(kb: &Arc<KnowledgeBase>, is_marked: bool) -> Self {
        Self { kb: Arc::clone(kb), is_marked, openings: OnceLock::new() }
    }
}

impl<C: Column> JsonColumn for List<C> {
    fn push_list(&self, prediction: &Prediction, out: &mut Vec<u8>) {
        if !C::is_shown(prediction) {
            return;
        }
        let labels = C::of(prediction).map_or(&[][..], |labels| &labels.labels);
        out.extend_from_slice(b",\"");
        out.extend_from_slice(C::TASK.key().as_bytes());
        out.extend_from_slice(b"\":[");
        for (number, scored) in labels.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            let openings = self.openings.get_or_init(|| Openings::new(&self.kb, self.is_marked));
            let place = openings.labels.binary_search(&scored.label).ok();
            match place {
                Some(place) => out.extend_from_slice(openings.openings.get(place)),
                None => push_opening(&scored.label.to_string(), "", out),
            }
            push_score(out, scored.score);
            out.extend_from_slice(predicted(scored.predicted));
            if let Some(via) = scored.via {
                push_via(via, out);
            }
            if let Some(role) = scored.role {
                out.extend_from_slice(b",\"role\":");
                push_json_string(out, role.name());
            }
            if let Some(place) = place {
                out.extend_from_slice(openings.tactics.get(place));
            }
            if let Some(basis) = scored.basis {
                out.extend_from_slice(b",\"basis\":");
                push_json_string(out, basis.name());
            }
            if let Some(original) = scored.original {
                out.extend_from_slice(b",\"original\":");
                push_json_string(out, &original.to_string());
            }
            if scored.unmapped {
                out.extend_from_slice(b",\"unmapped\":true");
            }
            if let Some(marks) = &openings.marks {
                push_mark(marks, scored.label, place.is_some(), out);
            }
            out.push(b'}');
        }
        out.push(b']');
    }

    fn push_none(&self, prediction: &Prediction, begin: usize, out: &mut Vec<u8>) {
        let Some(labels) = C::of(prediction) else { return };
        if out.len() > begin {
            out.push(b',');
        }
        out.push(b'"');
        out.extend_from_slice(C::TASK.key().as_bytes());
        out.extend_from_slice(b"\":");
        push_score(out, labels.none);
    }
}

/// The parts of every label's object that never change.
struct Openings<L> {
    labels: Vec<L>,
    /// `{"label":"CWE-79","name":"…","score":`
    openings: Pieces,
    /// `,"tactics":["execution"]`, or nothing.
    tactics: Pieces,
    /// The marks of labels that are not in force, in their order; none where they are not marked.
    marks: Option<Vec<(L, String)>>,
}

/// Pieces of text, one after the other.
#[derive(Default)]
struct Pieces {
    bytes: Vec<u8>,
    /// The end of each in `bytes`.
    ends: Vec<usize>,
}

impl Pieces {
    fn push(&mut self, piece: impl FnOnce(&mut Vec<u8>)) {
        piece(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    fn get(&self, place: usize) -> &[u8] {
        let end = |place: usize| self.ends.get(place).copied();
        let start = place.checked_sub(1).map_or(Some(0), end);
        let range = start.zip(end(place)).map(|(start, end)| start..end);
        range.and_then(|range| self.bytes.get(range)).unwrap_or_default()
    }
}

impl<L: Label> Openings<L> {
    fn new(kb: &KnowledgeBase, is_marked: bool) -> Self {
        let labels = L::all(kb);
        let mark = |label: &L| Some((*label, Mark::of(label.standing(kb))?.json()));
        let marks = is_marked.then(|| labels.iter().filter_map(mark).collect());
        let (mut openings, mut tactics) = (Pieces::default(), Pieces::default());
        for label in &labels {
            openings.push(|out| push_opening(&label.to_string(), &label.name(kb), out));
            tactics.push(|out| {
                if let Some(tactics) = label.tactics(kb) {
                    push_tactics(tactics, out);
                }
            });
        }
        Self { labels, openings, tactics, marks }
    }
}

fn push_mark<L: Label>(marks: &[(L, String)], label: L, is_known: bool, out: &mut Vec<u8>) {
    let mark = marks.binary_search_by_key(&label, |(marked, _)| *marked).ok().and_then(|at| marks.get(at));
    match (mark, is_known) {
        (Some((_, mark)), _) => out.extend_from_slice(mark.as_bytes()),
        (None, true) => {}
        (None, false) => {
            let unknown = Mark::of(Standing::Unknown).map(Mark::json).unwrap_or_default();
            out.extend_from_slice(unknown.as_bytes());
        }
    }
}

fn push_opening(label: &str, name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"label\":");
    push_json_string(out, label);
    out.extend_from_slice(b",\"name\":");
    push_json_string(out, name);
    out.extend_from_slice(b",\"score\":");
}
