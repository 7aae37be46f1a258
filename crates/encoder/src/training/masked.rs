//! The masked-language heads of transformers: a linear layer, an activation, a normalisation, and products with every row
//! of the table of words.

use super::activation;
use super::gradients::Gradients;
use super::head_pass::HeadPass;
use super::linear::{LinearIds, PackedLinear, WeightRoom};
use super::norm::{Norm, NormIds, NormRoom, NormTape};
use super::parameters::Parameters;
use super::table::Table;
use crate::config::{Config, HeadFunction};
use crate::forward::{LinearName, MaskedNames, Names, Share};
use crate::kernels::{Isa, Rows};

/// The head of `…ForMaskedLM`.
#[derive(Debug)]
pub(super) struct MaskedHead {
    dense: PackedLinear,
    activation: HeadFunction,
    norm: NormIds,
    /// The table of words, with the head's own bias.
    words: PackedLinear,
    isa: Isa,
    epsilon: f32,
    hidden: usize,
    /// True if the table of words is trained.
    trains_words: bool,
}

/// Activations that the backward pass needs.
#[derive(Debug, Default)]
pub(super) struct MaskedTape {
    input: Vec<f32>,
    before: Vec<f32>,
    norm: NormTape,
    after: Vec<f32>,
}

impl MaskedHead {
    pub(super) fn new(
        config: &Config,
        table: &Table,
        names: &Names<'_>,
        isa: Isa,
        trains_words: bool,
    ) -> Self {
        let MaskedNames { dense, function, norm, bias } = names.masked();
        let words = LinearName { weight: names.words(), bias, share: Share::WHOLE };
        Self {
            dense: PackedLinear::new(isa, &[LinearIds::new(table, &dense)]),
            activation: function,
            norm: NormIds::new(table, &norm),
            words: PackedLinear::new(isa, &[LinearIds::new(table, &words)]),
            isa,
            epsilon: config.norm_epsilon,
            hidden: config.hidden,
            trains_words,
        }
    }

    pub(super) fn repack(&mut self, parameters: &Parameters) {
        self.dense.repack(parameters, true);
        self.words.repack(parameters, true);
    }

    fn norm<'a>(&self, pass: HeadPass<'a>) -> Norm<'a> {
        self.norm.norm(self.isa, pass.parameters, self.epsilon, pass.places)
    }

    /// Logits of the vocabulary for every row.
    pub(super) fn apply(&self, pass: HeadPass<'_>, rows: &[f32], tape: &mut MaskedTape) -> Vec<f32> {
        let (count, width, hidden) = (pass.places.len(), self.dense.outs(), self.hidden);
        let MaskedTape { input, before, norm, after } = tape;
        input.clear();
        input.extend_from_slice(rows);
        before.resize(count * width, 0.0);
        self.dense.apply(Rows::new(input, hidden, count, hidden), before, width);
        norm.normalized.resize(count * width, 0.0);
        activation::apply(self.isa, self.activation, before, &mut norm.normalized);
        self.norm(pass).apply(norm, None, after);
        let mut logits = vec![0.0; count * self.words.outs()];
        self.words.apply(Rows::new(after, width, count, width), &mut logits, self.words.outs());
        logits
    }

    /// Adds the head's gradients, and writes those in its rows.
    pub(super) fn back(
        &self,
        pass: HeadPass<'_>,
        tape: &MaskedTape,
        logits: &[f32],
        (room, norm_room, gradients): (&mut WeightRoom, &mut NormRoom, &mut Gradients),
        out: &mut Vec<f32>,
    ) {
        let (count, width, hidden) = (pass.places.len(), self.dense.outs(), self.hidden);
        let vocabulary = self.words.outs();
        let logits = Rows::new(logits, vocabulary, count, vocabulary);
        let after = Rows::new(&tape.after, width, count, width);
        room.add(logits, after, self.words.ids(), gradients);
        if !self.trains_words {
            self.words.ids().iter().for_each(|ids| gradients.sum(ids.weight).fill(0.0));
        }
        let mut inner = vec![0.0; count * width];
        self.words.back(logits, &mut inner, false);
        self.norm(pass).back(&tape.norm, &mut inner, None, (norm_room, self.norm, gradients));
        let mut values = vec![0.0; inner.len()];
        activation::back(self.isa, self.activation, &tape.before, &mut inner, &mut values);
        let inner = Rows::new(&inner, width, count, width);
        room.add(inner, Rows::new(&tape.input, hidden, count, hidden), self.dense.ids(), gradients);
        out.resize(count * hidden, 0.0);
        self.dense.back(inner, out, false);
    }
}
