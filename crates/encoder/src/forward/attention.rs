//! Scaled dot-product attention within each sequence (Vaswani et al., arXiv 1706.03762).

use std::ops::Range;

use rayon::prelude::*;

use super::distances::{DistanceRoom, LayerDistances};
use super::sequences::Sequences;
use crate::kernels::{After, Factors, Isa, PackedF32, Part, Rows, product_part, softmax};

/// Queries that are answered at once: their scores against a long sequence's keys fit the cache.
const QUERIES_AT_ONCE: usize = 48;

/// Attention of a layer.
#[derive(Debug)]
pub(crate) struct Attention {
    pub(crate) heads: usize,
    /// Numbers of a head.
    pub(crate) width: usize,
    /// Tokens seen on each side of a query; all, if none is given.
    pub(crate) reach: Option<usize>,
    /// Embeddings of distances, where these take part in the scores.
    pub(crate) distances: Option<LayerDistances>,
    /// The products that a score adds up.
    pub(crate) terms: usize,
    pub(crate) isa: Isa,
}

/// The places of queries, keys and values.
#[derive(Clone, Copy)]
pub(crate) struct Projected<'a> {
    /// A row for each token, or, `of_first` alone, one for each sequence.
    pub(crate) queries: &'a [f32],
    pub(crate) query_stride: usize,
    pub(crate) of_first: bool,
    /// Rows of all keys and then all values, one row for each token.
    pub(crate) keys_values: &'a [f32],
    pub(crate) key_stride: usize,
}

/// Room for one head of one sequence.
struct Room {
    keys: PackedF32,
    values: PackedF32,
    scores: Vec<f32>,
    distances: DistanceRoom,
}

/// One head of one sequence, and where its results go.
struct Task<'a> {
    head: usize,
    sequence: usize,
    out: &'a mut [f32],
}

impl Attention {
    /// Writes each query's mix of values to `out`, one row a query; `room` is as large.
    pub(crate) fn apply(
        &self,
        sequences: &Sequences,
        projected: &Projected<'_>,
        room: &mut [f32],
        out: &mut [f32],
    ) {
        let tasks = self.tasks(sequences, projected.of_first, room);
        let longest = sequences.longest();
        tasks
            .into_par_iter()
            .for_each_init(|| self.room(longest), |room, task| self.head(sequences, projected, task, room));
        self.rows_of_heads(sequences, projected.of_first, room, out);
    }

    fn room(&self, longest: usize) -> Room {
        let stride = longest.next_multiple_of(16);
        Room {
            keys: PackedF32::with_room(self.isa, self.width, longest),
            values: PackedF32::with_room(self.isa, longest, self.width),
            scores: vec![0.0; QUERIES_AT_ONCE.min(longest) * stride],
            distances: DistanceRoom::default(),
        }
    }

    /// Cuts `out` into a part for each head of each sequence.
    fn tasks<'a>(&self, sequences: &Sequences, of_first: bool, out: &'a mut [f32]) -> Vec<Task<'a>> {
        let mut tasks = Vec::with_capacity(sequences.count() * self.heads);
        let mut rest = out;
        for sequence in 0..sequences.count() {
            let queries = if of_first { 1 } else { sequences.range(sequence).len() };
            for head in 0..self.heads {
                let (part, after) = rest.split_at_mut(queries * self.width);
                tasks.push(Task { head, sequence, out: part });
                rest = after;
            }
        }
        tasks
    }

    fn head(&self, sequences: &Sequences, projected: &Projected<'_>, task: Task<'_>, room: &mut Room) {
        let Projected { queries, query_stride, of_first, keys_values, key_stride } = *projected;
        let (width, column) = (self.width, task.head * self.width);
        let tokens = sequences.range(task.sequence);
        let length = tokens.len();
        let keys = &keys_values[tokens.start * key_stride + column..];
        room.keys.fill_rows(keys, key_stride, length, width);
        room.values.fill_columns(&keys[self.heads * width..], key_stride, length, width);
        let (first, count) = if of_first { (task.sequence, 1) } else { (tokens.start, length) };
        let queries = Rows::new(&queries[first * query_stride + column..], query_stride, count, width);
        let stride = length.next_multiple_of(16);
        let scale = 1.0 / ((width * self.terms) as f32).sqrt();
        let DistanceRoom { of_queries, of_keys } = &mut room.distances;
        let rows_of_keys = Rows::new(keys, key_stride, length, width);
        let distances = self.distances.as_ref();
        let distances = distances.map(|all| all.head(task.head, rows_of_keys, count, of_keys));
        for (block, out) in task.out.chunks_mut(QUERIES_AT_ONCE * width).enumerate() {
            let (first, count) = (block * QUERIES_AT_ONCE, out.len() / width);
            let left = queries.part(first, count);
            let scores = &mut room.scores[..count * stride];
            let seen = self.seen(first, count, length, room.keys.width());
            let factors = Factors { left, weights: &room.keys, after: After::default() };
            product_part(factors, Part { inner: 0..width, columns: seen.clone() }, scores, stride);
            if let Some(distances) = &distances {
                distances.add(self.isa, (left, first), of_queries, (scores, stride));
            }
            for (row, query) in scores.chunks_exact_mut(stride).zip(first..) {
                self.share(&mut row[..seen.len()], seen.start, query, scale);
            }
            let left = Rows::new(scores, stride, count, seen.len());
            let factors = Factors { left, weights: &room.values, after: After::default() };
            product_part(factors, Part { inner: seen, columns: 0..width }, out, width);
        }
    }

    /// The keys that any of some queries sees, from a panel's first on.
    fn seen(&self, first: usize, count: usize, length: usize, panel: usize) -> Range<usize> {
        let Some(reach) = self.reach else { return 0..length };
        first.saturating_sub(reach) / panel * panel..(first + count).saturating_add(reach).min(length)
    }

    /// Turns a query's scores of the keys from `start` on into shares of those that it sees.
    fn share(&self, scores: &mut [f32], start: usize, query: usize, scale: f32) {
        let Some(reach) = self.reach else { return softmax(self.isa, scores, scale) };
        let nearest = query.saturating_sub(reach).max(start) - start;
        let farthest = (query.saturating_add(reach) + 1 - start).min(scores.len());
        scores[..nearest].fill(0.0);
        scores[farthest..].fill(0.0);
        softmax(self.isa, &mut scores[nearest..farthest], scale);
    }

    /// Puts the heads of a query side by side.
    fn rows_of_heads(&self, sequences: &Sequences, of_first: bool, parts: &[f32], out: &mut [f32]) {
        let hidden = self.heads * self.width;
        let mut sequences_out = Vec::with_capacity(sequences.count());
        let (mut rest, mut from) = (out, 0);
        for sequence in 0..sequences.count() {
            let queries = if of_first { 1 } else { sequences.range(sequence).len() };
            let (rows, after) = rest.split_at_mut(queries * hidden);
            sequences_out.push((&parts[from..from + queries * hidden], rows));
            (rest, from) = (after, from + queries * hidden);
        }
        sequences_out.into_par_iter().for_each(|(parts, rows)| {
            let queries = rows.len() / hidden;
            for (head, part) in parts.chunks_exact(queries * self.width).enumerate() {
                for (row, part) in rows.chunks_exact_mut(hidden).zip(part.chunks_exact(self.width)) {
                    row[head * self.width..][..self.width].copy_from_slice(part);
                }
            }
        });
    }
}
