//! Streams of records.

use crate::error::{Problem, RecordError};
use crate::record::Record;

/// The records of an input, in its order.
///
/// A bad record is an item like the others; none follows after one with [`RecordError::ends_input`].
pub struct Records {
    items: Box<dyn Iterator<Item = Result<Record, RecordError>> + Send>,
    ended: bool,
}

impl Records {
    pub(crate) fn new(items: impl Iterator<Item = Result<Record, RecordError>> + Send + 'static) -> Self {
        Self { items: Box::new(items), ended: false }
    }

    /// A single error.
    pub(crate) fn failed(error: RecordError) -> Self {
        Self::new(std::iter::once(Err(error)))
    }

    /// The records that have a text. One without is an error that says why, and a withdrawn one is passed over
    /// ([`Problem::Withdrawn`]).
    pub fn with_text(self) -> impl Iterator<Item = Result<Record, RecordError>> + Send + 'static {
        self.map(|item| item.and_then(with_text))
    }
}

impl Iterator for Records {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let item = self.items.next();
        self.ended = item.as_ref().is_none_or(|item| item.as_ref().is_err_and(RecordError::ends_input));
        item
    }
}

fn with_text(record: Record) -> Result<Record, RecordError> {
    let problem = match &record.text {
        _ if record.withdrawn => Problem::Withdrawn,
        Ok(_) => return Ok(record),
        Err(problem) => problem.clone(),
    };
    Err(RecordError { file: record.file, place: record.place, id: record.id, problem })
}
