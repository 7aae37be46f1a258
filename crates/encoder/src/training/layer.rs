//! One layer: attention, then two linear layers around an activation; each half is added to its input, and normalised
//! before or behind.

use std::sync::Arc;

use super::activation;
use super::attention::{Attention, AttentionRoom};
use super::batch::{Asked, Batch};
use super::gating;
use super::linear::{LinearIds, PackedLinear, WeightRoom};
use super::noise::{Mask, Noise, Place, Site, drop_rows};
use super::norm::{Norm, NormIds, NormRoom, NormTape};
use super::parameters::Parameters;
use super::table::Table;
use crate::config::{AttentionRate, Config, FeedForwardDropout, HeadFunction, Norms};
use crate::forward::{Direction, LayerNames, Rotations, padded};
use crate::kernels::{Isa, Rows, add};

/// A layer's packed weights.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) number: usize,
    pub(super) isa: Isa,
    pub(super) norms: Norms,
    pub(super) query: PackedLinear,
    pub(super) keys_values: PackedLinear,
    rotations: Option<Arc<Rotations>>,
    reach: Option<usize>,
    pub(super) out: PackedLinear,
    pub(super) attention_norm: Option<NormIds>,
    /// With the gates, if there are any, beside it.
    pub(super) up: PackedLinear,
    pub(super) activation: HeadFunction,
    pub(super) is_gated: bool,
    pub(super) down: PackedLinear,
    pub(super) norm: NormIds,
    pub(super) heads: usize,
    pub(super) hidden: usize,
    pub(super) intermediate: usize,
    epsilon: f32,
    attention_out: Option<AttentionRate>,
    feed_forward: FeedForwardDropout,
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
    /// The normalised input of attention, a row for each token, and below its rows that are asked for: of networks that
    /// normalise before.
    pub(super) entered: Vec<f32>,
    pub(super) entered_asked: Vec<f32>,
    pub(super) queries: Vec<f32>,
    pub(super) keys_values: Vec<f32>,
    pub(super) mixed: Vec<f32>,
    pub(super) attention_norm: NormTape,
    /// The output of the half with attention.
    pub(super) middle: Vec<f32>,
    /// What the feed-forward part reads: of networks that normalise before.
    pub(super) between: Vec<f32>,
    /// Before the activation; the gates stand beside it.
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

impl Layer {
    pub(super) fn new(
        config: &Config,
        table: &Table,
        names: &LayerNames,
        (number, rotations): (usize, Option<Arc<Rotations>>),
        isa: Isa,
    ) -> Self {
        let linear = |name| LinearIds::new(table, name);
        let up: Vec<_> = std::iter::once(&names.up).chain(&names.gate).map(linear).collect();
        Self {
            number,
            isa,
            norms: config.form.norms,
            query: PackedLinear::new(isa, &[linear(&names.query)]),
            keys_values: PackedLinear::new(isa, &[linear(&names.key), linear(&names.value)]),
            rotations,
            reach: config.form.reach(number),
            out: PackedLinear::new(isa, &[linear(&names.out)]),
            attention_norm: names.attention_norm.as_ref().map(|name| NormIds::new(table, name)),
            up: PackedLinear::new(isa, &up),
            activation: HeadFunction::Activation(config.activation),
            is_gated: names.gate.is_some(),
            down: PackedLinear::new(isa, &[linear(&names.down)]),
            norm: NormIds::new(table, &names.norm),
            heads: config.heads,
            hidden: config.hidden,
            intermediate: config.intermediate,
            epsilon: config.norm_epsilon,
            attention_out: config.form.dropout.attention_out,
            feed_forward: config.form.dropout.feed_forward,
        }
    }

    pub(super) fn repack(&mut self, parameters: &Parameters, is_trained: bool) {
        for linear in [&mut self.query, &mut self.keys_values, &mut self.out, &mut self.up, &mut self.down] {
            linear.repack(parameters, is_trained);
        }
    }

