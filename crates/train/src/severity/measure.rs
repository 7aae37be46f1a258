//! Measuring a head of severities on texts that it has not seen.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;
use vulnlens_evaluation::{Part, RatedText};
use vulnlens_model::severity::{Severity, distributions};
use vulnlens_model::{Input, NgramModel};
use vulnlens_taxonomy::{BASE_METRICS, BaseVector, KnowledgeBase, SeverityBand};

use super::texts::AT_ONCE;
use crate::error::TrainError;

/// Bins of probabilities by which the calibration is judged.
const BINS: usize = 15;

/// The figures of answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SeverityFigures {
    /// The number of texts.
    pub texts: usize,
    /// The share of texts with the right band.
    pub band_accuracy: f64,
    /// The mean F1 of the bands that the texts have.
    pub band_macro_f1: f64,
    /// The share of texts with the right vector.
    pub vector_accuracy: f64,
    /// The share of texts with the right value, for each metric.
    pub metric_accuracy: BTreeMap<String, f64>,
    /// The mean absolute difference of the scores.
    pub score_error: f64,
    /// The expected calibration error of the band's probability, in 15 bins.
    pub band_calibration_error: f64,
}

/// A measurement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeverityReport {
    /// The split, on whose training part head and model were fitted.
    pub split: String,
    /// The name of the data set.
    pub data: String,
    /// Rated texts of the training part: records, and texts in other styles.
    pub fitted: [usize; 2],
    /// Records whose vector is asked for: those of the split's test part.
    pub tested: usize,
    /// The systems.
    pub systems: Vec<SystemFigures>,
    /// The head, on the records whose vector is of one assigner.
    pub by_source: BTreeMap<String, SeverityFigures>,
}

/// The figures of a system.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SystemFigures {
    /// The system in a few words.
    pub system: String,
    /// Its figures.
    pub figures: SeverityFigures,
}

/// An answer beside the vector that is right.
#[derive(Clone, Copy)]
struct Judged {
    right: BaseVector,
    answer: BaseVector,
    confidence: f32,
}

/// Measures the head of a model on the records of the test part.
///
/// # Errors
/// The file is not a model's, or no record of either part is rated.
pub fn measure(
    model_file: &[u8],
    kb: &KnowledgeBase,
    texts: &[RatedText],
    split: &str,
    data: &str,
) -> Result<SeverityReport, TrainError> {
    let model = NgramModel::from_bytes(model_file)?;
    let fitted: Vec<&RatedText> = texts.iter().filter(|text| text.part == Part::Train).collect();
    let tested: Vec<&RatedText> =
        texts.iter().filter(|text| text.part == Part::Test && text.is_record).collect();
    let (constant, share) = constant(&fitted).ok_or(TrainError::NoVectors)?;
    let block = |texts: &[&RatedText]| {
        let inputs: Vec<Input<'_>> =
            texts.iter().map(|text| Input::text(&text.text).year(text.year)).collect();
        let mut judged = Vec::new();
        distributions(&model, kb, &inputs, |number, probabilities| {
            judged.extend(texts.get(number).and_then(|text| judge(text.vector, probabilities)));
        });
        judged
    };
    let (head, whole): (Vec<Judged>, Vec<Judged>) = tested.par_chunks(AT_ONCE).flat_map_iter(block).unzip();
    let always = |text: &&RatedText| Judged { right: text.vector, answer: constant, confidence: share };
    let always: Vec<Judged> = tested.iter().map(always).collect();
    let mut by_source: BTreeMap<String, Vec<Judged>> = BTreeMap::new();
    for (text, judged) in tested.iter().zip(&head) {
        by_source.entry(text.source.clone()).or_default().push(*judged);
    }
    let system = |system: &str, judged: &[Judged]| SystemFigures {
        system: system.to_owned(),
        figures: figures(judged),
    };
    let records = fitted.iter().filter(|text| text.is_record).count();
    Ok(SeverityReport {
        split: split.to_owned(),
        data: data.to_owned(),
        fitted: [records, fitted.len() - records],
        tested: tested.len(),
        systems: vec![
            system("constant answer", &always),
            system("most probable vector", &whole),
            system("most probable band, and its most probable vector", &head),
        ],
        by_source: by_source.into_iter().map(|(source, judged)| (source, figures(&judged))).collect(),
    })
}

