//! Rotations of queries and keys by their positions (Su et al., arXiv 2104.09864).

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use rayon::prelude::*;

use crate::config::Config;
use crate::kernels::{Isa, rotate};

/// The rotations of one wavelength.
#[derive(Debug)]
pub(crate) struct Rotations {
    /// The turn of each pair of numbers from one position to the next.
    turns: Vec<f32>,
    /// For each position the cosines of its turns, then the sines; as many positions as texts have had so far.
    table: RwLock<Arc<Vec<f32>>>,
}

/// The direction of a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Forward,
    /// Back to where it was: gradients of what was rotated.
    #[cfg(feature = "training")]
    Backward,
}

impl Rotations {
    /// Those of each layer, where there are any.
    pub(crate) fn of_layers(config: &Config) -> Vec<Option<Arc<Self>>> {
        let mut made: BTreeMap<u32, Arc<Self>> = BTreeMap::new();
        let of_layer = |number| {
            let base = config.form.wavelength(number)?;
            let made = made.entry(base.to_bits());
            Some(Arc::clone(made.or_insert_with(|| Arc::new(Self::new(base, config.head_width())))))
        };
        (0..config.layers).map(of_layer).collect()
    }

    /// The turns are rounded where transformers rounds them: far from the beginning their last digits matter.
    fn new(base: f32, width: usize) -> Self {
        let turn = |pair: usize| {
            let power = (2 * pair) as f32 / width as f32;
            1.0 / (f64::from(base).powf(f64::from(power)) as f32)
        };
        Self { turns: (0..width / 2).map(turn).collect(), table: RwLock::default() }
    }

    /// Rotates each head in the first `columns` of every row, `stride` apart, by the row's position.
    pub(crate) fn apply(
        &self,
        isa: Isa,
        positions: &[usize],
        (rows, stride): (&mut [f32], usize),
        columns: usize,
        direction: Direction,
    ) {
        /// Rows that are worth a thread of their own.
        const AT_ONCE: usize = 32;
        let table = self.table(positions.iter().max().map_or(0, |last| last + 1));
        let width = 2 * self.turns.len();
        let sign = if direction == Direction::Forward { 1.0 } else { -1.0 };
        let rows = rows.par_chunks_mut(stride).zip(positions).with_min_len(AT_ONCE);
        rows.for_each(|(row, position)| {
            rotate(isa, &mut row[..columns], &table[position * width..][..width], sign);
        });
    }

    /// The table of so many positions, or more.
    fn table(&self, positions: usize) -> Arc<Vec<f32>> {
        let length = positions * 2 * self.turns.len();
        let table = Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner));
        if table.len() >= length {
            return table;
        }
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        if table.len() < length {
            *table = Arc::new(self.computed(positions.next_power_of_two()));
        }
        Arc::clone(&table)
    }

    fn computed(&self, positions: usize) -> Vec<f32> {
        let half = self.turns.len();
        let mut table = vec![0.0; positions * 2 * half];
        for (position, row) in table.chunks_exact_mut((2 * half).max(1)).enumerate() {
            let (cosines, sines) = row.split_at_mut(half);
            for ((turn, cosine), sine) in self.turns.iter().zip(cosines).zip(sines) {
                let angle = f64::from(turn * position as f32);
                (*cosine, *sine) = (angle.cos() as f32, angle.sin() as f32);
            }
        }
        table
    }
}