    /// The normalisation of what attention reads, if there is one.
    pub(super) fn norm_before(&self) -> Option<NormIds> {
        self.attention_norm.filter(|_| self.norms == Norms::Before)
    }

    /// The rows that attention reads, one for each token.
    pub(super) fn entered<'a>(&self, pass: &Pass<'a>, tape: &'a LayerTape) -> &'a [f32] {
        if self.norm_before().is_some() { &tape.entered } else { pass.input }
    }

    /// Those of them that are asked for.
    pub(super) fn entered_asked<'a>(&self, pass: &Pass<'a>, tape: &'a LayerTape) -> &'a [f32] {
        match (pass.asked.is_every, self.norm_before()) {
            (true, _) => self.entered(pass, tape),
            (false, Some(_)) => &tape.entered_asked,
            (false, None) => &tape.gathered,
        }
    }

    /// The rows that the feed-forward part reads.
    pub(super) fn between<'a>(&self, tape: &'a LayerTape) -> &'a [f32] {
        if self.norms == Norms::Before { &tape.between } else { &tape.middle }
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
        if let Some(ids) = self.norm_before() {
            copy(pass.input, &mut tape.attention_norm.normalized);
            let norm = self.norm_of(pass, ids, &pass.batch.every.places);
            norm.apply(&mut tape.attention_norm, None, &mut tape.entered);
        }
        let stride = padded(2 * hidden);
        let mut keys_values = std::mem::take(&mut tape.keys_values);
        keys_values.resize(tokens * stride, 0.0);
        let entered = Rows::new(self.entered(&pass, tape), hidden, tokens, hidden);
        self.keys_values.apply(entered, &mut keys_values, stride);
        self.rotate(&pass.batch.every.places, (&mut keys_values, stride), Direction::Forward);
        tape.keys_values = keys_values;
        if !pass.asked.is_every {
            pass.asked.gather(pass.input, hidden, &mut tape.gathered);
            if self.norm_before().is_some() {
                pass.asked.gather(&tape.entered, hidden, &mut tape.entered_asked);
            }
        }
        let mut queries = std::mem::take(&mut tape.queries);
        queries.resize(count * hidden, 0.0);
        let asked = Rows::new(self.entered_asked(&pass, tape), hidden, count, hidden);
        self.query.apply(asked, &mut queries, hidden);
        self.rotate(&pass.asked.places, (&mut queries, hidden), Direction::Forward);
        tape.queries = queries;
        let mut mixed = std::mem::take(&mut tape.mixed);
        self.attention(&pass, tape).apply(&mut room.attention, &mut mixed);
        tape.mixed = mixed;
        self.leave_attention(pass, tape);
        self.feed_forward(pass, tape, room, out);
    }

    /// From attention's results to the output of its half.
    fn leave_attention(&self, pass: Pass<'_>, tape: &mut LayerTape) {
        let (hidden, count) = (self.hidden, pass.asked.count());
        let LayerTape { gathered, mixed, attention_norm, middle, .. } = tape;
        let residual = if pass.asked.is_every { pass.input } else { gathered };
        let mixed = Rows::new(mixed, hidden, count, hidden);
        match self.norm_behind(pass, self.attention_norm, self.attention_mask(pass)) {
            Some(norm) => {
                attention_norm.normalized.resize(count * hidden, 0.0);
                self.out.apply(mixed, &mut attention_norm.normalized, hidden);
                norm.apply(attention_norm, Some(residual), middle);
            }
            None => {
                middle.resize(count * hidden, 0.0);
                self.out.apply(mixed, middle, hidden);
                drop_rows(self.attention_mask(pass), &pass.asked.places, middle, hidden, hidden);
                add(middle, residual, hidden);
            }
        }
    }

    /// The half with the feed-forward part.
    fn feed_forward(&self, pass: Pass<'_>, tape: &mut LayerTape, room: &mut LayerRoom, out: &mut Vec<f32>) {
        let (hidden, count) = (self.hidden, pass.asked.count());
        if self.norms == Norms::Before {
            copy(&tape.middle, &mut tape.norm.normalized);
            let norm = self.norm_of(pass, self.norm, &pass.asked.places);
            norm.apply(&mut tape.norm, None, &mut tape.between);
        }
        let stride = self.wide_stride();
        let mut wide = std::mem::take(&mut tape.wide);
        wide.resize(count * stride, 0.0);
        self.up.apply(Rows::new(self.between(tape), hidden, count, hidden), &mut wide, stride);
        tape.wide = wide;
        let LayerTape { middle, wide, norm, .. } = tape;
        room.activated.resize(count * stride, 0.0);
        if self.is_gated {
            gating::apply(self.isa, self.activation, (wide, stride), self.intermediate, &mut room.activated);
        } else {
            activation::apply(self.isa, self.activation, wide, &mut room.activated);
        }
        let places = &pass.asked.places;
        drop_rows(self.inside_mask(pass), places, &mut room.activated, stride, self.intermediate);
        let activated = Rows::new(&room.activated, stride, count, self.intermediate);
        match self.norm_behind(pass, Some(self.norm), self.out_mask(pass)) {
            Some(behind) => {
                norm.normalized.resize(count * hidden, 0.0);
                self.down.apply(activated, &mut norm.normalized, hidden);
                behind.apply(norm, Some(middle), out);
            }
            None => {
                out.resize(count * hidden, 0.0);
                self.down.apply(activated, out, hidden);
                drop_rows(self.out_mask(pass), places, out, hidden, hidden);
                add(out, middle, hidden);
            }
        }
    }

    /// Turns the queries or keys in the first columns of rows by their positions, if the network knows these so.
    pub(super) fn rotate(&self, places: &[Place], (rows, stride): (&mut [f32], usize), direction: Direction) {
        if let Some(rotations) = &self.rotations {
            let positions: Vec<usize> = places.iter().map(|place| place.token as usize).collect();
            rotations.apply(self.isa, &positions, (rows, stride), self.hidden, direction);
        }
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
            reach: self.reach,
            noise: pass.noise,
            batch: pass.batch,
            asked: pass.asked,
            queries: &tape.queries,
            keys_values: &tape.keys_values,
            key_stride: padded(2 * self.hidden),
        }
    }

    /// A normalisation of what is asked for, without dropout.
    pub(super) fn norm_of<'a>(&self, pass: Pass<'a>, ids: NormIds, places: &'a [Place]) -> Norm<'a> {
        ids.norm(self.isa, pass.parameters, self.epsilon, places)
    }

    /// The normalisation behind a half, of its sum with the residual, where the network has it there.
    pub(super) fn norm_behind<'a>(
        &self,
        pass: Pass<'a>,
        ids: Option<NormIds>,
        before: Option<Mask>,
    ) -> Option<Norm<'a>> {
        let ids = ids.filter(|_| self.norms == Norms::After)?;
        Some(Norm { before, ..self.norm_of(pass, ids, &pass.asked.places) })
    }

    /// Dropout between attention and its residual.
    pub(super) fn attention_mask(&self, pass: Pass<'_>) -> Option<Mask> {
        let layer = self.number;
        pass.noise?.mask(match self.attention_out? {
            AttentionRate::Hidden => Site::AttentionOut { layer },
            AttentionRate::Attention => Site::AttentionResult { layer },
        })
    }

    /// Dropout between the two layers of the feed-forward part.
    pub(super) fn inside_mask(&self, pass: Pass<'_>) -> Option<Mask> {
        let noise = pass.noise.filter(|_| self.feed_forward == FeedForwardDropout::Inside);
        noise?.mask(Site::FeedForward { layer: self.number })
    }

    /// Dropout between the feed-forward part and its residual.
    pub(super) fn out_mask(&self, pass: Pass<'_>) -> Option<Mask> {
        let noise = pass.noise.filter(|_| self.feed_forward == FeedForwardDropout::Out);
        noise?.mask(Site::LayerOut { layer: self.number })
    }
}

fn copy(from: &[f32], to: &mut Vec<f32>) {
    to.clear();
    to.extend_from_slice(from);
}
