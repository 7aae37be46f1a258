//! `--model` and `--kb`: loading the model and the knowledge base.

use std::path::{Path, PathBuf};

use clap::Args;
use vulnlens::encoder::LoadOptions;
use vulnlens::model::ModelInfo;
use vulnlens::{Classifier, FAST, FoundModel, KnowledgeBase, ModelKind, NgramModel, Open, OpenError};
use vulnlens_files::read_at_most;

use crate::checkpoint_arguments::CheckpointArguments;
use crate::failure::{Failure, Kind};
use crate::folder_notes;
use crate::hub;
use crate::terminal::Terminal;

/// Most bytes of a knowledge base that are read; ours has some hundred thousand.
const LARGEST: u64 = 1 << 30;

/// The model that answers, and the knowledge base.
#[derive(Debug, Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct ModelArguments {
    /// The model: `fast` and `accurate` are embedded; a model file; the folder of a checkpoint, or a file in it; or an id of the
    /// Hugging Face hub, as ORG/NAME or ORG/NAME@REVISION
    #[arg(long, env = "VULNLENS_MODEL", hide_env_values = true, value_name = "NAME|FILE|FOLDER|ID", default_value = FAST)]
    model: String,

    #[command(flatten)]
    checkpoint: CheckpointArguments,

    /// Let a checkpoint read long texts whole, in windows that share N tokens; a label's score is the greatest of the
    /// windows' [default: texts are cut off]
    #[arg(long, value_name = "N")]
    window_overlap: Option<usize>,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
}

/// The source of names and of the chain.
#[derive(Debug, Args)]
pub(crate) struct KnowledgeBaseArguments {
    /// Another knowledge base than the embedded one: a file that `kb build` made, or a folder of MITRE's files
    #[arg(long, value_name = "FILE|FOLDER")]
    kb: Option<PathBuf>,

    /// ATT&CK's release, for a folder whose bundles do not say it
    #[arg(long, value_name = "VERSION", requires = "kb")]
    attack_version: Option<String>,
}

impl ModelArguments {
    /// The folder of MITRE's files that is the knowledge base, if it is one.
    pub(crate) fn folder_of_catalogues(&self) -> Option<&Path> {
        self.kb.kb.as_deref().filter(|path| path.is_dir())
    }

    /// The classifier of the model and the knowledge base, to compute on so many threads.
    pub(crate) fn load(&self, threads: usize, terminal: &Terminal) -> Result<Classifier, Failure> {
        let load = LoadOptions { window_overlap: self.window_overlap, ..LoadOptions::default() };
        let settings = self.checkpoint.settings(load)?.knowledge_base(self.kb.load(terminal)?);
        open(&self.model, settings.threads(threads), terminal)
    }
}

/// The classifier of the model called `name`.
pub(crate) fn open(name: &str, settings: Open<'_>, terminal: &Terminal) -> Result<Classifier, Failure> {
    opening(name, settings, terminal, |settings| vulnlens::open(name, settings))
}

/// The model called `name`, with its file or folder.
pub(crate) fn find(name: &str, terminal: &Terminal) -> Result<FoundModel, Failure> {
    opening(name, Open::new(), terminal, |settings| vulnlens::find(name, settings))
}

/// The facts about the model called `name`.
pub(crate) fn facts(name: &str, terminal: &Terminal) -> Result<ModelInfo, Failure> {
    opening(name, Open::new(), terminal, |settings| vulnlens::find(name, settings)?.info(settings))
}

/// Does `work` on a model called `name`, with a hub if it is on one; notices about the model are warnings.
pub(crate) fn opening<R>(
    name: &str,
    settings: Open<'_>,
    terminal: &Terminal,
    work: impl FnOnce(&Open<'_>) -> Result<R, OpenError>,
) -> Result<R, Failure> {
    let warn = |notice: &dyn std::fmt::Display| terminal.warn(&notice.to_string());
    let settings = settings.notices(&warn);
    let done = if ModelKind::of(name) == ModelKind::Hub {
        let (hub, download) = (hub::hub()?, hub::Download::new(terminal));
        let done = work(&settings.hub(&hub, &download));
        download.finish();
        done
    } else {
        work(&settings)
    };
    Ok(done?)
}

/// The n-gram model called `name`, or in the file of that path.
pub(crate) fn ngram(name: &str) -> Result<NgramModel, Failure> {
    Ok(vulnlens::open_ngram(name)?.0)
}

impl KnowledgeBaseArguments {
    /// The knowledge base asked for, or the embedded one.
    pub(crate) fn load(&self, terminal: &Terminal) -> Result<KnowledgeBase, Failure> {
        match &self.kb {
            None => Ok(vulnlens::embedded_knowledge_base()),
            Some(path) if self.attack_version.is_some() && !path.is_dir() => {
                let message =
                    format!("{}: a compiled knowledge base says its ATT&CK release", path.display());
                Err(Failure::new(Kind::Arguments, message).hint("leave --attack-version out"))
            }
            Some(path) => knowledge_base(path, self.attack_version.as_deref(), terminal),
        }
    }
}

/// The knowledge base at `path`: a compiled file, or a folder of the official files, whose ATT&CK release is
/// `attack_version` if given. One that cannot be read is unavailable.
pub(crate) fn knowledge_base(
    path: &Path,
    attack_version: Option<&str>,
    terminal: &Terminal,
) -> Result<KnowledgeBase, Failure> {
    read_knowledge_base(path, attack_version, terminal).map_err(Failure::unavailable)
}

fn read_knowledge_base(
    path: &Path,
    attack_version: Option<&str>,
    terminal: &Terminal,
) -> Result<KnowledgeBase, Failure> {
    if path.is_dir() {
        let (kb, notes) = KnowledgeBase::from_folder(path, attack_version)?;
        folder_notes::tell(&notes, terminal);
        return Ok(kb);
    }
    let bytes = read_at_most(path, LARGEST)?;
    KnowledgeBase::from_bytes(&bytes)
        .map_err(|error| Failure::new(Kind::Input, format!("{}: {error}", path.display())))
}
