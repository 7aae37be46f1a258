//! Precision, recall and F1 of label sets that are compared with all their ancestors.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ratio::ratio;
use crate::unit_sum::UnitSum;

/// Hierarchical precision, recall and F1 (Kiritchenko et al. 2006; Silla and Freitas 2011, section 5.3).
///
/// With Ŷ⁺ and Y⁺ the predicted and the gold labels of a row with all their ancestors, hP = |Ŷ⁺ ∩ Y⁺| / |Ŷ⁺| and
/// hR = |Ŷ⁺ ∩ Y⁺| / |Y⁺|. The micro figures divide sums over all rows. The macro figures are means over all rows, in
/// which a row without predicted labels has the precision, recall and F1 0: to say nothing never pays.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Hierarchical {
    /// Number of rows.
    pub rows: u64,
    /// Σ |Ŷ⁺ ∩ Y⁺| / Σ |Ŷ⁺|.
    pub micro_precision: f64,
    /// Σ |Ŷ⁺ ∩ Y⁺| / Σ |Y⁺|.
    pub micro_recall: f64,
    /// Harmonic mean of `micro_precision` and `micro_recall`.
    pub micro_f1: f64,
    /// Mean of the rows' hP.
    pub macro_precision: f64,
    /// Mean of the rows' hR.
    pub macro_recall: f64,
    /// Mean of the rows' harmonic means of hP and hR (not the harmonic mean of the two above).
    pub macro_f1: f64,
}

/// Counts for [`Hierarchical`]. Parts [merge](Self::merge) to the same bits in whatever order.
#[derive(Debug, Clone, Copy, Default)]
pub struct HierarchicalAccumulator {
    rows: u64,
    common: u64,
    predicted: u64,
    gold: u64,
    precision: UnitSum,
    recall: UnitSum,
    f1: UnitSum,
}

impl HierarchicalAccumulator {
    /// Counts a row; `ancestors` gives those of a label, in any order.
    pub fn add<L, A>(&mut self, predicted: &[L], gold: &[L], ancestors: impl Fn(L) -> A)
    where
        L: Ord + Copy,
        A: IntoIterator<Item = L>,
    {
        let closed = |labels: &[L]| -> BTreeSet<L> {
            labels.iter().flat_map(|&label| ancestors(label).into_iter().chain([label])).collect()
        };
        let (predicted, gold) = (closed(predicted), closed(gold));
        let common = predicted.intersection(&gold).count() as u64;
        let (predicted, gold) = (predicted.len() as u64, gold.len() as u64);
        self.rows += 1;
        self.common += common;
        self.predicted += predicted;
        self.gold += gold;
        self.precision.add(ratio(common, predicted));
        self.recall.add(ratio(common, gold));
        self.f1.add(ratio(2 * common, predicted + gold));
    }

    /// Adds all that `other` holds.
    pub fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.common += other.common;
        self.predicted += other.predicted;
        self.gold += other.gold;
        self.precision.merge(other.precision);
        self.recall.merge(other.recall);
        self.f1.merge(other.f1);
    }

    /// The figures of all rows.
    #[must_use]
    pub fn finish(self) -> Hierarchical {
        Hierarchical {
            rows: self.rows,
            micro_precision: ratio(self.common, self.predicted),
            micro_recall: ratio(self.common, self.gold),
            micro_f1: ratio(2 * self.common, self.predicted + self.gold),
            macro_precision: self.precision.mean(self.rows),
            macro_recall: self.recall.mean(self.rows),
            macro_f1: self.f1.mean(self.rows),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 is above 2 and 3; 4 is above 5; 3 is above 6.
    fn ancestors(label: u32) -> Vec<u32> {
        match label {
            2 | 3 => vec![1],
            5 => vec![4],
            6 => vec![1, 3],
            _ => vec![],
        }
    }

    fn of(rows: &[(&[u32], &[u32])]) -> HierarchicalAccumulator {
        let mut counts = HierarchicalAccumulator::default();
        rows.iter().for_each(|(predicted, gold)| counts.add(predicted, gold, ancestors));
        counts
    }

    #[test]
    fn siblings_share_their_parent() {
        // {1, 2} against {1, 3, 6}: one in common.
        let figures = of(&[(&[2], &[6])]).finish();
        assert_eq!((figures.micro_precision, figures.micro_recall), (0.5, 1.0 / 3.0));
        assert_eq!(figures.micro_f1, 0.4);
        assert_eq!(figures.macro_f1, figures.micro_f1);
    }

    #[test]
    fn rows_without_an_answer_count_zero() {
        // Sums: 2 + 0 + 2 in common, 2 + 0 + 4 predicted, 2 + 2 + 2 gold.
        let rows: [(&[u32], &[u32]); 3] = [(&[2], &[2]), (&[], &[5]), (&[2, 5], &[5])];
        let figures = of(&rows).finish();
        assert_eq!((figures.micro_precision, figures.micro_recall), (4.0 / 6.0, 4.0 / 6.0));
        assert_eq!(figures.macro_precision, 0.5);
        assert!((figures.macro_recall - 2.0 / 3.0).abs() < 1e-15);
        assert!((figures.macro_f1 - (1.0 + 0.0 + 2.0 / 3.0) / 3.0).abs() < 1e-15);
        let mut merged = of(&rows[1..]);
        merged.merge(&of(&rows[..1]));
        assert_eq!(merged.finish(), figures);
    }

    #[test]
    fn no_rows_are_zero() {
        assert_eq!(of(&[]).finish().micro_f1, 0.0);
    }
}
