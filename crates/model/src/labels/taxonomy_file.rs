//! `taxonomy.json`: what a checkpoint that was trained here says of its labels, beside Hugging Face's files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vulnlens_files::{Classified, ErrorKind};
use vulnlens_taxonomy::CweId;

use crate::decode::{DecisionRule, SpaceKind};
use crate::header::TaxonomyVersions;

/// The version of the file's form that this library writes and reads.
const FORMAT_VERSION: u32 = 1;

/// The file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaxonomyFile {
    /// The form of the file: 1.
    pub format_version: u32,
    /// The label space, by the name that training calls it.
    pub labels: String,
    /// Whether every output is a set of CWE ids joined by `+`, one of which applies.
    pub outputs_are_cwe_sets: bool,
    /// Whether texts begin with their record's year.
    pub year_first: bool,
    /// The newest year of the training part: the one that texts without a year begin with.
    pub newest_year: Option<u16>,
    /// Divides the logits of CWE sets.
    pub temperature: f32,
    /// The rule that says which labels are answered, for each label space; of CWE sets.
    pub decisions: BTreeMap<SpaceKind, DecisionRule>,
    /// Where temperature, rules and thresholds were fitted.
    pub decisions_from: String,
    /// Catalogue versions at training time.
    pub taxonomies: TaxonomyVersions,
    /// From what and how it was trained.
    pub provenance: TrainingRecord,
}

/// From what and how a checkpoint was trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingRecord {
    /// The model's name.
    pub name: String,
    /// What training began with.
    pub start: String,
    /// Name of the data set file, without its folder.
    pub data: String,
    /// SHA-256 of the data set file, in hex.
    pub data_sha256: String,
    /// Which rows were trained on: `random`, `temporal`, `both` (training parts) or `all`.
    pub split: String,
    /// Texts that were trained on.
    pub texts: usize,
    /// The seed of every random choice.
    pub seed: u64,
    /// All settings by name.
    pub settings: serde_json::Value,
    /// Version of the tool that trained.
    pub tool_version: String,
}

/// Why a `taxonomy.json` cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaxonomyFileError {
    /// Not JSON of the right form.
    #[error("is not what `train encoder` writes: {0}")]
    Form(String),
    /// Of another version.
    #[error(
        "has format version {0}; this version reads {FORMAT_VERSION}: use the tool that wrote it, or train again"
    )]
    Version(u32),
    /// A temperature that logits cannot be divided by.
    #[error("has the temperature {0}; expected a number above 0")]
    Temperature(f32),
    /// Of a checkpoint that says nothing of CWE sets.
    #[error(
        "does not say that outputs are CWE sets, and only such models are packed; give the folder instead"
    )]
    NoSets,
    /// An output that is no CWE set.
    #[error(
        "says that outputs are CWE sets, but id2label has {0:?}; expected ids as CWE-122+CWE-787, each set once"
    )]
    NotASet(String),
}

impl Classified for TaxonomyFileError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unavailable
    }
}

impl TaxonomyFile {
    /// The version of the form that is written.
    pub const FORMAT_VERSION: u32 = FORMAT_VERSION;

    /// Reads the file.
    ///
    /// # Errors
    /// It is of another form or version, or its temperature is no divisor.
    pub fn read(json: &[u8]) -> Result<Self, TaxonomyFileError> {
        let value: serde_json::Value =
            serde_json::from_slice(json).map_err(|error| TaxonomyFileError::Form(error.to_string()))?;
        // The version first: another one may have other fields.
        if let Some(version) = value.get("format_version").and_then(serde_json::Value::as_u64)
            && version != u64::from(FORMAT_VERSION)
        {
            return Err(TaxonomyFileError::Version(u32::try_from(version).unwrap_or(u32::MAX)));
        }
        let file: Self =
            serde_json::from_value(value).map_err(|error| TaxonomyFileError::Form(error.to_string()))?;
        if !(file.temperature > 0.0 && file.temperature.is_finite()) {
            return Err(TaxonomyFileError::Temperature(file.temperature));
        }
        Ok(file)
    }

