//! Fitting the head of severities, and measuring how well it does.
//!
//! A log-linear model of base vectors: logits of the metrics' values that are linear in the text, and tables of what goes
//! together. The rows of the vocabulary that matter are those with the greatest weights in a first fit to all.

mod fit;
mod measure;
mod texts;

use std::collections::BTreeMap;

use rayon::prelude::*;
use vulnlens_evaluation::{Part, RatedText};
use vulnlens_model::ngram::with_severity;
use vulnlens_model::severity::{SEVERITY_WIDTH, SeverityTensors, distributions};
use vulnlens_model::{Head, HeadOutputs, Input, NgramModel};
use vulnlens_taxonomy::KnowledgeBase;

use crate::error::TrainError;
use fit::{Fitted, fit};
use texts::{AT_ONCE, Texts};

pub use measure::{SeverityFigures, SeverityReport, SystemFigures, measure};

/// Rows of the vocabulary that a head reads at most: 30 bytes of the file each.
const MOST_ROWS: usize = 24_000;
/// The factor of the features' values in a fit: it sets how fast words are learnt beside the other features.
const TEXT_GAIN: f32 = 4.0;

/// Fits a head to the training part of the texts, and its temperature to the records of the validation part or, where
/// there is none, to those of the newest year, which a first fit leaves out. Gives the model's file with the head.
///
/// # Errors
/// No text of the training part is rated, or the model's file cannot hold the head.
pub fn train(
    model_file: &[u8],
    model: &NgramModel,
    kb: &KnowledgeBase,
    texts: &[RatedText],
    fitted_on: String,
) -> Result<Vec<u8>, TrainError> {
    let is_of = |part: Part| move |at: &usize| texts.get(*at).is_some_and(|text| text.part == part);
    let all: Vec<usize> = (0..texts.len()).filter(is_of(Part::Train)).collect();
    let is_record = |at: &usize| texts.get(*at).is_some_and(|text| text.is_record);
    let mut validation: Vec<usize> =
        (0..texts.len()).filter(is_of(Part::Validation)).filter(is_record).collect();
    let newest = all.iter().filter_map(|at| texts.get(*at)?.year).max().ok_or(TrainError::NoVectors)?;
    let mut read = Texts::read(texts, model, kb, newest, TEXT_GAIN);
    read.drop_rare(&all);
    let rows = heaviest(&fit(&read.of(&all), read.features), &read, &all);
    read.keep_rows(&rows);
    let fitted = fit(&read.of(&all), read.features);
    let temperature = if validation.is_empty() {
        let is_newest = |at: &usize| texts.get(*at).is_some_and(|text| text.year == Some(newest));
        let (held_out, earlier): (Vec<usize>, Vec<usize>) = all.iter().partition(|at| is_newest(at));
        validation = held_out.into_iter().filter(is_record).collect();
        fit(&read.of(&earlier), read.features).temperature(&read.of(&validation))
    } else {
        fitted.temperature(&read.of(&validation))
    };
    let head = Head {
        tasks: vec![],
        outputs: HeadOutputs::Severity(read.outputs.clone()),
        temperature,
        rules: BTreeMap::new(),
        thresholds: BTreeMap::new(),
        fitted_on,
    };
    let file = with_severity(model_file, head, &tensors(&rows, &fitted, &read))?;
    check(&file, kb, texts, &read, &fitted, temperature)?;
    Ok(file)
}

/// The rows of the vocabulary that matter most in a fit: by the squares of their weights and of their values.
fn heaviest(fitted: &Fitted, read: &Texts, texts: &[usize]) -> Vec<u32> {
    let of_weights = |row: &[f32]| row.iter().map(|weight| f64::from(weight * weight)).sum::<f64>();
    let squares = read.squares(texts).into_iter().zip(fitted.weights.chunks_exact(SEVERITY_WIDTH));
    let weighed = (0u32..).zip(squares).map(|(row, (squares, weights))| (row, squares * of_weights(weights)));
    let mut rows: Vec<(u32, f64)> = weighed.filter(|(_, weight)| *weight > 0.0).collect();
    rows.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    rows.truncate(MOST_ROWS);
    let mut rows: Vec<u32> = rows.into_iter().map(|(row, _)| row).collect();
    rows.sort_unstable();
    rows
}

/// The fitted model in the numbers of a model's file.
fn tensors(rows: &[u32], fitted: &Fitted, read: &Texts) -> SeverityTensors {
    let (mut text, mut text_scales) = (Vec::with_capacity(rows.len() * SEVERITY_WIDTH), Vec::new());
    for row in rows {
        let weights = fitted.row(*row);
        let most = weights.iter().fold(0.0f32, |most, weight| most.max(weight.abs()));
        let scale = if most > 0.0 { most / 127.0 } else { 1.0 };
        text.extend(weights.iter().map(|weight| (weight / scale).round().clamp(-127.0, 127.0) as i8));
        text_scales.push(scale * TEXT_GAIN);
    }
    SeverityTensors {
        rows: rows.to_vec(),
        text,
        text_scales,
        dense: fitted.weights.get(read.rows * SEVERITY_WIDTH..).unwrap_or_default().to_vec(),
        bias: fitted.bias.clone(),
        joint: fitted.joint.clone(),
    }
}

/// The most that the probability of a vector may differ by for being of numbers in few bits.
const MOST_ROUNDED: f64 = 0.05;

/// Checks that the head in a file gives the texts the probabilities that were fitted.
fn check(
    file: &[u8],
    kb: &KnowledgeBase,
    texts: &[RatedText],
    read: &Texts,
    fitted: &Fitted,
    temperature: f32,
) -> Result<(), TrainError> {
    let model = NgramModel::from_bytes(file)?;
    let all: Vec<usize> = (0..texts.len()).collect();
    let block = |(texts, places): (&[RatedText], &[usize])| {
        let inputs: Vec<Input<'_>> = texts.iter().map(|e| Input::text(&e.text).year(e.year)).collect();
        let rated = read.of(places);
        let (mut exact, mut difference) = (Vec::new(), 0.0f64);
        distributions(&model, kb, &inputs, |number, found| {
            let Some((text, _)) = rated.get(number) else { return };
            fitted.probabilities(text, temperature, &mut exact);
            let apart = found.iter().zip(&exact).map(|(found, exact)| f64::from((found - exact).abs()));
            difference = apart.fold(difference, f64::max);
        });
        difference
    };
    let blocks = texts.par_chunks(AT_ONCE).zip(all.par_chunks(AT_ONCE));
    let difference = blocks.map(block).reduce(|| 0.0, f64::max);
    if difference > MOST_ROUNDED { Err(TrainError::RoundedAway { difference }) } else { Ok(()) }
}
