//! Combination: the way in which the answers of two models become one.

use serde::{Deserialize, Serialize};

/// The quantity that is averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mean {
    /// Probabilities: a set is probable if either model finds it so.
    Arithmetic,
    /// Their logarithms: a set is probable if neither rules it out.
    Geometric,
}

/// The way in which the answers of two models become one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Combination {
    /// The quantity that is averaged.
    pub mean: Mean,
    /// The first model's weight; the second has the rest.
    pub first: f32,
}

impl Combination {
    /// The combination in words.
    #[must_use]
    pub fn described(self, first: &str, second: &str) -> String {
        let of = match self.mean {
            Mean::Arithmetic => "probabilities",
            Mean::Geometric => "logarithms",
        };
        let (share, rest) = (self.first, 1.0 - self.first);
        format!("{first} × {share:.2} + {second} × {rest:.2} in {of}")
    }

    /// Logarithms of the combined probabilities, but for a constant.
    #[must_use]
    pub fn logits(self, first: &[f32], second: &[f32]) -> Vec<f32> {
        let (a, b) = (self.first, 1.0 - self.first);
        let pairs = first.iter().zip(second);
        match self.mean {
            Mean::Arithmetic => pairs.map(|(p, q)| (a * p + b * q).ln()).collect(),
            Mean::Geometric => pairs.map(|(p, q)| a * p.ln() + b * q.ln()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_weighted() {
        let of = |mean, first| Combination { mean, first }.logits(&[0.8, 0.2], &[0.2, 0.8]);
        let near = |found: Vec<f32>, expected: [f32; 2]| {
            found.iter().zip(expected).all(|(found, expected)| (found - expected.ln()).abs() < 1e-6)
        };
        assert!(near(of(Mean::Arithmetic, 0.25), [0.35, 0.65]));
        assert!(near(of(Mean::Geometric, 0.5), [0.4, 0.4]));
    }
}
