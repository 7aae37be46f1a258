//! The head, after the layers.

use super::classifier::{Classifier, ClassifierTape};
use super::gradients::Gradients;
use super::head_pass::HeadPass;
use super::linear::WeightRoom;
use super::masked::{MaskedHead, MaskedTape};
use super::norm::NormRoom;
use super::parameters::Parameters;

/// A head of either kind.
#[derive(Debug)]
pub(super) enum Head {
    Classifier(Classifier, ClassifierTape),
    Masked(MaskedHead, MaskedTape),
}

impl Head {
    pub(super) fn repack(&mut self, parameters: &Parameters) {
        match self {
            Self::Classifier(head, _) => head.repack(parameters),
            Self::Masked(head, _) => head.repack(parameters),
        }
    }

    pub(super) fn apply(&mut self, pass: HeadPass<'_>, rows: &[f32]) -> Vec<f32> {
        match self {
            Self::Classifier(head, tape) => head.apply(pass, rows, tape),
            Self::Masked(head, tape) => head.apply(pass, rows, tape),
        }
    }

    pub(super) fn back(
        &self,
        pass: HeadPass<'_>,
        logits: &[f32],
        (room, norm_room, gradients): (&mut WeightRoom, &mut NormRoom, &mut Gradients),
        out: &mut Vec<f32>,
    ) {
        match self {
            Self::Classifier(head, tape) => head.back(pass, tape, logits, (room, norm_room, gradients), out),
            Self::Masked(head, tape) => head.back(pass, tape, logits, (room, norm_room, gradients), out),
        }
    }
}
