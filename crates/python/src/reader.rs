//! Records of any file that `classify` reads.

use std::path::PathBuf;
use std::sync::Mutex;

use pyo3::prelude::*;
use vulnlens::records::RECORD_BYTES;
use vulnlens_corpus::sources::{self, ColumnNames};
use vulnlens_corpus::{CorpusError, Input, Limits, Record, RecordError, RecordId, When};

use crate::errors::{Class, exception, raised};

/// The records of a file or a folder, one after the other.
#[pyclass(frozen, module = "vulnlens._native")]
pub(crate) struct Reader(Mutex<Items>);

type Items = Box<dyn Iterator<Item = Result<Record, RecordError>> + Send>;

/// A record as Python gets it: id, text, date, year, line, weaknesses; or the problem with it, and whether that is
/// only a note.
type Fields = (
    Option<String>,
    Option<String>,
    Option<String>,
    Option<u16>,
    Option<u64>,
    Vec<String>,
    Option<(String, bool)>,
);

#[pymethods]
impl Reader {
    /// Opens a file or a folder.
    #[new]
    #[pyo3(signature = (path, *, format, text, id, published))]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        format: Option<&str>,
        text: Option<String>,
        id: Option<String>,
        published: Option<String>,
    ) -> PyResult<Self> {
        let format = format.map(|name| {
            let found = sources::file_formats().find(|format| format.name() == name);
            found.ok_or_else(|| {
                let names: Vec<&str> = sources::file_formats().map(|format| format.name()).collect();
                let message = format!("format: {name:?} is not a format of records");
                let hint = format!("give one of {}", names.join(", "));
                exception(Class::Argument, &message, Some(&hint))
            })
        });
        let format = format.transpose()?;
        let limits = Limits { record_bytes: RECORD_BYTES, ..Limits::default() };
        let columns = ColumnNames::new(text, id, published);
        let options = sources::Options { format, columns, limits, ..sources::Options::default() };
        let opened: Result<Items, CorpusError> =
            py.detach(|| Ok(Box::new(sources::open(Input::path(path), &options)?.with_text()) as Items));
        Ok(Self(Mutex::new(opened.map_err(|error| raised(&error))?)))
    }

    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> Option<Fields> {
        let next = || self.0.lock().ok().and_then(|mut items| items.next());
        py.detach(next).map(|item| item.map_or_else(|error| problem(&error), fields))
    }
}

fn fields(record: Record) -> Fields {
    let published = match record.dates.published {
        When::Year(year) => Some(year.to_string()),
        When::Day(day) => Some(day.to_string()),
        When::Unknown | When::Unreadable => None,
    };
    let (id, year, line) = (record.id.as_ref().map(RecordId::to_string), record.year(), record.line());
    let cwes = record.labels.iter().map(|label| label.cwe.to_string());
    let mut distinct: Vec<String> = vec![];
    cwes.for_each(|cwe| distinct.extend(Some(cwe).filter(|cwe| !distinct.contains(cwe))));
    (id, record.text.ok(), published, year, line, distinct, None)
}

fn problem(error: &RecordError) -> Fields {
    (None, None, None, None, None, vec![], Some((error.to_string(), error.problem.is_note())))
}
