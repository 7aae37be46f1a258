//! The losses of labels that classes have, beside the loss of the classes themselves.

use super::objective::Loss;

/// Binary cross-entropies of the labels that each of some classes has.
///
/// With p the softmax of a row, a label's probability is the sum of p over the classes that have it; the loss of a row is
/// the sum of the labels' cross-entropies. Unlike outputs of their own, labels so never contradict the classes.
#[derive(Debug, Clone, PartialEq)]
pub struct MarginalLoss {
    /// The factor of the loss.
    weight: f64,
    /// The labels of each class, by number.
    labels_of: Vec<Vec<u32>>,
    labels: usize,
}

/// Probabilities are held so far from 0 and 1, where the logarithm ends.
const EDGE: f64 = 1e-6;

impl MarginalLoss {
    /// The loss of labels 0, 1, … that each class has, to be multiplied by `weight`.
    #[must_use]
    pub fn new(labels_of: Vec<Vec<u32>>, weight: f32) -> Self {
        let labels = labels_of.iter().flatten().map(|&label| label as usize + 1).max().unwrap_or(0);
        Self { weight: f64::from(weight), labels_of, labels }
    }

    /// Adds the mean loss of the rows, whose true classes are given, and its gradient by the logits.
    ///
    /// # Panics
    /// When `loss` is not of as many logits, or the rows are not as wide as there are classes.
    pub fn add_to(&self, loss: &mut Loss, logits: &[f32], truth: &[usize]) {
        let width = self.labels_of.len();
        assert_eq!(logits.len(), truth.len() * width, "a row of all classes for each text");
        assert_eq!(logits.len(), loss.gradient.len(), "a gradient for each logit");
        let scale = self.weight / truth.len().max(1) as f64;
        let rows = logits.chunks_exact(width).zip(loss.gradient.chunks_exact_mut(width));
        for ((row, gradient), &truth) in rows.zip(truth) {
            loss.value += scale * self.add_row(row, truth, scale, gradient);
        }
    }

    /// The loss of one row; its gradient times `scale` is added.
    fn add_row(&self, logits: &[f32], truth: usize, scale: f64, gradient: &mut [f32]) -> f64 {
        let greatest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let mut p: Vec<f64> = logits.iter().map(|&logit| (f64::from(logit) - greatest).exp()).collect();
        let sum: f64 = p.iter().sum();
        p.iter_mut().for_each(|p| *p /= sum);
        let mut marginals = vec![0.0; self.labels];
        for (p, labels) in p.iter().zip(&self.labels_of) {
            labels.iter().for_each(|&label| marginals[label as usize] += p);
        }
        let mut applies = vec![false; self.labels];
        self.labels_of[truth].iter().for_each(|&label| applies[label as usize] = true);
        let mut value = 0.0;
        // By the marginals; then, through the sums, by the classes' probabilities; then through the softmax.
        for (marginal, applies) in marginals.iter_mut().zip(applies) {
            let m = marginal.clamp(EDGE, 1.0 - EDGE);
            value -= if applies { m.ln() } else { (1.0 - m).ln() };
            let inside = (EDGE..=1.0 - EDGE).contains(marginal);
            *marginal = match (inside, applies) {
                (false, _) => 0.0,
                (true, true) => -1.0 / m,
                (true, false) => 1.0 / (1.0 - m),
            };
        }
        let by_p: Vec<f64> = self
            .labels_of
            .iter()
            .map(|labels| labels.iter().map(|&label| marginals[label as usize]).sum())
            .collect();
        let mean: f64 = p.iter().zip(&by_p).map(|(p, by_p)| p * by_p).sum();
        for ((gradient, p), by_p) in gradient.iter_mut().zip(&p).zip(&by_p) {
            *gradient += (scale * p * (by_p - mean)) as f32;
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(logits: &[f32], truth: &[usize]) -> Loss {
        let mut all = Loss { value: 0.0, gradient: vec![0.0; logits.len()] };
        MarginalLoss::new(vec![vec![0], vec![0, 1], vec![], vec![1, 2]], 0.5).add_to(&mut all, logits, truth);
        all
    }

    #[test]
    fn it_is_the_sum_of_the_labels_cross_entropies() {
        // Equal logits: each class has 1/4, the labels 1/2, 1/2 and 1/4; the second class has the first two.
        let expected = 0.5 * -(0.5f64.ln() + 0.5f64.ln() + 0.75f64.ln());
        assert!((of(&[0.3; 4], &[1]).value - expected).abs() < 1e-9);
        assert!(of(&[-20.0, 20.0, -20.0, -20.0], &[1]).value < 1e-4, "certain and right");
        assert_eq!(of(&[], &[]), Loss { value: 0.0, gradient: vec![] });
    }
}
