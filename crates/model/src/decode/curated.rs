//! Decoding of curated techniques: from a text's features and the probabilities of CWE sets to a list.

use vulnlens_taxonomy::{KnowledgeBase, TechniqueId};

use super::listing::Listing;
use crate::curated::{CuratedHead, CuratedScores, CuratedText, cwe_probabilities};
use crate::outputs::CweSets;
use crate::prediction::{Labels, Options};

/// The way from CWE sets to the weaknesses that a head of curated techniques reads.
pub(crate) struct CuratedDecoder {
    /// The places of each set among those weaknesses.
    places: Vec<Vec<u16>>,
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
        Self { places: head.outputs().places(&outputs.sets, kb) }
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
        cwe_probabilities(&self.places, probabilities, outputs.cwes.len(), cwes);
        head.score(text, cwes, scores);
        if none >= DOUBTFUL {
            scores.answered.fill(false);
        }
        let listing = Listing {
            labels: &outputs.techniques,
            scores: &scores.probabilities,
            answered: &scores.answered,
            ranks: None,
        };
        let mut labels = listing.list(options, order);
        for (scored, place) in labels.iter_mut().zip(order.iter()) {
            scored.role = outputs.roles.get(*place as usize).copied();
        }
        Labels::new(labels, none)
    }
}
