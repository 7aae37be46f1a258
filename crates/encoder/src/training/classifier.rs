//! The classification heads of transformers: a linear layer, a function and a linear layer, on each text's first token.

use super::activation::{self, Function};
use super::embeddings::linear_ids;
use super::gradients::Gradients;
use super::head_pass::HeadPass;
use super::linear::{PackedLinear, WeightRoom};
use super::noise::{Mask, Place, Site};
use super::parameters::Parameters;
use super::table::Table;
use crate::config::{Activation, Architecture, Config};
use crate::forward::Names;
use crate::kernels::{Isa, Rows};

/// The head of `…ForSequenceClassification`.
#[derive(Debug)]
pub(super) struct Classifier {
    dense: PackedLinear,
    between: Function,
    out: PackedLinear,
    isa: Isa,
    /// True if there is dropout before the first layer: RoBERTa, ELECTRA.
    drops_input: bool,
}

/// Activations that the backward pass needs.
#[derive(Debug, Default)]
pub(super) struct ClassifierTape {
    input: Vec<f32>,
    before: Vec<f32>,
    after: Vec<f32>,
}

impl Classifier {
    pub(super) fn new(config: &Config, table: &Table, names: &Names, isa: Isa) -> Self {
        let between = match config.architecture {
            Architecture::Bert
            | Architecture::Roberta
            | Architecture::XlmRoberta
            | Architecture::Camembert => Function::Tanh,
            Architecture::DistilBert => Function::Activation(Activation::Relu),
            Architecture::Electra => Function::Activation(Activation::Gelu),
        };
        Self {
            dense: PackedLinear::new(isa, &[linear_ids(table, &names.head_dense())]),
            between,
            out: PackedLinear::new(isa, &[linear_ids(table, &names.head_out())]),
            isa,
            drops_input: !matches!(config.architecture, Architecture::Bert | Architecture::DistilBert),
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

    /// Logits of the rows.
    pub(super) fn apply(&self, pass: HeadPass<'_>, rows: &[f32], tape: &mut ClassifierTape) -> Vec<f32> {
        let (count, hidden) = (pass.places.len(), self.dense.outs());
        let [input_mask, hidden_mask] = self.masks(pass);
        let ClassifierTape { input, before, after } = tape;
        input.clear();
        input.extend_from_slice(rows);
        drop_rows(input_mask, pass.places, input, hidden);
        before.resize(rows.len(), 0.0);
        self.dense.apply(Rows::new(input, hidden, count, hidden), before, hidden);
        after.resize(rows.len(), 0.0);
        activation::apply(self.isa, self.between, before, after);
        drop_rows(hidden_mask, pass.places, after, hidden);
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
        (room, gradients): (&mut WeightRoom, &mut Gradients),
        out: &mut Vec<f32>,
    ) {
        let (count, hidden, labels) = (pass.places.len(), self.dense.outs(), self.out.outs());
        let [input_mask, hidden_mask] = self.masks(pass);
        let logits = Rows::new(logits, labels, count, labels);
        room.add(logits, Rows::new(&tape.after, hidden, count, hidden), self.out.ids(), gradients);
        let mut inner = vec![0.0; count * hidden];
        self.out.back(logits, &mut inner, false);
        drop_rows(hidden_mask, pass.places, &mut inner, hidden);
        let mut values = vec![0.0; inner.len()];
        activation::back(self.isa, self.between, &tape.before, &mut inner, &mut values);
        let inner = Rows::new(&inner, hidden, count, hidden);
        room.add(inner, Rows::new(&tape.input, hidden, count, hidden), self.dense.ids(), gradients);
        out.resize(count * hidden, 0.0);
        self.dense.back(inner, out, false);
        drop_rows(input_mask, pass.places, out, hidden);
    }
}

/// Dropout of some rows.
fn drop_rows(mask: Option<Mask>, places: &[Place], rows: &mut [f32], width: usize) {
    if let Some(mask) = mask {
        let rows = rows.chunks_exact_mut(width).zip(places);
        rows.for_each(|(row, &place)| mask.row(place).apply(row));
    }
}
