//! Missing weaknesses, filled into documents.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use vulnlens::{Classifier, Options};
use vulnlens_corpus::RecordError;
use vulnlens_corpus::sources::ColumnNames;
use vulnlens_enrich::{EnrichError, EnrichFormat, EnrichOptions, EnrichSummary, Enricher, ThreadedPredictor};

use crate::errors::{Class, exception, raised};

/// A document as Python hands it over.
#[derive(FromPyObject)]
pub(crate) enum Source {
    Bytes(Vec<u8>),
    Path(PathBuf),
}

/// A document filled: its bytes, the number of findings by what became of them as JSON, and the problems of findings.
pub(crate) type Filled<'py> = (Bound<'py, PyBytes>, String, Vec<String>);

/// A document and what is asked of it.
pub(crate) struct Enriching {
    name: String,
    source: Source,
    options: EnrichOptions,
    as_of: Option<u16>,
}

impl Enriching {
    pub(crate) fn new(
        source: Source,
        min_score: Option<f32>,
        format: Option<&str>,
        container: bool,
        as_of: Option<u16>,
        columns: ColumnNames,
    ) -> PyResult<Self> {
        let wrong = |message: String| exception(Class::Argument, &message, None);
        let named = |name| {
            let names: Vec<&str> = EnrichFormat::all().into_iter().map(EnrichFormat::name).collect();
            EnrichFormat::named(name)
                .ok_or_else(|| wrong(format!("format: {name:?} is not one of {}", names.join(", "))))
        };
        let options = EnrichOptions::default().format(format.map(named).transpose()?).container(container);
        let options = options.columns(columns);
        let options = match min_score {
            None => options,
            Some(score) if (0.0..=1.0).contains(&score) => options.min_score(score),
            Some(score) => return Err(wrong(format!("min_score: {score} is not from 0 to 1"))),
        };
        let name = match &source {
            Source::Bytes(_) => "the document".to_owned(),
            Source::Path(path) => path.display().to_string(),
        };
        Ok(Self { name, source, options, as_of })
    }

    /// Fills the document.
    pub(crate) fn run(
        self,
        classifier: &Classifier,
        threads: usize,
    ) -> Result<(Vec<u8>, EnrichSummary, Vec<String>), EnrichError> {
        let predictor = ThreadedPredictor::new(classifier, Options::default().as_of(self.as_of), threads);
        let input: Box<dyn Read + Send> = match self.source {
            Source::Bytes(bytes) => Box::new(Cursor::new(bytes)),
            Source::Path(path) => Box::new(
                File::open(path).map_err(|source| EnrichError::Read { file: self.name.clone(), source })?,
            ),
        };
        let (mut out, mut problems) = (Vec::new(), Vec::new());
        let mut tell = |error: &RecordError| problems.push(error.to_string());
        let summary =
            Enricher::new(predictor, self.options).enrich(&self.name, input, &mut out, &mut tell)?;
        Ok((out, summary, problems))
    }
}

/// The filled document in the form that Python gets, or its exception.
pub(crate) fn filled<'py>(
    py: Python<'py>,
    done: Result<(Vec<u8>, EnrichSummary, Vec<String>), EnrichError>,
) -> PyResult<Filled<'py>> {
    let (document, summary, problems) = done.map_err(|error| raised(&error))?;
    // Counts always become JSON.
    let summary = serde_json::to_string(&summary).unwrap_or_default();
    Ok((PyBytes::new(py, &document), summary, problems))
}
