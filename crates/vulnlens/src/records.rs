//! Records of any source as texts to answer, and as mappings to review.

use vulnlens_corpus::{Label, Place, Record, RecordError, RecordId};
use vulnlens_model::{Options, Task, TopK};
use vulnlens_report::{MappedCwe, RecordKey};
use vulnlens_taxonomy::Timestamp;

use crate::stream::TextRecord;

/// Longest record that is taken in; a longer one is reported, so that memory stays bounded.
pub const RECORD_BYTES: usize = 16 << 20;
/// Weaknesses that a review suggests besides those that the model asserts.
const SUGGESTIONS: usize = 3;

/// A record's place and its mapped weaknesses.
pub type Mapped = (Place, Vec<MappedCwe>);

/// An item of an input that is not reviewed.
#[derive(Debug)]
pub enum PassedOver {
    /// A record that cannot be read.
    Bad(RecordError),
    /// A record without a weakness.
    Unmapped,
}

/// The options of answers that mappings are reviewed by.
#[must_use]
pub fn review_options() -> Options {
    Options::default().tasks(Task::Cwe).top_k(TopK::Predicted { and_best: SUGGESTIONS })
}

/// A record as it is answered.
#[must_use]
pub fn text_record(record: Record) -> TextRecord<Place> {
    let key = RecordKey { id: record.id.as_ref().map(RecordId::to_string), line: record.line() };
    let (year, day) = (record.year(), record.dates.published.day());
    let published = day.map(|day| Timestamp::of_day(day.to_epoch_days()));
    TextRecord::new(record.text.unwrap_or_default(), record.place).key(key).year(year).published(published)
}

/// A record with its weaknesses, to be reviewed.
///
/// # Errors
/// The record cannot be read, or has no weakness.
pub fn mapped_record(record: Result<Record, RecordError>) -> Result<TextRecord<Mapped>, PassedOver> {
    let record = record.map_err(PassedOver::Bad)?;
    let label = |label: &Label| MappedCwe::new(label.cwe, record.named(label.assigner));
    let mapped: Vec<MappedCwe> = record.labels.iter().map(label).collect();
    if mapped.is_empty() {
        return Err(PassedOver::Unmapped);
    }
    let TextRecord { key, text, year, place, .. } = text_record(record);
    Ok(TextRecord::new(text, (place, mapped)).key(key).year(year))
}
