//! Streams of records.

use std::sync::Arc;

use vulnlens_taxonomy::CveId;

use crate::date::When;
use crate::encoding::OddBytes;
use crate::error::RecordError;
use crate::place::Place;
use crate::problem::{BadRecord, Problem};
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

    /// Records, errors and notes about a file as a whole.
    pub(crate) fn of_whole(
        file: Arc<str>,
        items: impl Iterator<Item = Result<Record, BadRecord>> + Send + 'static,
    ) -> Self {
        Self::new(items.map(move |item| match item {
            Ok(record) => Ok(Record { file: Arc::clone(&file), ..record }),
            Err(bad) => Err(bad.at(&file, Place::Whole)),
        }))
    }

    /// The records with a note at the end, if bytes of `file` were taken for Windows-1252.
    pub(crate) fn with_note_of(self, file: Arc<str>, odd: OddBytes) -> Self {
        let note = std::iter::once_with(move || (odd.count() > 0).then_some(odd.count())).flatten();
        let note = note.map(move |count| {
            let problem = Problem::Note(format!("{count} bytes are not UTF-8 and were read as Windows-1252"));
            Err(BadRecord::from(problem).at(&file, Place::Whole))
        });
        Self::new(self.chain(note))
    }

    /// A single error.
    pub(crate) fn failed(error: RecordError) -> Self {
        Self::new(std::iter::once(Err(error)))
    }

    /// The records that have a text. One without is an error that says why, and a withdrawn one is passed over
    /// ([`Problem::Withdrawn`]). A note at the end counts the dates that could not be read.
    pub fn with_text(self) -> impl Iterator<Item = Result<Record, RecordError>> + Send + 'static {
        self.with_text_by(|_| Ok(None))
    }

    /// As [`with_text`](Self::with_text), where a record that has no text of its own gets the one that `find` knows of
    /// its CVE.
    pub fn with_text_by(
        self,
        mut find: impl FnMut(CveId) -> Result<Option<String>, Problem> + Send + 'static,
    ) -> impl Iterator<Item = Result<Record, RecordError>> + Send + 'static {
        let mut undated = Undated::default();
        let mut items = self.map(move |item| item.and_then(|record| with_text(record, &mut find)));
        std::iter::from_fn(move || match items.next() {
            Some(item) => {
                item.iter().for_each(|record| undated.count(record));
                Some(item)
            }
            None => undated.note().map(Err),
        })
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

fn with_text(
    record: Record,
    find: &mut impl FnMut(CveId) -> Result<Option<String>, Problem>,
) -> Result<Record, RecordError> {
    let problem = match &record.text {
        _ if record.withdrawn => Problem::Withdrawn,
        Ok(_) => return Ok(record),
        Err(problem) => match record.cve().map(find) {
            Some(Ok(Some(text))) => return Ok(Record { text: Ok(text), ..record }),
            Some(Err(problem)) => problem,
            _ => problem.clone(),
        },
    };
    Err(RecordError { file: record.file, place: record.place, id: record.id, problem })
}

/// The records whose date of publication could not be read.
#[derive(Default)]
struct Undated {
    count: u64,
    first: Option<(Arc<str>, Place)>,
}

impl Undated {
    fn count(&mut self, record: &Record) {
        if record.dates.published == When::Unreadable {
            self.count = self.count.saturating_add(1);
            self.first.get_or_insert_with(|| (Arc::clone(&record.file), record.place.clone()));
        }
    }

    /// The note, once.
    fn note(&mut self) -> Option<RecordError> {
        let (file, place) = self.first.take()?;
        Some(BadRecord::from(Problem::UnreadableDates(self.count)).at(&file, place))
    }
}
