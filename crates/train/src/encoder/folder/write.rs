//! Writing the folder of a model: as Hugging Face publishes models, with our own files beside theirs.

use serde_json::{Map, Value, json};
use vulnlens_encoder::training::Parameters;
use vulnlens_model::{Header, TaxonomyVersions};

use super::card::card;
use super::header::Making;
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
            store.write(Header::FILE, format!("{:#}\n", json!(self.header(classifier))).as_bytes())?;
        }
        if let Some(file) = self.classifier.as_ref().and_then(|c| HierarchyFile::shared(c.space)) {
            store.write(hierarchy_file::NAME, &file.written())?;
        }
        store.write("README.md", card(self).as_bytes())?;
        store.write_identity()?;
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

    fn header(&self, classifier: &ClassifierFolder<'_>) -> Header {
        let making = Making {
            about: self.about,
            start: self.start,
            texts: self.texts as u64,
            seed: self.seed,
            settings: self.settings,
            taxonomies: classifier.taxonomies.clone(),
            newest_year: classifier.newest_year,
        };
        let space = classifier.space;
        let head = making.head(space, &space.names, classifier.decisions);
        making.header(head)
    }
}
