//! Opening a model by its name: embedded, in a file, in a folder, or on the Hugging Face hub.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use vulnlens_files::{read_at_most, sealed};
use vulnlens_model::{Classifier, NetworkKind, NgramModel};
use vulnlens_taxonomy::KnowledgeBase;

#[cfg(feature = "encoder")]
use crate::checkpoint::{CheckpointFolder, OpenedEncoder};
use crate::embedded::{EMBEDDED_MODEL, embedded_knowledge_base, embedded_model};
use crate::error::OpenError;
#[cfg(feature = "encoder")]
use crate::naming;

/// The name of the embedded n-gram model.
pub const FAST: &str = "fast";
/// The name of the embedded encoder.
pub const ACCURATE: &str = "accurate";

/// Most bytes of a model file, or of one beside it, that are read; ours have some millions.
pub(crate) const LARGEST: u64 = 1 << 30;

/// Settings of opening a model.
#[derive(Clone, Default)]
pub struct Open<'a> {
    kb: Option<Arc<KnowledgeBase>>,
    #[cfg(feature = "encoder")]
    pub(crate) threads: Option<usize>,
    #[cfg(feature = "encoder")]
    pub(crate) load: vulnlens_encoder::LoadOptions,
    #[cfg(feature = "encoder")]
    pub(crate) taxonomy_of_labels: Option<vulnlens_model::Task>,
    #[cfg(feature = "encoder")]
    pub(crate) label_names: Option<Vec<String>>,
    #[cfg(feature = "hub")]
    pub(crate) hub: Option<(&'a vulnlens_hub::Hub, &'a dyn vulnlens_hub::Progress)>,
    #[cfg_attr(not(feature = "encoder"), expect(dead_code, reason = "n-gram models have nothing to tell"))]
    tell: Option<Tell<'a>>,
}

/// A receiver of notices.
type Tell<'a> = &'a dyn Fn(&dyn fmt::Display);

impl<'a> Open<'a> {
    /// The embedded knowledge base, the caller's threads, no hub.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another knowledge base than the embedded one.
    #[must_use]
    pub fn knowledge_base(self, kb: impl Into<Arc<KnowledgeBase>>) -> Self {
        Self { kb: Some(kb.into()), ..self }
    }

    /// Threads of its own for a checkpoint to compute on; without, it computes on the caller's rayon pool.
    #[cfg(feature = "encoder")]
    #[must_use]
    pub fn threads(self, threads: usize) -> Self {
        Self { threads: Some(threads), ..self }
    }

    /// The way in which a checkpoint is loaded and used.
    #[cfg(feature = "encoder")]
    #[must_use]
    pub fn load(self, load: vulnlens_encoder::LoadOptions) -> Self {
        Self { load, ..self }
    }

    /// The taxonomy of a checkpoint's labels that are bare numbers, such as `79`. Without it a checkpoint whose labels are
    /// all numbers or `LABEL_0`, `LABEL_1`, … is refused.
    #[cfg(feature = "encoder")]
    #[must_use]
    pub fn taxonomy_of_labels(self, taxonomy: vulnlens_model::Task) -> Self {
        Self { taxonomy_of_labels: Some(taxonomy), ..self }
    }

    /// Names of a checkpoint's labels in the order of its outputs, in place of those of its `config.json`.
    #[cfg(feature = "encoder")]
    #[must_use]
    pub fn label_names(self, names: Vec<String>) -> Self {
        Self { label_names: Some(names), ..self }
    }

    /// True if something is said about the labels of a checkpoint or their scores.
    #[cfg(feature = "encoder")]
    pub(crate) fn names_labels(&self) -> bool {
        self.taxonomy_of_labels.is_some() || self.label_names.is_some() || self.load.scores.is_some()
    }

    /// A hub to find `ORG/NAME` on, and a receiver of the state of downloads.
    #[cfg(feature = "hub")]
    #[must_use]
    pub fn hub(self, hub: &'a vulnlens_hub::Hub, progress: &'a dyn vulnlens_hub::Progress) -> Self {
        Self { hub: Some((hub, progress)), ..self }
    }

    /// A receiver of notices: facts about a model that its user should know, such as a tokenizer that had to be
    /// rebuilt.
    #[must_use]
    pub fn notices(self, tell: &'a dyn Fn(&dyn fmt::Display)) -> Self {
        Self { tell: Some(tell), ..self }
    }

    #[cfg(feature = "encoder")]
    pub(crate) fn tell(&self, notice: &dyn fmt::Display) {
        self.tell.iter().for_each(|tell| tell(notice));
    }

    pub(crate) fn kb(&self) -> Arc<KnowledgeBase> {
        self.kb.clone().unwrap_or_else(|| Arc::new(embedded_knowledge_base()))
    }

    /// The pool of the threads that were asked for.
    #[cfg(feature = "encoder")]
    pub(crate) fn pool(&self) -> Result<Option<rayon::ThreadPool>, OpenError> {
        let build = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        self.threads.map(build).transpose().map_err(|error| OpenError::Threads(error.to_string()))
    }
}

/// Opens a model: `fast` or `accurate`, which are embedded; a model file; the folder of a checkpoint or of a hierarchy of
/// them, or a file in it; or an id of the Hugging Face hub, as `ORG/NAME` or `ORG/NAME@REVISION`. An existing path goes
/// before an id.
///
/// ```
/// use vulnlens::{Input, Open, Options};
///
/// # fn main() -> Result<(), vulnlens::OpenError> {
/// let classifier = vulnlens::open("fast", &Open::new())?;
/// let prediction = classifier.predict(Input::text("SQL injection in login.php via id."), &Options::default());
/// assert_eq!(prediction.cwe.unwrap().labels[0].label.to_string(), "CWE-89");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// There is no such model, or it cannot be used: [`OpenError`] names the file, the problem and the remedy.
pub fn open(name: &str, open: &Open<'_>) -> Result<Classifier, OpenError> {
    find(name, open)?.classifier(open)
}

