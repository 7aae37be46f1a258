//! From token ids to the first layer's input.

use rayon::prelude::*;

use super::linear::{Linear, Loading, scale_name};
use super::names::Names;
use super::sequences::Sequences;
use crate::config::Config;
use crate::dtype::Dtype;
use crate::error::EncoderError;
use crate::kernels::{Isa, Norm, QuantizedRows, Rows, normalize};
use crate::weights::{Tensor, Weights};

/// Tokens that are worth a thread of their own.
const TOKENS_AT_ONCE: usize = 32;

/// The tables of words, positions and token types, and the normalisation of their sum.
#[derive(Debug)]
pub(crate) struct Embeddings {
    words: Words,
    /// Positions, each with the embedding of token type 0, which all tokens of a single text have, added.
    positions: Vec<f32>,
    types: Option<Vec<f32>>,
    norm: Norm,
    projection: Option<Linear>,
    width: usize,
    position_offset: usize,
    pad_token: Option<u32>,
}

/// The table of words: left in the file, as of most only few rows are ever read.
#[derive(Debug)]
enum Words {
    F32(Tensor<f32>),
    I8 { values: Tensor<i8>, scales: Vec<f32> },
}

impl Embeddings {
    pub(crate) fn load(loading: Loading<'_>, names: &Names, config: &Config) -> Result<Self, EncoderError> {
        let weights = loading.weights;
        let width = config.embedding;
        let types = (config.token_types > 0)
            .then(|| weights.f32(&names.token_types(), &[config.token_types, width]))
            .transpose()?
            .map(|types| types[..width].to_vec());
        let projection = (width != config.hidden)
            .then(|| Linear::load(loading, &[names.projection()], width, config.hidden))
            .transpose()?;
        Ok(Self {
            words: Words::load(weights, &names.words(), [config.vocabulary, width])?,
            positions: weights.f32(&names.positions(), &[config.positions, width])?.to_vec(),
            types,
            norm: load_norm(weights, &names.embedding_norm(), width, config.norm_epsilon)?,
            projection,
            width,
            position_offset: config.position_offset,
            // Only the RoBERTa family counts positions by tokens that are not padding.
            pad_token: config.pad_token.filter(|_| config.position_offset > 0),
        })
    }

    /// Writes the first layer's input to `out`, one row a token.
    pub(crate) fn apply(&self, isa: Isa, sequences: &Sequences, out: &mut [f32], bytes: &mut QuantizedRows) {
        match &self.projection {
            None => self.sums(isa, sequences, out),
            Some(projection) => {
                let mut narrow = vec![0.0; sequences.tokens() * self.width];
                self.sums(isa, sequences, &mut narrow);
                let rows = Rows::new(&narrow, self.width, sequences.tokens(), self.width);
                let hidden = out.len() / sequences.tokens().max(1);
                projection.apply(rows, None, out, hidden, bytes);
            }
        }
    }

    fn sums(&self, isa: Isa, sequences: &Sequences, out: &mut [f32]) {
        let positions = sequences.positions(self.position_offset, self.pad_token);
        let tokens = sequences.ids().par_iter().zip(&positions);
        let rows = out.par_chunks_exact_mut(self.width).zip(tokens).with_min_len(TOKENS_AT_ONCE);
        rows.for_each(|(row, (&id, &position))| {
            self.words.copy(id as usize, row);
            // The order of the additions is transformers': the token type first, then the position.
            if let Some(types) = &self.types {
                row.iter_mut().zip(types).for_each(|(sum, number)| *sum += number);
            }
            let position = &self.positions[position * self.width..][..self.width];
            row.iter_mut().zip(position).for_each(|(sum, number)| *sum += number);
        });
        normalize(isa, out, &self.norm);
    }
}

impl Words {
    fn load(weights: &Weights, name: &str, shape: [usize; 2]) -> Result<Self, EncoderError> {
        if weights.dtype(name) == Some(Dtype::I8) {
            let scales = weights.f32(&scale_name(name), &shape[..1])?.to_vec();
            return Ok(Self::I8 { values: weights.i8(name, &shape)?, scales });
        }
        Ok(Self::F32(weights.f32(name, &shape)?))
    }

    fn copy(&self, id: usize, row: &mut [f32]) {
        let width = row.len();
        match self {
            Self::F32(table) => row.copy_from_slice(&table[id * width..][..width]),
            Self::I8 { values, scales } => {
                let scale = scales[id];
                let values = &values[id * width..][..width];
                row.iter_mut().zip(values).for_each(|(number, &value)| *number = f32::from(value) * scale);
            }
        }
    }
}

/// A layer normalisation's weights.
pub(crate) fn load_norm(
    weights: &Weights,
    name: &super::names::LinearName,
    width: usize,
    epsilon: f32,
) -> Result<Norm, EncoderError> {
    let weight = weights.f32(&name.weight, &[width])?.to_vec();
    Ok(Norm { weight, bias: weights.f32(&name.bias, &[width])?.to_vec(), epsilon })
}
