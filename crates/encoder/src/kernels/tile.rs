//! The form of a tile: some rows of the left matrix times one panel of packed weights.
//!
//! Its sums are written to a small array, row by row; what is done with them afterwards is the same for all instruction
//! sets.

/// Rows that any tile has at most.
pub(crate) const MOST_ROWS: usize = 12;
/// Columns that any panel has at most.
pub(crate) const MOST_COLUMNS: usize = 32;
/// Room for the sums of any tile.
pub(crate) type Tile<T> = [T; MOST_ROWS * MOST_COLUMNS];

/// Some rows of a left matrix: `count` rows of `inner` numbers, each `stride` behind the one before.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) stride: usize,
    pub(crate) count: usize,
    pub(crate) inner: usize,
}

impl<'a, T> Rows<'a, T> {
    /// Rows in a slice.
    ///
    /// # Panics
    /// When the slice is shorter than its shape.
    pub(crate) fn new(data: &'a [T], stride: usize, count: usize, inner: usize) -> Self {
        assert!(inner <= stride && (count == 0 || data.len() >= (count - 1) * stride + inner));
        Self { data, stride, count, inner }
    }

    /// `count` rows from row `from` on.
    pub(crate) fn part(&self, from: usize, count: usize) -> Self {
        Self::new(&self.data[from * self.stride..], self.stride, count, self.inner)
    }

    /// One row.
    pub(crate) fn row(&self, row: usize) -> &'a [T] {
        &self.data[row * self.stride..][..self.inner]
    }
}