/// A model that was found by its name, not yet ready to answer.
#[non_exhaustive]
pub enum FoundModel {
    /// An n-gram model, and the bytes of its file.
    Ngram(Box<NgramModel>, Cow<'static, [u8]>),
    /// An encoder of CWE sets in one file.
    #[cfg(feature = "encoder")]
    Package(vulnlens_encoder::Package),
    /// A checkpoint in a folder.
    #[cfg(feature = "encoder")]
    Folder(CheckpointFolder),
}

impl FoundModel {
    /// The classifier that the model makes.
    ///
    /// # Errors
    /// As [`open`].
    pub fn classifier(self, open: &Open<'_>) -> Result<Classifier, OpenError> {
        #[cfg(feature = "encoder")]
        let opened = match self {
            Self::Ngram(model, _) => {
                naming::tell_unused(open, &*model);
                return Ok(Classifier::new(*model, open.kb()));
            }
            Self::Package(package) => {
                let opened = OpenedEncoder::of_package(&package, open)?;
                naming::tell_unused(open, opened.encoder());
                opened
            }
            Self::Folder(folder) => folder.open(open)?,
        };
        #[cfg(feature = "encoder")]
        return Ok(Classifier::of(opened.into_network()?, open.kb()));
        #[cfg(not(feature = "encoder"))]
        {
            let Self::Ngram(model, _) = self;
            Ok(Classifier::new(*model, open.kb()))
        }
    }
}

/// Finds a model by its name, as [`open`] does.
///
/// # Errors
/// As [`open`].
pub fn find(name: &str, open: &Open<'_>) -> Result<FoundModel, OpenError> {
    match ModelKind::of(name) {
        ModelKind::Ngram => open_ngram(name).map(|(model, bytes)| FoundModel::Ngram(Box::new(model), bytes)),
        #[cfg(feature = "encoder")]
        kind => crate::checkpoint::find(name, kind, open),
        #[cfg(not(feature = "encoder"))]
        _ => {
            let _ = open;
            let (what, feature) = ("encoders", "encoder");
            Err(OpenError::NotBuilt { name: name.to_owned(), what, feature })
        }
    }
}

/// The kind of model that a name leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelKind {
    /// An n-gram model: embedded, or a file.
    Ngram,
    /// The embedded encoder.
    Accurate,
    /// An encoder in one file.
    Package,
    /// A checkpoint in a folder, given by the folder or a file in it.
    Folder,
    /// A checkpoint on the hub.
    Hub,
}

impl ModelKind {
    /// The kind of the model called `name`; nothing is downloaded for the answer. Names of embedded models go before
    /// files that are called so.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let path = Path::new(name);
        match name {
            FAST => Self::Ngram,
            ACCURATE => Self::Accurate,
            _ if is_package(path) => Self::Package,
            _ if is_checkpoint(path) => Self::Folder,
            _ if !path.exists() && is_hub_id(name) => Self::Hub,
            _ => Self::Ngram,
        }
    }
}

/// Whether a file is an encoder in one file: its description tells.
fn is_package(path: &Path) -> bool {
    #[derive(Deserialize)]
    struct Description {
        kind: NetworkKind,
    }
    let described = if path.is_file() { sealed::description(path).ok().flatten() } else { None };
    let description = described.and_then(|json| serde_json::from_str::<Description>(json.get()).ok());
    // One of an older version is told so by its reader.
    description.is_some_and(|description| description.kind == NetworkKind::Encoder)
        || is_of_older_version(path)
}

#[cfg(feature = "encoder")]
fn is_of_older_version(path: &Path) -> bool {
    vulnlens_encoder::Package::is_of_older_version(path)
}

#[cfg(not(feature = "encoder"))]
fn is_of_older_version(_: &Path) -> bool {
    false
}

#[cfg(feature = "encoder")]
fn is_checkpoint(path: &Path) -> bool {
    path.is_dir() || path.is_file() && vulnlens_encoder::Layout::of(path).is_ok()
}

#[cfg(not(feature = "encoder"))]
fn is_checkpoint(path: &Path) -> bool {
    path.is_dir()
}

/// Whether `name` can be an id of the hub: a name that ends like a file was meant as one.
fn is_hub_id(name: &str) -> bool {
    let is_file = [".safetensors", ".bin", ".json"].iter().any(|ending| name.ends_with(ending));
    !is_file && name.contains('/') && is_id(name)
}

#[cfg(feature = "hub")]
fn is_id(name: &str) -> bool {
    name.parse::<vulnlens_hub::HubId>().is_ok()
}

#[cfg(not(feature = "hub"))]
fn is_id(_: &str) -> bool {
    false
}

/// Opens the n-gram model called `name`, or in the file of that path; gives the bytes of its file, too.
///
/// # Errors
/// As [`open`].
pub fn open_ngram(name: &str) -> Result<(NgramModel, Cow<'static, [u8]>), OpenError> {
    if name == FAST {
        return Ok((embedded_model(), Cow::Borrowed(EMBEDDED_MODEL)));
    }
    let path = Path::new(name);
    if !path.exists() {
        return Err(OpenError::NoSuchModel(name.to_owned()));
    }
    let bytes = read_at_most(path, LARGEST).map_err(OpenError::unreadable)?;
    let model = NgramModel::from_bytes(&bytes);
    let model = model.map_err(|source| OpenError::Ngram { file: path.to_owned(), source })?;
    Ok((model, Cow::Owned(bytes)))
}
