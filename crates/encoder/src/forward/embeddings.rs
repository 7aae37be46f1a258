//! From token ids to the first layer's input.

use rayon::prelude::*;

use super::linear::{Linear, Loading, scale_name};
use super::names::{LinearName, Names};
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
    positions: Option<Vec<f32>>,
    /// The embedding of token type 0, which all tokens of a single text have.
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
    pub(crate) fn load(
        loading: Loading<'_>,
        names: &Names<'_>,
        config: &Config,
    ) -> Result<Self, EncoderError> {
        let weights = loading.weights;
        let width = config.embedding;
        let table = |name: Option<String>, rows| {
            name.map(|name| Ok::<_, EncoderError>(weights.f32(&name, &[rows, width])?.to_vec())).transpose()
        };
        let types = table(names.token_types(), config.token_types)?;
        let types = types.map(|types| types[..width].to_vec());
        let projection = (width != config.hidden)
            .then(|| Linear::load(loading, &[names.projection()], width, config.hidden))
            .transpose()?;
        Ok(Self {
            words: Words::load(weights, &names.words(), [config.vocabulary, width])?,
            positions: table(names.positions(), config.positions)?,
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
            if let Some(positions) = &self.positions {
                let position = &positions[position * self.width..][..self.width];
                row.iter_mut().zip(position).for_each(|(sum, number)| *sum += number);
            }
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
    name: &LinearName,
    width: usize,
    epsilon: f32,
) -> Result<Norm, EncoderError> {
    let bias = name.bias.as_ref().map(|bias| Ok::<_, EncoderError>(weights.f32(bias, &[width])?.to_vec()));
    // Adding zero changes nothing.
    let bias = bias.transpose()?.unwrap_or_else(|| vec![0.0; width]);
    Ok(Norm { weight: weights.f32(&name.weight, &[width])?.to_vec(), bias, epsilon })
}