/// The answer of the head, and the most probable vector whatever its band.
fn judge(right: BaseVector, probabilities: &[f32]) -> Option<(Judged, Judged)> {
    let severity = Severity::of(probabilities)?;
    let by_probability = || BaseVector::all().zip(probabilities);
    let (answer, _) = by_probability().reduce(|best, other| if other.1 > best.1 { other } else { best })?;
    let confidence =
        by_probability().filter(|(vector, _)| vector.band() == answer.band()).map(|(_, p)| p).sum();
    let head = Judged { right, answer: severity.vector, confidence: severity.confidence };
    Some((head, Judged { right, answer, confidence }))
}

/// The most frequent vector of the most frequent band, with the band's share.
fn constant(fitted: &[&RatedText]) -> Option<(BaseVector, f32)> {
    let mut counts: BTreeMap<(SeverityBand, BaseVector), usize> = BTreeMap::new();
    fitted.iter().for_each(|text| *counts.entry((text.vector.band(), text.vector)).or_default() += 1);
    let of_band = |wanted: SeverityBand| -> usize {
        counts.iter().filter(|((band, _), _)| *band == wanted).map(|(_, count)| count).sum()
    };
    let band = SeverityBand::ALL.into_iter().max_by_key(|band| of_band(*band))?;
    let of = counts.iter().filter(|((of, _), _)| *of == band);
    let ((_, vector), _) = of.max_by_key(|(_, count)| **count)?;
    Some((*vector, of_band(band) as f32 / fitted.len() as f32))
}

fn figures(judged: &[Judged]) -> SeverityFigures {
    let share = |count: usize| count as f64 / judged.len().max(1) as f64;
    let count = |is: &dyn Fn(&Judged) -> bool| judged.iter().filter(|j| is(j)).count();
    let metric = |at: usize| share(count(&|j| j.right.values()[at] == j.answer.values()[at]));
    let f1 = |band: SeverityBand| {
        let right = count(&|j| j.right.band() == band);
        let answered = count(&|j| j.answer.band() == band);
        let both = count(&|j| j.right.band() == band && j.answer.band() == band);
        (right > 0).then(|| 2.0 * both as f64 / (right + answered) as f64)
    };
    let f1s: Vec<f64> = SeverityBand::ALL.into_iter().filter_map(f1).collect();
    let mut bins = [(0.0f64, 0usize); BINS];
    for j in judged {
        let (expected, right) = &mut bins[((j.confidence * BINS as f32) as usize).min(BINS - 1)];
        *expected += f64::from(j.confidence);
        *right += usize::from(j.right.band() == j.answer.band());
    }
    let gap = bins.iter().map(|(expected, right)| (expected - *right as f64).abs()).sum::<f64>();
    SeverityFigures {
        texts: judged.len(),
        band_accuracy: share(count(&|j| j.right.band() == j.answer.band())),
        band_macro_f1: f1s.iter().sum::<f64>() / f1s.len().max(1) as f64,
        vector_accuracy: share(count(&|j| j.right == j.answer)),
        metric_accuracy: BASE_METRICS
            .iter()
            .enumerate()
            .map(|(at, m)| (m.name.to_owned(), metric(at)))
            .collect(),
        score_error: judged.iter().map(|j| (j.right.score() - j.answer.score()).abs()).sum::<f64>()
            / judged.len().max(1) as f64,
        band_calibration_error: gap / judged.len().max(1) as f64,
    }
}
