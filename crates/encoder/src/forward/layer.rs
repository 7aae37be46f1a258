//! One layer: attention, then two linear layers around an activation; each half is added to its input, and normalised
//! before or behind.

use std::sync::Arc;

use super::attention::{Attention, Projected};
use super::buffers::Buffers;
use super::embeddings::load_norm;
use super::linear::{Linear, Loading};
use super::names::LayerNames;
use super::rotations::{Direction, Rotations};
use super::sequences::Sequences;
use crate::config::{Activation, Config, Norms};
use crate::error::EncoderError;
use crate::kernels::{Norm, Rows, add, add_normalize, add_normalize_to, gate, normalize_to};

/// A layer of the encoder.
#[derive(Debug)]
pub(crate) struct Layer {
    norms: Norms,
    input: Input,
    rotations: Option<Arc<Rotations>>,
    attention: Attention,
    out: Linear,
    attention_norm: Option<Norm>,
    /// With the gates, if there are any, beside it.
    up: Linear,
    activation: Activation,
    is_gated: bool,
    down: Linear,
    norm: Norm,
    hidden: usize,
    intermediate: usize,
}

/// Queries, keys and values.
#[derive(Debug)]
enum Input {
    /// Queries, keys and values of every token, side by side.
    Every(Linear),
    /// Keys and values of every token, queries of the first of each sequence: the last layer.
    First { query: Linear, keys_values: Linear },
}

/// A row stride that is not a multiple of a power of two, so that rows spread over the cache's sets.
pub(crate) fn padded(width: usize) -> usize {
    width.next_multiple_of(16) + 16
}

impl Layer {
    pub(crate) fn load(
        loading: Loading<'_>,
        names: LayerNames,
        config: &Config,
        (attention, rotations): (Attention, Option<Arc<Rotations>>),
        is_last: bool,
    ) -> Result<Self, EncoderError> {
        let (hidden, intermediate) = (config.hidden, config.intermediate);
        let LayerNames { query, key, value, out, attention_norm, up, gate, down, norm, .. } = names;
        let norm_of = |name| load_norm(loading.weights, &name, hidden, config.norm_epsilon);
        let up: Vec<_> = std::iter::once(up).chain(gate).collect();
        let input = if is_last {
            Input::First {
                query: Linear::load(loading, &[query], hidden, hidden)?,
                keys_values: Linear::load(loading, &[key, value], hidden, hidden)?,
            }
        } else {
            Input::Every(Linear::load(loading, &[query, key, value], hidden, hidden)?)
        };
        Ok(Self {
            norms: config.form.norms,
            input,
            rotations,
            attention,
            out: Linear::load(loading, &[out], hidden, hidden)?,
            attention_norm: attention_norm.map(norm_of).transpose()?,
            is_gated: up.len() > 1,
            up: Linear::load(loading, &up, hidden, intermediate)?,
            activation: config.activation,
            down: Linear::load(loading, &[down], intermediate, hidden)?,
            norm: norm_of(norm)?,
            hidden,
            intermediate,
        })
    }

    /// Replaces the rows of `buffers.rows`, one for each token, by the layer's output: one for each token, or after the
    /// last layer, if the head reads no more, one for each sequence.
    pub(crate) fn apply(&self, sequences: &Sequences, buffers: &mut Buffers) {
        self.attend(sequences, buffers);
        self.feed_forward(buffers);
    }

    /// The half with attention: leaves its result in `buffers.narrow`.
    fn attend(&self, sequences: &Sequences, buffers: &mut Buffers) {
        let hidden = self.hidden;
        let Buffers { rows, normalized, projected, first, mixed, narrow, bytes, .. } = buffers;
        let tokens = sequences.tokens();
        let norm_before = self.attention_norm.as_ref().filter(|_| self.norms == Norms::Before);
        if let Some(norm) = norm_before {
            normalized.resize(rows.len(), 0.0);
            normalize_to(self.attention.isa, rows, norm, normalized);
        }
        let input: &[f32] = if norm_before.is_some() { normalized } else { rows };
        let input = Rows::new(input, hidden, tokens, hidden);
        let projected = match &self.input {
            Input::Every(linear) => {
                let stride = padded(3 * hidden);
                projected.resize(tokens * stride, 0.0);
                linear.apply(input, None, projected, stride, bytes);
                self.rotate(sequences, (projected, stride), 2 * hidden);
                Projected {
                    queries: projected,
                    query_stride: stride,
                    of_first: false,
                    keys_values: &projected[hidden..],
                    key_stride: stride,
                }
            }
            Input::First { query, keys_values } => {
                let stride = padded(2 * hidden);
                projected.resize(tokens * stride, 0.0);
                keys_values.apply(input, None, projected, stride, bytes);
                // Queries of the first tokens stay as they are: their position is 0.
                self.rotate(sequences, (projected, stride), hidden);
                sequences.gather_first(rows, hidden);
                let count = sequences.count();
                first.resize(count * hidden, 0.0);
                let input: &[f32] = if norm_before.is_some() {
                    sequences.gather_first(normalized, hidden);
                    normalized
                } else {
                    rows
                };
                query.apply(Rows::new(input, hidden, count, hidden), None, first, hidden, bytes);
                Projected {
                    queries: first,
                    query_stride: hidden,
                    of_first: true,
                    keys_values: projected,
                    key_stride: stride,
                }
            }
        };
        let count = rows.len() / hidden;
        narrow.resize(count * hidden, 0.0);
        mixed.resize(count * hidden, 0.0);
        self.attention.apply(sequences, &projected, narrow, mixed);
        self.out.apply(Rows::new(mixed, hidden, count, hidden), None, narrow, hidden, bytes);
    }

    /// Turns the queries or keys in the first columns of rows by their positions, if the network knows these so.
    fn rotate(&self, sequences: &Sequences, (rows, stride): (&mut [f32], usize), columns: usize) {
        if let Some(rotations) = &self.rotations {
            let positions = sequences.positions(0, None);
            let isa = self.attention.isa;
            rotations.apply(isa, &positions, (rows, stride), columns, Direction::Forward);
        }
    }

    /// The half with the feed-forward part, from attention's result in `buffers.narrow`.
    fn feed_forward(&self, buffers: &mut Buffers) {
        let (hidden, inner, isa) = (self.hidden, self.intermediate, self.attention.isa);
        let Buffers { rows, normalized, wide, narrow, bytes, .. } = buffers;
        let count = rows.len() / hidden;
        let input: &[f32] = match (self.norms, &self.attention_norm) {
            (Norms::After, Some(norm)) => {
                add_normalize(isa, rows, narrow, norm);
                rows
            }
            _ => {
                normalized.resize(rows.len(), 0.0);
                add_normalize_to(isa, rows, narrow, &self.norm, normalized);
                normalized
            }
        };
        let input = Rows::new(input, hidden, count, hidden);
        let stride = padded(if self.is_gated { 2 * inner } else { inner });
        wide.resize(count * stride, 0.0);
        if self.is_gated {
            self.up.apply(input, None, wide, stride, bytes);
            gate(isa, &mut wide[..count * stride], stride, inner, self.activation);
        } else {
            self.up.apply(input, Some(self.activation), wide, stride, bytes);
        }
        self.down.apply(Rows::new(wide, stride, count, inner), None, narrow, hidden, bytes);
        match self.norms {
            Norms::After => add_normalize(isa, rows, narrow, &self.norm),
            Norms::Before => add(rows, narrow, hidden),
        }
    }
}
