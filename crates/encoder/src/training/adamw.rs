//! AdamW (Loshchilov & Hutter, arXiv 1711.05101) as `torch.optim.AdamW` computes it, and clipping by the global norm.

use std::sync::Arc;

use rayon::prelude::*;

use super::gradients::Gradients;
use super::parameters::Parameters;
use super::settings::TrainingSettings;
use super::table::{Part, Table};
use crate::kernels::lanes::multiply_add;
use crate::kernels::{Isa, Vectorized, vectorized};

/// Numbers that are worth a thread of their own.
const AT_ONCE: usize = 16_384;

/// The optimiser's constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWSettings {
    /// Share of the first moment that a step keeps.
    pub beta1: f64,
    /// Share of the second moment that a step keeps.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Share of a weight that a step at rate 1 takes away; biases and normalisations are spared.
    pub decay: f64,
}

impl Default for AdamWSettings {
    /// transformers' `TrainingArguments`, but with the decay of 0.01 that PyTorch has.
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.01 }
    }
}

/// Running means of gradients and of their squares.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// Steps that were made.
    pub steps: u64,
    /// The mean gradient of each tensor, sorted by name; empty where it is not trained.
    pub first: Vec<Vec<f32>>,
    /// The mean square.
    pub second: Vec<Vec<f32>>,
}

/// One update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    /// The learning rate of tensors whose factor is 1.
    pub rate: f64,
    /// The factor that gradients are multiplied by first: see [`clip_factor`].
    pub gradient_factor: f32,
}

/// The optimiser of some parameters.
#[derive(Debug, Clone)]
pub struct AdamW {
    settings: AdamWSettings,
    table: Arc<Table>,
    /// The factor of each tensor's learning rate; 0 where it is not trained.
    factors: Vec<f64>,
    moments: Moments,
}

/// The factor that gives gradients of this norm at most the norm `most`, as `torch.nn.utils.clip_grad_norm_` computes it.
#[must_use]
pub fn clip_factor(norm: f64, most: f64) -> f32 {
    (most / (norm + 1e-6)).min(1.0) as f32
}

/// The factor of each tensor's learning rate when every layer has `decay` times that of the layer above it (Howard
/// & Ruder, arXiv 1801.06146): 1 for the head, `decay` for the last layer, the smallest for the embeddings, 0 for what is
/// frozen. A `decay` of 1 treats all alike.
#[must_use]
pub fn layer_factors(table: &Table, settings: &TrainingSettings, decay: f64) -> Vec<f64> {
    let layers = table.tensors().iter().filter_map(|tensor| match tensor.part {
        Part::Layer(number) => Some(number + 1),
        _ => None,
    });
    let layers = layers.max().unwrap_or(0);
    let factor = |part| match part {
        Part::Head => 1.0,
        Part::Layer(number) => decay.powi((layers - number) as i32),
        Part::Embeddings => decay.powi(layers as i32 + 1),
    };
    let tensors = table.tensors().iter();
    tensors.map(|tensor| if settings.is_trained(tensor) { factor(tensor.part) } else { 0.0 }).collect()
}

impl AdamW {
    /// An optimiser at its beginning. `factors` has, for each tensor, what the learning rate is multiplied with: see
    /// [`layer_factors`]. Where it is 0 the tensor stays as it is.
    ///
    /// # Panics
    /// When there are not as many factors as tensors.
    #[must_use]
    pub fn new(table: &Arc<Table>, settings: AdamWSettings, factors: Vec<f64>) -> Self {
        let tensors = table.tensors();
        assert_eq!(tensors.len(), factors.len(), "a factor for each tensor");
        let trained = tensors.iter().zip(&factors);
        let zeros: Vec<Vec<f32>> = trained
            .map(|(tensor, &factor)| vec![0.0; if factor == 0.0 { 0 } else { tensor.numbers() }])
            .collect();
        let moments = Moments { steps: 0, first: zeros.clone(), second: zeros };
        Self { settings, table: Arc::clone(table), factors, moments }
    }

    /// The running means, to be saved.
    #[must_use]
    pub fn moments(&self) -> &Moments {
        &self.moments
    }

    /// Goes on from saved moments. Gives them back where they are not of these tensors.
    ///
    /// # Errors
    /// The moments.
    pub fn resume(&mut self, moments: Moments) -> Result<(), Moments> {
        let lengths = |tensors: &[Vec<f32>]| tensors.iter().map(Vec::len).collect::<Vec<_>>();
        let own = lengths(&self.moments.first);
        if lengths(&moments.first) != own || lengths(&moments.second) != own {
            return Err(moments);
        }
        self.moments = moments;
        Ok(())
    }

    /// Updates parameters by their gradients.
    pub(super) fn step(&mut self, parameters: &mut Parameters, gradients: &Gradients, update: Update) {
        self.moments.steps += 1;
        let steps = self.moments.steps as f64;
        let AdamWSettings { beta1, beta2, epsilon, decay } = self.settings;
        let isa = Isa::detected();
        let root = (1.0 - beta2.powf(steps)).sqrt();
        let Moments { first, second, .. } = &mut self.moments;
        let tensors = parameters.tensors_mut().par_iter_mut().zip(first).zip(second);
        tensors.enumerate().for_each(|(id, ((tensor, first), second))| {
            let rate = update.rate * self.factors[id];
            let decay = if self.table.tensors()[id].is_decayed() { decay } else { 0.0 };
            let constants = Constants {
                keep: (1.0 - rate * decay) as f32,
                blend: (1.0 - beta1) as f32,
                beta2: beta2 as f32,
                blend2: (1.0 - beta2) as f32,
                root: root as f32,
                epsilon: epsilon as f32,
                step: (rate / (1.0 - beta1.powf(steps))) as f32,
                gradient_factor: update.gradient_factor,
            };
            // Where nothing is trained there are no moments, and hence no chunks.
            let chunks = tensor.par_chunks_mut(AT_ONCE).zip(gradients.tensor(id).par_chunks(AT_ONCE));
            let moments = first.par_chunks_mut(AT_ONCE).zip(second.par_chunks_mut(AT_ONCE));
            chunks.zip(moments).for_each(|((numbers, gradient), (first, second))| {
                vectorized(isa, Chunk { constants, numbers, gradient, first, second });
            });
        });
    }
}

/// The constants that all numbers of a tensor share.
#[derive(Clone, Copy)]
struct Constants {
    keep: f32,
    blend: f32,
    beta2: f32,
    blend2: f32,
    root: f32,
    epsilon: f32,
    step: f32,
    gradient_factor: f32,
}

struct Chunk<'a> {
    constants: Constants,
    numbers: &'a mut [f32],
    gradient: &'a [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
}

impl Vectorized for Chunk<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Constants { keep, blend, beta2, blend2, root, epsilon, step, gradient_factor } = self.constants;
        let moments = self.first.iter_mut().zip(self.second);
        for ((number, &gradient), (first, second)) in self.numbers.iter_mut().zip(self.gradient).zip(moments)
        {
            let gradient = gradient * gradient_factor;
            *first = multiply_add::<FUSED>(blend, gradient - *first, *first);
            *second = multiply_add::<FUSED>(blend2 * gradient, gradient, *second * beta2);
            *number = *number * keep - step * (*first / (second.sqrt() / root + epsilon));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_are_clipped_as_pytorch_clips() {
        assert_eq!(clip_factor(0.5, 1.0), 1.0);
        assert_eq!(clip_factor(4.0, 1.0), (1.0_f64 / 4.000_001) as f32);
    }
}
