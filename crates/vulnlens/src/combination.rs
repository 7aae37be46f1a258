//! An encoder and the embedded n-gram model as one: `combination.json` in the encoder's folder or package.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use vulnlens_model::space::SpaceKind;
use vulnlens_model::{Combination, DecisionRule, Input, NgramModel, Scorer, SetUnion};
use vulnlens_taxonomy::CweId;

use crate::checkpoint::CheckpointError;

/// The file's name.
pub(crate) const COMBINATION: &str = "combination.json";
/// The version of its form.
const FORMAT_VERSION: u32 = 1;

/// How an encoder answers together with the embedded n-gram model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CombinationFile {
    /// The form of the file: 1.
    pub format_version: u32,
    /// The n-gram model's name.
    pub with: String,
    /// Twelve digits of its file's checksum.
    pub with_revision: String,
    /// The mean, and the encoder's weight.
    #[serde(flatten)]
    pub way: Combination,
    /// Divides the combined logits; either model's own temperature comes before.
    pub temperature: f32,
    /// The rule that says which labels are answered, for each label space.
    pub decisions: BTreeMap<SpaceKind, DecisionRule>,
    /// Where all this was fitted, and with which n-gram model.
    pub decisions_from: String,
}

impl CombinationFile {
    /// The version of the form that is written.
    pub const FORMAT_VERSION: u32 = FORMAT_VERSION;
    /// The name of the file in an encoder's folder.
    pub const NAME: &str = COMBINATION;
}

/// The n-gram model that an encoder answers with.
#[derive(Debug)]
pub(crate) struct Partner {
    pub(crate) file: CombinationFile,
    pub(crate) union: SetUnion,
    ngram: NgramModel,
}

impl Partner {
    /// The partner that the file of an encoder with these sets names.
    pub(crate) fn read(json: &[u8], file: &Path, sets: &[Vec<CweId>]) -> Result<Self, CheckpointError> {
        let wrong = |problem: String| CheckpointError::Combination { file: file.to_owned(), problem };
        let about: CombinationFile = serde_json::from_slice(json)
            .map_err(|error| wrong(format!("is not what `model combine` writes: {error}")))?;
        if about.format_version != FORMAT_VERSION {
            let problem =
                format!("has format version {}; this version reads {FORMAT_VERSION}", about.format_version);
            return Err(wrong(problem));
        }
        let is_whole = (0.0..=1.0).contains(&about.way.first)
            && about.temperature > 0.0
            && about.temperature.is_finite();
        if !is_whole {
            return Err(wrong(
                "has a weight outside 0 to 1, or a temperature that is not above 0".to_owned(),
            ));
        }
        let ngram = crate::embedded_model();
        if ngram.revision() != about.with_revision {
            return Err(wrong(format!(
                "is for the n-gram model {} {}, and this program carries {}: run `model combine` again, or remove the file",
                about.with,
                about.with_revision,
                ngram.revision()
            )));
        }
        let union = SetUnion::new(sets, ngram.sets());
        Ok(Self { file: about, union, ngram })
    }

    /// The combined logits of inputs, with the encoder's probabilities of its own sets.
    pub(crate) fn logits<'a>(
        &self,
        encoder: impl Iterator<Item = Vec<f32>>,
        inputs: &[Input<'_>],
        scorer: &'a mut Scorer,
    ) -> &'a [f32] {
        let others = self.ngram.score(inputs, scorer).chunks_exact(self.ngram.sets().len());
        let row = |(own, other): (Vec<f32>, &[f32])| {
            self.file.way.logits(&self.union.spread(0, &own), &self.union.spread(1, other))
        };
        let logits: Vec<f32> = encoder.zip(others).flat_map(row).collect();
        scorer.put(logits)
    }
}
