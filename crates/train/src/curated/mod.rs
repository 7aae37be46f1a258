//! Fitting the head of curated techniques, and measuring how well such heads do.
//!
//! A ridge regression in closed form, over rows of one text and one project each: people's mappings are few, and linear
//! models that share what they can between projects are what they bear. It is solved in its dual form, with the products
//! of texts, and written as weights of features. There is no random choice in it.

mod described;
mod kernel;
mod measure;
mod prepared;
mod ridge;
mod thresholds;

use std::collections::BTreeMap;

use vulnlens_model::curated::{
    CuratedOutputs, CuratedTensors, MappedCve, MappedCves, MappedTechnique, SparseTexts,
};
use vulnlens_model::ngram::with_curated;
use vulnlens_model::{Head, HeadOutputs, Input, NgramModel, Task};
use vulnlens_taxonomy::{KnowledgeBase, Role, TechniqueId};

pub use measure::{CuratedFigures, CuratedReport, DescribedFigures, Spread, SystemFigures, measure};
pub use prepared::CuratedExample;

/// The descriptions of techniques, by which those are known that hardly a text has.
pub type Descriptions = BTreeMap<TechniqueId, String>;

use crate::error::TrainError;
use described::Described;
use kernel::{Blocks, Kernels};
use prepared::{MAPPING, Prepared};
use ridge::{Solved, solve};
use thresholds::{LEAST, Rule, calibration, folds};

/// Fits a head to all examples and gives the model's file with it.
///
/// # Errors
/// There is no project's mapping among the examples, or the model's file cannot hold the head.
pub fn train(
    model_file: &[u8],
    model: &NgramModel,
    kb: &KnowledgeBase,
    examples: &[CuratedExample],
    descriptions: &Descriptions,
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
    let rule = Rule::fit(&scored, LEAST);
    let described = Described::new(descriptions, &space, model, kb);
    let tensors = CuratedTensors {
        mapped: mapped_cves(&prepared, &mapped),
        described: described.texts.clone(),
        ..weights(&prepared, &solved)
    };
    let thresholds = rule.thresholds(&scored.priors()).into_iter().map(|threshold| threshold.clamp(0.0, 1.0));
    let head = Head {
        tasks: vec![Task::AttackCurated],
        outputs: HeadOutputs::Curated(CuratedOutputs {
            techniques: space.clone(),
            roles: space.iter().map(|id| usual_role(*id, &prepared.examples)).collect(),
            projects: prepared.projects.clone(),
            cwes: prepared.cwes.clone(),
            calibration: calibration(&scored),
            described: described.outputs(&prepared, &mapped),
        }),
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

/// The mapped texts as evidence for others: their features, and the techniques that projects assigned to them.
fn mapped_cves(prepared: &Prepared, mapped: &[usize]) -> MappedCves {
    let texts = SparseTexts::new(mapped.iter().map(|at| &*prepared.features[*at].text));
    let of_example = |at: &usize| {
        let CuratedExample { cve, pairs, .. } = &prepared.examples[*at];
        let pairs = pairs.iter().filter(|pair| pair.source.kind == MAPPING).map(|pair| MappedTechnique {
            technique: pair.technique,
            role: pair.role,
            project: pair.source.name.clone(),
            reason: pair.reason.clone(),
        });
        MappedCve { cve: *cve, pairs: pairs.collect() }
    };
    MappedCves { cves: mapped.iter().map(of_example).collect(), texts }
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
        mapped: MappedCves::default(),
        described: SparseTexts::default(),
    }
}
