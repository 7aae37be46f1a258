//! Losses of logits, with their gradients in them.

use rayon::prelude::*;

use crate::kernels::lanes::{exp, fold, map, maximum};
use crate::kernels::{Isa, Vectorized, vectorized};

/// A loss, and its gradient in each logit.
#[derive(Debug, Clone, PartialEq)]
pub struct Loss {
    /// The loss.
    pub value: f64,
    /// Its derivative in each logit, in their order.
    pub gradient: Vec<f32>,
}

impl Loss {
    /// The loss times a number: of parts of a batch, the part's share of it.
    #[must_use]
    pub fn scaled(mut self, factor: f32) -> Self {
        self.value *= f64::from(factor);
        self.gradient.iter_mut().for_each(|number| *number *= factor);
        self
    }
}

/// Cross-entropy of each label by itself, behind a sigmoid; the mean over all labels of all rows.
#[derive(Debug, Clone, PartialEq)]
pub enum BinaryLoss {
    /// `torch.nn.BCEWithLogitsLoss`.
    Plain,
    /// The same with a weight for each label's positives, `pos_weight`.
    Weighted(Vec<f32>),
    /// Asymmetric loss (Ridnik et al., arXiv 2009.14119): `−(1 − p)^a ln p` of positives, and of negatives
    /// `−q^b ln(1 − q)` with `q = max(p − shift, 0)`. With `a = b` and no shift it is the focal loss (Lin et al., arXiv
    /// 1708.02002). Its gradient is that of the whole expression.
    Asymmetric {
        /// `a`.
        positive_focus: f64,
        /// `b`.
        negative_focus: f64,
        /// By how much probabilities of negatives are lowered.
        shift: f64,
    },
}

impl BinaryLoss {
    /// The loss of rows of logits of `labels` labels; targets are 0 or 1, or shares between.
    ///
    /// # Panics
    /// When targets are not as many as logits, or weights not as many as labels.
    #[must_use]
    pub fn of(&self, logits: &[f32], targets: &[f32], labels: usize) -> Loss {
        self.where_counted(logits, targets, labels, |_, _| true)
    }

    /// The same where only some labels of some rows count, by row and label. The others have neither loss nor gradient;
    /// the mean is over all, so that parts of a batch add up to it.
    ///
    /// # Panics
    /// As [`of`](Self::of).
    #[must_use]
    pub fn where_counted(
        &self,
        logits: &[f32],
        targets: &[f32],
        labels: usize,
        counts: impl Fn(usize, usize) -> bool,
    ) -> Loss {
        assert_eq!(logits.len(), targets.len(), "a target for each logit");
        if let Self::Weighted(weights) = self {
            assert_eq!(weights.len(), labels, "a weight for each label");
        }
        let share = 1.0 / logits.len().max(1) as f64;
        let mut value = 0.0;
        let numbers = logits.iter().zip(targets).enumerate();
        let gradient = numbers.map(|(at, (&logit, &target))| {
            if !counts(at / labels, at % labels) {
                return 0.0;
            }
            let (loss, slope) = self.of_one(f64::from(logit), f64::from(target), at % labels);
            value += loss;
            (slope * share) as f32
        });
        let gradient = gradient.collect();
        Loss { value: value * share, gradient }
    }

    /// The loss of one logit, and its derivative.
    fn of_one(&self, logit: f64, target: f64, label: usize) -> (f64, f64) {
        // ln σ(z) and ln(1 − σ(z)), without overflow and without loss of digits.
        let tail = (-logit.abs()).exp().ln_1p();
        let (log_p, log_q) = (logit.min(0.0) - tail, -logit.max(0.0) - tail);
        let p = log_p.exp();
        let weight = match self {
            Self::Plain => 1.0,
            Self::Weighted(weights) => f64::from(weights[label]),
            Self::Asymmetric { positive_focus, negative_focus, shift } => {
                let positive = positive_part(p, log_p, log_q, *positive_focus);
                let negative = negative_part(p, log_q, *negative_focus, *shift);
                let mix = |positive, negative| target * positive + (1.0 - target) * negative;
                return (mix(positive.0, negative.0), mix(positive.1, negative.1));
            }
        };
        let loss = -weight * target * log_p - (1.0 - target) * log_q;
        (loss, (1.0 - target) * p - weight * target * log_q.exp())
    }
}

