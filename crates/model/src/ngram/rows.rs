//! Rows of a matrix in four bits a number, and their weighted sums.

use super::vocabulary::Entry;
use crate::wide::{Wide, wide};

/// Four-bit codes stand for `code − 8`.
pub const CODE_ZERO: u8 = 8;

/// Bytes of a row that are added up together, over all rows: the sums then stay in registers.
const BLOCK: usize = 32;

/// A matrix in four bits a number: byte j of a row holds columns j (low half) and j + width/2.
#[derive(Debug, Clone)]
pub(crate) struct PackedRows {
    pub(crate) codes: Codes,
    pub(crate) scales: Vec<f32>,
    pub(crate) width: usize,
}

/// The bytes of the codes: of the binary itself, or of a file's buffer.
#[derive(Debug, Clone)]
pub(crate) enum Codes {
    /// Compiled into the binary.
    Embedded(&'static [u8]),
    /// Read from a file.
    Owned(Vec<u8>),
}

impl Codes {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Embedded(bytes) => bytes,
            Self::Owned(bytes) => bytes,
        }
    }
}

impl PackedRows {
    /// Puts the sum of `value ·` row over all entries into `sum`, but for the shift by [`CODE_ZERO`]; gives the factor
    /// that the shift has to be taken away with.
    pub(super) fn weighted_sum(
        &self,
        entries: &[Entry],
        weighted: &mut Vec<WeightedRow>,
        sum: &mut [f32],
    ) -> f32 {
        let half = self.width / 2;
        let codes = self.codes.bytes();
        weighted.clear();
        weighted.extend(entries.iter().map(|&Entry { row, value }| {
            let row = row as usize;
            WeightedRow { start: row * half, factor: value * self.scales[row] }
        }));
        // The rows lie far apart. Asked for all at once, they come from memory at the same time, not one by one.
        let touched =
            weighted.iter().fold(0, |touched, row| touched ^ codes[row.start] ^ codes[row.start + half - 1]);
        std::hint::black_box(touched);
        wide(WeightedSum { codes, rows: weighted, sum });
        weighted.iter().map(|row| row.factor).sum()
    }

    /// One number of the matrix.
    pub(crate) fn at(&self, row: usize, column: usize) -> f32 {
        let half = self.width / 2;
        let byte = self.codes.bytes()[row * half + column % half];
        let code = if column < half { byte & 15 } else { byte >> 4 };
        self.scales[row] * (f32::from(code) - f32::from(CODE_ZERO))
    }
}

/// A row of a weighted sum: where its codes start, and its factor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WeightedRow {
    start: usize,
    factor: f32,
}

/// The arguments of a weighted sum.
struct WeightedSum<'a> {
    codes: &'a [u8],
    rows: &'a [WeightedRow],
    sum: &'a mut [f32],
}

impl Wide for WeightedSum<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { codes, rows, sum } = self;
        let half = sum.len() / 2;
        let (low, high) = sum.split_at_mut(half);
        let (low_blocks, low_rest) = low.as_chunks_mut::<BLOCK>();
        let (high_blocks, high_rest) = high.as_chunks_mut::<BLOCK>();
        for (number, (low, high)) in low_blocks.iter_mut().zip(high_blocks).enumerate() {
            let (mut low_sums, mut high_sums) = ([0.0f32; BLOCK], [0.0f32; BLOCK]);
            for row in rows {
                let codes = &codes[row.start + number * BLOCK..][..BLOCK];
                add(row.factor, codes, &mut low_sums, &mut high_sums);
            }
            (*low, *high) = (low_sums, high_sums);
        }
        let rest = low_rest.len();
        if rest > 0 {
            low_rest.fill(0.0);
            high_rest.fill(0.0);
            for row in rows {
                add(row.factor, &codes[row.start + half - rest..][..rest], low_rest, high_rest);
            }
        }
    }
}

#[inline(always)]
fn add(factor: f32, codes: &[u8], low: &mut [f32], high: &mut [f32]) {
    for ((&code, low), high) in codes.iter().zip(low).zip(high) {
        *low += factor * f32::from(code & 15);
        *high += factor * f32::from(code >> 4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A matrix of so many columns, and entries for some of its rows.
    fn sample(width: usize) -> (PackedRows, Vec<Entry>) {
        let rows = 50;
        let codes = (0..rows * width / 2).map(|i| (i * 7919 % 251) as u8).collect();
        let scales = (0..rows).map(|row| 0.01 + row as f32 / 777.0).collect();
        let entry = |i: u32| Entry { row: i * 7 % 50, value: 1.0 / (1.0 + i as f32) };
        (PackedRows { codes: Codes::Owned(codes), scales, width }, (0..40).map(entry).collect())
    }

    #[test]
    fn a_weighted_sum_has_one_order_whatever_the_width_and_the_vectors() {
        for width in [2, 6, 64, 128, 150] {
            let (rows, entries) = sample(width);
            let half = width / 2;
            let mut want = vec![0.0f32; width];
            for &Entry { row, value } in &entries {
                for (column, sum) in want.iter_mut().enumerate() {
                    let byte = rows.codes.bytes()[row as usize * half + column % half];
                    let code = if column < half { byte & 15 } else { byte >> 4 };
                    *sum += value * rows.scales[row as usize] * f32::from(code);
                }
            }
            let (mut wide, mut weighted) = (vec![f32::NAN; width], vec![]);
            let shift = rows.weighted_sum(&entries, &mut weighted, &mut wide);
            let mut plain = vec![f32::NAN; width];
            WeightedSum { codes: rows.codes.bytes(), rows: &weighted, sum: &mut plain }.run();
            assert_eq!(wide, want, "{width}");
            assert_eq!(plain, want, "{width}");
            let exact: f32 =
                entries.iter().map(|entry| rows.at(entry.row as usize, width - 1) * entry.value).sum();
            let got = want[width - 1] - shift * f32::from(CODE_ZERO);
            assert!((exact - got).abs() < 1e-4, "{exact} {got}");
        }
    }
}
