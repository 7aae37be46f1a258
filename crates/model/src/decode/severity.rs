//! Decoding of severities: from a text's features and the probabilities of CWE sets to a base vector.

use vulnlens_taxonomy::KnowledgeBase;

use super::curated::DOUBTFUL;
use crate::curated::cwe_probabilities;
use crate::outputs::CweSets;
use crate::severity::{Severity, SeverityBuffers, SeverityHead, SeverityText};

/// The way from CWE sets to the weaknesses that a head of severities reads.
pub(crate) struct SeverityDecoder {
    /// The places of each set among those weaknesses.
    places: Vec<Vec<u16>>,
}

/// Buffers of decoding.
#[derive(Debug, Default)]
pub(crate) struct SeverityDecodeBuffers {
    cwes: Vec<f32>,
    head: SeverityBuffers,
}

impl SeverityDecoder {
    pub(crate) fn new(head: &SeverityHead, outputs: &CweSets, kb: &KnowledgeBase) -> Self {
        Self { places: head.outputs().places(&outputs.sets, kb) }
    }

    /// The severity of a text whose sets have these probabilities; `none` is the probability that it does not describe a
    /// vulnerability.
    pub(crate) fn decode(
        &self,
        head: &SeverityHead,
        text: &SeverityText,
        probabilities: &[f32],
        none: f32,
        buffers: &mut SeverityDecodeBuffers,
    ) -> Option<Severity> {
        if none >= DOUBTFUL {
            return None;
        }
        let SeverityDecodeBuffers { cwes, head: buffers } = buffers;
        cwe_probabilities(&self.places, probabilities, head.outputs().cwes.len(), cwes);
        head.score(text, cwes, buffers);
        Severity::of(&buffers.probabilities)
    }
}
