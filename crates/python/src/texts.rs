//! Texts as Python gives them.

use pyo3::prelude::*;
use pyo3::types::PyString;
use std::borrow::Cow;
use vulnlens::CveId;
use vulnlens::report::RecordKey;
use vulnlens::stream::shown;
use vulnlens_corpus::When;

/// A text to answer, borrowed from Python.
#[derive(Debug, Clone)]
pub(crate) struct Text<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) key: RecordKey,
    pub(crate) year: Option<u16>,
}

impl<'a> Text<'a> {
    /// The text of a string, as much of it as is looked at; halves of characters, which UTF-8 cannot hold, are
    /// replaced.
    pub(crate) fn of(text: &'a Bound<'_, PyString>) -> Self {
        let text = match text.to_string_lossy() {
            Cow::Borrowed(text) => Cow::Borrowed(shown(text)),
            Cow::Owned(text) => Cow::Owned(shown(&text).to_owned()),
        };
        Self { text, key: RecordKey::default(), year: None }
    }

    pub(crate) fn year(self, year: Option<u16>) -> Self {
        Self { year, ..self }
    }

    pub(crate) fn id(self, id: Option<String>) -> Self {
        Self { key: RecordKey { id, ..self.key }, ..self }
    }

    pub(crate) fn line(self, line: Option<u64>) -> Self {
        Self { key: RecordKey { line, ..self.key }, ..self }
    }
}

/// The year whose habits of assignment apply: that of the publication, else that of the CVE id.
pub(crate) fn year(id: Option<&str>, published: Option<&str>) -> Option<u16> {
    let of_id = || id.and_then(|id| id.trim().parse::<CveId>().ok()).map(CveId::year);
    published.and_then(|published| When::read(published).year()).or_else(of_id)
}

/// The year that a text is read as of: that of the date of publication, else that of the CVE id.
#[pyfunction]
#[pyo3(signature = (id, published))]
pub(crate) fn year_of(id: Option<&str>, published: Option<&str>) -> Option<u16> {
    year(id, published)
}
