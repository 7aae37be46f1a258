//! Texts as lists of known features, for their similarity to another text.

use std::collections::HashMap;

use crate::ngram::vocabulary::Entry;

/// Values are stored as bytes: code 255 is 1.
const STEP: f32 = 1.0 / 255.0;

/// Features of a text that are kept, the weightiest: long texts have a thousand.
const MOST: usize = 48;

/// The weightiest known features of several texts: rows of a model's vocabulary with their values, in one byte each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SparseTexts {
    /// The place of each text's first feature, and behind them the number of all features.
    offsets: Vec<u32>,
    rows: Vec<u32>,
    values: Vec<u8>,
}

impl Default for SparseTexts {
    fn default() -> Self {
        Self { offsets: vec![0], rows: vec![], values: vec![] }
    }
}

impl SparseTexts {
    /// The texts whose features these are.
    #[must_use]
    pub fn new<'e>(texts: impl IntoIterator<Item = &'e [Entry]>) -> Self {
        let mut all = Self::default();
        texts.into_iter().for_each(|entries| all.push(entries));
        all
    }

    /// Adds a text with these features.
    pub fn push(&mut self, entries: &[Entry]) {
        let mut entries = entries.to_vec();
        entries.sort_by(|a, b| b.value.total_cmp(&a.value).then(a.row.cmp(&b.row)));
        entries.truncate(MOST);
        entries.sort_by_key(|entry| entry.row);
        let norm = entries.iter().map(|entry| entry.value * entry.value).sum::<f32>().sqrt();
        let code = |entry: &Entry| {
            let share = entry.value / norm.max(f32::MIN_POSITIVE);
            (share.clamp(0.0, 1.0) / STEP).round() as u8
        };
        self.rows.extend(entries.iter().map(|entry| entry.row));
        self.values.extend(entries.iter().map(code));
        self.offsets.push(self.rows.len() as u32);
    }

    /// The texts of a file; `None` if the lists do not fit each other, or a row is not below `rows_known`.
    pub(crate) fn of_parts(
        offsets: Vec<u32>,
        rows: Vec<u32>,
        values: Vec<u8>,
        rows_known: usize,
    ) -> Option<Self> {
        let fits = offsets.first() == Some(&0)
            && offsets.is_sorted()
            && offsets.last().is_some_and(|last| *last as usize == rows.len())
            && values.len() == rows.len()
            && rows.iter().all(|row| (*row as usize) < rows_known);
        fits.then_some(Self { offsets, rows, values })
    }

    /// The lists as a file holds them: offsets, rows, values.
    pub(crate) fn parts(&self) -> (&[u32], &[u32], &[u8]) {
        (&self.offsets, &self.rows, &self.values)
    }

    /// The number of texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// True when there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The similarity of each text to one with these features: the cosine of its weightiest features and all of the
    /// other's, as far as rounding allows.
    #[must_use]
    pub fn cosines(&self, entries: &[Entry]) -> Vec<f32> {
        let own: HashMap<u32, f32> = entries.iter().map(|entry| (entry.row, entry.value)).collect();
        let product = |ends: &[u32]| -> f32 {
            let [from, to] = [ends.first(), ends.last()].map(|end| end.map_or(0, |end| *end as usize));
            let rows = self.rows.get(from..to).unwrap_or_default();
            let values = self.values.get(from..to).unwrap_or_default();
            let of =
                |(row, value): (&u32, &u8)| own.get(row).map_or(0.0, |own| own * f32::from(*value) * STEP);
            rows.iter().zip(values).map(of).sum()
        };
        self.offsets.windows(2).map(product).map(|cosine| cosine.clamp(0.0, 1.0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_most_like_itself() {
        let text = |rows: &[u32]| -> Vec<Entry> {
            let value = 1.0 / (rows.len() as f32).sqrt();
            rows.iter().map(|row| Entry { row: *row, value }).collect()
        };
        let (a, b, c) = (text(&[1, 2, 3]), text(&[3, 4]), text(&[]));
        let texts = SparseTexts::new([&*a, &*b, &*c]);
        let cosines = texts.cosines(&a);
        assert!((cosines[0] - 1.0).abs() < 0.01, "{cosines:?}");
        assert!((cosines[1] - 1.0 / 6.0f32.sqrt()).abs() < 0.01, "{cosines:?}");
        assert_eq!(cosines[2], 0.0);
    }

    #[test]
    fn the_weightiest_features_of_a_long_text_are_kept() {
        let entries: Vec<Entry> = (0..200).map(|row| Entry { row, value: row as f32 / 1634.0 }).collect();
        let texts = SparseTexts::new([&*entries]);
        let (_, rows, _) = texts.parts();
        assert_eq!(rows, (152..200).collect::<Vec<u32>>());
        let one = texts.cosines(&[Entry { row: 199, value: 1.0 }]);
        assert!((one[0] - 0.163).abs() < 0.005, "scaled to norm 1: {one:?}");
    }

    #[test]
    fn lists_that_do_not_fit_are_refused() {
        let whole = || (vec![0, 1, 2], vec![0, 5], vec![9, 9]);
        let of = |(offsets, rows, values), known| SparseTexts::of_parts(offsets, rows, values, known);
        assert!(of(whole(), 6).is_some());
        assert!(of(whole(), 5).is_none(), "a row that the vocabulary does not have");
        for broken in [
            (vec![], vec![], vec![]),
            (vec![1, 2], vec![0, 5], vec![9, 9]),
            (vec![0, 3, 2], vec![0, 5], vec![9, 9]),
            (vec![0, 1], vec![0, 5], vec![9, 9]),
            (vec![0, 2], vec![0, 5], vec![9]),
        ] {
            assert!(of(broken.clone(), 6).is_none(), "{broken:?}");
        }
    }
}
