//! Weights in the order in which products read them.
//!
//! A linear layer's weights come as `[out, in]`. A panel holds some output columns: for each input its weights of these
//! columns, side by side, so that a tile reads memory from end to end. The last panel is filled up with zeros.

use rayon::prelude::*;

use super::aligned::Aligned;
use super::isa::Isa;
#[cfg(feature = "training")]
use super::tile::Rows;

/// The largest magnitude of a quantised weight: seven bits, so that two products of a byte and a weight fit sixteen bits
/// on machines that add them there, and all machines give the same sums.
pub(crate) const WEIGHT_LIMIT: i8 = 63;

/// `f32` weights in panels.
#[derive(Debug)]
pub(crate) struct PackedF32 {
    isa: Isa,
    inner: usize,
    columns: usize,
    width: usize,
    panels: Aligned<f32>,
}

impl PackedF32 {
    /// Packs matrices of `[rows, inner]` that lie on top of each other, all of the same inner dimension: their rows are
    /// the columns of the product.
    pub(crate) fn new(isa: Isa, inner: usize, parts: &[&[f32]]) -> Self {
        let width = isa.panel();
        let columns: usize = parts.iter().map(|part| part.len() / inner.max(1)).sum();
        let mut panels = Aligned::zeroed(columns.next_multiple_of(width) * inner);
        let rows: Vec<&[f32]> = parts.iter().flat_map(|part| part.chunks_exact(inner.max(1))).collect();
        panels
            .par_chunks_exact_mut((width * inner).max(1))
            .zip(rows.par_chunks(width))
            .for_each(|(panel, rows)| pack_panel(panel, rows, width));
        Self { isa, inner, columns, width, panels }
    }

    /// An empty one with room for `columns` of `inner` numbers, to be filled by [`fill_rows`](Self::fill_rows) or
    /// [`fill_columns`](Self::fill_columns) again and again.
    pub(crate) fn with_room(isa: Isa, inner: usize, columns: usize) -> Self {
        let width = isa.panel();
        let room = columns.next_multiple_of(width) * inner.next_multiple_of(width);
        Self { isa, inner: 0, columns: 0, width, panels: Aligned::zeroed(room) }
    }

    /// Packs `count` rows of `inner` numbers, each `stride` behind the one before, as the columns of a product.
    pub(crate) fn fill_rows(&mut self, rows: &[f32], stride: usize, count: usize, inner: usize) {
        self.shape(inner, count);
        let width = self.width;
        for (number, panel) in
            self.panels.chunks_exact_mut(width * inner).take(count.div_ceil(width)).enumerate()
        {
            let first = number * width;
            let held = width.min(count - first);
            for at in 0..held {
                let row = &rows[(first + at) * stride..][..inner];
                for (slot, &number) in panel[at..].iter_mut().step_by(width).zip(row) {
                    *slot = number;
                }
            }
            if held < width {
                panel.chunks_exact_mut(width).for_each(|line| line[held..].fill(0.0));
            }
        }
    }

    /// Packs a matrix of `inner` rows of `columns` numbers, each `stride` behind the one before, as it stands.
    pub(crate) fn fill_columns(&mut self, rows: &[f32], stride: usize, inner: usize, columns: usize) {
        self.shape(inner, columns);
        let width = self.width;
        for (number, panel) in
            self.panels.chunks_exact_mut(width * inner).take(columns.div_ceil(width)).enumerate()
        {
            let first = number * width;
            let held = width.min(columns - first);
            for (at, line) in panel.chunks_exact_mut(width).enumerate() {
                line[..held].copy_from_slice(&rows[at * stride + first..][..held]);
                line[held..].fill(0.0);
            }
        }
    }

