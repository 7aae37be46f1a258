//! Evidence: the parts of a text that carried an answer.

/// The contribution of one word of a text to an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct WordEvidence {
    /// The word as written.
    pub text: String,
    /// First byte of the word in the text.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The addition of the word (its share of pairs and pieces included) to the logit of the first answer,
    /// beyond its addition to the others on average, weighted by their probabilities. Positive: it
    /// speaks for the answer.
    pub weight: f32,
}
