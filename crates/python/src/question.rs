//! A question to a model: options, made ready once, for any number of texts.

use std::borrow::Cow;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyList, PyString};
use vulnlens::Input;

use crate::answering::Asked;
use crate::errors::{Class, exception};
use crate::parallel::mapped;
use crate::table::Table;
use crate::texts::Text;

/// Texts that a thread answers at once.
const AT_ONCE: usize = 64;
/// A text that every label's name is made ready by, before anything can be forked.
const EXAMPLE: &str = "SQL injection in login.php allows remote attackers to execute arbitrary commands.";

/// A model made ready for some options.
#[pyclass(frozen, module = "vulnlens._native")]
pub(crate) struct Question(Arc<Asked>);

impl Question {
    /// The question, after a first answer: what is made at the first use is made, and no other thread makes it when a
    /// process is forked.
    pub(crate) fn new(asked: Asked) -> PyResult<Self> {
        let example = Text { text: Cow::Borrowed(EXAMPLE), key: Default::default(), year: None };
        asked.at_work(|| asked.records(&[example])).map_err(failed)?;
        Ok(Self(Arc::new(asked)))
    }
}

/// The exception for threads that cannot be started.
pub(crate) fn failed(message: String) -> PyErr {
    exception(Class::Fault, &message, None)
}

#[pymethods]
impl Question {
    /// Answers one text; returns the record of the output as bytes of JSON.
    #[pyo3(signature = (text, id, year))]
    fn answer<'py>(
        &self,
        py: Python<'py>,
        text: &Bound<'py, PyString>,
        id: Option<String>,
        year: Option<u16>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let text = Text::of(text).id(id).year(year);
        if text.text.trim().is_empty() {
            let hint = "give a description of the vulnerability";
            return Err(exception(Class::Input, "the text is empty", Some(hint)));
        }
        let asked = &self.0;
        let records = py.detach(|| asked.at_work(|| asked.records(&[text]))).map_err(failed)?;
        Ok(PyBytes::new(py, records.first().map_or(&[], Vec::as_slice)))
    }

    /// Answers texts, in their order; returns a record of the output for each, as bytes of JSON.
    #[pyo3(signature = (texts, ids=None, years=None, lines=None))]
    fn answers<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<Bound<'py, PyString>>,
        ids: Option<Vec<Option<String>>>,
        years: Option<Vec<Option<u16>>>,
        lines: Option<Vec<Option<u64>>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let mut ids = ids.into_iter().flatten();
        let mut years = years.into_iter().flatten();
        let mut lines = lines.into_iter().flatten();
        let text = |text| {
            let (id, year, line) = (ids.next(), years.next(), lines.next());
            Text::of(text).id(id.flatten()).year(year.flatten()).line(line.flatten())
        };
        let texts: Vec<Text<'_>> = texts.iter().map(text).collect();
        let asked = &self.0;
        let work = |part: &[Text<'_>]| asked.at_work(|| asked.records(part));
        let parts = py.detach(|| mapped(&texts, AT_ONCE, asked.threads(), work))?;
        let parts: Vec<Vec<Vec<u8>>> = parts.into_iter().collect::<Result<_, String>>().map_err(failed)?;
        PyList::new(py, parts.iter().flatten().map(|record| PyBytes::new(py, record)).collect::<Vec<_>>())
    }

    /// The labels of the weaknesses of texts with their probabilities, in the order of the record output.
    fn scored<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<Bound<'py, PyString>>,
    ) -> PyResult<Vec<Vec<(String, f32)>>> {
        let texts: Vec<Text<'_>> = texts.iter().map(Text::of).collect();
        let asked = &self.0;
        let labels = |part: &[Text<'_>]| {
            let inputs: Vec<Input<'_>> = part.iter().map(|text| Input::text(&text.text)).collect();
            let answers = asked.answers(&inputs, part.iter().map(|text| text.key.clone()));
            let labels = |answer: vulnlens::report::Answer| {
                let cwe = answer.prediction.cwe.into_iter().flat_map(|cwe| cwe.labels);
                cwe.map(|scored| (scored.label.to_string(), scored.score)).collect::<Vec<_>>()
            };
            answers.into_iter().map(labels).collect::<Vec<_>>()
        };
        let work = |part: &[Text<'_>]| asked.at_work(|| labels(part));
        let parts = py.detach(|| mapped(&texts, AT_ONCE, asked.threads(), work))?;
        let parts: Vec<Vec<_>> = parts.into_iter().collect::<Result<_, String>>().map_err(failed)?;
        Ok(parts.into_iter().flatten().collect())
    }

    /// The answers to a table, given as a stream of Arrow's, as another such stream. Without a name, the ids are those
    /// of the column `id`, if there is one.
    #[pyo3(signature = (stream, text, id=None, published=None, distinct=false))]
    fn table(
        &self,
        stream: &Bound<'_, PyCapsule>,
        text: &str,
        id: Option<&str>,
        published: Option<&str>,
        distinct: bool,
    ) -> PyResult<Table> {
        Table::new(Arc::clone(&self.0), stream, (text, id, published), distinct)
    }
}
