//! An encoder and the embedded n-gram model as one: `combination.json` in the encoder's folder or package.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vulnlens_model::{Combination, Combined, DecisionRule, Network, SpaceKind};

use crate::encoder_network::EncoderNetwork;
use crate::error::OpenError;

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

    /// Reads the file.
    ///
    /// # Errors
    /// It is of another form or version, or its numbers make no sense.
    pub(crate) fn read(json: &[u8], file: &Path) -> Result<Self, OpenError> {
        let wrong = |problem: String| OpenError::Combination { file: file.to_owned(), problem };
        let read: Self = serde_json::from_slice(json)
            .map_err(|error| wrong(format!("is not what `model combine` writes: {error}")))?;
        if read.format_version != FORMAT_VERSION {
            let problem =
                format!("has format version {}; this version reads {FORMAT_VERSION}", read.format_version);
            return Err(wrong(problem));
        }
        let is_whole =
            (0.0..=1.0).contains(&read.way.first) && read.temperature > 0.0 && read.temperature.is_finite();
        if !is_whole {
            return Err(wrong(
                "has a weight outside 0 to 1, or a temperature that is not above 0".to_owned(),
            ));
        }
        Ok(read)
    }

    /// The encoder together with the embedded n-gram model.
    pub(crate) fn combine(
        &self,
        encoder: EncoderNetwork,
        file: &Path,
    ) -> Result<Arc<dyn Network>, OpenError> {
        let wrong = |problem: String| OpenError::Combination { file: file.to_owned(), problem };
        let ngram = crate::embedded_model();
        if ngram.revision() != self.with_revision {
            return Err(wrong(format!(
                "is for the n-gram model {} {}, and this program carries {}: run `model combine` again, or remove the file",
                self.with,
                self.with_revision,
                ngram.revision()
            )));
        }
        let networks: [Arc<dyn Network>; 2] = [Arc::new(encoder), Arc::new(ngram)];
        match Combined::new(networks, self.way, self.temperature, self.decisions.clone()) {
            Some(combined) => Ok(Arc::new(combined)),
            None => Err(wrong("is beside an encoder whose outputs are not CWE sets".to_owned())),
        }
    }
}
