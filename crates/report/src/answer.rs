//! An answer on its way to an output: the record it belongs to, and the prediction.

use std::borrow::Cow;

use vulnlens_model::{Explanation, Prediction, ScoredLabel};
use vulnlens_taxonomy::{CweId, Timestamp};

use crate::generated::Generated;

/// The key of an input's record: a text by itself has neither an id nor a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordKey {
    /// The record's id, as given.
    pub id: Option<String>,
    /// The record's line in the input, or its row in a table, from 1.
    pub line: Option<u64>,
}

impl RecordKey {
    /// The key of a record with this id.
    #[must_use]
    pub fn of_id(id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), line: None }
    }

    /// The id; for a record without one its line as `#7`.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'_, str>> {
        let line = || self.line.map(|line| format!("#{line}").into());
        self.id.as_deref().map(Cow::Borrowed).or_else(line)
    }
}

/// The answer to one record.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Answer {
    /// The record's key.
    pub record: RecordKey,
    /// The model's answer.
    pub prediction: Prediction,
    /// The best weaknesses as records assign them, by falling score, whatever the label space of the prediction;
    /// read by formats that [need them](crate::Format::needs_assigned).
    pub assigned: Vec<ScoredLabel<CweId>>,
    /// The record's text, for formats that [need it](crate::Format::needs_text).
    pub text: Option<String>,
    /// The beginning of the day that the record was published on, where that is known.
    pub published: Option<Timestamp>,
    /// The reasons of the answer, where they are asked for.
    pub explanation: Option<Explanation>,
    /// The part that a text-generation model had in the answer.
    pub generated: Option<Generated>,
}

impl Answer {
    /// The answer to a record.
    #[must_use]
    pub fn new(record: RecordKey, prediction: Prediction) -> Self {
        Self { record, prediction, ..Self::default() }
    }

    /// The answer with the best weaknesses as records assign them.
    #[must_use]
    pub fn with_assigned(self, assigned: Vec<ScoredLabel<CweId>>) -> Self {
        Self { assigned, ..self }
    }

    /// The answer with the record's text.
    #[must_use]
    pub fn with_text(self, text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..self }
    }

    /// The answer to a record that was published on a day, or on one that is not known.
    #[must_use]
    pub fn published(self, published: Option<Timestamp>) -> Self {
        Self { published, ..self }
    }

    /// The answer with the part that a text-generation model had in it.
    #[must_use]
    pub fn with_generated(self, generated: Generated) -> Self {
        Self { generated: Some(generated), ..self }
    }

    /// The answer with its reasons.
    #[must_use]
    pub fn with_explanation(self, explanation: Explanation) -> Self {
        Self { explanation: Some(explanation), ..self }
    }
}