    /// The CWE sets that the checkpoint's outputs are; `None` if they are labels of another kind.
    ///
    /// # Errors
    /// An output names no set, or one that another output names.
    pub fn sets(&self, outputs: &[String]) -> Result<Option<Vec<Vec<CweId>>>, TaxonomyFileError> {
        if !self.outputs_are_cwe_sets {
            return Ok(None);
        }
        let mut seen = std::collections::BTreeSet::new();
        let set = |output: &String| {
            let wrong = || TaxonomyFileError::NotASet(output.clone());
            let mut ids =
                output.split('+').map(str::parse).collect::<Result<Vec<CweId>, _>>().map_err(|_| wrong())?;
            ids.sort_unstable();
            ids.dedup();
            if seen.insert(ids.clone()) { Ok(ids) } else { Err(wrong()) }
        };
        outputs.iter().map(set).collect::<Result<_, _>>().map(Some)
    }

    /// A text as the checkpoint reads it: behind its year, where texts begin so. Later years than the newest that was
    /// trained on, and none, count as that.
    #[must_use]
    pub fn text(&self, text: &str, year: Option<u16>) -> String {
        match self.newest_year.filter(|_| self.year_first) {
            Some(newest) => format!("{} {text}", year.unwrap_or(newest).min(newest)),
            None => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> TaxonomyFile {
        TaxonomyFile {
            format_version: FORMAT_VERSION,
            labels: "cwe-sets".into(),
            outputs_are_cwe_sets: true,
            year_first: true,
            newest_year: Some(2023),
            temperature: 1.25,
            decisions: [(SpaceKind::AssignedCwe, DecisionRule::default())].into(),
            decisions_from: "validation part".into(),
            taxonomies: TaxonomyVersions { cwe: "4.18".into(), capec: "3.9".into(), attack: "18.1".into() },
            provenance: TrainingRecord {
                name: "small".into(),
                start: "nothing".into(),
                data: "corpus.parquet".into(),
                data_sha256: "00".into(),
                split: "random".into(),
                texts: 3,
                seed: 1,
                settings: serde_json::json!({"rate": "0.001"}),
                tool_version: "0.1.0".into(),
            },
        }
    }

    #[test]
    fn a_file_survives_and_others_are_refused() {
        let json = serde_json::to_vec(&file()).unwrap();
        assert_eq!(TaxonomyFile::read(&json).unwrap(), file());
        for (json, problem) in [
            (&b"{\"format_version\": 7}"[..], "version 7"),
            (b"{\"format_version\": 99999999999}", "format version"),
            (b"{}", "missing field"),
            (b"[", "EOF"),
        ] {
            let error = TaxonomyFile::read(json).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
        let cold = serde_json::to_vec(&TaxonomyFile { temperature: 0.0, ..file() }).unwrap();
        assert!(matches!(TaxonomyFile::read(&cold), Err(TaxonomyFileError::Temperature(_))));
    }

    #[test]
    fn outputs_are_read_as_sets() {
        let sets = |outputs: &[&str]| {
            file().sets(&outputs.iter().map(|&output| output.to_owned()).collect::<Vec<_>>())
        };
        let read = sets(&["CWE-787+CWE-122", "CWE-79"]).unwrap().unwrap();
        assert_eq!(read, [vec![CweId(122), CweId(787)], vec![CweId(79)]]);
        for bad in [&["LABEL_0"][..], &["CWE-79", "CWE-79"], &["CWE-79+"], &[""]] {
            assert!(sets(bad).is_err(), "{bad:?}");
        }
        let labels = TaxonomyFile { outputs_are_cwe_sets: false, ..file() };
        assert_eq!(labels.sets(&["T1190".to_owned()]).unwrap(), None);
    }

    #[test]
    fn texts_begin_with_a_year_that_was_trained_on() {
        assert_eq!(file().text("XSS", Some(2019)), "2019 XSS");
        assert_eq!(file().text("XSS", Some(2031)), "2023 XSS");
        assert_eq!(file().text("XSS", None), "2023 XSS");
        assert_eq!(TaxonomyFile { year_first: false, ..file() }.text("XSS", Some(2019)), "XSS");
    }
}
