//! Token ids of several texts, packed end to end.

use std::ops::Range;

/// Token ids of some texts, end to end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sequences {
    ids: Vec<u32>,
    /// The first token of each, and at last the end of the last one.
    bounds: Vec<usize>,
}

impl Sequences {
    pub(crate) fn new<'t>(texts: impl IntoIterator<Item = &'t [u32]>) -> Self {
        let (mut ids, mut bounds) = (Vec::new(), vec![0]);
        for text in texts {
            ids.extend_from_slice(text);
            bounds.push(ids.len());
        }
        Self { ids, bounds }
    }

    pub(crate) fn ids(&self) -> &[u32] {
        &self.ids
    }

    pub(crate) fn tokens(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn count(&self) -> usize {
        self.bounds.len() - 1
    }

    pub(crate) fn range(&self, sequence: usize) -> Range<usize> {
        self.bounds[sequence]..self.bounds[sequence + 1]
    }

    pub(crate) fn each(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.count()).map(|sequence| &self.ids[self.range(sequence)])
    }

    pub(crate) fn longest(&self) -> usize {
        (0..self.count()).map(|sequence| self.range(sequence).len()).max().unwrap_or(0)
    }

    /// The row of the position table for every token: counted from `offset`, where a token `uncounted` is not counted and
    /// has the row of its own number.
    pub(crate) fn positions(&self, offset: usize, uncounted: Option<u32>) -> Vec<usize> {
        let mut positions = Vec::with_capacity(self.tokens());
        for ids in self.each() {
            let mut next = offset;
            for &id in ids {
                // A padding token that a text spells out is not counted: transformers looks at ids alone.
                if Some(id) == uncounted {
                    positions.push(id as usize);
                } else {
                    positions.push(next);
                    next += 1;
                }
            }
        }
        positions
    }

    /// Keeps of `rows`, one of `width` for each token, those of each sequence's first token.
    pub(crate) fn gather_first(&self, rows: &mut Vec<f32>, width: usize) {
        for sequence in 0..self.count() {
            let from = self.range(sequence).start * width;
            rows.copy_within(from..from + width, sequence * width);
        }
        rows.truncate(self.count() * width);
    }
}
