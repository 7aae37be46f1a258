//! The numbers that are trained.

use std::sync::Arc;

use super::noise::{key, normal};
use super::table::{Part, Table, TensorSpec, Training};
use crate::config::Config;
use crate::error::EncoderError;
use crate::forward::{Names, is_bare};
use crate::weights::Weights;

/// What to do about an architecture that is not trained.
const UNTRAINED: &str =
    "begin with a checkpoint of another architecture, or fine-tune it by transformers and use the result";

/// All tensors of a network in training, in `f32`.
#[derive(Debug, Clone)]
pub struct Parameters {
    table: Arc<Table>,
    tensors: Vec<Vec<f32>>,
}

impl Parameters {
    /// Random ones, as transformers begins: normal with deviation `range` (its `initializer_range`, usually 0.02) for
    /// matrices, zero for biases and padding, one for the weights of normalisations. The same seed gives the same numbers.
    #[must_use]
    pub fn random(config: &Config, training: Training, range: f32, seed: u64) -> Self {
        let table = Arc::new(Table::new(config, training));
        let tensors = table.tensors().iter().map(|tensor| initial(tensor, range, seed)).collect();
        Self { table, tensors }
    }

    /// A checkpoint's numbers. Tensors of the head that the file lacks, or has in another shape, begin at random as
    /// [`random`](Self::random) has them; their names are given too.
    ///
    /// # Errors
    /// When a tensor of the encoder is missing, or any is of another type or shape or not finite: see [`Weights::f32`].
    pub fn load(
        config: &Config,
        training: Training,
        weights: &Weights,
        range: f32,
        seed: u64,
    ) -> Result<(Self, Vec<String>), EncoderError> {
        let table = Arc::new(Table::new(config, training));
        if !config.architecture.is_trained() {
            let problem = format!("is `{}`, which is run but not trained", config.architecture.model_type());
            return Err(EncoderError::config(weights.file(), "model_type", problem, UNTRAINED));
        }
        let names = Names::new(config, false);
        let prefix = if is_bare(weights, config) { names.prefix() } else { "" };
        let mut begun = Vec::new();
        let mut read = |tensor: &TensorSpec| {
            let name = tensor.name.strip_prefix(prefix).unwrap_or(&tensor.name);
            if tensor.part == Part::Head && weights.shape(name) != Some(&tensor.shape) {
                begun.push(tensor.name.clone());
                return Ok(initial(tensor, range, seed));
            }
            Ok(weights.f32(name, &tensor.shape)?.to_vec())
        };
        let tensors = table.tensors().iter().map(&mut read).collect::<Result<_, EncoderError>>()?;
        Ok((Self { table, tensors }, begun))
    }

    /// Names, shapes and places of the tensors.
    #[must_use]
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// Every tensor, row-major, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&TensorSpec, &[f32])> {
        self.table.tensors().iter().zip(self.tensors.iter().map(Vec::as_slice))
    }

    /// A tensor by name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[f32]> {
        self.table.position(name).map(|at| self.tensors[at].as_slice())
    }

    /// A tensor by name, to be overwritten.
    #[must_use]
    pub fn get_mut(&mut self, name: &str) -> Option<&mut [f32]> {
        self.table.position(name).map(|at| self.tensors[at].as_mut_slice())
    }

    /// The number of parameters.
    #[must_use]
    pub fn count(&self) -> usize {
        self.tensors.iter().map(Vec::len).sum()
    }

    pub(crate) fn tensor(&self, id: usize) -> &[f32] {
        &self.tensors[id]
    }

    pub(crate) fn tensors_mut(&mut self) -> &mut [Vec<f32>] {
        &mut self.tensors
    }
}

/// A tensor at the beginning.
fn initial(tensor: &TensorSpec, range: f32, seed: u64) -> Vec<f32> {
    if tensor.is_bias() || tensor.is_norm() {
        let number = if tensor.is_bias() { 0.0 } else { 1.0 };
        return vec![number; tensor.numbers()];
    }
    let name = key(tensor.name.bytes().map(u64::from));
    let stream = key([seed, name]);
    let mut numbers: Vec<f32> = (0..tensor.numbers() as u64).map(|at| range * normal(stream, at)).collect();
    if let (Some(row), Some(&width)) = (tensor.padding, tensor.shape.last()) {
        numbers[row * width..][..width].fill(0.0);
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_have_the_deviation_asked_for() {
        let shape = vec![300, 100];
        let spec =
            TensorSpec { name: "words.weight".into(), shape, part: Part::Embeddings, padding: Some(2) };
        let numbers = initial(&spec, 0.02, 7);
        assert_eq!(numbers, initial(&spec, 0.02, 7));
        assert_ne!(numbers, initial(&spec, 0.02, 8));
        assert!(numbers[200..300].iter().all(|&number| number == 0.0));
        let count = (numbers.len() - 100) as f32;
        let mean = numbers.iter().sum::<f32>() / count;
        let deviation = (numbers.iter().map(|x| x * x).sum::<f32>() / count).sqrt();
        assert!(mean.abs() < 5e-4 && (deviation - 0.02).abs() < 5e-4, "{mean} {deviation}");
    }
}
