//! From token ids to the first layer's input, and the gradients of the tables.

use rayon::prelude::*;

use super::batch::Batch;
use super::gradients::Gradients;
use super::linear::{LinearIds, PackedLinear, WeightRoom};
use super::noise::{Noise, Site};
use super::norm::{Norm, NormIds, NormRoom, NormTape};
use super::parameters::Parameters;
use super::table::Table;
use crate::config::Config;
use crate::forward::Names;
use crate::kernels::{Isa, Rows};

/// Rows of a table whose gradients a thread adds up.
const ROWS_AT_ONCE: usize = 64;

/// The places of the tables among the parameters.
#[derive(Debug)]
pub(super) struct Embeddings {
    words: usize,
    positions: Option<usize>,
    types: Option<usize>,
    norm: NormIds,
    projection: Option<PackedLinear>,
    width: usize,
    position_offset: usize,
    /// The row of the table of words that is not trained; in the RoBERTa family also that of positions.
    pad_token: Option<u32>,
    epsilon: f32,
    isa: Isa,
}

/// Activations that the backward pass needs.
#[derive(Debug, Default)]
pub(super) struct EmbeddingTape {
    positions: Vec<usize>,
    norm: NormTape,
    /// Before ELECTRA's projection.
    narrow: Vec<f32>,
}

impl Embeddings {
    pub(super) fn new(config: &Config, table: &Table, names: &Names<'_>, isa: Isa) -> Self {
        let projection = (config.embedding != config.hidden)
            .then(|| PackedLinear::new(isa, &[LinearIds::new(table, &names.projection())]));
        Self {
            words: table.id(&names.words()),
            positions: names.positions().map(|name| table.id(&name)),
            types: names.token_types().map(|name| table.id(&name)),
            norm: NormIds::new(table, &names.embedding_norm()),
            projection,
            width: config.embedding,
            position_offset: config.position_offset,
            pad_token: config.pad_token,
            epsilon: config.norm_epsilon,
            isa,
        }
    }

    pub(super) fn repack(&mut self, parameters: &Parameters, is_trained: bool) {
        if let Some(projection) = &mut self.projection {
            projection.repack(parameters, is_trained);
        }
    }

    /// Writes the first layer's input, a row for each token.
    pub(super) fn apply(
        &self,
        parameters: &Parameters,
        (batch, noise): (&Batch, Option<&Noise>),
        tape: &mut EmbeddingTape,
        out: &mut Vec<f32>,
    ) {
        let counted = self.pad_token.filter(|_| self.position_offset > 0);
        tape.positions = batch.sequences.positions(self.position_offset, counted);
        self.sums(parameters, batch, tape);
        let norm = self.norm(parameters, batch, noise);
        match &self.projection {
            None => norm.apply(&mut tape.norm, None, out),
            Some(projection) => {
                norm.apply(&mut tape.norm, None, &mut tape.narrow);
                let rows = Rows::new(&tape.narrow, self.width, batch.tokens(), self.width);
                out.resize(batch.tokens() * projection.outs(), 0.0);
                projection.apply(rows, out, projection.outs());
            }
        }
    }

    fn norm<'a>(&self, parameters: &'a Parameters, batch: &'a Batch, noise: Option<&Noise>) -> Norm<'a> {
        let after = noise.and_then(|noise| noise.mask(Site::Embeddings));
        Norm { after, ..self.norm.norm(self.isa, parameters, self.epsilon, &batch.every.places) }
    }

    /// Adds up the rows of the tables, in transformers' order: words, token type 0, positions.
    fn sums(&self, parameters: &Parameters, batch: &Batch, tape: &mut EmbeddingTape) {
        let width = self.width;
        let row = |table: usize, row: usize| &parameters.tensor(table)[row * width..][..width];
        let EmbeddingTape { positions, norm, .. } = tape;
        norm.normalized.resize(batch.tokens() * width, 0.0);
        let tokens = batch.sequences.ids().par_iter().zip(&*positions);
        let rows = norm.normalized.par_chunks_exact_mut(width).zip(tokens).with_min_len(ROWS_AT_ONCE);
        rows.for_each(|(out, (&id, &position))| {
            out.copy_from_slice(row(self.words, id as usize));
            let others = [
                self.types.map(|types| row(types, 0)),
                self.positions.map(|positions| row(positions, position)),
            ];
            for other in others.into_iter().flatten() {
                out.iter_mut().zip(other).for_each(|(sum, number)| *sum += number);
            }
        });
    }

    /// Adds the gradients of the tables, from those in the first layer's input, which are overwritten.
    pub(super) fn back(
        &self,
        parameters: &Parameters,
        (batch, noise): (&Batch, Option<&Noise>),
        tape: &EmbeddingTape,
        gradient: &mut Vec<f32>,
        (room, norm_room, gradients): (&mut WeightRoom, &mut NormRoom, &mut Gradients),
    ) {
        if let Some(projection) = &self.projection {
            let (outs, tokens) = (projection.outs(), batch.tokens());
            let rows = Rows::new(gradient, outs, tokens, outs);
            room.add(
                rows,
                Rows::new(&tape.narrow, self.width, tokens, self.width),
                projection.ids(),
                gradients,
            );
            let mut narrow = vec![0.0; tokens * self.width];
            projection.back(rows, &mut narrow, false);
            *gradient = narrow;
        }
        let norm = self.norm(parameters, batch, noise);
        norm.back(&tape.norm, gradient, None, (norm_room, self.norm, gradients));
        let ids = batch.sequences.ids().iter().map(|&id| id as usize);
        let pad = self.pad_token.map(|pad| pad as usize);
        add_rows(ids, pad, gradient, gradients.sum(self.words), self.width);
        if let Some(positions) = self.positions {
            let pad = pad.filter(|_| self.position_offset > 0);
            add_rows(tape.positions.iter().copied(), pad, gradient, gradients.sum(positions), self.width);
        }
        if let Some(types) = self.types {
            add_rows(
                batch.sequences.ids().iter().map(|_| 0),
                None,
                gradient,
                gradients.sum(types),
                self.width,
            );
        }
    }
}

/// Adds rows to those of a table, each number's in the order of the rows whatever thread does it. Nothing is added to the
/// row `except`.
fn add_rows(
    numbers: impl Iterator<Item = usize>,
    except: Option<usize>,
    rows: &[f32],
    table: &mut [f32],
    width: usize,
) {
    let mut sorted: Vec<(usize, usize)> = numbers
        .enumerate()
        .filter(|&(_, number)| Some(number) != except)
        .map(|(at, number)| (number, at))
        .collect();
    sorted.sort_unstable();
    let add = |(chunk, table): (usize, &mut [f32])| {
        let first = chunk * ROWS_AT_ONCE;
        let from = sorted.partition_point(|&(number, _)| number < first);
        for &(number, at) in sorted[from..].iter().take_while(|(number, _)| *number < first + ROWS_AT_ONCE) {
            let sums = &mut table[(number - first) * width..][..width];
            sums.iter_mut().zip(&rows[at * width..]).for_each(|(sum, number)| *sum += number);
        }
    };
    table.par_chunks_mut(ROWS_AT_ONCE * width).enumerate().for_each(add);
}
