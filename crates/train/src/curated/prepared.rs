//! Texts with people's techniques, as a fit sees them.

use std::collections::{BTreeMap, BTreeSet};

use vulnlens_evaluation::{CuratedPair, DataRow};
use vulnlens_model::curated::{CuratedFeatures, features, rules};
use vulnlens_model::{Input, NgramModel};
use vulnlens_taxonomy::{CveId, CweId, KnowledgeBase, TechniqueId};

use super::kernel::Kernels;
use crate::error::TrainError;

/// The kind of work whose projects the head tells apart; pairs of other kinds are taken for true, and what they do not
/// name for unknown.
pub(super) const MAPPING: &str = "mapping";
/// Fewest texts of a technique.
const FEWEST: usize = 5;
/// Fewest texts with some probability of a weakness that is read.
const FEWEST_WITH_CWE: usize = 10;

/// A text with the techniques that people assigned to its CVE.
#[derive(Debug, Clone)]
pub struct CuratedExample {
    /// The CVE.
    pub cve: CveId,
    /// The text.
    pub text: String,
    /// The year of publication, else of the id.
    pub year: Option<u16>,
    /// The pairs.
    pub pairs: Vec<CuratedPair>,
}

impl CuratedExample {
    /// The example of a row.
    #[must_use]
    pub fn of(row: &DataRow) -> Option<Self> {
        let (cve, pairs) = (row.cve?, row.curated.clone());
        Some(Self { cve, text: row.text.clone(), year: row.year(), pairs })
    }

    pub(super) fn is_mapped(&self) -> bool {
        self.pairs.iter().any(|pair| pair.source.kind == MAPPING)
    }
}

/// Examples as the fit sees them.
pub(super) struct Prepared {
    pub(super) examples: Vec<CuratedExample>,
    /// The projects, by name.
    pub(super) projects: Vec<String>,
    /// The features of each example, and the weaknesses that they hold probabilities of.
    pub(super) features: Vec<CuratedFeatures>,
    pub(super) cwes: Vec<CweId>,
    pub(super) kernels: Kernels,
    /// The group of each example: texts that are nearly equal have one.
    groups: Vec<usize>,
}

impl Prepared {
    pub(super) fn new(
        examples: &[CuratedExample],
        model: &NgramModel,
        kb: &KnowledgeBase,
    ) -> Result<Self, TrainError> {
        let examples = examples.to_vec();
        let mapped: Vec<&CuratedPair> =
            examples.iter().flat_map(|e| &e.pairs).filter(|pair| pair.source.kind == MAPPING).collect();
        let projects: BTreeSet<&str> = mapped.iter().map(|pair| pair.source.name.as_str()).collect();
        let projects: Vec<String> = projects.into_iter().map(str::to_owned).collect();
        if projects.is_empty() {
            return Err(TrainError::NoCuratedPairs);
        }
        let inputs: Vec<Input<'_>> =
            examples.iter().map(|example| Input::text(&example.text).year(example.year)).collect();
        let cwes = cwes_read(model, kb, &inputs);
        let features = features(model, kb, &cwes, &inputs);
        let kernels = Kernels::new(&features, rules().len(), cwes.len());
        let groups = groups(&examples);
        Ok(Self { examples, projects, features, cwes, kernels, groups })
    }

    pub(super) fn group(&self, text: usize) -> usize {
        self.groups.get(text).copied().unwrap_or(text)
    }

    /// The techniques of a text by a project; of all projects where none is given.
    pub(super) fn techniques(&self, text: usize, project: Option<&str>) -> BTreeSet<TechniqueId> {
        let pairs = self.examples.get(text).map_or(&[][..], |example| &example.pairs);
        let pairs = pairs.iter().filter(|pair| match project {
            Some(project) => pair.source.kind == MAPPING && pair.source.name == project,
            None => pair.source.kind == MAPPING,
        });
        pairs.flat_map(|pair| [pair.technique, pair.technique.parent()]).collect()
    }

    /// The techniques of a text by sources that are not projects.
    pub(super) fn seen(&self, text: usize) -> BTreeSet<TechniqueId> {
        let pairs = self.examples.get(text).map_or(&[][..], |example| &example.pairs);
        let pairs = pairs.iter().filter(|pair| pair.source.kind != MAPPING);
        pairs.flat_map(|pair| [pair.technique, pair.technique.parent()]).collect()
    }

    /// The techniques that enough of the texts have, rising.
    pub(super) fn space(&self, texts: &[usize], of: impl Fn(TechniqueId) -> bool) -> Vec<TechniqueId> {
        let mut counts: BTreeMap<TechniqueId, usize> = BTreeMap::new();
        for technique in texts.iter().flat_map(|text| self.techniques(*text, None)) {
            *counts.entry(technique).or_default() += 1;
        }
        counts.into_iter().filter(|(id, count)| *count >= FEWEST && of(*id)).map(|(id, _)| id).collect()
    }
}

/// The share of common sequences of three words, of all that two texts have, from which on they are nearly equal.
const NEARLY_EQUAL: f64 = 0.6;

/// The first text of each text's group.
fn groups(examples: &[CuratedExample]) -> Vec<usize> {
    let sequences = |example: &CuratedExample| -> BTreeSet<[String; 3]> {
        let text = vulnlens_text::normalise(&example.text).to_lowercase();
        let words: Vec<&str> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        words.windows(3).map(|words| [0, 1, 2].map(|at| words[at].to_owned())).collect()
    };
    let all: Vec<BTreeSet<[String; 3]>> = examples.iter().map(sequences).collect();
    let mut groups: Vec<usize> = (0..examples.len()).collect();
    for (at, own) in all.iter().enumerate() {
        for (other, before) in all.iter().enumerate().take(at) {
            let fewest = own.len().min(before.len());
            if (fewest as f64) < NEARLY_EQUAL * own.len().max(before.len()) as f64 {
                continue;
            }
            let common = own.intersection(before).count();
            let either = own.len() + before.len() - common;
            let is_same_text = examples[at].text == examples[other].text;
            if is_same_text || (either > 0 && common as f64 >= NEARLY_EQUAL * either as f64) {
                let (from, to) = (groups[at].max(groups[other]), groups[at].min(groups[other]));
                groups.iter_mut().filter(|group| **group == from).for_each(|group| *group = to);
            }
        }
    }
    groups
}

/// The weaknesses whose probabilities say something: some texts have each of them.
fn cwes_read(model: &NgramModel, kb: &KnowledgeBase, inputs: &[Input<'_>]) -> Vec<CweId> {
    let mut all: Vec<CweId> = model.sets().iter().flatten().copied().collect();
    all.extend(all.clone().iter().flat_map(|id| kb.ancestors(*id)));
    all.sort_unstable();
    all.dedup();
    let first = rules().len();
    let read = features(model, kb, &all, inputs);
    let count = |at: usize| read.iter().filter(|f| f.dense.get(first + at).is_some_and(|p| *p > 0.0)).count();
    let of_rules: BTreeSet<CweId> = rules().iter().flat_map(|rule| rule.cwes.clone()).collect();
    let is_read = |(at, id): &(usize, &CweId)| of_rules.contains(id) || count(*at) >= FEWEST_WITH_CWE;
    all.iter().enumerate().filter(is_read).map(|(_, id)| *id).collect()
}
