//! One layer: attention, then two linear layers around an activation, each added to its input and normalised.

use super::attention::{Attention, Projected};
use super::buffers::Buffers;
use super::embeddings::load_norm;
use super::linear::{Linear, Loading};
use super::names::LayerNames;
use super::sequences::Sequences;
use crate::config::{Activation, Config};
use crate::error::EncoderError;
use crate::kernels::{Norm, Rows, add_normalize};

/// A layer of the encoder.
#[derive(Debug)]
pub(crate) struct Layer {
    input: Input,
    out: Linear,
    attention_norm: Norm,
    up: Linear,
    activation: Activation,
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
        is_last: bool,
    ) -> Result<Self, EncoderError> {
        let (hidden, intermediate) = (config.hidden, config.intermediate);
        let LayerNames { query, key, value, out, attention_norm, up, down, norm } = names;
        let input = if is_last {
            Input::First {
                query: Linear::load(loading, &[query], hidden, hidden)?,
                keys_values: Linear::load(loading, &[key, value], hidden, hidden)?,
            }
        } else {
            Input::Every(Linear::load(loading, &[query, key, value], hidden, hidden)?)
        };
        Ok(Self {
            input,
            out: Linear::load(loading, &[out], hidden, hidden)?,
            attention_norm: load_norm(loading.weights, &attention_norm, hidden, config.norm_epsilon)?,
            up: Linear::load(loading, &[up], hidden, intermediate)?,
            activation: config.activation,
            down: Linear::load(loading, &[down], intermediate, hidden)?,
            norm: load_norm(loading.weights, &norm, hidden, config.norm_epsilon)?,
            hidden,
            intermediate,
        })
    }

    /// Replaces the rows of `buffers.rows`, one for each token, by the layer's output: one for each token, or after the
    /// last layer one for each sequence.
    pub(crate) fn apply(&self, attention: Attention, sequences: &Sequences, buffers: &mut Buffers) {
        let hidden = self.hidden;
        let Buffers { rows, projected, first, mixed, wide, narrow, bytes } = buffers;
        let tokens = sequences.tokens();
        let input = Rows::new(rows, hidden, tokens, hidden);
        let projected = match &self.input {
            Input::Every(linear) => {
                let stride = padded(3 * hidden);
                projected.resize(tokens * stride, 0.0);
                linear.apply(input, None, projected, stride, bytes);
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
                sequences.gather_first(rows, hidden);
                let count = sequences.count();
                first.resize(count * hidden, 0.0);
                query.apply(Rows::new(rows, hidden, count, hidden), None, first, hidden, bytes);
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
        attention.apply(sequences, &projected, narrow, mixed);
        let stride = padded(self.intermediate);
        self.out.apply(Rows::new(mixed, hidden, count, hidden), None, narrow, hidden, bytes);
        add_normalize(attention.isa, rows, narrow, &self.attention_norm);
        wide.resize(count * stride, 0.0);
        self.up.apply(Rows::new(rows, hidden, count, hidden), Some(self.activation), wide, stride, bytes);
        let wide = Rows::new(wide, stride, count, self.intermediate);
        self.down.apply(wide, None, narrow, hidden, bytes);
        add_normalize(attention.isa, rows, narrow, &self.norm);
    }
}
