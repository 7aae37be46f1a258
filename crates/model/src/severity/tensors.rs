//! The numbers of a head of severities.

use vulnlens_taxonomy::BaseVector;

use super::outputs::SEVERITY_WIDTH;

/// The numbers of a head of severities as a file holds them. The outputs are the values of all metrics, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct SeverityTensors {
    /// Rows of the vocabulary that are read, rising.
    pub rows: Vec<u32>,
    /// Codes of the features' weights, `rows × outputs`.
    pub text: Vec<i8>,
    /// Scale of each row of these.
    pub text_scales: Vec<f32>,
    /// Weights of the dense features, `features × outputs`: weaknesses, years.
    pub dense: Vec<f32>,
    /// Bias of each output.
    pub bias: Vec<f32>,
    /// The logit that each vector has in addition to those of its values, in the order of [`BaseVector::all`].
    pub joint: Vec<f32>,
}

impl SeverityTensors {
    /// True if the sizes are those of so many dense features.
    pub(crate) fn fits(&self, features: usize) -> bool {
        let rows = self.rows.len();
        self.text.len() == rows * SEVERITY_WIDTH
            && self.text_scales.len() == rows
            && self.dense.len() == features * SEVERITY_WIDTH
            && self.bias.len() == SEVERITY_WIDTH
            && self.joint.len() == BaseVector::COUNT
    }
}
