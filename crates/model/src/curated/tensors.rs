//! The numbers of a head of curated techniques.

use super::mapped::MappedCves;
use super::sparse::SparseTexts;

/// The numbers of a head of curated techniques as a file holds them. An output is a technique or, behind all techniques,
/// a project's indicator.
#[derive(Debug, Clone, PartialEq)]
pub struct CuratedTensors {
    /// Rows of the vocabulary that are read, rising.
    pub rows: Vec<u32>,
    /// Codes of the features' weights, `rows × outputs`.
    pub text: Vec<i8>,
    /// Scale of each row of these.
    pub text_scales: Vec<f32>,
    /// Weights of the dense features, `(1 + projects) × features × outputs`: those that all projects share, then what
    /// each project adds.
    pub dense: Vec<f32>,
    /// Scores that each project adds whatever the text, `projects × outputs`.
    pub bias: Vec<f32>,
    /// The mapped CVEs, for evidence.
    pub mapped: MappedCves,
    /// The texts of the techniques that are known by their descriptions alone.
    pub described: SparseTexts,
}

impl CuratedTensors {
    /// True if the sizes are those of so many outputs, dense features and projects.
    pub(crate) fn fits(&self, outputs: usize, features: usize, projects: usize) -> bool {
        let rows = self.rows.len();
        self.text.len() == rows * outputs
            && self.text_scales.len() == rows
            && self.dense.len() == (1 + projects) * features * outputs
            && self.bias.len() == projects * outputs
    }
}
