//! Features and distributions of texts, for training and measuring a head.

use vulnlens_taxonomy::{CweId, KnowledgeBase};

use super::head::{SeverityBuffers, cwe_features};
use crate::curated::{cwe_probabilities, places_of};
use crate::network::Network;
use crate::ngram::NgramModel;
use crate::ngram::vocabulary::Entry;
use crate::prediction::Input;
use crate::room::Room;
use crate::softmax::temper;

pub use super::head::joint_logits;

/// The features of a text as the head reads them, for training; its year is left to the description.
#[derive(Debug, Clone, PartialEq)]
pub struct SeverityFeatures {
    /// The known features of the text: rows of the vocabulary and values of norm 1.
    pub text: Vec<Entry>,
    /// The features of weaknesses.
    pub cwes: Vec<f32>,
}

/// Reads the features of a text as a head with these `cwes` does, by the model's answers to it.
#[must_use]
pub fn features(
    model: &NgramModel,
    kb: &KnowledgeBase,
    cwes: &[CweId],
    inputs: &[Input<'_>],
) -> Vec<SeverityFeatures> {
    let places = places_of(cwes, model.sets(), kb);
    let (mut room, mut scores, mut found) = (Room::default(), Vec::new(), Vec::new());
    let of_text = |input: &Input<'_>| {
        let text = model.entries(input.text);
        model.score(std::slice::from_ref(input), &mut room, &mut scores);
        temper(&mut scores, model.temperature());
        cwe_probabilities(&places, &scores, cwes.len(), &mut found);
        let mut cwes = Vec::new();
        cwe_features(&found, &mut cwes);
        SeverityFeatures { text, cwes }
    };
    inputs.iter().map(of_text).collect()
}

/// Gives the distribution over base vectors that the head of a model has for each text; nothing without a head.
pub fn distributions(
    model: &NgramModel,
    kb: &KnowledgeBase,
    inputs: &[Input<'_>],
    mut each: impl FnMut(usize, &[f32]),
) {
    let Some(head) = &model.severity else { return };
    let places = head.outputs().places(model.sets(), kb);
    let mut room = Room { asks_severity: true, ..Room::default() };
    let (mut probabilities, mut cwes, mut buffers) = (Vec::new(), Vec::new(), SeverityBuffers::default());
    for (number, input) in inputs.iter().enumerate() {
        model.score(std::slice::from_ref(input), &mut room, &mut probabilities);
        temper(&mut probabilities, model.temperature());
        cwe_probabilities(&places, &probabilities, head.outputs().cwes.len(), &mut cwes);
        if let Some(text) = room.severity.first() {
            head.score(text, &cwes, &mut buffers);
            each(number, &buffers.probabilities);
        }
    }
}
