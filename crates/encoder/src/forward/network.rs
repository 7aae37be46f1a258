//! A whole network, and the sequences that go through it.

use std::ops::Range;

use rayon::prelude::*;

use super::attention::Attention;
use super::embeddings::Embeddings;
use super::head::Head;
use super::layer::Layer;
use super::linear::Loading;
use super::names::Names;
use crate::EncoderError;
use crate::config::Config;
use crate::kernels::{Isa, QuantizedRows};

/// Token ids of some texts, end to end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sequences {
    ids: Vec<u32>,
    /// Where each begins, and at last where the last one ends.
    bounds: Vec<usize>,
}

impl Sequences {
    pub(crate) fn new<'t>(texts: impl IntoIterator<Item = &'t [u32]>) -> Self {
        let (mut ids, mut bounds) = (Vec::new(), vec![0]);
        for text in texts {
            ids.extend_from_slice(text);
            bounds.push(ids.len());
        }
        Self { ids, bounds }
    }

    pub(crate) fn ids(&self) -> &[u32] {
        &self.ids
    }

    pub(crate) fn tokens(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn count(&self) -> usize {
        self.bounds.len() - 1
    }

    pub(crate) fn range(&self, sequence: usize) -> Range<usize> {
        self.bounds[sequence]..self.bounds[sequence + 1]
    }

    pub(crate) fn each(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.count()).map(|sequence| &self.ids[self.range(sequence)])
    }

    pub(crate) fn longest(&self) -> usize {
        (0..self.count()).map(|sequence| self.range(sequence).len()).max().unwrap_or(0)
    }

    /// The row of the position table for every token: counted from `offset`, where a token `uncounted` is not counted and
    /// has the row of its own number.
    pub(crate) fn positions(&self, offset: usize, uncounted: Option<u32>) -> Vec<usize> {
        let mut positions = Vec::with_capacity(self.tokens());
        for ids in self.each() {
            let mut next = offset;
            for &id in ids {
                // A padding token that a text spells out is not counted: transformers looks at ids alone.
                if Some(id) == uncounted {
                    positions.push(id as usize);
                } else {
                    positions.push(next);
                    next += 1;
                }
            }
        }
        positions
    }

    /// Keeps of `rows`, one of `width` for each token, those of each sequence's first token.
    pub(crate) fn gather_first(&self, rows: &mut Vec<f32>, width: usize) {
        for sequence in 0..self.count() {
            let from = self.range(sequence).start * width;
            rows.copy_within(from..from + width, sequence * width);
        }
        rows.truncate(self.count() * width);
    }
}

/// Room that layers work in.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    pub(crate) rows: Vec<f32>,
    pub(crate) projected: Vec<f32>,
    pub(crate) first: Vec<f32>,
    pub(crate) mixed: Vec<f32>,
    pub(crate) wide: Vec<f32>,
    pub(crate) narrow: Vec<f32>,
    pub(crate) bytes: QuantizedRows,
}

/// An encoder with its classification head.
#[derive(Debug)]
pub(crate) struct Network {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    head: Head,
    attention: Attention,
    hidden: usize,
}

impl Network {
    pub(crate) fn load(loading: Loading<'_>, config: &Config, bare: bool) -> Result<Self, EncoderError> {
        let names = Names::new(config.architecture, bare);
        let layer = |number| Layer::load(loading, names.layer(number), config, number + 1 == config.layers);
        let layers = (0..config.layers).into_par_iter().map(layer);
        Ok(Self {
            layers: layers.collect::<Result<_, _>>()?,
            embeddings: Embeddings::load(loading, &names, config)?,
            head: Head::load(loading, &names, config)?,
            attention: Attention {
                heads: config.heads,
                width: config.hidden / config.heads,
                isa: loading.isa,
            },
            hidden: config.hidden,
        })
    }

    /// The instructions that it was packed for.
    pub(crate) fn isa(&self) -> Isa {
        self.attention.isa
    }

    /// The logits of every sequence, row by row. Every sequence must have a token, and every id a row of the table.
    pub(crate) fn logits(&self, sequences: &Sequences, buffers: &mut Buffers) -> Vec<f32> {
        buffers.rows.clear();
        buffers.rows.resize(sequences.tokens() * self.hidden, 0.0);
        self.embeddings.apply(self.isa(), sequences, &mut buffers.rows, &mut buffers.bytes);
        for layer in &self.layers {
            layer.apply(self.attention, sequences, buffers);
        }
        self.head.apply(self.isa(), &buffers.rows, &mut buffers.bytes)
    }
}
