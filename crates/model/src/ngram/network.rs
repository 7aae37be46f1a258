//! The n-gram model: hashed n-grams ▸ a hidden layer ▸ a distribution over CWE sets.
//!
//! h = ReLU(b + y(year) + 4 · Σ value · embedding(feature)),
//! P(set) = softmax((W h + c + v(year)) / temperature).
//!
//! The embedding is stored in four bits a number with one scale a row, the output layer in eight.

use vulnlens_taxonomy::CweId;

use super::rows::{CODE_ZERO, PackedRows, WeightedRow};
use super::vocabulary::{Entry, Vectorizer, Vocabulary};
use crate::curated::CuratedHead;
use crate::header::Header;
use crate::outputs::Outputs;
use crate::prediction::Input;
use crate::severity::SeverityHead;

/// The features' values have norm 1; this brings their sum into the hidden layer's range.
pub const INPUT_GAIN: f32 = 4.0;

/// A fitted n-gram model.
#[derive(Debug, Clone)]
pub struct NgramModel {
    pub(crate) header: Header,
    /// Width of the hidden layer.
    pub(crate) dimensions: usize,
    pub(crate) oldest_year: u16,
    pub(crate) newest_year: u16,
    pub(crate) revision: String,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) embedding: PackedRows,
    /// Hidden bias, `dimensions`.
    pub(crate) hidden_bias: Vec<f32>,
    /// What each year adds to the hidden layer, `years × dimensions`.
    pub(crate) year_hidden: Vec<f32>,
    /// Output weights, `dimensions × sets`, eight-bit codes already multiplied out: those of one hidden unit lie
    /// together, as the product reads them.
    pub(crate) output: Vec<f32>,
    /// Output bias, `sets`.
    pub(crate) output_bias: Vec<f32>,
    /// What each year adds to the logits, `years × sets`.
    pub(crate) year_output: Vec<f32>,
    /// The CWE sets of the header's first head, with its temperature and rules.
    pub(crate) outputs: Outputs,
    /// The head of curated techniques.
    pub(crate) curated: Option<CuratedHead>,
    /// The head of severities.
    pub(crate) severity: Option<SeverityHead>,
}

impl NgramModel {
    /// The description that the file carries.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The number of features that the model knows.
    #[must_use]
    pub fn features(&self) -> usize {
        self.vocabulary.len()
    }

    /// The known features of a text, normalised as the model learnt: rows of the vocabulary and values of norm 1.
    #[must_use]
    pub fn entries(&self, text: &str) -> Vec<Entry> {
        Vectorizer::default().vectorize(&self.vocabulary, &self.header.normalised(text)).to_vec()
    }

    /// The vocabulary.
    #[must_use]
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The divisor of the logits.
    pub(crate) fn temperature(&self) -> f32 {
        self.outputs.cwe_sets().map_or(1.0, |outputs| outputs.temperature)
    }

    /// The CWE sets, in the order of the scores; those of outcomes that are not weaknesses are empty.
    #[must_use]
    pub fn sets(&self) -> &[Vec<CweId>] {
        self.outputs.cwe_sets().map_or(&[], |outputs| &outputs.sets)
    }

    /// The index of a year: years before the oldest count as the oldest, later ones and none as the
    /// newest.
    pub(super) fn year_index(&self, year: Option<u16>) -> usize {
        let (oldest, newest) = (self.oldest_year, self.newest_year);
        usize::from(year.unwrap_or(newest).clamp(oldest, newest) - oldest)
    }

    /// The hidden layer before its activation.
    pub(crate) fn hidden(
        &self,
        entries: &[Entry],
        year: usize,
        weighted: &mut Vec<WeightedRow>,
        hidden: &mut [f32],
    ) {
        let d = self.dimensions;
        let shift = self.embedding.weighted_sum(entries, weighted, hidden) * f32::from(CODE_ZERO);
        let year = &self.year_hidden[year * d..][..d];
        for ((x, bias), year) in hidden.iter_mut().zip(&self.hidden_bias).zip(year) {
            *x = INPUT_GAIN * (*x - shift) + bias + year;
        }
    }

    pub(crate) fn year_of(&self, input: &Input<'_>) -> usize {
        self.year_index(input.year)
    }
}