    /// Packs the rows of all `parts`, of the same length, as the columns of a product, in parallel and into the room
    /// that is there, or more where that is too small.
    #[cfg(feature = "training")]
    pub(crate) fn repack_rows(&mut self, parts: &[Rows<'_, f32>]) {
        let rows: Vec<&[f32]> =
            parts.iter().flat_map(|part| (0..part.count).map(|at| part.row(at))).collect();
        let inner = rows.first().map_or(0, |row| row.len());
        self.reshape(inner, rows.len());
        let width = self.width;
        let panels = self.panels.par_chunks_exact_mut((width * inner).max(1));
        panels.zip(rows.par_chunks(width)).for_each(|(panel, rows)| {
            if rows.len() < width {
                panel.fill(0.0);
            }
            pack_panel(panel, rows, width);
        });
    }

    /// Packs the matrix that `parts`, of the same width, make on top of each other, as it stands; in parallel and into
    /// the room that is there, or more where that is too small.
    #[cfg(feature = "training")]
    pub(crate) fn repack_columns(&mut self, parts: &[Rows<'_, f32>]) {
        /// Panels that are filled together, as a row is met once for all of them.
        const TOGETHER: usize = 4;
        let columns = parts.first().map_or(0, |part| part.inner);
        let inner = parts.iter().map(|part| part.count).sum::<usize>();
        self.reshape(inner, columns);
        let (width, panels) = (self.width, columns.div_ceil(self.width));
        let length = (width * inner).max(1);
        let used = &mut self.panels[..panels * width * inner];
        used.par_chunks_mut(TOGETHER * length).enumerate().for_each(|(block, panels)| {
            let rows = parts.iter().flat_map(|part| (0..part.count).map(|at| part.row(at)));
            for (at, row) in rows.enumerate() {
                let segments = row[block * TOGETHER * width..].chunks(width);
                for (panel, segment) in panels.chunks_exact_mut(length).zip(segments) {
                    let line = &mut panel[at * width..][..width];
                    line[..segment.len()].copy_from_slice(segment);
                    line[segment.len()..].fill(0.0);
                }
            }
        });
    }

    /// Takes a shape, with room for it.
    #[cfg(feature = "training")]
    fn reshape(&mut self, inner: usize, columns: usize) {
        let room = columns.next_multiple_of(self.width) * inner;
        if self.panels.len() < room {
            self.panels = Aligned::zeroed(room);
        }
        (self.inner, self.columns) = (inner, columns);
    }

    fn shape(&mut self, inner: usize, columns: usize) {
        assert!(columns.next_multiple_of(self.width) * inner <= self.panels.len(), "the panels have room");
        (self.inner, self.columns) = (inner, columns);
    }

    pub(crate) fn isa(&self) -> Isa {
        self.isa
    }

    pub(crate) fn inner(&self) -> usize {
        self.inner
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Columns of a panel.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// One panel.
    pub(crate) fn panel(&self, panel: usize) -> &[f32] {
        let length = self.width * self.inner;
        &self.panels[panel * length..][..length]
    }
}

/// Writes rows as the columns of a panel, some inputs at a time so that what is written stays in the cache.
fn pack_panel(panel: &mut [f32], rows: &[&[f32]], width: usize) {
    const INPUTS: usize = 16;
    for (block, lines) in panel.chunks_mut(INPUTS * width).enumerate() {
        for (column, row) in rows.iter().enumerate() {
            let inputs = &row[block * INPUTS..];
            for (line, &weight) in lines.chunks_exact_mut(width).zip(inputs) {
                line[column] = weight;
            }
        }
    }
}

/// Weights of seven bits in panels, a scale for each column.
#[derive(Debug)]
pub(crate) struct PackedI8 {
    isa: Isa,
    inner: usize,
    columns: usize,
    width: usize,
    panels: Aligned<i8>,
    /// The value of one step of each column's weights.
    scales: Vec<f32>,
    /// The scale times the sum of the column's weights: what an offset of all inputs adds.
    offsets: Vec<f32>,
}

impl PackedI8 {
    /// Packs matrices of `[rows, inner]` with a scale for each row, as [`PackedF32::new`] does.
    pub(crate) fn new(isa: Isa, inner: usize, parts: &[(&[i8], &[f32])]) -> Self {
        let width = isa.byte_panel();
        let rows: Vec<&[i8]> = parts.iter().flat_map(|(part, _)| part.chunks_exact(inner.max(1))).collect();
        let scales: Vec<f32> = parts.iter().flat_map(|(_, scales)| scales.iter().copied()).collect();
        let padded = inner.next_multiple_of(4);
        let mut panels = Aligned::zeroed(rows.len().next_multiple_of(width) * padded);
        panels
            .par_chunks_exact_mut((width * padded).max(1))
            .zip(rows.par_chunks(width))
            .for_each(|(panel, rows)| pack_bytes(panel, rows, width));
        let sum = |row: &&[i8]| row.iter().map(|&weight| i32::from(weight)).sum::<i32>() as f32;
        let offsets = rows.iter().zip(&scales).map(|(row, &scale)| sum(row) * scale).collect();
        Self { isa, inner, columns: rows.len(), width, panels, scales, offsets }
    }

    pub(crate) fn isa(&self) -> Isa {
        self.isa
    }

    /// The inner dimension as packed, filled up to a multiple of four.
    pub(crate) fn padded_inner(&self) -> usize {
        self.inner.next_multiple_of(4)
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn panel(&self, panel: usize) -> &[i8] {
        let length = self.width * self.padded_inner();
        &self.panels[panel * length..][..length]
    }

    pub(crate) fn scales(&self) -> &[f32] {
        &self.scales
    }

    pub(crate) fn offsets(&self) -> &[f32] {
        &self.offsets
    }
}

fn pack_bytes(panel: &mut [i8], rows: &[&[i8]], width: usize) {
    for (group, lines) in panel.chunks_exact_mut(4 * width).enumerate() {
        for (slot, row) in lines.chunks_exact_mut(4).zip(rows) {
            let inputs = &row[group * 4..];
            let held = inputs.len().min(4);
            slot[..held].copy_from_slice(&inputs[..held]);
        }
    }
}