/// `−(1 − p)^a ln p`, and its derivative in the logit.
fn positive_part(p: f64, log_p: f64, log_q: f64, focus: f64) -> (f64, f64) {
    let q = log_q.exp();
    let power = (focus * log_q).exp();
    (-power * log_p, focus * p * power * log_p - power * q)
}

/// `−q^b ln(1 − q)` with `q = max(p − shift, 0)`, and its derivative in the logit.
fn negative_part(p: f64, log_q: f64, focus: f64, shift: f64) -> (f64, f64) {
    let q = p - shift;
    if q <= 0.0 {
        return (0.0, 0.0);
    }
    let log_rest = if shift == 0.0 { log_q } else { (-q).ln_1p() };
    let (power, rest) = (q.powf(focus), log_rest.exp());
    let of_power = if focus == 0.0 { 0.0 } else { -focus * q.powf(focus - 1.0) * log_rest };
    // p (1 − p) / (1 − q) is p where there is no shift, also where p rounds to 1.
    let slope = p * log_q.exp();
    let of_log = if shift == 0.0 { power * p } else { power * slope / rest };
    (-power * log_rest, of_power * slope + of_log)
}

/// Cross-entropy of a distribution over classes, `torch.nn.CrossEntropyLoss`; the mean over the rows. Targets are a
/// distribution for each row.
///
/// # Panics
/// When targets are not as many as logits.
#[must_use]
pub fn softmax_loss(logits: &[f32], targets: &[f32], classes: usize) -> Loss {
    assert_eq!(logits.len(), targets.len(), "a target for each logit");
    let classes = classes.max(1);
    let share = 1.0 / (logits.len() / classes).max(1) as f64;
    let mut loss = Loss { value: 0.0, gradient: Vec::with_capacity(logits.len()) };
    for (row, targets) in logits.chunks_exact(classes).zip(targets.chunks_exact(classes)) {
        let greatest = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let sum: f64 = row.iter().map(|&logit| (f64::from(logit) - greatest).exp()).sum();
        let log_sum = greatest + sum.ln();
        let mass: f64 = targets.iter().map(|&target| f64::from(target)).sum();
        for (&logit, &target) in row.iter().zip(targets) {
            let (log_p, target) = (f64::from(logit) - log_sum, f64::from(target));
            loss.value -= share * target * log_p;
            loss.gradient.push((share * (log_p.exp() * mass - target)) as f32);
        }
    }
    loss
}

/// The mean cross-entropy of rows of logits of a vocabulary, each with the token that it should have. Logits are replaced by
/// their gradients: there are too many to keep both.
///
/// # Panics
/// When there are not as many rows as targets, or a target is not in the vocabulary.
#[must_use]
pub fn masked_language_loss(logits: &mut [f32], targets: &[u32]) -> f64 {
    if targets.is_empty() {
        return 0.0;
    }
    let vocabulary = logits.len() / targets.len();
    assert_eq!(logits.len(), vocabulary * targets.len(), "a target for each row");
    let share = 1.0 / targets.len() as f32;
    let isa = Isa::detected();
    let rows = logits.par_chunks_exact_mut(vocabulary).zip(targets);
    let losses: Vec<f64> = rows
        .map(|(row, &target)| vectorized(isa, ClassRow { row, target: target as usize, share }))
        .collect();
    losses.iter().sum::<f64>() / targets.len() as f64
}

/// A row with one right class.
struct ClassRow<'a> {
    row: &'a mut [f32],
    target: usize,
    share: f32,
}

