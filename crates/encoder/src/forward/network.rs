//! A whole network: embeddings, layers and head.

use rayon::prelude::*;

use super::attention::Attention;
use super::buffers::Buffers;
use super::distances::Distances;
use super::embeddings::{Embeddings, load_norm};
use super::head::Head;
use super::layer::Layer;
use super::linear::Loading;
use super::names::Names;
use super::rotations::Rotations;
use super::sequences::Sequences;
use crate::config::Config;
use crate::error::EncoderError;
use crate::kernels::{Isa, Norm, normalize};

/// An encoder with its classification head.
#[derive(Debug)]
pub(crate) struct Network {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    /// Behind the layers, where these normalise their inputs.
    norm: Option<Norm>,
    head: Head,
    isa: Isa,
    hidden: usize,
}

impl Network {
    pub(crate) fn load(loading: Loading<'_>, config: &Config, bare: bool) -> Result<Self, EncoderError> {
        let names = Names::new(config, bare);
        let head = Head::load(loading, &names, config)?;
        let distances = Distances::load(loading, &names, config)?;
        let rotations = Rotations::of_layers(config);
        let layer = |number: usize| {
            let is_last = number + 1 == config.layers && head.reads_first();
            let names = names.layer(number);
            let attention = Attention {
                heads: config.heads,
                width: config.head_width(),
                reach: config.form.reach(number),
                distances: distances.as_ref().map(|all| all.of_layer(loading, &names)).transpose()?,
                terms: config.form.score_terms(),
                isa: loading.isa,
            };
            let rotations = rotations.get(number).cloned().flatten();
            Layer::load(loading, names, config, (attention, rotations), is_last)
        };
        let layers = (0..config.layers).into_par_iter().map(layer);
        let norm = names.final_norm();
        let norm = norm.map(|name| load_norm(loading.weights, &name, config.hidden, config.norm_epsilon));
        Ok(Self {
            layers: layers.collect::<Result<_, _>>()?,
            embeddings: Embeddings::load(loading, &names, config)?,
            norm: norm.transpose()?,
            head,
            isa: loading.isa,
            hidden: config.hidden,
        })
    }

    /// The logits of every sequence, row by row. Every sequence must have a token, and every id a row of the table.
    pub(crate) fn logits(&self, sequences: &Sequences, buffers: &mut Buffers) -> Vec<f32> {
        buffers.rows.clear();
        buffers.rows.resize(sequences.tokens() * self.hidden, 0.0);
        self.embeddings.apply(self.isa, sequences, &mut buffers.rows, &mut buffers.bytes);
        for layer in &self.layers {
            layer.apply(sequences, buffers);
        }
        if let Some(norm) = &self.norm {
            normalize(self.isa, &mut buffers.rows, norm);
        }
        self.head.apply(self.isa, sequences, &buffers.rows, &mut buffers.bytes)
    }
}
