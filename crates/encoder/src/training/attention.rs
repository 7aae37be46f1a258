//! Attention within each text, forwards and backwards.
//!
//! With `P = softmax(s Q Kᵀ)`, `D` its dropout and `O = D V`: `dV = Dᵀ dO`, `dD = dO Vᵀ`,
//! `dS = s P ∘ (dP − rowsum(P ∘ dP))`, `dQ = dS K`, `dK = dSᵀ Q`. Probabilities are computed anew in the backward pass: they
//! grow with the square of a text's length, and take a fiftieth of the time.

use rayon::prelude::*;

use super::batch::{Asked, Batch};
use super::linear::transpose;
use super::noise::{Mask, Noise, Place, Site};
use super::norm::dot;
use crate::kernels::lanes::softmax;
use crate::kernels::{After, Factors, Isa, PackedF32, Rows, Vectorized, product_alone, vectorized};

/// Queries that are answered at once: their scores against a long text's keys fit the cache.
const QUERIES_AT_ONCE: usize = 48;

/// Attention of one layer over a batch.
#[derive(Clone, Copy)]
pub(super) struct Attention<'a> {
    pub(super) isa: Isa,
    pub(super) heads: usize,
    /// Numbers of a head.
    pub(super) width: usize,
    pub(super) layer: usize,
    /// Tokens seen on each side of a query; all, if none is given.
    pub(super) reach: Option<usize>,
    pub(super) noise: Option<&'a Noise>,
    pub(super) batch: &'a Batch,
    pub(super) asked: &'a Asked,
    /// Dense rows, one for each token asked for.
    pub(super) queries: &'a [f32],
    /// Rows of all keys and then all values, one for each token.
    pub(super) keys_values: &'a [f32],
    pub(super) key_stride: usize,
}

/// Results of single heads before they stand side by side.
#[derive(Debug, Default)]
pub(super) struct AttentionRoom {
    queries: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
}

/// One head of one text.
#[derive(Clone, Copy)]
struct Head<'a> {
    queries: Rows<'a, f32>,
    keys: Rows<'a, f32>,
    values: Rows<'a, f32>,
    places: &'a [Place],
    mask: Option<Mask>,
    reach: Option<usize>,
    scale: f32,
}

/// Room of one thread for one head.
struct Room {
    isa: Isa,
    keys: PackedF32,
    values: PackedF32,
    /// For the backward pass: keys as they stand, and queries or gradients of a block.
    key_rows: PackedF32,
    block: PackedF32,
    scores: Vec<f32>,
    slopes: Vec<f32>,
    transposed: Vec<f32>,
}

