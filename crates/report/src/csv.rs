//! CSV (RFC 4180): one row for each label of each record.

use vulnlens_model::{Labels, Prediction};
use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase, TechniqueId};

use crate::label::Label;
use crate::record_key::RecordKey;
use crate::score::push_score;

/// The name in the row that stands for a taxonomy of which nothing is listed, in CSV and Parquet.
pub const NONE_OF_THEM: &str = "none of them";

/// Renders predictions as CSV with the columns `id,taxonomy,label,name,score,predicted`.
pub struct Csv<'a> {
    kb: &'a KnowledgeBase,
}

impl<'a> Csv<'a> {
    /// The header line, to be written once before the rows.
    pub const HEADER: &'static str = "id,taxonomy,label,name,score,predicted\n";

    /// A renderer with the names of `kb`.
    #[must_use]
    pub fn new(kb: &'a KnowledgeBase) -> Self {
        Self { kb }
    }

    /// Appends the rows of one record. A record without an id has its line for one, as `#7`; the id is empty where
    /// there is neither. A taxonomy that was asked for and of which nothing is listed has one row with an empty label,
    /// the name [`NONE_OF_THEM`] and the probability of that as its score, so that no record is lost.
    pub fn push(&self, record: RecordKey<'_>, prediction: &Prediction, out: &mut Vec<u8>) {
        let id = record.text().unwrap_or_default();
        self.push_rows::<CweId>(&id, prediction, out);
        self.push_rows::<CapecId>(&id, prediction, out);
        self.push_rows::<TechniqueId>(&id, prediction, out);
    }

    fn push_rows<L: Label>(&self, id: &str, prediction: &Prediction, out: &mut Vec<u8>) {
        let Some(Labels { labels, none }) = L::of(prediction) else { return };
        for scored in labels {
            push_field(out, id);
            out.extend_from_slice(format!(",{},{},", L::TAXONOMY, scored.label).as_bytes());
            push_field(out, &scored.label.name(self.kb));
            out.push(b',');
            push_score(out, scored.score);
            out.extend_from_slice(if scored.predicted { b",true\n" } else { b",false\n" });
        }
        if labels.is_empty() {
            push_field(out, id);
            out.extend_from_slice(format!(",{},,{NONE_OF_THEM},", L::TAXONOMY).as_bytes());
            push_score(out, *none);
            out.extend_from_slice(b",false\n");
        }
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
