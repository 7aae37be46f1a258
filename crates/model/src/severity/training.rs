//! Features and distributions of texts, for training and measuring a head.

use vulnlens_taxonomy::{CweId, KnowledgeBase};

use super::head::SeverityBuffers;
use crate::curated::{CweReader, push_cwe_features};
use crate::ngram::NgramModel;
use crate::ngram::vocabulary::Entry;
use crate::prediction::Input;
use crate::room::Room;

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
    let mut reader = CweReader::new(model, kb, cwes, Room::default());
    let of_text = |input: &Input<'_>| {
        let text = model.entries(input.text);
        let (found, _) = reader.read(input);
        let mut cwes = Vec::new();
        push_cwe_features(found, &mut cwes);
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
    let room = Room { asks_severity: true, ..Room::default() };
    let mut reader = CweReader::new(model, kb, &head.outputs().cwes, room);
    let mut buffers = SeverityBuffers::default();
    for (number, input) in inputs.iter().enumerate() {
        let (cwes, room) = reader.read(input);
        if let Some(text) = room.severity.first() {
            head.score(text, cwes, &mut buffers);
            each(number, &buffers.probabilities);
        }
    }
}