impl Vectorized for ClassRow<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<const FUSED: bool>(self) -> f64 {
        let greatest = maximum(self.row);
        let of_target = self.row[self.target] - greatest;
        map(self.row, |x| exp::<FUSED>(x - greatest));
        let sum = fold(self.row, 0.0, |a, b| a + b, |a, b| a + b);
        let scale = self.share / sum;
        map(self.row, |x| x * scale);
        self.row[self.target] -= self.share;
        f64::from(sum).ln() - f64::from(of_target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Derivatives by central differences, in double precision.
    fn check(loss: impl Fn(&[f32]) -> Loss, logits: &[f32]) {
        let gradient = loss(logits).gradient;
        for (at, &slope) in gradient.iter().enumerate() {
            let mut moved = logits.to_vec();
            let step = 1.0 / 64.0;
            moved[at] = logits[at] + step;
            let above = loss(&moved).value;
            moved[at] = logits[at] - step;
            let below = loss(&moved).value;
            let expected = (above - below) / f64::from(2.0 * step);
            assert!((f64::from(slope) - expected).abs() < 2e-5, "{at}: {slope} {expected}");
        }
    }

    #[test]
    fn gradients_are_those_of_the_losses() {
        let logits = [0.5, -1.25, 3.0, -0.75, 2.0, 0.125];
        let targets = [1.0, 0.0, 1.0, 0.0, 0.25, 0.75];
        let focal = BinaryLoss::Asymmetric { positive_focus: 2.0, negative_focus: 2.0, shift: 0.0 };
        let shifted = BinaryLoss::Asymmetric { positive_focus: 0.0, negative_focus: 4.0, shift: 0.05 };
        for binary in [BinaryLoss::Plain, BinaryLoss::Weighted(vec![2.0, 0.5, 1.0]), focal, shifted] {
            check(|logits| binary.of(logits, &targets, 3), &logits);
        }
        check(|logits| softmax_loss(logits, &targets, 2), &logits);
    }

    #[test]
    fn what_does_not_count_has_no_gradient() {
        let (logits, targets) = ([0.5, -1.25, 3.0, -0.75], [1.0, 0.0, 0.0, 1.0]);
        let counts = |row: usize, label: usize| row != 1 || label != 0;
        check(|logits| BinaryLoss::Plain.where_counted(logits, &targets, 2, counts), &logits);
        let (some, all) = (
            BinaryLoss::Plain.where_counted(&logits, &targets, 2, counts),
            BinaryLoss::Plain.of(&logits, &targets, 2),
        );
        assert_eq!(some.gradient[2], 0.0);
        assert_eq!([some.gradient[0], some.gradient[3]], [all.gradient[0], all.gradient[3]]);
    }

    #[test]
    fn classes_and_distributions_agree() {
        let logits = [0.5, -1.0, 3.0, 0.25, 8.0, -9.0];
        let expected = softmax_loss(&logits, &[0.0, 0.0, 1.0, 1.0, 0.0, 0.0], 3);
        let mut replaced = logits;
        let value = masked_language_loss(&mut replaced, &[2, 0]);
        assert!((value - expected.value).abs() < 1e-6);
        for (found, expected) in replaced.iter().zip(&expected.gradient) {
            assert!((found - expected).abs() < 1e-6);
        }
        assert_eq!(masked_language_loss(&mut [], &[]), 0.0);
    }

    #[test]
    fn extreme_logits_give_finite_losses() {
        let logits = [200.0, -200.0, 800.0, -800.0];
        let targets = [0.0, 1.0, 1.0, 0.0];
        let focal = BinaryLoss::Asymmetric { positive_focus: 1.0, negative_focus: 4.0, shift: 0.05 };
        for binary in [BinaryLoss::Plain, focal] {
            let loss = binary.of(&logits, &targets, 4);
            assert!(loss.value.is_finite() && loss.gradient.iter().all(|x| x.is_finite()), "{loss:?}");
        }
        assert!(softmax_loss(&logits, &targets, 4).value.is_finite());
    }
}
