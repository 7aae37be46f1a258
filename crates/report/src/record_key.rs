//! Which record of the input an answer belongs to.

use std::borrow::Cow;

/// Which record of the input an answer belongs to: a text by itself has neither an id nor a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecordKey<'a> {
    /// The record's id, as given.
    pub id: Option<&'a str>,
    /// The record's line in the input, or its row in a table, from 1.
    pub line: Option<u64>,
}

impl<'a> RecordKey<'a> {
    /// The id; for a record without one its line as `#7`.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, str>> {
        self.id.map(Cow::Borrowed).or_else(|| self.line.map(|line| format!("#{line}").into()))
    }
}
