//! Fitting the head of curated techniques, and measuring how well such heads do.
//!
//! A ridge regression in closed form, over rows of one text and one project each: people's mappings are few, and linear
//! models that share what they can between projects are what they bear. It is solved in its dual form, with the products
//! of texts, and written as weights of features. There is no random choice in it.

mod kernel;
mod measure;
mod ridge;
mod thresholds;

use std::collections::{BTreeMap, BTreeSet};

use vulnlens_evaluation::{CuratedPair, DataRow};
use vulnlens_model::curated::{CuratedFeatures, CuratedTensors, features, rules};
use vulnlens_model::ngram::with_curated;
use vulnlens_model::{Head, HeadOutputs, Input, NgramModel, Task};
use vulnlens_taxonomy::{CveId, CweId, KnowledgeBase, Role, TechniqueId};

pub use measure::{CuratedFigures, CuratedReport, Spread, SystemFigures, measure};

use crate::error::TrainError;
use kernel::{Blocks, Kernels};
use ridge::{Solved, solve};
use thresholds::{Rule, calibration, folds};

/// The kind of work whose projects the head tells apart; pairs of other kinds are taken for true, and what they do not
/// name for unknown.
const MAPPING: &str = "mapping";
/// Fewest texts of a technique.
const FEWEST: usize = 5;
/// Fewest texts with some probability of a weakness that is read.
const FEWEST_WITH_CWE: usize = 10;
/// Folds by which thresholds and calibration are fitted.
const FOLDS: usize = 4;

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

    fn is_mapped(&self) -> bool {
        self.pairs.iter().any(|pair| pair.source.kind == MAPPING)
    }
}

/// Examples as the fit sees them.
struct Prepared {
    examples: Vec<CuratedExample>,
    /// The projects, by name.
    projects: Vec<String>,
    /// The features of each example, and the weaknesses that they hold probabilities of.
    features: Vec<CuratedFeatures>,
    cwes: Vec<CweId>,
    kernels: Kernels,
    /// The group of each example: texts that are nearly equal have one.
    groups: Vec<usize>,
}

