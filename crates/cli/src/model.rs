//! `--model`: what answers. The embedded model, a model file, or a published checkpoint from a folder or the hub.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use rayon::ThreadPool;
use vulnlens::encoder::{EncoderError, Layout, LoadOptions, Package, Precision};
use vulnlens::report::Run;
use vulnlens::{
    CheckpointError, CheckpointLens, Classifier, EncoderScores, EncoderSets, Input, KnowledgeBase, Lens,
    Options, SetModel, Tasks, open_checkpoint, open_sets, sets_of_package,
};
use vulnlens_hub::HubId;

use crate::failure::{Failure, Kind};
use crate::hub::{self, Freshness};
use crate::lens::{self, ACCURATE, FAST};
use crate::terminal::Terminal;

/// What a model's name leads to.
#[derive(Debug)]
pub(crate) enum ModelSource {
    /// An n-gram model: embedded or in a file.
    Ngram,
    /// A checkpoint in a folder.
    Folder(CheckpointFolder),
    /// An encoder of CWE sets in one file.
    Package(Package),
}

/// A checkpoint, or a hierarchy of them, on disk.
#[derive(Debug)]
pub(crate) struct CheckpointFolder {
    pub(crate) path: PathBuf,
    /// What predictions call it.
    pub(crate) name: String,
    /// The commit that it was published as.
    pub(crate) commit: Option<String>,
}

impl ModelSource {
    /// What `name` leads to: an existing path goes before an id of the hub.
    pub(crate) fn find(name: &str, terminal: &Terminal) -> Result<Self, Failure> {
        let path = Path::new(name);
        match hub_id(name) {
            _ if name == ACCURATE => {
                let bytes = Cow::Borrowed(vulnlens::ACCURATE_MODEL);
                Package::from_bytes(bytes, path).map(Self::Package).map_err(refused)
            }
            _ if is_package(name) => Package::read(path).map(Self::Package).map_err(refused),
            _ if is_checkpoint_path(name) => Ok(Self::Folder(CheckpointFolder::at(path))),
            Some(id) if !path.exists() => CheckpointFolder::of_hub(&id, terminal).map(Self::Folder),
            _ => Ok(Self::Ngram),
        }
    }

    /// Whether `name` leads to a checkpoint; nothing is downloaded for the answer.
    pub(crate) fn is_checkpoint(name: &str) -> bool {
        name == ACCURATE
            || is_package(name)
            || is_checkpoint_path(name)
            || !Path::new(name).exists() && hub_id(name).is_some()
    }
}

impl CheckpointFolder {
    fn at(path: &Path) -> Self {
        let folder = if path.is_dir() { Some(path) } else { path.parent() };
        let whole = folder.and_then(|folder| std::path::absolute(folder).ok());
        let name = whole.as_deref().and_then(Path::file_name);
        let name =
            name.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        Self { path: path.to_owned(), name, commit: None }
    }

    fn of_hub(id: &HubId, terminal: &Terminal) -> Result<Self, Failure> {
        let snapshot = hub::snapshot(id, Freshness::Cached, terminal)?;
        let commit = Some(snapshot.commit.as_str().to_owned());
        Ok(Self { path: snapshot.folder, name: id.repo.as_str().to_owned(), commit })
    }

    /// Opens the checkpoint, to compute on so many threads; what its user should know is told.
    pub(crate) fn open(
        &self,
        options: &LoadOptions,
        threads: usize,
        kb: KnowledgeBase,
        terminal: &Terminal,
    ) -> Result<Model, Failure> {
        let pool = pool(threads)?;
        let commit = self.commit.as_deref();
        let sets = pool.install(|| open_sets(&self.path, &self.name, commit, options, kb.clone()));
        let Some(lens) = sets.map_err(unavailable)? else {
            return Ok(Model::Checkpoint(Box::new(self.open_labels(options, pool, kb, terminal)?)));
        };
        lens.model().encoder().notices().iter().for_each(|notice| terminal.warn(&notice.to_string()));
        let cuts = options.window_overlap.is_none();
        Ok(Model::Sets(Box::new(OnThreads { lens, pool, cuts })))
    }

    /// Opens the checkpoint for its labels as they are written, whatever they stand for.
    pub(crate) fn open_labels(
        &self,
        options: &LoadOptions,
        pool: ThreadPool,
        kb: KnowledgeBase,
        terminal: &Terminal,
    ) -> Result<OnThreads<CheckpointLens<EncoderScores>>, Failure> {
        let commit = self.commit.as_deref();
        let lens = pool.install(|| open_checkpoint(&self.path, &self.name, commit, options, kb));
        let lens = lens.map_err(unavailable)?;
        lens.scores().checkpoint().notices().for_each(|notice| terminal.warn(&notice.to_string()));
        Ok(OnThreads { lens, pool, cuts: options.window_overlap.is_none() })
    }
}

/// Threads for a checkpoint to compute on.
pub(crate) fn pool(threads: usize) -> Result<ThreadPool, Failure> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| Failure::new(Kind::Failed, format!("threads: {error}")))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unavailable(error: CheckpointError) -> Failure {
    Failure::new(Kind::Unavailable, error.to_string())
}

fn is_checkpoint_path(name: &str) -> bool {
    let path = Path::new(name);
    !is_embedded(name) && (path.is_dir() || path.is_file() && Layout::of(path).is_ok())
}

/// Names of embedded models go before files that are called so.
fn is_embedded(name: &str) -> bool {
    name == FAST || name == ACCURATE
}

