//! The classification heads of transformers: a linear layer, a function, perhaps a normalisation, and a linear layer.

use super::activation;
use super::gradients::Gradients;
use super::head_pass::HeadPass;
use super::linear::{LinearIds, PackedLinear, WeightRoom};
use super::noise::{Mask, Site, drop_rows};
use super::norm::{Norm, NormIds, NormRoom, NormTape};
use super::parameters::Parameters;
use super::table::Table;
use crate::config::{Config, HeadFunction};
use crate::forward::Names;
use crate::kernels::{Isa, Rows};

/// The head of `…ForSequenceClassification`.
#[derive(Debug)]
pub(super) struct Classifier {
    dense: PackedLinear,
    function: HeadFunction,
    norm: Option<NormIds>,
    out: PackedLinear,
    isa: Isa,
    epsilon: f32,
    /// True if there is dropout before the first layer: RoBERTa, ELECTRA.
    drops_input: bool,
}

/// Activations that the backward pass needs.
#[derive(Debug, Default)]
pub(super) struct ClassifierTape {
    input: Vec<f32>,
    before: Vec<f32>,
    norm: NormTape,
    after: Vec<f32>,
}

impl Classifier {
    pub(super) fn new(config: &Config, table: &Table, names: &Names<'_>, isa: Isa) -> Self {
        Self {
            dense: PackedLinear::new(isa, &[LinearIds::new(table, &names.head_dense())]),
            function: config.form.head.function,
            norm: names.head_norm().map(|name| NormIds::new(table, &name)),
            out: PackedLinear::new(isa, &[LinearIds::new(table, &names.head_out())]),
            isa,
            epsilon: config.norm_epsilon,
            drops_input: config.form.dropout.head_in,
        }
    }

    pub(super) fn repack(&mut self, parameters: &Parameters) {
        self.dense.repack(parameters, true);
        self.out.repack(parameters, true);
    }

    fn masks(&self, pass: HeadPass<'_>) -> [Option<Mask>; 2] {
        let mask = |site| pass.noise.and_then(|noise| noise.mask(site));
        [mask(Site::HeadIn).filter(|_| self.drops_input), mask(Site::HeadHidden)]
    }

    /// The normalisation before the last layer, with the dropout that follows it.
    fn norm<'a>(&self, pass: HeadPass<'a>, ids: NormIds, after: Option<Mask>) -> Norm<'a> {
        Norm { after, ..ids.norm(self.isa, pass.parameters, self.epsilon, pass.places) }
    }

    /// Logits of the rows.
    pub(super) fn apply(&self, pass: HeadPass<'_>, rows: &[f32], tape: &mut ClassifierTape) -> Vec<f32> {
        let (count, hidden) = (pass.places.len(), self.dense.outs());
        let [input_mask, hidden_mask] = self.masks(pass);
        let ClassifierTape { input, before, norm, after } = tape;
        input.clear();
        input.extend_from_slice(rows);
        drop_rows(input_mask, pass.places, input, hidden, hidden);
        before.resize(rows.len(), 0.0);
        self.dense.apply(Rows::new(input, hidden, count, hidden), before, hidden);
        if let Some(ids) = self.norm {
            norm.normalized.resize(rows.len(), 0.0);
            activation::apply(self.isa, self.function, before, &mut norm.normalized);
            self.norm(pass, ids, hidden_mask).apply(norm, None, after);
        } else {
            after.resize(rows.len(), 0.0);
            activation::apply(self.isa, self.function, before, after);
            drop_rows(hidden_mask, pass.places, after, hidden, hidden);
        }
        let mut logits = vec![0.0; count * self.out.outs()];
        self.out.apply(Rows::new(after, hidden, count, hidden), &mut logits, self.out.outs());
        logits
    }

    /// Adds the head's gradients, and writes those in its rows.
    pub(super) fn back(
        &self,
        pass: HeadPass<'_>,
        tape: &ClassifierTape,
        logits: &[f32],
        (room, norm_room, gradients): (&mut WeightRoom, &mut NormRoom, &mut Gradients),
        out: &mut Vec<f32>,
    ) {
        let (count, hidden, labels) = (pass.places.len(), self.dense.outs(), self.out.outs());
        let [input_mask, hidden_mask] = self.masks(pass);
        let logits = Rows::new(logits, labels, count, labels);
        room.add(logits, Rows::new(&tape.after, hidden, count, hidden), self.out.ids(), gradients);
        let mut inner = vec![0.0; count * hidden];
        self.out.back(logits, &mut inner, false);
        match self.norm {
            Some(ids) => {
                let norm = self.norm(pass, ids, hidden_mask);
                norm.back(&tape.norm, &mut inner, None, (norm_room, ids, &mut *gradients));
            }
            None => drop_rows(hidden_mask, pass.places, &mut inner, hidden, hidden),
        }
        let mut values = vec![0.0; inner.len()];
        activation::back(self.isa, self.function, &tape.before, &mut inner, &mut values);
        let inner = Rows::new(&inner, hidden, count, hidden);
        room.add(inner, Rows::new(&tape.input, hidden, count, hidden), self.dense.ids(), gradients);
        out.resize(count * hidden, 0.0);
        self.dense.back(inner, out, false);
        drop_rows(input_mask, pass.places, out, hidden, hidden);
    }
}
