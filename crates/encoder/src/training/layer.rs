//! One layer: attention, then two linear layers around an activation, each added to its input and normalised.

use super::activation::{self, Function};
use super::attention::{Attention, AttentionRoom};
use super::batch::{Asked, Batch};
use super::embeddings::{linear_ids, norm_ids};
use super::linear::{PackedLinear, WeightRoom};
use super::noise::{Mask, Noise, Site};
use super::norm::{Norm, NormIds, NormRoom, NormTape};
use super::parameters::Parameters;
use super::table::Table;
use crate::config::{Architecture, Config};
use crate::forward::{LayerNames, padded};
use crate::kernels::{Isa, Rows};

/// A layer's packed weights.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) number: usize,
    pub(super) isa: Isa,
    pub(super) query: PackedLinear,
    pub(super) keys_values: PackedLinear,
    pub(super) out: PackedLinear,
    pub(super) attention_norm: NormIds,
    pub(super) up: PackedLinear,
    pub(super) activation: Function,
    pub(super) down: PackedLinear,
    pub(super) norm: NormIds,
    pub(super) heads: usize,
    pub(super) hidden: usize,
    epsilon: f32,
    /// True if there is dropout between attention and its residual: in all but DistilBERT.
    drops_attention_out: bool,
}

/// Arguments that both directions of a layer take.
#[derive(Clone, Copy)]
pub(super) struct Pass<'a> {
    pub(super) parameters: &'a Parameters,
    pub(super) batch: &'a Batch,
    pub(super) noise: Option<&'a Noise>,
    /// The tokens whose outputs are asked for.
    pub(super) asked: &'a Asked,
    /// A row for each token.
    pub(super) input: &'a [f32],
}

/// Activations that the backward pass needs in addition to the layer's input.
#[derive(Debug, Default)]
pub(super) struct LayerTape {
    /// The input's rows that are asked for, where these are not all.
    pub(super) gathered: Vec<f32>,
    pub(super) queries: Vec<f32>,
    pub(super) keys_values: Vec<f32>,
    pub(super) mixed: Vec<f32>,
    pub(super) attention_norm: NormTape,
    /// The first normalisation's output.
    pub(super) middle: Vec<f32>,
    /// Before the activation.
    pub(super) wide: Vec<f32>,
    pub(super) norm: NormTape,
}

/// Room that all layers work in.
#[derive(Debug)]
pub(super) struct LayerRoom {
    pub(super) attention: AttentionRoom,
    pub(super) activated: Vec<f32>,
    pub(super) wide: Vec<f32>,
    pub(super) inner: Vec<f32>,
    pub(super) mixed: Vec<f32>,
    pub(super) queries: Vec<f32>,
    pub(super) keys_values: Vec<f32>,
    pub(super) weights: WeightRoom,
    pub(super) norm: NormRoom,
}

impl LayerRoom {
    pub(super) fn new(isa: Isa) -> Self {
        Self {
            attention: AttentionRoom::default(),
            activated: Vec::new(),
            wide: Vec::new(),
            inner: Vec::new(),
            mixed: Vec::new(),
            queries: Vec::new(),
            keys_values: Vec::new(),
            weights: WeightRoom::new(isa),
            norm: NormRoom::default(),
        }
    }
}

impl LayerTape {
    /// The rows of the input that the layer's outputs are added to.
    pub(super) fn residual<'a>(&'a self, pass: &Pass<'a>) -> &'a [f32] {
        if pass.asked.is_every { pass.input } else { &self.gathered }
    }
}

impl Layer {
    pub(super) fn new(config: &Config, table: &Table, names: &LayerNames, number: usize, isa: Isa) -> Self {
        let linear = |name| linear_ids(table, name);
        Self {
            number,
            isa,
            query: PackedLinear::new(isa, &[linear(&names.query)]),
            keys_values: PackedLinear::new(isa, &[linear(&names.key), linear(&names.value)]),
            out: PackedLinear::new(isa, &[linear(&names.out)]),
            attention_norm: norm_ids(table, &names.attention_norm),
            up: PackedLinear::new(isa, &[linear(&names.up)]),
            activation: Function::Activation(config.activation),
            down: PackedLinear::new(isa, &[linear(&names.down)]),
            norm: norm_ids(table, &names.norm),
            heads: config.heads,
            hidden: config.hidden,
            epsilon: config.norm_epsilon,
            drops_attention_out: config.architecture != Architecture::DistilBert,
        }
    }

