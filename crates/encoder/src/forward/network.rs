//! A whole network: embeddings, layers and head.

use rayon::prelude::*;

use super::attention::Attention;
use super::buffers::Buffers;
use super::embeddings::Embeddings;
use super::head::Head;
use super::layer::Layer;
use super::linear::Loading;
use super::names::Names;
use super::sequences::Sequences;
use crate::config::Config;
use crate::error::EncoderError;
use crate::kernels::Isa;

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
