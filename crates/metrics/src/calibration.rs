//! Calibration: the agreement of probabilities with outcomes.

use serde::{Deserialize, Serialize};

use crate::MetricsError;
use crate::ratio::ratio;
use crate::unit_sum::UnitSum;

/// The agreement of probabilities with outcomes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Number of pairs.
    pub pairs: u64,
    /// Expected calibration error: the mean over pairs of the gap between a bin's mean probability
    /// and its observed frequency (Guo et al. 2017, eq. 3). In [0, 1], lower is better.
    pub expected_calibration_error: f64,
    /// Brier score: mean of (probability − outcome)². In [0, 1], lower is better.
    pub brier_score: f64,
    /// The reliability table: all bins in rising order, empty ones included.
    pub bins: Vec<ReliabilityBin>,
}

/// One bin of the reliability table: the probabilities in (`lower`, `upper`], and 0 in the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Lower edge, not part of the bin (but 0 is part of the first).
    pub lower: f64,
    /// Upper edge, part of the bin.
    pub upper: f64,
    /// Number of pairs in the bin.
    pub pairs: u64,
    /// Mean probability in the bin; 0 where it is empty.
    pub mean_probability: f64,
    /// Share of the bin's pairs whose outcome is true; 0 where it is empty.
    pub observed_frequency: f64,
}

#[derive(Debug, Clone, Copy, Default)]
struct BinSums {
    pairs: u64,
    positives: u64,
    probability: UnitSum,
}

/// The calibration of (probability, outcome) `pairs` over `n_bins` bins of equal width.
///
/// The pairs may be the top-1 answers of a classifier (see [`top_1`]) or all its row × label cells.
///
/// # Errors
/// [`MetricsError::NoBins`], or [`MetricsError::NotAProbability`] for the first pair outside [0, 1].
pub fn calibrate(
    n_bins: usize,
    pairs: impl IntoIterator<Item = (f32, bool)>,
) -> Result<Calibration, MetricsError> {
    let edges = edges(n_bins)?;
    let mut sums = vec![BinSums::default(); n_bins];
    let mut squares = UnitSum::default();
    let mut total = 0_u64;
    for (pair, (probability, outcome)) in pairs.into_iter().enumerate() {
        if !(0.0..=1.0).contains(&probability) {
            return Err(MetricsError::NotAProbability { pair, probability });
        }
        let probability = f64::from(probability);
        let inner_edges = edges.get(1..n_bins).unwrap_or_default();
        let bin = inner_edges.partition_point(|&edge| edge < probability);
        if let Some(sums) = sums.get_mut(bin) {
            sums.pairs += 1;
            sums.positives += u64::from(outcome);
            sums.probability.add(probability);
        }
        squares.add((probability - f64::from(u8::from(outcome))).powi(2));
        total += 1;
    }
    let bins: Vec<_> = edges.windows(2).zip(sums).map(|(edges, sums)| sums.bin(edges[0], edges[1])).collect();
    Ok(Calibration {
        pairs: total,
        expected_calibration_error: bins.iter().map(|bin| bin.gap() * ratio(bin.pairs, total)).sum(),
        brier_score: squares.mean(total),
        bins,
    })
}

/// The most likely label's probability, and whether it is one of the strictly increasing `gold`
/// indices: the pair that top-1 calibration takes from a row. Of equal scores the label with the
/// lower index is taken; `None` where there are no scores.
#[must_use]
pub fn top_1(scores: &[f32], gold: &[u32]) -> Option<(f32, bool)> {
    let (label, score) = scores.iter().zip(0_u32..).fold(None, |best, (&score, label)| match best {
        Some((_, highest)) if highest >= score => best,
        _ => Some((label, score)),
    })?;
    Some((score, gold.binary_search(&label).is_ok()))
}

fn edges(n_bins: usize) -> Result<Vec<f64>, MetricsError> {
    if n_bins == 0 {
        return Err(MetricsError::NoBins);
    }
    Ok((0..=n_bins).map(|edge| edge as f64 / n_bins as f64).collect())
}

impl BinSums {
    fn bin(self, lower: f64, upper: f64) -> ReliabilityBin {
        ReliabilityBin {
            lower,
            upper,
            pairs: self.pairs,
            mean_probability: self.probability.mean(self.pairs),
            observed_frequency: ratio(self.positives, self.pairs),
        }
    }
}

impl ReliabilityBin {
    fn gap(&self) -> f64 {
        (self.mean_probability - self.observed_frequency).abs()
    }
}