impl Attention<'_> {
    /// Writes each query's mix of values to dense rows.
    pub(super) fn apply(&self, room: &mut AttentionRoom, out: &mut Vec<f32>) {
        out.resize(self.queries.len(), 0.0);
        room.queries.resize(self.queries.len(), 0.0);
        let parts = self.split(&mut room.queries, self.asked);
        let longest = self.batch.sequences.longest();
        let heads = (0..parts.len()).into_par_iter().zip(parts);
        heads.for_each_init(
            || Room::new(self.isa, self.width, longest, false),
            |room, (number, part)| self.head(number).apply(room, part),
        );
        self.side_by_side(&room.queries, self.asked, 0, (out, self.heads * self.width));
    }

    /// Writes the gradients in queries, to dense rows, and in keys and values, to rows as these stand, of those in the
    /// results.
    pub(super) fn back(
        &self,
        gradient: &[f32],
        room: &mut AttentionRoom,
        queries: &mut Vec<f32>,
        keys_values: &mut Vec<f32>,
    ) {
        let hidden = self.heads * self.width;
        queries.resize(self.queries.len(), 0.0);
        keys_values.resize(self.keys_values.len(), 0.0);
        room.queries.resize(self.queries.len(), 0.0);
        room.keys.resize(self.batch.tokens() * hidden, 0.0);
        room.values.resize(self.batch.tokens() * hidden, 0.0);
        let every = &self.batch.every;
        let AttentionRoom { queries: of_queries, keys: of_keys, values: of_values } = &mut *room;
        let parts = self.split(of_queries, self.asked).into_par_iter();
        let parts = parts.zip(self.split(of_keys, every)).zip(self.split(of_values, every));
        let longest = self.batch.sequences.longest();
        parts.enumerate().for_each_init(
            || Room::new(self.isa, self.width, longest, true),
            |room, (number, ((queries, keys), values))| {
                let gradient = self.rows_of(number, gradient, hidden, self.asked);
                self.head(number).back(room, gradient, [queries, keys, values]);
            },
        );
        self.side_by_side(&room.queries, self.asked, 0, (queries, hidden));
        self.side_by_side(&room.keys, every, 0, (keys_values, self.key_stride));
        self.side_by_side(&room.values, every, hidden, (keys_values, self.key_stride));
    }

    /// A part of the room for each head of each text.
    fn split<'r>(&self, room: &'r mut [f32], rows: &Asked) -> Vec<&'r mut [f32]> {
        let texts = self.batch.sequences.count();
        let mut parts = Vec::with_capacity(texts * self.heads);
        let mut rest = room;
        for text in 0..texts {
            for _ in 0..self.heads {
                let (part, after) = rest.split_at_mut(rows.range(text).len() * self.width);
                parts.push(part);
                rest = after;
            }
        }
        parts
    }

    /// The columns of one head in the rows of its text.
    fn rows_of<'r>(&self, number: usize, rows: &'r [f32], stride: usize, asked: &Asked) -> Rows<'r, f32> {
        let (text, head) = (number / self.heads, number % self.heads);
        let range = asked.range(text);
        let from = range.start * stride + head * self.width;
        Rows::new(rows.get(from..).unwrap_or_default(), stride, range.len(), self.width)
    }

    fn head(&self, number: usize) -> Head<'_> {
        let (text, head) = (number / self.heads, number % self.heads);
        let every = &self.batch.every;
        let site = Site::Attention { layer: self.layer, head };
        let hidden = self.heads * self.width;
        Head {
            queries: self.rows_of(number, self.queries, hidden, self.asked),
            keys: self.rows_of(number, self.keys_values, self.key_stride, every),
            values: self.rows_of(number, &self.keys_values[hidden..], self.key_stride, every),
            places: &self.asked.places[self.asked.range(text)],
            mask: self.noise.and_then(|noise| noise.mask(site)),
            reach: self.reach,
            scale: 1.0 / (self.width as f32).sqrt(),
        }
    }

    /// Puts the heads of each row side by side, from a column on.
    fn side_by_side(&self, parts: &[f32], asked: &Asked, column: usize, (out, stride): (&mut [f32], usize)) {
        /// Rows that a thread takes.
        const AT_ONCE: usize = 64;
        out.par_chunks_mut(AT_ONCE * stride).enumerate().for_each(|(at, rows)| {
            for (row, number) in rows.chunks_exact_mut(stride).zip(at * AT_ONCE..) {
                let Some(text) = asked.places.get(number).map(|place| place.text as usize) else { break };
                let (range, width) = (asked.range(text), self.width);
                let first = range.start * self.heads + number - range.start;
                let heads = row[column..].chunks_exact_mut(width).take(self.heads).enumerate();
                heads.for_each(|(head, out)| {
                    out.copy_from_slice(&parts[(first + head * range.len()) * width..][..width]);
                });
            }
        });
    }
}

impl Room {
    fn new(isa: Isa, width: usize, longest: usize, is_back: bool) -> Self {
        let scores = QUERIES_AT_ONCE.min(longest) * longest.next_multiple_of(16);
        let back = |length| if is_back { length } else { 0 };
        Self {
            isa,
            keys: PackedF32::with_room(isa, width, longest),
            values: PackedF32::with_room(isa, longest, width),
            key_rows: PackedF32::with_room(isa, back(longest), width),
            block: PackedF32::with_room(isa, back(QUERIES_AT_ONCE), width),
            scores: vec![0.0; scores],
            slopes: vec![0.0; back(scores)],
            transposed: vec![0.0; back(scores)],
        }
    }
}

