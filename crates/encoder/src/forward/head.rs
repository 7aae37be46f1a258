//! From the vectors of a text's tokens to a logit for every label.

use rayon::prelude::*;

use super::embeddings::load_norm;
use super::linear::{Linear, Loading};
use super::names::Names;
use super::precision::Precision;
use super::sequences::Sequences;
use crate::config::{Config, HeadFunction, Pooling};
use crate::error::EncoderError;
use crate::kernels::{Isa, Norm, QuantizedRows, Rows, normalize, tanh_row};

/// The head of `…ForSequenceClassification`: two linear layers with something between them.
#[derive(Debug)]
pub(crate) struct Head {
    pooling: Pooling,
    dense: Linear,
    function: HeadFunction,
    norm: Option<Norm>,
    out: Linear,
    hidden: usize,
    labels: usize,
}

impl Head {
    pub(crate) fn load(
        loading: Loading<'_>,
        names: &Names<'_>,
        config: &Config,
    ) -> Result<Self, EncoderError> {
        // Few products, and the last thing before the answer: always in full precision.
        let loading = Loading { precision: Precision::F32, ..loading };
        let (hidden, labels) = (config.hidden, config.labels.len());
        let norm = names.head_norm();
        let norm = norm.map(|name| load_norm(loading.weights, &name, hidden, config.norm_epsilon));
        Ok(Self {
            pooling: config.form.head.pooling,
            dense: Linear::load(loading, &[names.head_dense()], hidden, hidden)?,
            function: config.form.head.function,
            norm: norm.transpose()?,
            out: Linear::load(loading, &[names.head_out()], hidden, labels)?,
            hidden,
            labels,
        })
    }

    /// True if the head reads each text's first token alone.
    pub(crate) fn reads_first(&self) -> bool {
        self.pooling == Pooling::First
    }

    /// Logits of every sequence, from a row for each, or for each token where not only the first is read.
    pub(crate) fn apply(
        &self,
        isa: Isa,
        sequences: &Sequences,
        rows: &[f32],
        bytes: &mut QuantizedRows,
    ) -> Vec<f32> {
        let (count, hidden) = (sequences.count(), self.hidden);
        let pooled = match self.pooling {
            Pooling::First => Vec::new(),
            Pooling::Mean => means(sequences, rows, hidden),
        };
        let rows = if self.reads_first() { rows } else { &pooled };
        let mut dense = vec![0.0; count * hidden];
        let activation = match self.function {
            HeadFunction::Tanh => None,
            HeadFunction::Activation(activation) => Some(activation),
        };
        self.dense.apply(Rows::new(rows, hidden, count, hidden), activation, &mut dense, hidden, bytes);
        if self.function == HeadFunction::Tanh {
            tanh_row(isa, &mut dense);
        }
        if let Some(norm) = &self.norm {
            normalize(isa, &mut dense, norm);
        }
        let mut logits = vec![0.0; count * self.labels];
        let dense = Rows::new(&dense, hidden, count, hidden);
        self.out.apply(dense, None, &mut logits, self.labels, bytes);
        logits
    }
}

/// The mean over each sequence's rows, added up in their order.
pub(crate) fn means(sequences: &Sequences, rows: &[f32], width: usize) -> Vec<f32> {
    let mut means = vec![0.0; sequences.count() * width];
    means.par_chunks_exact_mut(width).enumerate().for_each(|(sequence, mean)| {
        let tokens = sequences.range(sequence);
        let share = 1.0 / tokens.len() as f32;
        for row in rows[tokens.start * width..tokens.end * width].chunks_exact(width) {
            mean.iter_mut().zip(row).for_each(|(sum, number)| *sum += number);
        }
        mean.iter_mut().for_each(|sum| *sum *= share);
    });
    means
}
