//! A fitted head of severities: its description, and its distribution over base vectors.

use vulnlens_taxonomy::{BASE_METRICS, BaseVector};

use super::outputs::{SEVERITY_WIDTH, SeverityOutputs};
use super::tensors::SeverityTensors;
use crate::curated::{DenseSums, TextSums, places_of_rows, push_cwe_features};
use crate::header::Head;
use crate::ngram::vocabulary::{Entry, Vocabulary};
use crate::softmax::temper;
use crate::wide::wide;

/// The metrics whose values change slowest among [`BaseVector::all`]; those of the others are C, I and A.
const SLOW: usize = 5;
/// The number of combinations of values of C, I and A.
const FAST_COUNT: usize = 27;

/// A fitted head of severities.
#[derive(Debug, Clone)]
pub struct SeverityHead {
    outputs: SeverityOutputs,
    temperature: f32,
    /// One more than the place of each row of the vocabulary among the features that are read; 0 for the others.
    places: Vec<u16>,
    tensors: SeverityTensors,
}

/// A text as the head reads it before the network has answered: sums over its features.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SeverityText {
    rows: Vec<(usize, f32)>,
    sums: Vec<f32>,
}

/// Buffers of the head.
#[derive(Debug, Clone, Default)]
pub(crate) struct SeverityBuffers {
    dense: Vec<f32>,
    sums: Vec<f32>,
    /// Probabilities of all vectors.
    pub(crate) probabilities: Vec<f32>,
}

impl SeverityHead {
    /// A head of a description and numbers, for texts cut by `vocabulary`; `None` if these do not fit each other.
    pub(crate) fn new(head: &Head, tensors: SeverityTensors, vocabulary: &Vocabulary) -> Option<Self> {
        let outputs = head.severity()?.clone();
        let fits = tensors.fits(outputs.dense())
            && tensors.rows.is_sorted_by(|a, b| a < b)
            && tensors.rows.last().is_none_or(|last| (*last as usize) < vocabulary.len());
        if !fits {
            return None;
        }
        let places = places_of_rows(&tensors.rows, vocabulary)?;
        Some(Self { outputs, temperature: head.temperature, places, tensors })
    }

    /// The description of the head.
    #[must_use]
    pub fn outputs(&self) -> &SeverityOutputs {
        &self.outputs
    }

    /// Reads the features of a text.
    pub(crate) fn read(&self, entries: &[Entry], year: Option<u16>, text: &mut SeverityText) {
        text.sums.clear();
        text.sums.extend_from_slice(&self.tensors.bias);
        text.rows.clear();
        text.rows.extend(entries.iter().filter_map(|entry| {
            let place = self.places.get(entry.row as usize).copied().unwrap_or(0);
            let at = usize::from(place).checked_sub(1)?;
            Some((at, entry.value * self.tensors.text_scales.get(at)?))
        }));
        wide(TextSums { rows: &text.rows, codes: &self.tensors.text, sums: &mut text.sums });
        let of_year = self.outputs.cwes.len() + self.outputs.year(year);
        let weights = self.tensors.dense.get(of_year * SEVERITY_WIDTH..).unwrap_or_default();
        text.sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
    }

    /// Fills in the probabilities of all vectors for a text that was read, given those of the weaknesses that the head
    /// reads.
    pub(crate) fn score(&self, text: &SeverityText, cwes: &[f32], buffers: &mut SeverityBuffers) {
        let SeverityBuffers { dense, sums, probabilities } = buffers;
        dense.clear();
        push_cwe_features(cwes, dense);
        sums.clear();
        sums.extend_from_slice(&text.sums);
        wide(DenseSums { features: dense, weights: &self.tensors.dense, factor: 1.0, sums });
        joint_logits(sums, &self.tensors.joint, probabilities);
        temper(probabilities, self.temperature);
    }
}

/// Fills in the logits of all vectors, given those of all values and the vectors' own.
pub fn joint_logits(sums: &[f32], joint: &[f32], logits: &mut Vec<f32>) {
    let mut rest = sums;
    let mut of_metrics: [&[f32]; BASE_METRICS.len()] = [&[]; BASE_METRICS.len()];
    for (own, metric) in of_metrics.iter_mut().zip(&BASE_METRICS) {
        let (first, others) = rest.split_at_checked(metric.values.len()).unwrap_or_default();
        (*own, rest) = (first, others);
    }
    let (slow, fast) = of_metrics.split_at(SLOW);
    let mut of_fast = [0.0f32; FAST_COUNT];
    combine(fast, 0.0, &mut of_fast.iter_mut());
    let mut of_slow = [0.0f32; BaseVector::COUNT / FAST_COUNT];
    combine(slow, 0.0, &mut of_slow.iter_mut());
    logits.clear();
    for (slow, joint) in of_slow.iter().zip(joint.chunks_exact(FAST_COUNT)) {
        logits.extend(of_fast.iter().zip(joint).map(|(fast, joint)| slow + fast + joint));
    }
}

/// Sums of one value of each metric, the last metric changing first.
fn combine<'s>(metrics: &[&[f32]], sum: f32, sums: &mut impl Iterator<Item = &'s mut f32>) {
    match metrics.split_first() {
        Some((values, others)) => values.iter().for_each(|value| combine(others, sum + value, sums)),
        None => sums.next().into_iter().for_each(|of_values| *of_values = sum),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logit_of_a_vector_is_the_sum_of_its_values_and_its_own() {
        let sums: Vec<f32> = (0..SEVERITY_WIDTH).map(|at| (at * at) as f32).collect();
        let joint: Vec<f32> = (0..BaseVector::COUNT).map(|at| (at % 7) as f32).collect();
        let mut logits = Vec::new();
        joint_logits(&sums, &joint, &mut logits);
        assert_eq!(logits.len(), BaseVector::COUNT);
        for (vector, logit) in BaseVector::all().zip(&logits) {
            let mut first = 0;
            let mut want = joint[vector.number()];
            for (value, metric) in vector.values().iter().zip(&BASE_METRICS) {
                want += sums[first + usize::from(*value)];
                first += metric.values.len();
            }
            assert_eq!(*logit, want, "{vector}");
        }
    }
}