impl Head<'_> {
    /// Turns a query's scores into shares of the keys that it sees.
    #[inline(always)]
    fn share<const FUSED: bool>(&self, scores: &mut [f32], query: Place) {
        let Some(reach) = self.reach else { return softmax::<FUSED>(scores, self.scale) };
        let query = query.token as usize;
        let (nearest, farthest) =
            (query.saturating_sub(reach), query.saturating_add(reach + 1).min(scores.len()));
        scores[..nearest].fill(0.0);
        scores[farthest..].fill(0.0);
        softmax::<FUSED>(&mut scores[nearest..farthest], self.scale);
    }

    fn apply(&self, room: &mut Room, out: &mut [f32]) {
        let Self { queries, keys, values, .. } = *self;
        if queries.count == 0 {
            return;
        }
        let stride = keys.count.next_multiple_of(16);
        room.keys.fill_rows(keys.data, keys.stride, keys.count, keys.inner);
        room.values.fill_columns(values.data, values.stride, values.count, values.inner);
        for (block, out) in out.chunks_mut(QUERIES_AT_ONCE * queries.inner).enumerate() {
            let from = block * QUERIES_AT_ONCE;
            let count = out.len() / queries.inner;
            let scores = &mut room.scores[..count * stride];
            multiply(queries.part(from, count), &room.keys, scores, stride);
            let (length, places) = (keys.count, &self.places[from..]);
            vectorized(room.isa, Probabilities { head: self, places, scores, stride, length });
            multiply(Rows::new(scores, stride, count, length), &room.values, out, values.inner);
        }
    }

    fn back(
        &self,
        room: &mut Room,
        gradient: Rows<'_, f32>,
        [of_queries, of_keys, of_values]: [&mut [f32]; 3],
    ) {
        let Self { queries, keys, values, .. } = *self;
        of_keys.fill(0.0);
        of_values.fill(0.0);
        if queries.count == 0 {
            return;
        }
        let (length, width) = (keys.count, keys.inner);
        let stride = length.next_multiple_of(16);
        room.keys.fill_rows(keys.data, keys.stride, length, width);
        // As the columns of dO Vᵀ.
        room.values.fill_rows(values.data, values.stride, length, width);
        room.key_rows.fill_columns(keys.data, keys.stride, length, width);
        for (block, of_queries) in of_queries.chunks_mut(QUERIES_AT_ONCE * width).enumerate() {
            let from = block * QUERIES_AT_ONCE;
            let count = of_queries.len() / width;
            let (queries, gradient) = (queries.part(from, count), gradient.part(from, count));
            let (scores, slopes) = (&mut room.scores[..count * stride], &mut room.slopes[..count * stride]);
            multiply(queries, &room.keys, scores, stride);
            multiply(gradient, &room.values, slopes, stride);
            let places = &self.places[from..];
            vectorized(room.isa, Slopes { head: self, places, scores, slopes, stride, length });
            multiply(Rows::new(slopes, stride, count, length), &room.key_rows, of_queries, width);
            for (left, right, sums) in
                [(&*scores, gradient, &mut *of_values), (&*slopes, queries, &mut *of_keys)]
            {
                room.block.fill_columns(right.data, right.stride, count, width);
                let across = count.next_multiple_of(16);
                let rows = Rows::new(left, stride, count, length);
                vectorized(room.isa, Transposed { rows, out: &mut room.transposed, stride: across });
                let left = Rows::new(&room.transposed, across, length, count);
                let after = After { adds: true, ..After::default() };
                product_alone(Factors { left, weights: &room.block, after }, sums, width);
            }
        }
    }
}

fn multiply(left: Rows<'_, f32>, weights: &PackedF32, out: &mut [f32], stride: usize) {
    product_alone(Factors { left, weights, after: After::default() }, out, stride);
}

/// Turns scores into probabilities, with dropout, in place.
struct Probabilities<'a> {
    head: &'a Head<'a>,
    places: &'a [Place],
    scores: &'a mut [f32],
    stride: usize,
    length: usize,
}

impl Vectorized for Probabilities<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        for (row, &place) in self.scores.chunks_exact_mut(self.stride).zip(self.places) {
            let row = &mut row[..self.length];
            self.head.share::<FUSED>(row, place);
            if let Some(mask) = self.head.mask {
                mask.row(place).apply(row);
            }
        }
    }
}

/// Turns scores into probabilities, with dropout, and the gradients in these into the gradients in the products of queries
/// and keys; both in place.
struct Slopes<'a> {
    head: &'a Head<'a>,
    places: &'a [Place],
    scores: &'a mut [f32],
    slopes: &'a mut [f32],
    stride: usize,
    length: usize,
}

impl Vectorized for Slopes<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Head { mask, scale, .. } = *self.head;
        let rows = self.scores.chunks_exact_mut(self.stride).zip(self.slopes.chunks_exact_mut(self.stride));
        for ((row, slopes), &place) in rows.zip(self.places) {
            let (row, slopes) = (&mut row[..self.length], &mut slopes[..self.length]);
            self.head.share::<FUSED>(row, place);
            let mask = mask.map(|mask| mask.row(place));
            if let Some(mask) = mask {
                mask.apply(slopes);
            }
            let along = dot::<FUSED>(row, slopes);
            for (slope, &probability) in slopes.iter_mut().zip(&*row) {
                *slope = (*slope - along) * probability * scale;
            }
            if let Some(mask) = mask {
                mask.apply(row);
            }
        }
    }
}

/// Rows whose columns are written as rows.
struct Transposed<'a> {
    rows: Rows<'a, f32>,
    out: &'a mut [f32],
    stride: usize,
}

impl Vectorized for Transposed<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        transpose(self.rows, self.out, self.stride);
    }
}
