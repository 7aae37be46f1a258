//! Models: opened by name, file, folder or id, and asked by questions.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use vulnlens::encoder::{LoadOptions, Precision};
use vulnlens::{AskedOptions, Classifier, ModelKind, Open, Options, Task};
use vulnlens_corpus::sources::ColumnNames;
use vulnlens_files::Classified;
use vulnlens_hub::{Hub, Settings};

use crate::answering::Asked;
use crate::enriching::{Enriching, Filled, Source, filled};
use crate::errors::{AnyError, Class, exception, raised};
use crate::kb;
use crate::question::{Question, failed};
use crate::space::Space;
use crate::threads::Threads;

/// A model that was opened.
#[pyclass(frozen, module = "vulnlens._native")]
pub(crate) struct Model {
    classifier: Classifier,
    threads: Arc<Threads>,
    notices: Vec<String>,
}

/// The way in which a model is opened.
struct Wanted {
    name: String,
    kb: Option<PathBuf>,
    is_offline: bool,
    variables: HashMap<String, String>,
    window_overlap: Option<usize>,
    taxonomy_of_labels: Option<Task>,
    label_names: Option<Vec<String>>,
    precision: Precision,
}

impl Wanted {
    /// Opens the model; returns what its user should know, too.
    fn open(self) -> Result<(Classifier, Vec<String>), AnyError> {
        let told = RefCell::new(Vec::new());
        let tell = |notice: &dyn std::fmt::Display| told.borrow_mut().push(notice.to_string());
        let load = LoadOptions {
            window_overlap: self.window_overlap,
            precision: self.precision,
            ..LoadOptions::default()
        };
        let mut open = Open::new().load(load).notices(&tell);
        if let Some(path) = &self.kb {
            open = open.knowledge_base(kb::read(path)?);
        }
        if let Some(taxonomy) = self.taxonomy_of_labels {
            open = open.taxonomy_of_labels(taxonomy);
        }
        if let Some(names) = self.label_names.clone() {
            open = open.label_names(names);
        }
        let hub = match ModelKind::of(&self.name) {
            ModelKind::Hub => Some(self.hub()?),
            _ => None,
        };
        let open = match &hub {
            Some(hub) => open.hub(hub, &()),
            None => open,
        };
        let classifier = vulnlens::open(&self.name, &open).map_err(boxed)?;
        let told = told.borrow().clone();
        Ok((classifier, told))
    }

    /// The hub that the environment names, asked only where that is allowed.
    fn hub(&self) -> Result<Hub, AnyError> {
        let home = ["HOME", "USERPROFILE"].iter().find_map(|name| self.variables.get(*name));
        let variable = |name: &str| self.variables.get(name).map(OsString::from);
        let mut settings = Settings::from_variables(variable, home.map(PathBuf::from)).map_err(boxed)?;
        settings.offline |= self.is_offline;
        Hub::new(settings).map_err(boxed)
    }
}

pub(crate) fn boxed(error: impl Classified + Send + Sync + 'static) -> AnyError {
    Box::new(error)
}

#[pymethods]
impl Model {
    /// Opens a model.
    #[new]
    #[pyo3(signature = (name, *, kb, threads, offline, variables, window_overlap, taxonomy_of_labels, label_names, precision))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn new(
        py: Python<'_>,
        name: String,
        kb: Option<PathBuf>,
        threads: Option<usize>,
        offline: bool,
        variables: HashMap<String, String>,
        window_overlap: Option<usize>,
        taxonomy_of_labels: Option<&str>,
        label_names: Option<Vec<String>>,
        precision: Option<&str>,
    ) -> PyResult<Self> {
        let threads = Threads::new(threads)?;
        let taxonomy_of_labels = taxonomy_of_labels.map(task).transpose()?;
        let precision = match precision {
            None | Some("f32") => Precision::F32,
            Some("int8") => Precision::Int8,
            Some(other) => {
                let message = format!("precision: {other:?} is not one of f32, int8");
                return Err(exception(Class::Argument, &message, None));
            }
        };
        let is_offline = offline;
        let wanted = Wanted {
            name,
            kb,
            is_offline,
            variables,
            window_overlap,
            taxonomy_of_labels,
            label_names,
            precision,
        };
        let is_ngram = ModelKind::of(&wanted.name) == ModelKind::Ngram;
        let opened = py.detach(|| {
            // Weights are packed by the threads that compute on them.
            if is_ngram { Ok(wanted.open()) } else { Ok(threads.pool()?.install(|| wanted.open())) }
        });
        let (classifier, notices) = opened.map_err(failed)?.map_err(|error| raised(&*error))?;
        Ok(Self { classifier, threads: Arc::new(threads), notices })
    }

    /// The model's name.
    #[getter]
    fn name(&self) -> &str {
        self.classifier.network().name()
    }

    /// The state of that name: 12 hexadecimal digits.
    #[getter]
    fn revision(&self) -> &str {
        self.classifier.network().revision()
    }

    /// Facts that the model's user should know.
    #[getter]
    fn notices(&self) -> Vec<String> {
        self.notices.clone()
    }

    /// The model made ready for options, given as JSON.
    fn question(&self, options: &str) -> PyResult<Question> {
        let (options, has_evidence) = read_options(options)?;
        Question::new(Asked::new(&self.classifier, options, has_evidence, Arc::clone(&self.threads)))
    }

    /// A document, given as bytes or as the path of a file, with the weaknesses that its findings lack.
    #[pyo3(signature = (source, *, min_score, format, container, as_of, text, id, published))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn enrich<'py>(
        &self,
        py: Python<'py>,
        source: Source,
        min_score: Option<f32>,
        format: Option<&str>,
        container: bool,
        as_of: Option<u16>,
        text: Option<String>,
        id: Option<String>,
        published: Option<String>,
    ) -> PyResult<Filled<'py>> {
        let columns = ColumnNames::new(text, id, published);
        let asked = Enriching::new(source, min_score, format, container, as_of, columns)?;
        let work = || {
            let run = || asked.run(&self.classifier, self.threads.count());
            // A network that shares a batch out does so where it finds the threads of this process.
            if self.classifier.network().computes_in_parallel() {
                Ok(self.threads.pool()?.install(run))
            } else {
                Ok(run())
            }
        };
        filled(py, py.detach(work).map_err(failed)?)
    }

    /// The label space of a task, under options, given as JSON.
    fn space(&self, name: &str, options: &str) -> PyResult<Space> {
        let task = task(name)?;
        let options = Space::options(read_options(options)?.0, task);
        Space::new(Asked::new(&self.classifier, options, false, Arc::clone(&self.threads)), task)
    }
}

/// The options that a JSON object says.
fn read_options(json: &str) -> PyResult<(Options, bool)> {
    let wrong = |message: String, hint| exception(Class::Argument, &message, hint);
    let asked: AskedOptions = serde_json::from_str(json).map_err(|error| wrong(error.to_string(), None))?;
    let options = asked.options().map_err(|error| wrong(error.to_string(), error.hint()))?;
    Ok((options, asked.evidence))
}

/// The task of a name: its key, or `curated`, as on the command line.
fn task(name: &str) -> PyResult<Task> {
    let is_named = |task: &&Task| task.key() == name || (name == "curated" && **task == Task::AttackCurated);
    let wrong = || {
        let message = format!("{name:?} is not one of cwe, capec, attack, curated");
        exception(Class::Argument, &message, None)
    };
    Task::ALL.iter().find(is_named).copied().ok_or_else(wrong)
}
