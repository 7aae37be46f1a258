//! CSV (RFC 4180): one row for each label of each record.

use std::sync::Arc;

use vulnlens_model::Tasks;
use vulnlens_taxonomy::KnowledgeBase;

use crate::answer::Answer;
use crate::format::Format;
use crate::ids::{push_entries, push_number};
use crate::rendering::{Records, Setup};
use crate::rows::{BETWEEN_ENTRIES, More, Row, derived, each_row};
use crate::score::push_score;

pub(super) const FORMAT: Format =
    Format::records("csv", "One row for each label of each record", |setup| Box::new(Csv::new(setup)))
        .endings(&["csv"])
        .media("text/csv; charset=utf-8");

/// Predictions as CSV with the columns `id,taxonomy,label,name,score,predicted,via,distance,outcome,role`; those of a
/// checkpoint with three more in front of `via`: `status,replaced_by,derived`.
///
/// `via` is the way to a label that follows from a weakness, `CWE-89 > CWE-943 > CAPEC-66`, and `distance` the steps up
/// to the ancestor in it; both are empty for other labels. `outcome` is the answer to the record in a word
/// ([`Said::name`](vulnlens_model::Said::name)), repeated in each row of the record, so that a filter on it keeps whole
/// records; it is empty where the answer is in no word. A family has one row of the taxonomy `cwe-family`, and a severity that was
/// asked for one of the taxonomy `severity`, with the vector as its label, the band and the base score as its name and the
/// probability of the band as its score. `role` is the
/// [role](vulnlens_model::ScoredLabel::role) of a technique that analysts assign, and empty in all other rows.
///
/// A record without an id has its line for one, as `#7`; the id is empty where there is neither. A task that was asked
/// for and of which nothing is listed has one row with an empty label, the name [`NONE_OF_THEM`](crate::NONE_OF_THEM)
/// and the probability of that as its score, so that no record is lost.
pub struct Csv {
    kb: Arc<KnowledgeBase>,
    /// The tasks whose labels follow by the chain, where a checkpoint answers.
    derived: Option<Tasks>,
    /// Whether formulas get a `'` in front.
    is_safe: bool,
}

impl Csv {
    /// The header line of label spaces.
    pub const HEADER: &'static str = "id,taxonomy,label,name,score,predicted,via,distance,outcome,role\n";
    /// The header line of checkpoints.
    const CHECKPOINT_HEADER: &'static str =
        "id,taxonomy,label,name,score,predicted,status,replaced_by,derived,via,distance,outcome,role\n";

    /// The format made ready for a run.
    #[must_use]
    pub fn new(setup: &Setup) -> Self {
        Self { kb: Arc::clone(&setup.kb), derived: derived(setup.run.labels), is_safe: setup.is_csv_safe }
    }
}

impl Records for Csv {
    fn head(&self, out: &mut Vec<u8>) {
        let header = if self.derived.is_some() { Self::CHECKPOINT_HEADER } else { Self::HEADER };
        out.extend_from_slice(header.as_bytes());
    }

    fn push(&self, answer: &Answer, out: &mut Vec<u8>) {
        let id = answer.record.text().unwrap_or_default();
        each_row(&answer.prediction, &self.kb, self.derived, |row| self.push_row(&id, &row, out));
    }
}

impl Csv {
    fn push_row(&self, id: &str, row: &Row<'_>, out: &mut Vec<u8>) {
        push_text(out, id, self.is_safe);
        for text in row.texts {
            out.push(b',');
            push_text(out, text, self.is_safe);
        }
        out.push(b',');
        push_score(out, row.score);
        out.extend_from_slice(if row.predicted { b",true" } else { b",false" });
        if let Some(More { mark, derived }) = row.more {
            let status = mark.map(|mark| mark.status).unwrap_or_default();
            let by = mark.and_then(|mark| mark.replaced_by).map(|id| id.to_string()).unwrap_or_default();
            out.extend_from_slice(format!(",{status},{by},{derived}").as_bytes());
        }
        out.push(b',');
        if let Some(via) = row.via {
            push_entries(out, via, BETWEEN_ENTRIES.as_bytes());
        }
        out.push(b',');
        if let Some(via) = row.via {
            push_number(out, u64::from(via.distance));
        }
        out.push(b',');
        out.extend_from_slice(row.outcome.unwrap_or_default().as_bytes());
        out.push(b',');
        out.extend_from_slice(row.role.unwrap_or_default().as_bytes());
        out.push(b'\n');
    }
}

/// Appends a text from outside, without a formula if `is_safe`.
pub(crate) fn push_text(out: &mut Vec<u8>, text: &str, is_safe: bool) {
    if is_safe && text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        push_field(out, &format!("'{text}"));
    } else {
        push_field(out, text);
    }
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
