//! The loop of a fit: steps over shuffled texts, the rates' schedule, and the averaged teachers.

use super::Progress;
use super::adam::AdamStep;
use super::features::FeatureLists;
use super::network::{Buffers, Network, Sample, Shape};
use super::settings::Settings;
use super::targets::SoftTargets;
use crate::error::TrainError;
use crate::random::Random;

/// The texts of a fit, as the network reads them.
#[derive(Debug)]
pub(crate) struct TrainingTexts {
    pub(crate) features: FeatureLists,
    /// Index of each text's year.
    pub(crate) years: Vec<usize>,
    /// The outputs that each text is taught in equal parts; none for a text that nobody has labelled.
    pub(crate) targets: Vec<Vec<usize>>,
    /// Texts whose labels need no teacher's opinion: the catalogue's own.
    pub(crate) is_certain: Vec<bool>,
    pub(crate) set_counts: Vec<u64>,
    pub(crate) shape: Shape,
}

impl TrainingTexts {
    pub(crate) fn len(&self) -> usize {
        self.years.len()
    }

    fn sample(&self, text: usize) -> Sample<'_> {
        Sample { entries: self.features.of(text), year: self.years[text] }
    }
}

/// Steps until the rates have reached their full height.
const WARM_UP: f32 = 200.0;
/// Texts that are predicted at once.
const PREDICT_BLOCK: usize = 64;

/// Fits one network; `stream` sets its random choices apart from those of its siblings. With
/// `teachers`, texts without a label take part, too. `tick` is told how many texts were done, and may end the fit.
pub(crate) fn fit(
    prepared: &TrainingTexts,
    settings: &Settings,
    stream: u64,
    teachers: Option<&SoftTargets>,
    tick: Progress<'_>,
) -> Result<Network, TrainError> {
    let mut random = Random::new(settings.seed, stream);
    let mut network = Network::new(prepared.shape.clone(), &prepared.set_counts, &mut random);
    let mut texts: Vec<usize> =
        (0..prepared.len()).filter(|&i| !prepared.targets[i].is_empty() || teachers.is_some()).collect();
    let steps = settings.epochs * texts.len().div_ceil(settings.batch);
    let mut buffers = Buffers::default();
    let mut step = 0;
    for _ in 0..settings.epochs {
        random.shuffle(&mut texts);
        for batch in texts.chunks(settings.batch) {
            step += 1;
            let newest = prepared.shape.years - 1;
            let sample = |&text: &usize| {
                let mut sample = prepared.sample(text);
                if random.uniform() < settings.year_dropout {
                    sample.year = newest;
                }
                sample
            };
            let samples: Vec<Sample<'_>> = batch.iter().map(sample).collect();
            network.forward(&samples, settings, &mut random, &mut buffers);
            let loss = to_gradient(prepared, batch, teachers, settings, &mut buffers.logits);
            if !loss.is_finite() {
                return Err(TrainError::LossDiverged { loss, step });
            }
            let left = 1.0 - step as f32 / steps as f32;
            let warm = (step as f32 / WARM_UP).min(1.0);
            let dense = AdamStep::new(settings.dense_rate * left.max(0.01) * warm, step);
            let embedding_rate = settings.embedding_rate * left * warm.max(0.1);
            network.step(&samples, dense, embedding_rate, &mut buffers);
            if tick(batch.len() as u64).is_break() {
                return Err(TrainError::Stopped);
            }
        }
    }
    Ok(network)
}

/// Turns the probabilities of a batch into the gradient of the mean cross-entropy by the logits;
/// gives the mean cross-entropy against the labels.
fn to_gradient(
    prepared: &TrainingTexts,
    batch: &[usize],
    teachers: Option<&SoftTargets>,
    settings: &Settings,
    probabilities: &mut [f32],
) -> f32 {
    let sets = prepared.shape.atoms_of_set.len();
    let scale = 1.0 / batch.len() as f32;
    let mut loss = 0.0;
    for (&text, row) in batch.iter().zip(probabilities.chunks_exact_mut(sets)) {
        let targets = &prepared.targets[text];
        let share = match (teachers, targets.is_empty()) {
            (None, _) => 0.0,
            (Some(_), _) if prepared.is_certain[text] => 0.0,
            (Some(_), false) => settings.distillation,
            (Some(_), true) => 1.0,
        };
        let part = 1.0 / targets.len() as f32;
        for &set in targets {
            // Like `f32::max`, but keeping NaN, which must be noticed.
            let p = if row[set] < 1e-30 { 1e-30 } else { row[set] };
            loss -= part * p.ln();
            row[set] -= part * (1.0 - share);
        }
        if let Some(teachers) = teachers.filter(|_| share > 0.0) {
            for (set, probability) in teachers.of(text) {
                row[set] -= share * probability;
            }
        }
        row.iter_mut().for_each(|x| *x *= scale);
    }
    loss * scale
}

/// The teachers' averaged answers to every text, in text order.
pub(crate) fn answers(prepared: &TrainingTexts, teachers: &[Network]) -> SoftTargets {
    let sets = prepared.shape.atoms_of_set.len();
    let mut targets = SoftTargets::new();
    let (mut hidden, mut out, mut mean, mut order) = (vec![], vec![], vec![], vec![]);
    let texts: Vec<usize> = (0..prepared.len()).collect();
    for block in texts.chunks(PREDICT_BLOCK) {
        let samples: Vec<Sample<'_>> = block.iter().map(|&text| prepared.sample(text)).collect();
        mean.clear();
        mean.resize(block.len() * sets, 0.0);
        for teacher in teachers {
            teacher.predict(&samples, &mut hidden, &mut out);
            mean.iter_mut().zip(&out).for_each(|(mean, p)| *mean += p);
        }
        mean.chunks_exact(sets).for_each(|row| targets.push(row, &mut order));
    }
    targets
}
