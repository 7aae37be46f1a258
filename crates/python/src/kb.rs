//! The knowledge base: its entries, and the ways of the chain.

use std::path::{Path, PathBuf};

use pyo3::prelude::*;
use vulnlens::report::{Entry, EntryId, Ways};
use vulnlens_files::{Classified, ErrorKind, read_at_most};

use crate::errors::{AnyError, Class, exception, raised};
use crate::model::boxed;

/// Most bytes of a knowledge base that are read; ours has some hundred thousand.
const LARGEST: u64 = 1 << 30;

/// A knowledge base of CWE, CAPEC and ATT&CK.
#[pyclass(frozen, module = "vulnlens._native")]
pub(crate) struct KnowledgeBase(vulnlens::KnowledgeBase);

/// A file that is not a knowledge base.
#[derive(Debug)]
struct NotReadable(String);

impl std::fmt::Display for NotReadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotReadable {}

impl Classified for NotReadable {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unavailable
    }
}

/// The knowledge base at `path`: a compiled file, or a folder of MITRE's files. One that cannot be read is unavailable.
pub(crate) fn read(path: &Path) -> Result<vulnlens::KnowledgeBase, AnyError> {
    let unavailable = |error: &dyn std::fmt::Display| boxed(NotReadable(error.to_string()));
    if path.is_dir() {
        let read = vulnlens::KnowledgeBase::from_folder(path, None);
        return read.map(|(kb, _)| kb).map_err(|error| unavailable(&error));
    }
    let bytes = read_at_most(path, LARGEST).map_err(|error| unavailable(&error))?;
    let kb = vulnlens::KnowledgeBase::from_bytes(&bytes);
    kb.map_err(|error| unavailable(&format!("{}: {error}", path.display())))
}

#[pymethods]
impl KnowledgeBase {
    /// Opens the knowledge base in a file or a folder; without one, that of the package.
    #[new]
    #[pyo3(signature = (path=None))]
    fn new(py: Python<'_>, path: Option<PathBuf>) -> PyResult<Self> {
        let kb = py.detach(|| path.as_deref().map(read).transpose()).map_err(|error| raised(&*error))?;
        Ok(Self(kb.unwrap_or_else(vulnlens::embedded_knowledge_base)))
    }

    /// The releases, as `CWE 4.18, …`.
    #[getter]
    fn versions(&self) -> String {
        self.0.versions().to_string()
    }

    /// The entry of an id, as JSON.
    fn show(&self, id: &str) -> PyResult<String> {
        let id = entry_id(id)?;
        let unknown = || {
            let hint = "check the id; `versions` says which releases the knowledge base is of";
            exception(Class::Input, &format!("the knowledge base does not know {id}"), Some(hint))
        };
        json(&Entry::of(id, &self.0).ok_or_else(unknown)?)
    }

    /// The ways of the chain from a weakness to an attack pattern or a technique, or without an end the weaknesses that
    /// reach `start`; as JSON.
    #[pyo3(signature = (start, end=None))]
    fn path(&self, py: Python<'_>, start: &str, end: Option<&str>) -> PyResult<String> {
        let (start, end) = (entry_id(start)?, end.map(entry_id).transpose()?);
        match py.detach(|| Ways::of(start, end, &self.0)).map_err(|error| raised(&error))? {
            Ways::Paths(paths) => json(&paths),
            Ways::From(cwes) => json(&cwes),
        }
    }
}

fn entry_id(text: &str) -> PyResult<EntryId> {
    text.parse().map_err(|error: vulnlens::report::ParseEntryIdError| {
        exception(Class::Argument, &error.to_string(), None)
    })
}

fn json(value: &impl serde::Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| exception(Class::Fault, &error.to_string(), None))
}
