//! Published checkpoints, run by the encoder crate, as classifiers.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use vulnlens_encoder::{Checkpoint, EncoderError, LoadOptions, Problem};
use vulnlens_model::checkpoint::{TaxonomyFile, TaxonomyFileError, ThresholdsError};
use vulnlens_model::{CheckpointLens, Input, LabelScores};
use vulnlens_taxonomy::KnowledgeBase;

/// The file beside a checkpoint's that says what its outputs are, and from what it was trained.
pub(crate) const TAXONOMY: &str = "taxonomy.json";
/// The file beside a checkpoint's that says from which score on labels are answered.
const THRESHOLDS: &str = "thresholds.json";
/// Digits of a revision that is shown.
const REVISION_DIGITS: usize = 12;

/// A checkpoint as what scores texts.
pub struct EncoderScores {
    checkpoint: Checkpoint,
    /// What a folder that was trained here says of itself.
    about: Option<TaxonomyFile>,
}

impl EncoderScores {
    /// The checkpoint.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Whether texts are read behind their year.
    #[must_use]
    pub fn reads_years(&self) -> bool {
        self.about.as_ref().is_some_and(|about| about.year_first)
    }
}

impl LabelScores for EncoderScores {
    fn labels(&self) -> &[String] {
        self.checkpoint.labels()
    }

    fn is_exclusive(&self) -> bool {
        self.checkpoint.problem() == Problem::SingleLabel
    }

    fn text<'t>(&self, input: &Input<'t>) -> Cow<'t, str> {
        match self.about.as_ref().filter(|about| about.year_first) {
            Some(about) => Cow::Owned(about.text(input.text, input.year)),
            None => Cow::Borrowed(input.text),
        }
    }

    fn scores(&self, texts: &[&str]) -> Vec<Option<f32>> {
        self.checkpoint.scores(texts)
    }
}

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The checkpoint itself.
    #[error(transparent)]
    Encoder(#[from] EncoderError),
    /// A file beside it cannot be read.
    #[error("{}: cannot be read: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Its thresholds.
    #[error("{}: {problem}", file.display())]
    Thresholds {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        problem: ThresholdsError,
    },
    /// What it says of its labels.
    #[error("{} {problem}", file.display())]
    Taxonomy {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        problem: TaxonomyFileError,
    },
    /// What it says of the model that it answers with.
    #[error("{} {problem}", file.display())]
    Combination {
        /// The file.
        file: PathBuf,
        /// What is wrong, and what to do.
        problem: String,
    },
}

/// The part of a revision that is shown.
pub(crate) fn shown(revision: &str) -> String {
    revision.chars().take(REVISION_DIGITS).collect()
}

pub(crate) fn read_if_there(file: &Path) -> Result<Option<Vec<u8>>, CheckpointError> {
    match std::fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CheckpointError::Io { file: file.to_owned(), source }),
    }
}

/// Opens the checkpoint, or the hierarchy of them, in a folder (or at one of the checkpoint's files), to be known as
/// `name`. It is of the commit `revision`, if one is given, and else of what its weights are.
///
/// A file `thresholds.json` in the folder says from which score on labels are answered, where that is not 0.5.
///
/// ```
/// use vulnlens::{Input, Options, encoder::LoadOptions};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../encoder/tests/fixtures/bert");
/// let kb = vulnlens::embedded_knowledge_base();
/// let lens = vulnlens::open_checkpoint(folder, "bert", None, &LoadOptions::default(), kb)?;
/// let options = Options::default().threshold(0.0);
/// let prediction = lens.predict(Input::text("SQL injection in login.php via id."), &options);
/// for scored in prediction.attack.iter().flat_map(|attack| &attack.labels) {
///     println!("{} {:.3}", scored.label, scored.score);
/// }
/// # assert!(prediction.attack.is_some_and(|attack| attack.labels.len() == 7));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The checkpoint or its thresholds cannot be used: which file, what is wrong, and what to do.
pub fn open_checkpoint(
    folder: impl AsRef<Path>,
    name: &str,
    revision: Option<&str>,
    options: &LoadOptions,
    kb: KnowledgeBase,
) -> Result<CheckpointLens<EncoderScores>, CheckpointError> {
    let folder = folder.as_ref();
    let checkpoint = Checkpoint::open(folder, options)?;
    let revision = shown(revision.unwrap_or(checkpoint.revision()));
    let beside = |name: &str| if folder.is_dir() { folder.join(name) } else { folder.with_file_name(name) };
    let file = beside(TAXONOMY);
    let about = read_if_there(&file)?.map(|json| TaxonomyFile::read(&json)).transpose();
    let about = about.map_err(|problem| CheckpointError::Taxonomy { file, problem })?;
    let lens = CheckpointLens::new(EncoderScores { checkpoint, about }, name, revision, kb);
    let file = beside(THRESHOLDS);
    match read_if_there(&file)? {
        Some(json) => {
            lens.with_thresholds(&json).map_err(|problem| CheckpointError::Thresholds { file, problem })
        }
        None => Ok(lens),
    }
}
