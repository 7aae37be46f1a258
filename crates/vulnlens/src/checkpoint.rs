//! Checkpoints, run by the encoder crate, as classifiers: published ones by their labels, our own by CWE sets.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use vulnlens_encoder::{Checkpoint, Encoder, EncoderError, LoadOptions, Package, Problem};
use vulnlens_model::checkpoint::{TaxonomyFile, TaxonomyFileError, ThresholdsError};
use vulnlens_model::space::SpaceKind;
use vulnlens_model::{CheckpointLens, DecisionRule, Input, LabelScores, Lens, Scorer, SetModel};
use vulnlens_taxonomy::{CweId, KnowledgeBase};

/// The file beside a checkpoint's that says what its outputs are, and from what it was trained.
const TAXONOMY: &str = "taxonomy.json";
/// The file beside a checkpoint's that says from which score on labels are answered.
const THRESHOLDS: &str = "thresholds.json";
/// Digits of a revision that is shown.
const REVISION_DIGITS: usize = 12;

/// A checkpoint as what scores texts.
pub struct EncoderScores(Checkpoint);

impl EncoderScores {
    /// The checkpoint.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.0
    }
}

impl LabelScores for EncoderScores {
    fn labels(&self) -> &[String] {
        self.0.labels()
    }

    fn is_exclusive(&self) -> bool {
        self.0.problem() == Problem::SingleLabel
    }

    fn scores(&self, texts: &[&str]) -> Vec<Option<f32>> {
        self.0.scores(texts)
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
}

/// An encoder that was trained on CWE sets, with what its folder says of them.
#[derive(Debug)]
pub struct EncoderSets {
    encoder: Encoder,
    about: TaxonomyFile,
    sets: Vec<Vec<CweId>>,
    name: String,
    revision: String,
}

/// Texts that an encoder is given at once: its threads share them out.
const TEXTS_AT_ONCE: usize = 512;

impl EncoderSets {
    /// The encoder.
    #[must_use]
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// What its folder says of the labels and of the training.
    #[must_use]
    pub fn about(&self) -> &TaxonomyFile {
        &self.about
    }

    /// Whether a text is longer than what is read of it.
    #[must_use]
    pub fn is_cut(&self, input: &Input<'_>) -> bool {
        self.encoder.is_cut(&self.about.text(input.text, input.year))
    }
}

impl SetModel for EncoderSets {
    fn name(&self) -> &str {
        &self.name
    }

    fn revision(&self) -> &str {
        &self.revision
    }

    fn sets(&self) -> &[Vec<CweId>] {
        &self.sets
    }

    fn temperature(&self) -> f32 {
        self.about.temperature
    }

    fn decisions(&self) -> &BTreeMap<SpaceKind, DecisionRule> {
        &self.about.decisions
    }

    fn texts_at_once(&self) -> usize {
        TEXTS_AT_ONCE
    }

    fn logits<'a>(&self, inputs: &[Input<'_>], scorer: &'a mut Scorer) -> &'a [f32] {
        let texts: Vec<String> = inputs.iter().map(|input| self.about.text(input.text, input.year)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        scorer.put(self.encoder.logits(&texts))
    }
}

/// Opens the encoder of CWE sets in a folder that `train encoder` wrote (or at one of its files), to be known as `name`;
/// `None` if the folder holds a checkpoint of another kind, which [`open_checkpoint`] opens.
///
/// Its answers are those of any [`Lens`]: one distribution over CWE sets, all else by the chain of `kb`.
///
/// # Errors
/// As [`open_checkpoint`]; `taxonomy.json` is damaged, of another version, or says other than `config.json`.
pub fn open_sets(
    folder: impl AsRef<Path>,
    name: &str,
    revision: Option<&str>,
    options: &LoadOptions,
    kb: KnowledgeBase,
) -> Result<Option<Lens<EncoderSets>>, CheckpointError> {
    let path = folder.as_ref();
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    let file = folder.join(TAXONOMY);
    let Some(json) = read_if_there(&file)? else { return Ok(None) };
    let wrong = |problem| CheckpointError::Taxonomy { file: file.clone(), problem };
    let about = TaxonomyFile::read(&json).map_err(wrong)?;
    if !about.outputs_are_cwe_sets {
        return Ok(None);
    }
    let encoder = Encoder::open(folder, options)?;
    let Some(sets) = about.sets(encoder.labels()).map_err(wrong)? else { return Ok(None) };
    let revision = shown(revision.unwrap_or(encoder.revision()));
    Ok(Some(Lens::new(EncoderSets { encoder, about, sets, name: name.to_owned(), revision }, kb)))
}

/// The encoder of CWE sets in a package: one file that [`pack`](vulnlens_encoder::pack) made of a folder. It is known
/// by the name that it was trained under.
///
/// # Errors
/// As [`open_sets`]; the package holds a checkpoint of another kind.
pub fn sets_of_package(
    package: &Package,
    options: &LoadOptions,
    kb: KnowledgeBase,
) -> Result<Lens<EncoderSets>, CheckpointError> {
    let file = package.place().join(TAXONOMY);
    let wrong = |problem| CheckpointError::Taxonomy { file: file.clone(), problem };
    let no_sets = || wrong(TaxonomyFileError::NoSets);
    let about = TaxonomyFile::read(package.file(TAXONOMY).ok_or_else(no_sets)?).map_err(wrong)?;
    let encoder = Encoder::open_package(package, options)?;
    let sets = about.sets(encoder.labels()).map_err(wrong)?.ok_or_else(no_sets)?;
    let (name, revision) = (about.provenance.name.clone(), shown(encoder.revision()));
    Ok(Lens::new(EncoderSets { encoder, about, sets, name, revision }, kb))
}

/// The part of a revision that is shown.
fn shown(revision: &str) -> String {
    revision.chars().take(REVISION_DIGITS).collect()
}

fn read_if_there(file: &Path) -> Result<Option<Vec<u8>>, CheckpointError> {
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
/// let options = Options { threshold: 0.0, ..Options::default() };
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
    let lens = CheckpointLens::new(EncoderScores(checkpoint), name, revision, kb);
    let file = if folder.is_dir() { folder.join(THRESHOLDS) } else { folder.with_file_name(THRESHOLDS) };
    match read_if_there(&file)? {
        Some(json) => {
            lens.with_thresholds(&json).map_err(|problem| CheckpointError::Thresholds { file, problem })
        }
        None => Ok(lens),
    }
}
