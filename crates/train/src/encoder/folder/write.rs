//! Writing the folder of a model: as Hugging Face publishes models, with our own files beside theirs.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use vulnlens_encoder::training::Parameters;
use vulnlens_model::TaxonomyVersions;
use vulnlens_model::labels::{TaxonomyFile, TrainingRecord};

use super::card::card;
use super::hierarchy_file::{self, HierarchyFile};
use super::tokenizer::pretty;
use crate::description::Description;
use crate::encoder::objective::FittedDecisions;
use crate::encoder::output_space::OutputSpace;
use crate::encoder::run::{LogEntry, Store};
use crate::error::TrainError;

/// A finished model.
pub(crate) struct ModelFolder<'a> {
    pub(crate) config: &'a Map<String, Value>,
    pub(crate) tokenizer_files: &'a [(String, Vec<u8>)],
    pub(crate) max_tokens: usize,
    pub(crate) about: &'a Description,
    /// The starting point, in words.
    pub(crate) start: &'a str,
    pub(crate) texts: usize,
    pub(crate) seed: u64,
    pub(crate) settings: &'a Value,
    /// The best evaluation on the way.
    pub(crate) figures: Option<&'a LogEntry>,
    /// The labels, of a classifier.
    pub(crate) classifier: Option<ClassifierFolder<'a>>,
}

/// The classifier of a finished model.
pub(crate) struct ClassifierFolder<'a> {
    pub(crate) space: &'a OutputSpace,
    pub(crate) decisions: &'a FittedDecisions,
    pub(crate) taxonomies: TaxonomyVersions,
    /// The newest year, where texts begin with theirs.
    pub(crate) newest_year: Option<u16>,
}

impl ModelFolder<'_> {
    /// Writes the folder; the configuration, which makes it a model, comes last.
    pub(crate) fn write(&self, store: &Store, parameters: &Parameters) -> Result<(), TrainError> {
        store.write_model(parameters)?;
        for (name, bytes) in self.tokenizer_files {
            match name.as_str() {
                "tokenizer_config.json" => store.write(name, self.tokenizer_config(bytes).as_bytes())?,
                _ => store.write(name, bytes)?,
            }
        }
        if let Some(classifier) = &self.classifier {
            store.write("taxonomy.json", format!("{:#}\n", json!(self.taxonomy(classifier))).as_bytes())?;
            if let FittedDecisions::Thresholds(thresholds) = classifier.decisions {
                let names = classifier.space.names.iter().cloned();
                let by_label: BTreeMap<String, f32> = names.zip(thresholds.iter().copied()).collect();
                store.write("thresholds.json", format!("{:#}\n", json!(by_label)).as_bytes())?;
            }
        }
        if let Some(file) = self.classifier.as_ref().and_then(|c| HierarchyFile::shared(c.space)) {
            store.write(hierarchy_file::NAME, &file.written())?;
        }
        store.write("README.md", card(self).as_bytes())?;
        store.write("config.json", pretty(self.config).as_bytes())
    }

    /// The tokenizer's settings, with the length that the model was trained on.
    fn tokenizer_config(&self, bytes: &[u8]) -> String {
        match serde_json::from_slice::<Map<String, Value>>(bytes) {
            Ok(mut map) => {
                map.insert("model_max_length".to_owned(), self.max_tokens.into());
                pretty(&map)
            }
            Err(_) => String::from_utf8_lossy(bytes).into_owned(),
        }
    }

    fn taxonomy(&self, classifier: &ClassifierFolder<'_>) -> TaxonomyFile {
        let part = format!("validation part of the {} split of {}", self.about.split, self.about.data);
        let (temperature, decisions, decisions_from) = match classifier.decisions {
            FittedDecisions::Nothing => {
                (1.0, BTreeMap::new(), "nothing: there was no validation part".to_owned())
            }
            FittedDecisions::Rules(rules) => (rules.temperature, rules.decisions.clone(), part),
            FittedDecisions::Thresholds(_) => (1.0, BTreeMap::new(), part),
        };
        TaxonomyFile {
            format_version: TaxonomyFile::FORMAT_VERSION,
            labels: classifier.space.labels.name().to_owned(),
            outputs_are_cwe_sets: !classifier.space.sets.is_empty(),
            year_first: classifier.newest_year.is_some(),
            newest_year: classifier.newest_year,
            temperature,
            decisions,
            decisions_from,
            taxonomies: classifier.taxonomies.clone(),
            provenance: TrainingRecord {
                name: self.about.name.clone(),
                start: self.start.to_owned(),
                data: self.about.data.clone(),
                data_sha256: self.about.data_sha256.clone(),
                split: self.about.split.clone(),
                texts: self.texts,
                seed: self.seed,
                settings: self.settings.clone(),
                tool_version: self.about.tool_version.clone(),
            },
        }
    }
}
