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
    /// The addition of the word to the log-odds of the answer; positive for one that speaks for it. N-gram models know
    /// it (the word's share of pairs and pieces included, beyond its addition to other answers on average, weighted by
    /// their probabilities); of other models it is the fall of the log-odds when the word is left out.
    pub weight: f32,
}
