//! Embeddings of distances in the scores of attention (He et al., arXiv 2006.03654).
//!
//! A query at `i` and a key at `j` also meet the embedding of the distance `i − j`: the query its key, and the key its
//! query. Both of these depend on the weights alone, so each layer makes them when it is loaded.

use std::sync::Arc;

use super::embeddings::load_norm;
use super::linear::{Linear, Loading};
use super::names::{LayerNames, LinearName, Names};
use crate::config::{Config, Relative};
use crate::error::EncoderError;
use crate::kernels::{
    After, Factors, Isa, PackedF32, Part, QuantizedRows, Rows, Vectorized, normalize, product_part,
    vectorized,
};

/// The table of distances.
#[derive(Debug)]
pub(crate) struct Distances {
    embeddings: Vec<f32>,
    /// The row of each distance from `-far` to `far`.
    rows: Arc<Vec<usize>>,
    hidden: usize,
    heads: usize,
}

/// The embeddings of distances, as a layer sees them.
#[derive(Debug)]
pub(crate) struct LayerDistances {
    rows: Arc<Vec<usize>>,
    /// One for each head, columns for the rows of the table.
    keys: Option<Vec<PackedF32>>,
    queries: Option<Vec<PackedF32>>,
}

/// Room for one head of one sequence.
#[derive(Debug, Default)]
pub(crate) struct DistanceRoom {
    pub(crate) of_queries: Vec<f32>,
    pub(crate) of_keys: Vec<f32>,
}

/// Products of some rows with the embeddings of some distances.
#[derive(Clone, Copy)]
struct Products<'a> {
    numbers: &'a [f32],
    stride: usize,
    /// The row of the table that the first column is of.
    first: usize,
}

/// A head of a sequence, in which queries meet all keys.
#[derive(Clone, Copy)]
pub(crate) struct DistanceHead<'a> {
    distances: &'a LayerDistances,
    head: usize,
    length: usize,
    of_keys: Option<Products<'a>>,
}

impl Distances {
    pub(crate) fn load(
        loading: Loading<'_>,
        names: &Names<'_>,
        config: &Config,
    ) -> Result<Option<Self>, EncoderError> {
        let Some(relative) = config.form.relative() else { return Ok(None) };
        let (hidden, heads) = (config.hidden, config.heads);
        let Relative { span, is_normalized, .. } = *relative;
        let mut embeddings = loading.weights.f32(&names.distances(), &[2 * span, hidden])?.to_vec();
        if is_normalized {
            let norm = load_norm(loading.weights, &names.distance_norm(), hidden, config.norm_epsilon)?;
            normalize(loading.isa, &mut embeddings, &norm);
        }
        let rows = Arc::new(relative.rows(config.max_tokens()));
        Ok(Some(Self { embeddings, rows, hidden, heads }))
    }

    /// The table in a layer.
    pub(crate) fn of_layer(
        &self,
        loading: Loading<'_>,
        names: &LayerNames,
    ) -> Result<LayerDistances, EncoderError> {
        let packed =
            |name: &Option<LinearName>| name.as_ref().map(|name| self.packed(loading, name)).transpose();
        Ok(LayerDistances {
            rows: Arc::clone(&self.rows),
            keys: packed(&names.distance_key)?,
            queries: packed(&names.distance_query)?,
        })
    }

    /// The table behind a linear layer, head by head.
    fn packed(&self, loading: Loading<'_>, name: &LinearName) -> Result<Vec<PackedF32>, EncoderError> {
        let (hidden, width) = (self.hidden, self.hidden / self.heads);
        let count = self.embeddings.len() / hidden;
        let mut projected = vec![0.0; self.embeddings.len()];
        let linear = Linear::load(loading, std::slice::from_ref(name), hidden, hidden)?;
        let rows = Rows::new(&self.embeddings, hidden, count, hidden);
        linear.apply(rows, None, &mut projected, hidden, &mut QuantizedRows::default());
        let of_head = |head: usize| {
            let mut packed = PackedF32::with_room(loading.isa, width, count);
            packed.fill_rows(&projected[head * width..], hidden, count, width);
            packed
        };
        Ok((0..self.heads).map(of_head).collect())
    }
}

impl LayerDistances {
    /// Begins a head of a sequence: the products of its keys with the queries of all distances up to those of `queries`.
    pub(crate) fn head<'a>(
        &'a self,
        head: usize,
        keys: Rows<'_, f32>,
        queries: usize,
        room: &'a mut Vec<f32>,
    ) -> DistanceHead<'a> {
        let length = keys.count;
        let of_keys = self.queries.as_ref().map(|queries_of| {
            let rows = self.rows_of(length, 0, queries);
            products(keys, &queries_of[head], rows, room)
        });
        DistanceHead { distances: self, head, length, of_keys }
    }

    /// The rows of the table, from the first to the last, for some queries and all keys.
    fn rows_of(&self, length: usize, first: usize, queries: usize) -> (usize, usize) {
        let far = self.rows.len() / 2;
        (self.rows[far + first + 1 - length], self.rows[far + first + queries - 1])
    }
}

impl DistanceHead<'_> {
    /// Adds what distances say to the scores of some queries, of which the first is at `first`.
    pub(crate) fn add(
        &self,
        isa: Isa,
        (queries, first): (Rows<'_, f32>, usize),
        room: &mut Vec<f32>,
        (scores, stride): (&mut [f32], usize),
    ) {
        let rows = self.distances.rows_of(self.length, first, queries.count);
        let of_queries =
            self.distances.keys.as_ref().map(|keys| products(queries, &keys[self.head], rows, room));
        vectorized(isa, Addition { head: self, of_queries, first, scores, stride });
    }
}

/// Products of rows with the embeddings from the first to the last of `rows`.
fn products<'a>(
    left: Rows<'_, f32>,
    weights: &PackedF32,
    (first, last): (usize, usize),
    room: &'a mut Vec<f32>,
) -> Products<'a> {
    // Products begin at a panel.
    let first = first / weights.width() * weights.width();
    let stride = (last + 1 - first).next_multiple_of(16);
    if room.len() < left.count * stride {
        room.resize(left.count * stride, 0.0);
    }
    let part = Part { inner: 0..left.inner, columns: first..last + 1 };
    product_part(Factors { left, weights, after: After::default() }, part, room, stride);
    Products { numbers: room, stride, first }
}

/// Adds the products of distances to scores.
struct Addition<'a> {
    head: &'a DistanceHead<'a>,
    of_queries: Option<Products<'a>>,
    first: usize,
    scores: &'a mut [f32],
    stride: usize,
}

impl Vectorized for Addition<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let DistanceHead { distances, length, of_keys, .. } = *self.head;
        let far = distances.rows.len() / 2;
        for (at, scores) in self.scores.chunks_exact_mut(self.stride).enumerate() {
            let query = self.first + at;
            // Towards later keys, distances fall.
            let rows = distances.rows[far + query + 1 - length..=far + query].iter().rev();
            if let Some(Products { numbers, stride, first }) = self.of_queries {
                let products = &numbers[at * stride..][..stride];
                for (score, row) in scores.iter_mut().zip(rows.clone()) {
                    *score += products[row - first];
                }
            }
            if let Some(Products { numbers, stride, first }) = of_keys {
                let products = numbers.chunks_exact(stride);
                for ((score, row), products) in scores.iter_mut().zip(rows).zip(products) {
                    *score += products[row - first];
                }
            }
        }
    }
}
