//! CSV (RFC 4180): one row for each label of each record.

use vulnlens_model::{LabelSource, Labels, Prediction, ScoredLabel, Tasks};
use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase, TechniqueId};

use crate::label::{Label, OTHER, name_of_other};
use crate::mark::Mark;
use crate::record_key::RecordKey;
use crate::score::push_score;

/// The name in the row that stands for a taxonomy of which nothing is listed, in CSV and Parquet.
pub const NONE_OF_THEM: &str = "none of them";

/// Renders predictions as CSV with the columns `id,taxonomy,label,name,score,predicted`; those of a checkpoint with
/// three more: `status,replaced_by,derived`.
pub struct Csv<'a> {
    kb: &'a KnowledgeBase,
    /// The tasks whose labels follow by the chain, where a checkpoint answers.
    derived: Option<Tasks>,
}

impl<'a> Csv<'a> {
    /// The header line of label spaces.
    pub const HEADER: &'static str = "id,taxonomy,label,name,score,predicted\n";
    /// The header line of checkpoints.
    const CHECKPOINT_HEADER: &'static str =
        "id,taxonomy,label,name,score,predicted,status,replaced_by,derived\n";

    /// A renderer with the names of `kb`, for a model of label spaces.
    #[must_use]
    pub fn new(kb: &'a KnowledgeBase) -> Self {
        Self { kb, derived: None }
    }

    /// The renderer for a model whose labels come from `source`.
    #[must_use]
    pub fn of(self, source: LabelSource) -> Self {
        let derived = match source {
            LabelSource::Spaces(_) => None,
            LabelSource::Checkpoint { derived, .. } => Some(derived),
        };
        Self { derived, ..self }
    }

    /// The header line, to be written once before the rows.
    #[must_use]
    pub fn header(&self) -> &'static str {
        if self.derived.is_some() { Self::CHECKPOINT_HEADER } else { Self::HEADER }
    }

    /// Appends the rows of one record. A record without an id has its line for one, as `#7`; the id is empty where
    /// there is neither. A taxonomy that was asked for and of which nothing is listed has one row with an empty label,
    /// the name [`NONE_OF_THEM`] and the probability of that as its score, so that no record is lost.
    pub fn push(&self, record: RecordKey<'_>, prediction: &Prediction, out: &mut Vec<u8>) {
        let id = record.text().unwrap_or_default();
        self.push_rows::<CweId>(&id, prediction, out);
        self.push_rows::<CapecId>(&id, prediction, out);
        self.push_rows::<TechniqueId>(&id, prediction, out);
        for ScoredLabel { label, score, predicted, .. } in &prediction.other {
            let name = name_of_other(label, self.kb);
            push_row(out, &id, [OTHER, label, name], *score, *predicted);
            self.push_more(None, false, out);
        }
    }

    fn push_rows<L: Label>(&self, id: &str, prediction: &Prediction, out: &mut Vec<u8>) {
        let Some(Labels { labels, none, .. }) = L::of(prediction) else { return };
        let is_derived = self.derived.is_some_and(|derived| derived.contains(L::TASK));
        for scored in labels {
            let (label, name) = (scored.label.to_string(), scored.label.name(self.kb));
            push_row(out, id, [L::TASK.key(), &label, &name], scored.score, scored.predicted);
            self.push_more(Mark::of(scored.label.standing(self.kb)), is_derived, out);
        }
        if labels.is_empty() {
            push_row(out, id, [L::TASK.key(), "", NONE_OF_THEM], *none, false);
            self.push_more(None, is_derived, out);
        }
    }

    /// Appends the columns that a checkpoint's rows have more, and ends the row.
    fn push_more(&self, mark: Option<Mark>, is_derived: bool, out: &mut Vec<u8>) {
        if self.derived.is_some() {
            let status = mark.map(|mark| mark.status).unwrap_or_default();
            let by = mark.and_then(|mark| mark.replaced_by).map(|id| id.to_string()).unwrap_or_default();
            out.extend_from_slice(format!(",{status},{by},{is_derived}").as_bytes());
        }
        out.push(b'\n');
    }
}

/// Appends the columns that all rows have.
fn push_row(out: &mut Vec<u8>, id: &str, texts: [&str; 3], score: f32, predicted: bool) {
    push_field(out, id);
    for text in texts {
        out.push(b',');
        push_field(out, text);
    }
    out.push(b',');
    push_score(out, score);
    out.extend_from_slice(if predicted { b",true" } else { b",false" });
}

/// Appends a field, in quotes where it needs them.
fn push_field(out: &mut Vec<u8>, text: &str) {
    let needs_quotes = text.starts_with(' ') || text.ends_with(' ');
    if !needs_quotes && !text.contains([',', '"', '\r', '\n']) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        for (text, want) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("", ""),
        ] {
            let mut out = Vec::new();
            push_field(&mut out, text);
            assert_eq!(String::from_utf8(out).unwrap(), want);
        }
    }
}
