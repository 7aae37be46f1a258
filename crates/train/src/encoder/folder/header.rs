//! The description of an encoder, as `vulnlens.json` in its folder.

use std::collections::BTreeMap;

use serde_json::Value;
use vulnlens_model::{
    FORMAT_VERSION, Head, HeadOutputs, Header, LabelMap, NetworkKind, Provenance, Task, TaxonomyVersions,
    Years,
};

use vulnlens_text::NORMALISER;

use crate::description::Description;
use crate::encoder::labels::LabelKind;
use crate::encoder::objective::FittedDecisions;
use crate::encoder::output_space::OutputSpace;

/// The making of an encoder.
pub(crate) struct Making<'a> {
    pub(crate) about: &'a Description,
    /// The starting point, in words.
    pub(crate) start: &'a str,
    /// Texts that were learnt from.
    pub(crate) texts: u64,
    pub(crate) seed: u64,
    pub(crate) settings: &'a Value,
    pub(crate) taxonomies: TaxonomyVersions,
    /// The newest year, where texts begin with theirs.
    pub(crate) newest_year: Option<u16>,
}

impl Making<'_> {
    /// The description of an encoder with one head.
    pub(crate) fn header(self, head: Head) -> Header {
        let settings = self.settings.as_object().cloned().unwrap_or_default();
        Header {
            format_version: FORMAT_VERSION,
            kind: NetworkKind::Encoder,
            name: self.about.name.clone(),
            heads: vec![head],
            years: self.newest_year.map(|newest| Years { oldest: None, newest }),
            normaliser: Some(NORMALISER),
            taxonomies: self.taxonomies,
            provenance: Provenance {
                start: Some(self.start.to_owned()),
                data: self.about.data.clone(),
                data_sha256: self.about.data_sha256.clone(),
                split: self.about.split.clone(),
                texts: self.texts,
                labelled_texts: self.texts,
                seed: self.seed,
                settings,
                tool_version: self.about.tool_version.clone(),
            },
            ngram: None,
            combined_with: None,
        }
    }

    /// A head of CWE sets, or of labels with these names.
    pub(crate) fn head(&self, space: &OutputSpace, names: &[String], decisions: &FittedDecisions) -> Head {
        let kind = space.labels;
        let part = format!("validation part of the {} split of {}", self.about.split, self.about.data);
        let mut head = Head {
            tasks: tasks(kind, names),
            outputs: HeadOutputs::Labels { space: kind.name().to_owned() },
            temperature: 1.0,
            rules: BTreeMap::new(),
            thresholds: BTreeMap::new(),
            fitted_on: part,
        };
        if kind == LabelKind::CweSets {
            head.outputs = HeadOutputs::CweSets {
                sets: None,
                outcomes: space.outcomes.clone(),
                catalogue_only: space.catalogue_only.clone(),
            };
        }
        match decisions {
            FittedDecisions::Nothing => {
                "nothing: there was no validation part".clone_into(&mut head.fitted_on);
            }
            FittedDecisions::Rules(rules) => {
                head.temperature = rules.temperature;
                head.rules = rules.decisions.clone();
            }
            FittedDecisions::Thresholds(thresholds) => {
                head.thresholds = names.iter().cloned().zip(thresholds.iter().copied()).collect();
            }
        }
        head
    }
}

/// The tasks that labels of a kind answer: of a table's, those of the taxonomies that they name.
fn tasks(kind: LabelKind, names: &[String]) -> Vec<Task> {
    match kind {
        LabelKind::CweSets => Head::CHAIN.to_vec(),
        LabelKind::Capec => vec![Task::Capec],
        LabelKind::Attack | LabelKind::Techniques => vec![Task::Attack],
        LabelKind::Tactics => vec![],
        LabelKind::Own => {
            let map = LabelMap::new(names, None);
            let tasks = [
                (map.cwe().len(), Task::Cwe),
                (map.capec().len(), Task::Capec),
                (map.attack().len(), Task::Attack),
            ];
            tasks.into_iter().filter(|(count, _)| *count > 0).map(|(_, task)| task).collect()
        }
        _ => vec![Task::Cwe],
    }
}
