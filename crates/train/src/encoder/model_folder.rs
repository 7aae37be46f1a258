//! What a finished run leaves: a folder as Hugging Face publishes models, with our own files beside theirs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use vulnlens_encoder::training::Parameters;
use vulnlens_model::TaxonomyVersions;
use vulnlens_model::labels::{TaxonomyFile, TrainingRecord};

use super::classification::Chosen;
use super::hierarchy::{self, HierarchyFile};
use super::labels::LabelSpace;
use super::state::LogEntry;
use super::store::Store;
use super::tokenizer::pretty;
use crate::error::TrainError;
use crate::ngram::Description;

/// What is known of a finished model.
pub(crate) struct ModelFolder<'a> {
    pub(crate) config: &'a Map<String, Value>,
    pub(crate) tokenizer_files: &'a [(String, Vec<u8>)],
    pub(crate) max_tokens: usize,
    pub(crate) about: &'a Description,
    /// Begun with what, trained on how much, by which settings.
    pub(crate) start: &'a str,
    pub(crate) texts: usize,
    pub(crate) seed: u64,
    pub(crate) settings: &'a Value,
    /// The best evaluation on the way.
    pub(crate) figures: Option<&'a LogEntry>,
    /// The labels, of a classifier.
    pub(crate) classifier: Option<ClassifierFolder<'a>>,
}

/// What is known of a finished classifier.
pub(crate) struct ClassifierFolder<'a> {
    pub(crate) space: &'a LabelSpace,
    pub(crate) chosen: &'a Chosen,
    pub(crate) taxonomies: TaxonomyVersions,
    /// Whether texts begin with their year, and the newest one.
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
            if let Chosen::Thresholds(thresholds) = classifier.chosen {
                let names = classifier.space.names.iter().cloned();
                let by_label: BTreeMap<String, f32> = names.zip(thresholds.iter().copied()).collect();
                store.write("thresholds.json", format!("{:#}\n", json!(by_label)).as_bytes())?;
            }
        }
        if let Some(file) = self.classifier.as_ref().and_then(|c| HierarchyFile::shared(c.space)) {
            store.write(hierarchy::NAME, &file.written())?;
        }
        store.write("README.md", self.card().as_bytes())?;
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
        let (temperature, decisions, decisions_from) = match classifier.chosen {
            Chosen::Nothing => (1.0, BTreeMap::new(), "nothing: there was no validation part".to_owned()),
            Chosen::Rules(rules) => (rules.temperature, rules.decisions.clone(), part),
            Chosen::Thresholds(_) => (1.0, BTreeMap::new(), part),
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

    /// The model card, rendered from what the run knows.
    fn card(&self) -> String {
        let mut out = self.front_matter();
        let purpose = match &self.classifier {
            None => "A masked-language model of vulnerability descriptions: to be fine-tuned.".to_owned(),
            Some(classifier) if !classifier.space.conditions.is_empty() => format!(
                "Reads the English description of a vulnerability and scores {} parents and labels ({}) in one pass. \
                 `hierarchy.json` says which labels lie below which parents: their scores are given that one of these \
                 applies. vulnlens multiplies them by the greatest score of a parent; transformers does not.",
                classifier.space.names.len(),
                classifier.space.labels.name(),
            ),
            Some(classifier) if classifier.space.sets.is_empty() => format!(
                "Reads the English description of a vulnerability and scores {} labels ({}), each for itself. It was \
                 trained on records that have such a label, so scores are given that there is one.",
                classifier.space.names.len(),
                classifier.space.labels.name(),
            ),
            Some(classifier) => format!(
                "Reads the English description of a vulnerability and gives a distribution over {} CWE sets; CAPEC and \
                 ATT&CK follow from the set through the chain CWE ▸ ancestors ▸ CAPEC ▸ ATT&CK.",
                classifier.space.names.len(),
            ),
        };
        let _ = writeln!(out, "# {}\n\n{purpose}\n\n| | |\n|---|---|", self.about.name);
        let mut rows = vec![
            ("began with", self.start.to_owned()),
            ("trained on", format!("{} texts, {} split", self.texts, self.about.split)),
            ("data", format!("{} (sha256 {})", self.about.data, self.about.data_sha256)),
            ("reads", format!("{} tokens of a text", self.max_tokens)),
        ];
        if let Some(classifier) = &self.classifier {
            let TaxonomyVersions { cwe, capec, attack } = &classifier.taxonomies;
            rows.push(("taxonomies", format!("CWE {cwe}, CAPEC {capec}, ATT&CK {attack}")));
            let year = classifier.newest_year.map_or("as it is".to_owned(), |newest| {
                format!("behind the record's year, as `{newest} …`; the newest year is {newest}")
            });
            rows.push(("text", year));
        }
        rows.push(("seed", self.seed.to_string()));
        rows.push(("tool", format!("vulnlens {}", self.about.tool_version)));
        for (name, value) in rows {
            let _ = writeln!(out, "| {name} | {value} |");
        }
        let settings = self.settings.as_object().into_iter().flatten();
        let settings: Vec<String> = settings
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| {
                format!("`{name}={}`", value.as_str().map_or(value.to_string(), str::to_owned))
            })
            .collect();
        let _ = writeln!(out, "\nSettings: {}.", settings.join(", "));
        self.figures(&mut out);
        out
    }

    fn front_matter(&self) -> String {
        let task = if self.classifier.is_some() { "text-classification" } else { "fill-mask" };
        let mut out = format!(
            "---\nlanguage: en\nlicense: other\nlibrary_name: transformers\npipeline_tag: {task}\ntags: [cve, cwe, \
             capec, mitre-attack, vulnlens]\n"
        );
        let known = [
            ("f1", "micro-F1", "eval_micro_f1"),
            ("f1", "macro-F1", "eval_macro_f1"),
            ("loss", "loss", "eval_loss"),
        ];
        let number = |name: &str| self.figures?.get(name)?.as_f64();
        let metrics: Vec<String> = known
            .into_iter()
            .filter_map(|(kind, title, name)| {
                Some(format!("    - {{type: {kind}, name: {title}, value: {:.4}}}\n", number(name)?))
            })
            .collect();
        if !metrics.is_empty() {
            let Description { name, data, split, .. } = self.about;
            let _ = write!(
                out,
                "model-index:\n- name: {name}\n  results:\n  - task: {{type: {task}}}\n    dataset: {{type: {data}, name: \
                 \"{data}, {split} split, validation part\"}}\n    metrics:\n{}",
                metrics.concat()
            );
        }
        out.push_str("---\n\n");
        out
    }

    fn figures(&self, out: &mut String) {
        let Some(figures) = self.figures else { return };
        let _ = writeln!(
            out,
            "\n## Figures on the way\n\nOf the checkpoint that was kept, on texts of the validation part that chose it, with \
             rules fitted to the same texts: for comparing runs, not for publishing.\n\n| figure | value |\n|---|--:|"
        );
        for (name, value) in figures.iter().filter(|(name, _)| name.starts_with("eval_")) {
            if let Some(value) =
                value.as_f64().filter(|_| !name.contains("per_second") && !name.contains("runtime"))
            {
                let _ =
                    writeln!(out, "| {} | {value:.4} |", name.trim_start_matches("eval_").replace('_', " "));
            }
        }
    }
}