    pub(super) fn repack(&mut self, parameters: &Parameters, is_trained: bool) {
        for linear in [&mut self.query, &mut self.keys_values, &mut self.out, &mut self.up, &mut self.down] {
            linear.repack(parameters, is_trained);
        }
    }

    /// Writes the layer's outputs, a row for each token asked for.
    pub(super) fn apply(
        &self,
        pass: Pass<'_>,
        tape: &mut LayerTape,
        room: &mut LayerRoom,
        out: &mut Vec<f32>,
    ) {
        let (hidden, count) = (self.hidden, pass.asked.count());
        let tokens = pass.batch.tokens();
        let stride = padded(2 * hidden);
        tape.keys_values.resize(tokens * stride, 0.0);
        self.keys_values.apply(Rows::new(pass.input, hidden, tokens, hidden), &mut tape.keys_values, stride);
        if !pass.asked.is_every {
            pass.asked.gather(pass.input, hidden, &mut tape.gathered);
        }
        tape.queries.resize(count * hidden, 0.0);
        let asked = if pass.asked.is_every { pass.input } else { &tape.gathered };
        self.query.apply(Rows::new(asked, hidden, count, hidden), &mut tape.queries, hidden);
        let mut mixed = std::mem::take(&mut tape.mixed);
        self.attention(&pass, tape).apply(&mut room.attention, &mut mixed);
        tape.mixed = mixed;
        self.halves(pass, tape, room, out);
    }

    /// The part of the layer after attention.
    fn halves(&self, pass: Pass<'_>, tape: &mut LayerTape, room: &mut LayerRoom, out: &mut Vec<f32>) {
        let (hidden, count) = (self.hidden, pass.asked.count());
        let LayerTape { gathered, mixed, attention_norm, middle, wide, norm, .. } = tape;
        let residual = if pass.asked.is_every { pass.input } else { gathered };
        attention_norm.normalized.resize(count * hidden, 0.0);
        self.out.apply(Rows::new(mixed, hidden, count, hidden), &mut attention_norm.normalized, hidden);
        self.first_norm(pass).apply(attention_norm, Some(residual), middle);
        let stride = self.wide_stride();
        wide.resize(count * stride, 0.0);
        self.up.apply(Rows::new(middle, hidden, count, hidden), wide, stride);
        room.activated.resize(count * stride, 0.0);
        activation::apply(self.isa, self.activation, wide, &mut room.activated);
        norm.normalized.resize(count * hidden, 0.0);
        let activated = Rows::new(&room.activated, stride, count, self.up.outs());
        self.down.apply(activated, &mut norm.normalized, hidden);
        self.second_norm(pass).apply(norm, Some(middle), out);
    }

    pub(super) fn wide_stride(&self) -> usize {
        padded(self.up.outs())
    }

    pub(super) fn attention<'a>(&self, pass: &Pass<'a>, tape: &'a LayerTape) -> Attention<'a> {
        Attention {
            isa: self.isa,
            heads: self.heads,
            width: self.hidden / self.heads,
            layer: self.number,
            noise: pass.noise,
            batch: pass.batch,
            asked: pass.asked,
            queries: &tape.queries,
            keys_values: &tape.keys_values,
            key_stride: padded(2 * self.hidden),
        }
    }

    pub(super) fn first_norm<'a>(&self, pass: Pass<'a>) -> Norm<'a> {
        let noise = pass.noise.filter(|_| self.drops_attention_out);
        let mask = noise.and_then(|noise| noise.mask(Site::AttentionOut { layer: self.number }));
        self.norm_of(pass, self.attention_norm, mask)
    }

    pub(super) fn second_norm<'a>(&self, pass: Pass<'a>) -> Norm<'a> {
        let mask = pass.noise.and_then(|noise| noise.mask(Site::LayerOut { layer: self.number }));
        self.norm_of(pass, self.norm, mask)
    }

    fn norm_of<'a>(&self, pass: Pass<'a>, ids: NormIds, before: Option<Mask>) -> Norm<'a> {
        Norm {
            isa: self.isa,
            weight: pass.parameters.tensor(ids.weight),
            bias: pass.parameters.tensor(ids.bias),
            epsilon: self.epsilon,
            places: &pass.asked.places,
            before,
            after: None,
        }
    }
}
