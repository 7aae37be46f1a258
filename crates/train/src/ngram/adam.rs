//! Adam (Kingma and Ba, 2015) for the dense parameters.

const BETA1: f32 = 0.9;
const BETA2: f32 = 0.99;
const EPSILON: f32 = 1e-8;

/// A parameter tensor with its two moments.
#[derive(Debug, Clone)]
pub(crate) struct Adam {
    pub(crate) values: Vec<f32>,
    mean: Vec<f32>,
    square: Vec<f32>,
}

/// The step's learning rate and bias corrections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AdamStep {
    rate: f32,
    mean_correction: f32,
    square_correction: f32,
}

impl AdamStep {
    /// Step `step`, counted from 1.
    pub(crate) fn new(rate: f32, step: usize) -> Self {
        let step = i32::try_from(step).unwrap_or(i32::MAX);
        let correction = |beta: f32| 1.0 / (1.0 - beta.powi(step));
        Self { rate, mean_correction: correction(BETA1), square_correction: correction(BETA2) }
    }
}

impl Adam {
    pub(crate) fn new(values: Vec<f32>) -> Self {
        let zeros = vec![0.0; values.len()];
        Self { values, mean: zeros.clone(), square: zeros }
    }

    /// Moves all values against `gradient`.
    pub(crate) fn step(&mut self, gradient: &[f32], step: AdamStep) {
        self.step_row(0, gradient, step);
    }

    /// Moves the values from `row · gradient.len()` on against `gradient`, the others not at all.
    pub(crate) fn step_row(&mut self, row: usize, gradient: &[f32], step: AdamStep) {
        let n = gradient.len();
        let (mean, square) = (&mut self.mean[row * n..][..n], &mut self.square[row * n..][..n]);
        let values = &mut self.values[row * n..][..n];
        for (((value, m), v), g) in values.iter_mut().zip(mean).zip(square).zip(gradient) {
            *m = BETA1 * *m + (1.0 - BETA1) * g;
            *v = BETA2 * *v + (1.0 - BETA2) * g * g;
            *value -=
                step.rate * (*m * step.mean_correction) / ((*v * step.square_correction).sqrt() + EPSILON);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_bottom_of_a_bowl() {
        let mut x = Adam::new(vec![3.0, -2.0]);
        for step in 1..=2000 {
            let gradient = [2.0 * (x.values[0] - 1.0), 20.0 * x.values[1]];
            x.step(&gradient, AdamStep::new(0.01, step));
        }
        assert!((x.values[0] - 1.0).abs() < 1e-2 && x.values[1].abs() < 1e-2, "{:?}", x.values);
    }

    #[test]
    fn the_first_step_has_the_size_of_the_rate() {
        let mut x = Adam::new(vec![0.0; 3]);
        x.step_row(1, &[123.0], AdamStep::new(0.5, 1));
        assert!((x.values[1] + 0.5).abs() < 1e-4);
        assert_eq!((x.values[0], x.values[2]), (0.0, 0.0));
    }
}
