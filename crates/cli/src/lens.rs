//! What answers, and `--kb`: from what is embedded, or from files.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use vulnlens::encoder::LoadOptions;
use vulnlens::{KnowledgeBase, Lens, ModelFileError, NgramModel};

use crate::catalogues;
use crate::failure::{Failure, Kind};
use crate::model::{Model, ModelSource, PrecisionName};
use crate::terminal::Terminal;

/// The name of the embedded model.
pub(crate) const FAST: &str = "fast";
/// The name of the embedded encoder.
pub(crate) const ACCURATE: &str = "accurate";
/// Most bytes of a model or knowledge base that are read; ours have some millions.
const LARGEST: u64 = 1 << 30;

/// What answers.
#[derive(Debug, Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct LensArguments {
    /// The model: `fast` and `accurate` are embedded; a model file; the folder of a checkpoint, or a file in it; or an id of the
    /// Hugging Face hub, as ORG/NAME or ORG/NAME@REVISION
    #[arg(long, value_name = "NAME|FILE|FOLDER|ID", default_value = FAST)]
    model: String,

    /// How a checkpoint computes
    #[arg(long, value_enum, value_name = "PRECISION", default_value_t)]
    precision: PrecisionName,

    /// Let a checkpoint read long texts whole, in windows that share N tokens; a label's score is the greatest of the
    /// windows' [default: texts are cut off]
    #[arg(long, value_name = "N")]
    window_overlap: Option<usize>,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
}

/// Where names and the chain come from.
#[derive(Debug, Args)]
pub(crate) struct KnowledgeBaseArguments {
    /// Another knowledge base than the embedded one: a file that `kb build` made, or a folder of MITRE's files
    #[arg(long, value_name = "FILE|FOLDER")]
    kb: Option<PathBuf>,

    /// ATT&CK's release, for a folder whose bundles do not say it
    #[arg(long, value_name = "VERSION", requires = "kb")]
    attack_version: Option<String>,
}

impl LensArguments {
    /// The model and the knowledge base together, to compute on so many threads.
    pub(crate) fn load(&self, threads: usize, terminal: &Terminal) -> Result<Model, Failure> {
        let options = LoadOptions {
            precision: self.precision.into(),
            window_overlap: self.window_overlap,
            ..LoadOptions::default()
        };
        Model::load(&self.model, &options, threads, self.kb.load(terminal)?, terminal)
    }

    /// Whether a checkpoint is asked for.
    pub(crate) fn is_checkpoint(&self) -> bool {
        ModelSource::is_checkpoint(&self.model)
    }

    /// An n-gram model and the knowledge base together, for what no other kind can do: `purpose`.
    pub(crate) fn load_ngram(&self, purpose: &str, terminal: &Terminal) -> Result<Lens, Failure> {
        check_ngram(&self.model, purpose)?;
        Ok(Lens::new(model(&self.model)?, self.kb.load(terminal)?))
    }
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
            Some(path) => {
                knowledge_base(path, self.attack_version.as_deref(), terminal).map_err(Failure::unavailable)
            }
        }
    }
}

/// Whether `name` may be an n-gram model, as `purpose` needs one.
pub(crate) fn check_ngram(name: &str, purpose: &str) -> Result<(), Failure> {
    if !ModelSource::is_checkpoint(name) {
        return Ok(());
    }
    let failure = Failure::new(Kind::Arguments, format!("{name}: {purpose} is not for checkpoints yet"));
    Err(failure.hint("`classify` answers with them; for this, give `fast` or a model file"))
}

/// The n-gram model called `name`, or in the file of that path.
pub(crate) fn model(name: &str) -> Result<NgramModel, Failure> {
    Ok(model_with_bytes(name)?.0)
}

/// The model called `name`, or in the file of that path, and the bytes that it was read from.
pub(crate) fn model_with_bytes(name: &str) -> Result<(NgramModel, Cow<'static, [u8]>), Failure> {
    if name == FAST {
        return Ok((vulnlens::embedded_model(), Cow::Borrowed(vulnlens::EMBEDDED_MODEL)));
    }
    let path = Path::new(name);
    if !path.exists() {
        let failure =
            Failure::new(Kind::Unavailable, format!("there is no model {name:?}, and no such file"));
        return Err(failure.hint(
            "give a model file, the folder of a checkpoint, an id of the hub as ORG/NAME, or `fast` or `accurate` for the models that are embedded",
        ));
    }
    let bytes = read(path).map_err(Failure::unavailable)?;
    let model = NgramModel::from_bytes(&bytes).map_err(|error| {
        let failure = Failure::new(Kind::Unavailable, format!("{name}: {error}"));
        match error {
            ModelFileError::NotAModel(_) => {
                failure.hint("of a checkpoint, give the folder, with its config.json and tokenizer")
            }
            _ => failure,
        }
    })?;
    Ok((model, Cow::Owned(bytes)))
}

/// The knowledge base at `path`: a compiled file, or a folder of the official files, whose ATT&CK release is
/// `attack_version` if given.
pub(crate) fn knowledge_base(
    path: &Path,
    attack_version: Option<&str>,
    terminal: &Terminal,
) -> Result<KnowledgeBase, Failure> {
    if path.is_dir() {
        return catalogues::from_folder(path, attack_version, terminal);
    }
    let bytes = read(path)?;
    KnowledgeBase::from_bytes(&bytes)
        .map_err(|error| Failure::new(Kind::Input, format!("{}: {error}", path.display())))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::new(Kind::Input, format!("{}: cannot be read: {error}", path.display()))
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    file.take(LARGEST).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    Ok(bytes)
}
