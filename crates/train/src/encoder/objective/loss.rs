//! Losses of labels that do not exclude each other.

use vulnlens_encoder::training::BinaryLoss;

/// A loss of labels that do not exclude each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MultiLabelLoss {
    /// Cross-entropy of each label.
    Plain,
    /// The same, with positives weighted by the root of negatives over positives, at most 10.
    Weighted,
    /// Asymmetric loss (Ridnik et al., arXiv 2009.14119) with negatives to the power of 4 and a shift of 0.05.
    Asymmetric,
    /// Focal loss (Lin et al., arXiv 1708.02002) with the power of 2.
    Focal,
}

impl MultiLabelLoss {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Plain, Self::Weighted, Self::Asymmetric, Self::Focal];

    /// Its name in files and arguments.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Weighted => "weighted",
            Self::Asymmetric => "asymmetric",
            Self::Focal => "focal",
        }
    }

    /// Its description in the help of an argument.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::Plain => "Cross-entropy of each label",
            Self::Weighted => "With positives weighted by the root of how rare they are, at most 10",
            Self::Asymmetric => "Asymmetric loss: easy negatives count little",
            Self::Focal => "Focal loss: whatever is easy counts little",
        }
    }

    /// The loss, where labels occur so often in so many texts.
    pub(crate) fn binary(self, counts: &[u64], texts: u64) -> BinaryLoss {
        match self {
            Self::Plain => BinaryLoss::Plain,
            Self::Weighted => {
                let weight = |&count: &u64| {
                    let positives = count.max(1) as f64;
                    ((texts as f64 - positives).max(1.0) / positives).sqrt().clamp(1.0, 10.0) as f32
                };
                BinaryLoss::Weighted(counts.iter().map(weight).collect())
            }
            Self::Asymmetric => {
                BinaryLoss::Asymmetric { positive_focus: 0.0, negative_focus: 4.0, shift: 0.05 }
            }
            Self::Focal => BinaryLoss::Asymmetric { positive_focus: 2.0, negative_focus: 2.0, shift: 0.0 },
        }
    }
}
