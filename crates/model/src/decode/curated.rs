//! Decoding of curated techniques: from a text's features and the probabilities of CWE sets to a list.

use vulnlens_taxonomy::{KnowledgeBase, TechniqueId};

use super::listing::Listing;
use crate::curated::{CuratedHead, CuratedScores, CuratedText, cwe_probabilities};
use crate::outputs::CweSets;
use crate::prediction::{Basis, Labels, Options};

/// The way from CWE sets to the weaknesses that a head of curated techniques reads.
pub(crate) struct CuratedDecoder {
    /// The places of each set among those weaknesses.
    places: Vec<Vec<u16>>,
    /// The techniques that are scored, and behind them those that are known by their descriptions.
    labels: Vec<TechniqueId>,
    calibration: [f32; 2],
}

/// The probability that a text does not describe a vulnerability from which on no technique and no severity is answered.
pub(super) const DOUBTFUL: f32 = 0.25;

/// Buffers of the head.
#[derive(Debug, Default)]
pub(crate) struct CuratedBuffers {
    cwes: Vec<f32>,
    scores: CuratedScores,
    order: Vec<u32>,
}

impl CuratedDecoder {
    pub(crate) fn new(head: &CuratedHead, outputs: &CweSets, kb: &KnowledgeBase) -> Self {
        let described = &head.outputs().described;
        Self {
            places: head.outputs().places(&outputs.sets, kb),
            labels: head.outputs().techniques.iter().chain(&described.techniques).copied().collect(),
            calibration: described.calibration,
        }
    }

    /// The probabilities of the weaknesses that the head reads, by those of CWE sets.
    pub(crate) fn cwes(&self, head: &CuratedHead, probabilities: &[f32], cwes: &mut Vec<f32>) {
        cwe_probabilities(&self.places, probabilities, head.outputs().cwes.len(), cwes);
    }

    /// The techniques of a text whose sets have these probabilities; `none` is the probability that none applies.
    pub(crate) fn decode(
        &self,
        head: &CuratedHead,
        text: &CuratedText,
        probabilities: &[f32],
        none: f32,
        options: &Options,
        buffers: &mut CuratedBuffers,
    ) -> Labels<TechniqueId> {
        let CuratedBuffers { cwes, scores, order } = buffers;
        let outputs = head.outputs();
        self.cwes(head, probabilities, cwes);
        head.score(text, cwes, scores);
        let described = text.similarities.iter().map(|similarity| probability(*similarity, self.calibration));
        scores.probabilities.extend(described);
        scores.answered.resize(scores.probabilities.len(), false);
        if none >= DOUBTFUL {
            scores.answered.fill(false);
        }
        let listing = Listing {
            labels: &self.labels,
            scores: &scores.probabilities,
            answered: &scores.answered,
            ranks: None,
        };
        let mut labels = listing.list(options, order);
        for (scored, place) in labels.iter_mut().zip(order.iter()) {
            scored.role = outputs.roles.get(*place as usize).copied();
            scored.basis = scored.role.is_none().then_some(Basis::Similarity);
        }
        Labels::new(labels, none)
    }
}

/// The probability of a technique whose description is so similar to a text.
fn probability(similarity: f32, [slope, offset]: [f32; 2]) -> f32 {
    1.0 / (1.0 + (-(slope * similarity + offset)).exp())
}
