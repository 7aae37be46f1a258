//! The gradients of all parameters.

use std::sync::Arc;

use rayon::prelude::*;

use super::parameters::Parameters;
use super::table::{Table, TensorSpec};
use crate::forward::Share;
use crate::kernels::lanes::{fold, multiply_add};
use crate::kernels::{Isa, Vectorized, vectorized};

/// Numbers whose squares are summed in single precision.
const SUMMED_AT_ONCE: usize = 4096;

/// A loss's gradients in all parameters, added up over some batches.
#[derive(Debug, Clone)]
pub struct Gradients {
    table: Arc<Table>,
    tensors: Vec<Vec<f32>>,
    /// True for a tensor that counts as zero whatever it holds: the first write need not be preceded by clearing.
    is_cleared: Vec<bool>,
}

impl Gradients {
    /// Zeros for all parameters.
    #[must_use]
    pub fn new(parameters: &Parameters) -> Self {
        let table = Arc::clone(parameters.table());
        let tensors: Vec<_> = table.tensors().iter().map(|tensor| vec![0.0; tensor.numbers()]).collect();
        Self { is_cleared: vec![false; tensors.len()], table, tensors }
    }

    /// Makes all zero, for the next step. They are only written at the next [`TrainingNetwork::backward`].
    ///
    /// [`TrainingNetwork::backward`]: super::TrainingNetwork::backward
    pub fn clear(&mut self) {
        self.is_cleared.fill(true);
    }

    /// Every tensor's gradient, row-major, sorted by name. After [`clear`](Self::clear) without a backward pass they are
    /// those of before.
    pub fn iter(&self) -> impl Iterator<Item = (&TensorSpec, &[f32])> {
        self.table.tensors().iter().zip(self.tensors.iter().map(Vec::as_slice))
    }

    /// A gradient by the tensor's name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[f32]> {
        self.table.position(name).map(|at| self.tensors[at].as_slice())
    }

    /// The Euclidean norm of all gradients together; not a number where any of them is none.
    #[must_use]
    pub fn norm(&self) -> f64 {
        let isa = Isa::detected();
        let of_tensor = |tensor: &Vec<f32>| {
            let squares = |chunk| f64::from(vectorized(isa, Squares(chunk)));
            let parts: Vec<f64> = tensor.par_chunks(SUMMED_AT_ONCE).map(squares).collect();
            parts.iter().sum::<f64>()
        };
        self.tensors.iter().map(of_tensor).sum::<f64>().sqrt()
    }

    pub(crate) fn tensor(&self, id: usize) -> &[f32] {
        &self.tensors[id]
    }

    /// A share of a tensor, and whether what is written now must be added to it.
    pub(crate) fn target(&mut self, id: usize, share: Share) -> (&mut [f32], bool) {
        if share.of > 1 {
            // The other shares must be zero, too.
            return (share.of_numbers_mut(self.sum(id)), true);
        }
        let adds = !std::mem::replace(&mut self.is_cleared[id], false);
        (&mut self.tensors[id], adds)
    }

    /// A tensor to add to.
    pub(crate) fn sum(&mut self, id: usize) -> &mut [f32] {
        if std::mem::replace(&mut self.is_cleared[id], false) {
            self.tensors[id].fill(0.0);
        }
        &mut self.tensors[id]
    }

    /// Adds to a share of a tensor.
    pub(crate) fn add(&mut self, id: usize, share: Share, numbers: &[f32]) {
        share.of_numbers_mut(self.sum(id)).iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
    }

    /// Writes the zeros of what nothing was added to.
    pub(crate) fn finish(&mut self) {
        (0..self.tensors.len()).for_each(|id| {
            self.sum(id);
        });
    }
}

/// The sum of a slice's squares.
struct Squares<'a>(&'a [f32]);

impl Vectorized for Squares<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<const FUSED: bool>(self) -> f32 {
        fold(self.0, 0.0, |sum, x| multiply_add::<FUSED>(x, x, sum), |a, b| a + b)
    }
}