impl Prepared {
    fn new(examples: &[CuratedExample], model: &NgramModel, kb: &KnowledgeBase) -> Result<Self, TrainError> {
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

    fn group(&self, text: usize) -> usize {
        self.groups.get(text).copied().unwrap_or(text)
    }

    /// The techniques of a text by a project; of all projects where none is given.
    fn techniques(&self, text: usize, project: Option<&str>) -> BTreeSet<TechniqueId> {
        let pairs = self.examples.get(text).map_or(&[][..], |example| &example.pairs);
        let pairs = pairs.iter().filter(|pair| match project {
            Some(project) => pair.source.kind == MAPPING && pair.source.name == project,
            None => pair.source.kind == MAPPING,
        });
        pairs.flat_map(|pair| [pair.technique, pair.technique.parent()]).collect()
    }

    /// The techniques of a text by sources that are not projects.
    fn seen(&self, text: usize) -> BTreeSet<TechniqueId> {
        let pairs = self.examples.get(text).map_or(&[][..], |example| &example.pairs);
        let pairs = pairs.iter().filter(|pair| pair.source.kind != MAPPING);
        pairs.flat_map(|pair| [pair.technique, pair.technique.parent()]).collect()
    }

    /// The techniques that enough of the texts have, rising.
    fn space(&self, texts: &[usize], of: impl Fn(TechniqueId) -> bool) -> Vec<TechniqueId> {
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

/// Fits a head to all examples and gives the model's file with it.
///
/// # Errors
/// There is no project's mapping among the examples, or the model's file cannot hold the head.
pub fn train(
    model_file: &[u8],
    model: &NgramModel,
    kb: &KnowledgeBase,
    examples: &[CuratedExample],
    fitted_on: String,
) -> Result<Vec<u8>, TrainError> {
    let prepared = Prepared::new(examples, model, kb)?;
    let all: Vec<usize> = (0..prepared.examples.len()).collect();
    let mapped: Vec<usize> = all
        .iter()
        .copied()
        .filter(|at| prepared.examples.get(*at).is_some_and(CuratedExample::is_mapped))
        .collect();
    let space = prepared.space(&mapped, |_| true);
    let blocks = Blocks::default();
    let solved = solve(&prepared, &all, &space, blocks);
    let scored = folds(&prepared, &all, &space, blocks, 0);
    let rule = Rule::fit(&scored);
    let tensors = weights(&prepared, &solved);
    let thresholds = rule.thresholds(&scored.priors()).into_iter().map(|threshold| threshold.clamp(0.0, 1.0));
    let head = Head {
        tasks: vec![Task::AttackCurated],
        outputs: HeadOutputs::Curated {
            techniques: space.clone(),
            roles: space.iter().map(|id| usual_role(*id, &prepared.examples)).collect(),
            projects: prepared.projects.clone(),
            cwes: prepared.cwes.clone(),
            calibration: calibration(&scored),
        },
        temperature: 1.0,
        rules: BTreeMap::new(),
        thresholds: space.iter().map(TechniqueId::to_string).zip(thresholds).collect(),
        fitted_on,
    };
    let file = with_curated(model_file, head, &tensors)?;
    check(&file, kb, &prepared, &solved)?;
    Ok(file)
}

/// The most that scores may differ by for being weights of features, in few bits, in place of products of texts.
const MOST_ROUNDED: f64 = 0.02;

/// Checks that the head in a file scores the examples as the regression does.
fn check(file: &[u8], kb: &KnowledgeBase, prepared: &Prepared, solved: &Solved) -> Result<(), TrainError> {
    let model = NgramModel::from_bytes(file)?;
    let inputs = prepared.examples.iter().map(|e| Input::text(&e.text).year(e.year)).collect::<Vec<_>>();
    let scored = vulnlens_model::curated::scores(&model, kb, &inputs);
    let mut difference = 0.0f64;
    for (text, scores) in scored.iter().enumerate() {
        let exact = solved.scores(prepared, text);
        let apart = scores.iter().zip(&exact).map(|(score, exact)| (f64::from(*score) - exact).abs());
        difference = apart.fold(difference, f64::max);
    }
    if difference > MOST_ROUNDED { Err(TrainError::RoundedAway { difference }) } else { Ok(()) }
}

/// The role that projects give to a technique, or to its sub-techniques, most often.
fn usual_role(id: TechniqueId, examples: &[CuratedExample]) -> Role {
    let pairs = examples.iter().flat_map(|example| &example.pairs);
    let of = pairs.filter(|pair| pair.technique == id || pair.technique.parent() == id);
    let mut counts: BTreeMap<Role, usize> = BTreeMap::new();
    of.filter(|pair| pair.role != Role::Uncategorised)
        .for_each(|pair| *counts.entry(pair.role).or_default() += 1);
    // Of equally frequent ones the first.
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or(Role::Uncategorised, |(role, _)| role)
}

/// The solution as weights of features, in the numbers of a model's file.
fn weights(prepared: &Prepared, solved: &Solved) -> CuratedTensors {
    let (projects, width) = (prepared.projects.len(), solved.outputs);
    let Kernels { text_rows, text_scale, dense_scales, .. } = &prepared.kernels;
    let dense = dense_scales.len();
    let mut text = vec![0.0f64; text_rows.len() * width];
    let mut shared = vec![0.0f64; (1 + projects) * dense * width];
    let mut bias = vec![0.0f64; projects * width];
    for row in &solved.rows {
        let features = &prepared.features[row.text];
        for entry in &features.text {
            let Ok(place) = text_rows.binary_search(&entry.row) else { continue };
            let value = text_scale * f64::from(entry.value);
            for (output, weight) in text[place * width..][..width].iter_mut().enumerate() {
                *weight += value * row.alphas[output] * solved.text_factor(output);
            }
        }
        for (at, (value, scale)) in features.dense.iter().zip(dense_scales).enumerate() {
            let value = f64::from(*value) * scale;
            if value == 0.0 {
                continue;
            }
            for output in 0..width {
                let weight = value * row.alphas[output] * solved.dense_factor(output, at, &prepared.kernels);
                shared[at * width + output] += weight;
                if let Some(project) = row.project.filter(|_| solved.is_technique(output)) {
                    shared[((project + 1) * dense + at) * width + output] += ridge::OWN * weight;
                }
            }
        }
        if let Some(project) = row.project {
            for output in (0..width).filter(|output| solved.is_technique(*output)) {
                bias[project * width + output] += ridge::OWN_BIAS * row.alphas[output];
            }
        }
    }
    for project in 0..projects {
        bias[project * width..][..width].iter_mut().zip(&solved.means).for_each(|(bias, mean)| *bias += mean);
    }
    let (mut codes, mut scales) = (Vec::with_capacity(text.len()), Vec::with_capacity(text_rows.len()));
    for row in text.chunks_exact(width.max(1)) {
        let most = row.iter().fold(0.0f64, |most, weight| most.max(weight.abs()));
        let scale = if most > 0.0 { most / 127.0 } else { 1.0 };
        scales.push(scale as f32);
        codes.extend(row.iter().map(|weight| (weight / scale).round().clamp(-127.0, 127.0) as i8));
    }
    let single = |values: Vec<f64>| values.into_iter().map(|value| value as f32).collect();
    CuratedTensors {
        rows: text_rows.clone(),
        text: codes,
        text_scales: scales,
        dense: single(shared),
        bias: single(bias),
    }
}
