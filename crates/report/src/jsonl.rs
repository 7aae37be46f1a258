//! JSON Lines: record output version 1, one object a record. Its form is frozen (`docs/schema/record-v1.json`):
//! keys may be added behind the ones that are there, nothing else changes.

use vulnlens_model::Prediction;
use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase, TechniqueId};

use crate::json_text::push_json_string;
use crate::label::Label;
use crate::record_key::RecordKey;
use crate::run::{Run, label_mode_name};
use crate::score::push_score;

/// Renders predictions as JSON Lines.
///
/// All that does not change from record to record is escaped once, here; a record is then little but copied bytes.
pub struct JsonLines {
    /// From behind the id to the first list.
    head: Vec<u8>,
    /// From behind the last `none` to the end of what all records have.
    tail: Vec<u8>,
    cwe: Openings<CweId>,
    capec: Openings<CapecId>,
    attack: Openings<TechniqueId>,
}

impl JsonLines {
    /// A renderer for the records of `run`, with the names of `kb`.
    #[must_use]
    pub fn new(run: &Run, kb: &KnowledgeBase) -> Self {
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
        let tail = format!("}},\"labels\":\"{}\"", label_mode_name(run.labels)).into_bytes();
        Self { head, tail, cwe: Openings::new(kb), capec: Openings::new(kb), attack: Openings::new(kb) }
    }

    /// Appends one record and its line feed. The record's id is null where there is none; then the record's line,
    /// where it has one, stands in a last key, `line`. A taxonomy that was not asked for has an empty list.
    pub fn push(&self, record: RecordKey<'_>, prediction: &Prediction, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"schema_version\":1,\"id\":");
        match record.id {
            Some(id) => push_json_string(out, id),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(&self.head);
        self.cwe.push_list(prediction, out);
        self.capec.push_list(prediction, out);
        self.attack.push_list(prediction, out);
        // Labels that analysts assign need a head of their own, which no model here has.
        out.extend_from_slice(b",\"attack_curated\":[],\"none\":{");
        let begin = out.len();
        push_none::<CweId>(prediction, begin, out);
        push_none::<CapecId>(prediction, begin, out);
        push_none::<TechniqueId>(prediction, begin, out);
        out.extend_from_slice(&self.tail);
        if let RecordKey { id: None, line: Some(line) } = record {
            out.extend_from_slice(format!(",\"line\":{line}").as_bytes());
        }
        out.extend_from_slice(b"}\n");
    }
}

/// The part of a label's object that never changes, `{"label":"CWE-79","name":"…","score":`, for every label.
struct Openings<L> {
    labels: Vec<L>,
    bytes: Vec<u8>,
    /// Where each label's part ends in `bytes`.
    ends: Vec<usize>,
}

impl<L: Label> Openings<L> {
    fn new(kb: &KnowledgeBase) -> Self {
        let labels = L::all(kb);
        let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(labels.len()));
        for label in &labels {
            push_opening(*label, &label.name(kb), &mut bytes);
            ends.push(bytes.len());
        }
        Self { labels, bytes, ends }
    }

    fn push_list(&self, prediction: &Prediction, out: &mut Vec<u8>) {
        let labels = L::of(prediction).map_or(&[][..], |labels| &labels.labels);
        out.extend_from_slice(b",\"");
        out.extend_from_slice(L::TAXONOMY.as_bytes());
        out.extend_from_slice(b"\":[");
        for (number, scored) in labels.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            match self.opening(scored.label) {
                Some(opening) => out.extend_from_slice(opening),
                None => push_opening(scored.label, "", out),
            }
            push_score(out, scored.score);
            let predicted: &[u8] =
                if scored.predicted { b",\"predicted\":true}" } else { b",\"predicted\":false}" };
            out.extend_from_slice(predicted);
        }
        out.push(b']');
    }

    fn opening(&self, label: L) -> Option<&[u8]> {
        let at = self.labels.binary_search(&label).ok()?;
        let start = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.bytes.get(start..*self.ends.get(at)?)
    }
}

fn push_opening<L: Label>(label: L, name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"label\":\"");
    out.extend_from_slice(label.to_string().as_bytes());
    out.extend_from_slice(b"\",\"name\":");
    push_json_string(out, name);
    out.extend_from_slice(b",\"score\":");
}

fn push_none<L: Label>(prediction: &Prediction, begin: usize, out: &mut Vec<u8>) {
    let Some(labels) = L::of(prediction) else { return };
    if out.len() > begin {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(L::TAXONOMY.as_bytes());
    out.extend_from_slice(b"\":");
    push_score(out, labels.none);
}