fn is_package(name: &str) -> bool {
    let path = Path::new(name);
    !is_embedded(name) && path.is_file() && Package::is_package(path)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn refused(error: EncoderError) -> Failure {
    Failure::new(Kind::Unavailable, error.to_string())
}

/// The id of the hub that `name` is, if it can be one: what ends like a file was meant as one.
fn hub_id(name: &str) -> Option<HubId> {
    let is_file = [".safetensors", ".bin", ".json"].iter().any(|ending| name.ends_with(ending));
    if is_file || !name.contains('/') { None } else { name.parse().ok() }
}

/// Precisions of a checkpoint's layers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrecisionName {
    /// As it was trained
    #[default]
    F32,
    /// Weights and activations in eight bits: faster, and a little less exact
    Int8,
}

impl From<PrecisionName> for Precision {
    fn from(name: PrecisionName) -> Self {
        match name {
            PrecisionName::F32 => Self::F32,
            PrecisionName::Int8 => Self::Int8,
        }
    }
}

/// What answers, loaded.
pub(crate) enum Model {
    /// An n-gram model.
    Lens(Box<Lens>),
    /// An encoder of CWE sets.
    Sets(Box<OnThreads<Lens<EncoderSets>>>),
    /// A checkpoint with labels of its own.
    Checkpoint(Box<OnThreads<CheckpointLens<EncoderScores>>>),
}

/// A checkpoint, and the threads that it computes on.
pub(crate) struct OnThreads<L> {
    pub(crate) lens: L,
    pool: ThreadPool,
    /// Whether long texts are cut off.
    cuts: bool,
}

impl<L: Sync> OnThreads<L> {
    /// Runs `work`, which asks the model, on the threads that it computes on.
    pub(crate) fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.pool.install(work)
    }
}

impl Model {
    /// Loads what `name` leads to.
    pub(crate) fn load(
        name: &str,
        options: &LoadOptions,
        threads: usize,
        kb: KnowledgeBase,
        terminal: &Terminal,
    ) -> Result<Self, Failure> {
        match ModelSource::find(name, terminal)? {
            ModelSource::Ngram => Ok(Self::Lens(Box::new(Lens::new(lens::model(name)?, kb)))),
            ModelSource::Folder(folder) => folder.open(options, threads, kb, terminal),
            ModelSource::Package(package) => {
                let (pool, cuts) = (pool(threads)?, options.window_overlap.is_none());
                let lens = pool.install(|| sets_of_package(&package, options, kb)).map_err(unavailable)?;
                Ok(Self::Sets(Box::new(OnThreads { lens, pool, cuts })))
            }
        }
    }

    /// The model made ready for `options`.
    pub(crate) fn classifier(&self, options: &Options) -> Box<dyn Classifier + '_> {
        match self {
            Self::Lens(lens) => Box::new(lens.predictor(options)),
            Self::Sets(sets) => Box::new(sets.lens.predictor(options)),
            Self::Checkpoint(checkpoint) => Box::new(checkpoint.lens.predictor(options)),
        }
    }

    /// What the records of a run have in common.
    pub(crate) fn run(&self, options: &Options) -> Run {
        match self {
            Self::Lens(lens) => run_of_lens(lens, options),
            Self::Sets(sets) => run_of_lens(&sets.lens, options),
            Self::Checkpoint(_) => run_of(&*self.classifier(options)),
        }
    }

    pub(crate) fn knowledge_base(&self) -> &KnowledgeBase {
        match self {
            Self::Lens(lens) => lens.knowledge_base(),
            Self::Sets(sets) => sets.lens.knowledge_base(),
            Self::Checkpoint(checkpoint) => checkpoint.lens.knowledge_base(),
        }
    }

    /// Runs `work`, which asks the model, on the threads that it computes on.
    pub(crate) fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match self {
            Self::Lens(_) => work(),
            Self::Sets(sets) => sets.install(work),
            Self::Checkpoint(checkpoint) => checkpoint.install(work),
        }
    }

    /// How many threads ask the model at once, where it may use `threads`: a checkpoint shares a batch out by itself.
    pub(crate) fn workers(&self, threads: usize) -> usize {
        match self {
            Self::Lens(_) => threads,
            Self::Sets(_) | Self::Checkpoint(_) => 1,
        }
    }

    /// How many of the texts are longer than the model reads, if that is worth telling: n-gram models read what any
    /// description has.
    pub(crate) fn count_cut(&self, inputs: &[Input<'_>]) -> u64 {
        match self {
            Self::Sets(sets) if sets.cuts => {
                inputs.iter().filter(|input| sets.lens.model().is_cut(input)).count() as u64
            }
            Self::Checkpoint(checkpoint) if checkpoint.cuts => {
                let encoder = checkpoint.lens.scores().checkpoint();
                inputs.iter().filter(|input| encoder.is_cut(input.text)).count() as u64
            }
            _ => 0,
        }
    }
}

/// What the records of a run with `classifier` have in common.
fn run_of(classifier: &dyn Classifier) -> Run {
    Run {
        model: classifier.name().to_owned(),
        model_revision: classifier.revision().to_owned(),
        versions: classifier.knowledge_base().versions().clone(),
        labels: classifier.label_source(),
    }
}

/// What the records of a run with a model of CWE sets have in common.
pub(crate) fn run_of_lens<M: SetModel>(lens: &Lens<M>, options: &Options) -> Run {
    // Its label spaces take milliseconds to make ready, and nothing here depends on them.
    run_of(&lens.predictor(&options.tasks(Tasks::NONE)))
}
