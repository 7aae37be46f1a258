//! One output matrix, written by many threads: each writes tiles that no other writes.
//!
//! A tile is some columns of some rows, so the parts are not slices and cannot be split off safely; writing them to
//! buffers of their own and copying them together measured 4 % of a forward pass.

#![expect(unsafe_code, reason = "threads write disjoint tiles of one matrix, which slices cannot express")]

use std::marker::PhantomData;

/// A row-major matrix whose tiles threads write side by side.
#[derive(Clone, Copy)]
pub(crate) struct DisjointRows<'a> {
    start: *mut f32,
    rows: usize,
    columns: usize,
    stride: usize,
    matrix: PhantomData<&'a mut [f32]>,
}

// SAFETY: it is a borrowed `&mut [f32]` in all but its type; `row` demands that no two threads take the same part.
unsafe impl Send for DisjointRows<'_> {}
// SAFETY: as above.
unsafe impl Sync for DisjointRows<'_> {}

impl<'a> DisjointRows<'a> {
    /// `matrix` as rows of `columns`, each `stride` numbers behind the one before.
    ///
    /// # Panics
    /// When the slice is shorter than its shape.
    pub(crate) fn new(matrix: &'a mut [f32], rows: usize, columns: usize, stride: usize) -> Self {
        assert!(columns <= stride && (rows == 0 || matrix.len() >= (rows - 1) * stride + columns));
        Self { start: matrix.as_mut_ptr(), rows, columns, stride, matrix: PhantomData }
    }

    /// Columns `from..from + count` of a row.
    ///
    /// # Safety
    /// As long as the slice lives, nothing else may hold or take a slice with one of its elements.
    ///
    /// # Panics
    /// When the part is not inside the matrix.
    pub(crate) unsafe fn row(&self, row: usize, from: usize, count: usize) -> &'a mut [f32] {
        assert!(row < self.rows && from + count <= self.columns);
        // SAFETY: the assertion above and that of `new` put the range inside the borrowed slice; the caller keeps parts
        // apart.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(row * self.stride + from), count) }
    }
}
