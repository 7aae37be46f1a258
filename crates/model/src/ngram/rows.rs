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
    pub(super) fn weighted_sum(&self, entries: &[Entry], sum: &mut [f32]) -> f32 {
        wide(WeightedSum { rows: self, entries, sum });
        entries.iter().map(|entry| self.factor(*entry)).sum()
    }

    fn factor(&self, entry: Entry) -> f32 {
        entry.value * self.scales[entry.row as usize]
    }

    /// One number of the matrix.
    pub(crate) fn at(&self, row: usize, column: usize) -> f32 {
        let half = self.width / 2;
        let byte = self.codes.bytes()[row * half + column % half];
        let code = if column < half { byte & 15 } else { byte >> 4 };
        self.scales[row] * (f32::from(code) - f32::from(CODE_ZERO))
    }
}

/// The arguments of a weighted sum.
struct WeightedSum<'a> {
    rows: &'a PackedRows,
    entries: &'a [Entry],
    sum: &'a mut [f32],
}

impl Wide for WeightedSum<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { rows, entries, sum } = self;
        let half = rows.width / 2;
        let codes = rows.codes.bytes();
        let (low, high) = sum.split_at_mut(half);
        let (low_blocks, low_rest) = low.as_chunks_mut::<BLOCK>();
        let (high_blocks, high_rest) = high.as_chunks_mut::<BLOCK>();
        for (number, (low, high)) in low_blocks.iter_mut().zip(high_blocks).enumerate() {
            let (mut low_sums, mut high_sums) = ([0.0f32; BLOCK], [0.0f32; BLOCK]);
            for &entry in entries {
                let factor = rows.factor(entry);
                let codes = &codes[entry.row as usize * half + number * BLOCK..][..BLOCK];
                for ((&code, low), high) in codes.iter().zip(&mut low_sums).zip(&mut high_sums) {
                    *low += factor * f32::from(code & 15);
                    *high += factor * f32::from(code >> 4);
                }
            }
            (*low, *high) = (low_sums, high_sums);
        }
        let rest = low_rest.len();
        low_rest.fill(0.0);
        high_rest.fill(0.0);
        for &entry in entries.iter().filter(|_| rest > 0) {
            let factor = rows.factor(entry);
            let codes = &codes[(entry.row as usize + 1) * half - rest..][..rest];
            for ((&code, low), high) in codes.iter().zip(low_rest.iter_mut()).zip(high_rest.iter_mut()) {
                *low += factor * f32::from(code & 15);
                *high += factor * f32::from(code >> 4);
            }
        }
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
            for &entry in &entries {
                for (column, sum) in want.iter_mut().enumerate() {
                    let byte = rows.codes.bytes()[entry.row as usize * half + column % half];
                    let code = if column < half { byte & 15 } else { byte >> 4 };
                    *sum += rows.factor(entry) * f32::from(code);
                }
            }
            let mut wide = vec![f32::NAN; width];
            let shift = rows.weighted_sum(&entries, &mut wide);
            let mut plain = vec![f32::NAN; width];
            WeightedSum { rows: &rows, entries: &entries, sum: &mut plain }.run();
            assert_eq!(wide, want, "{width}");
            assert_eq!(plain, want, "{width}");
            let exact: f32 =
                entries.iter().map(|entry| rows.at(entry.row as usize, width - 1) * entry.value).sum();
            let got = want[width - 1] - shift * f32::from(CODE_ZERO);
            assert!((exact - got).abs() < 1e-4, "{exact} {got}");
        }
    }
}
