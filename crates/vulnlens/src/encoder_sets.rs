//! Encoders that were trained on CWE sets: one distribution, everything else by the chain.

use std::collections::BTreeMap;
use std::path::Path;

use vulnlens_encoder::{Encoder, LoadOptions, Package};
use vulnlens_model::checkpoint::{TaxonomyFile, TaxonomyFileError};
use vulnlens_model::softmax::softmax;
use vulnlens_model::space::SpaceKind;
use vulnlens_model::{DecisionRule, Input, Lens, Scorer, SetModel};
use vulnlens_taxonomy::{CweId, KnowledgeBase};

use crate::checkpoint::{CheckpointError, TAXONOMY, read_if_there, shown};
use crate::combination::{COMBINATION, CombinationFile, Partner};

/// An encoder that was trained on CWE sets, with what its folder says of them.
#[derive(Debug)]
pub struct EncoderSets {
    encoder: Encoder,
    about: TaxonomyFile,
    sets: Vec<Vec<CweId>>,
    partner: Option<Partner>,
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

    /// How it answers together with the embedded n-gram model, if it does.
    #[must_use]
    pub fn combination(&self) -> Option<&CombinationFile> {
        self.partner.as_ref().map(|partner| &partner.file)
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
        self.partner.as_ref().map_or(&self.sets, |partner| partner.union.sets())
    }

    fn temperature(&self) -> f32 {
        self.partner.as_ref().map_or(self.about.temperature, |partner| partner.file.temperature)
    }

    fn decisions(&self) -> &BTreeMap<SpaceKind, DecisionRule> {
        self.partner.as_ref().map_or(&self.about.decisions, |partner| &partner.file.decisions)
    }

    fn texts_at_once(&self) -> usize {
        TEXTS_AT_ONCE
    }

    fn logits<'a>(&self, inputs: &[Input<'_>], scorer: &'a mut Scorer) -> &'a [f32] {
        let texts: Vec<String> = inputs.iter().map(|input| self.about.text(input.text, input.year)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let logits = self.encoder.logits(&texts);
        match &self.partner {
            None => scorer.put(logits),
            Some(partner) => {
                let own = |row: &[f32]| {
                    let mut row: Vec<f32> = row.iter().map(|logit| logit / self.about.temperature).collect();
                    softmax(&mut row);
                    row
                };
                partner.logits(logits.chunks_exact(self.sets.len()).map(own), inputs, scorer)
            }
        }
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
    let file = folder.join(COMBINATION);
    let partner = read_if_there(&file)?.map(|json| Partner::read(&json, &file, &sets)).transpose()?;
    let revision = shown(revision.unwrap_or(encoder.revision()));
    Ok(Some(Lens::new(EncoderSets { encoder, about, sets, partner, name: name.to_owned(), revision }, kb)))
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
    let json = package.file(COMBINATION);
    let file = package.place().join(COMBINATION);
    let partner = json.map(|json| Partner::read(json, &file, &sets)).transpose()?;
    let (name, revision) = (about.provenance.name.clone(), shown(encoder.revision()));
    Ok(Lens::new(EncoderSets { encoder, about, sets, partner, name, revision }, kb))
}
