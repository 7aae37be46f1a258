//! Batches: the texts that go through the network at once.

use super::noise::Place;
use crate::forward::Sequences;

/// Token ids of some texts, and the tokens at which the last layer is read.
#[derive(Debug, Clone)]
pub struct Batch {
    pub(crate) sequences: Sequences,
    pub(crate) every: Asked,
    pub(crate) read: Asked,
}

/// The tokens of which a layer's output is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Their places in the batch, rising.
    pub(crate) tokens: Vec<usize>,
    /// The first of each text, and at last the end of all.
    pub(crate) bounds: Vec<usize>,
    pub(crate) places: Vec<Place>,
    /// True if these are all tokens.
    pub(crate) is_every: bool,
}

impl Batch {
    /// Texts to be classified, by their first tokens.
    #[must_use]
    pub fn new(texts: &[&[u32]]) -> Self {
        Self::read_at(texts, texts.iter().map(|_| std::iter::once(0)))
    }

    /// Texts some of whose tokens are to be predicted: `predicted` has, for each text, the places of these in it, rising.
    /// Logits come in their order, text after text.
    ///
    /// # Panics
    /// When there are not as many lists as texts, or places do not rise or lie outside their text.
    #[must_use]
    pub fn masked(texts: &[&[u32]], predicted: &[Vec<usize>]) -> Self {
        assert_eq!(texts.len(), predicted.len(), "a list of places for each text");
        for (text, places) in texts.iter().zip(predicted) {
            assert!(places.is_sorted_by(|a, b| a < b), "places rise");
            assert!(places.last().is_none_or(|&last| last < text.len()), "places lie in their text");
        }
        Self::read_at(texts, predicted.iter().map(|places| places.iter().copied()))
    }

    fn read_at<I: Iterator<Item = usize>>(texts: &[&[u32]], read: impl Iterator<Item = I>) -> Self {
        let sequences = Sequences::new(texts.iter().copied());
        let every = Asked::new(&sequences, texts.iter().map(|text| 0..text.len()));
        let read = Asked::new(&sequences, read);
        Self { sequences, every, read }
    }

    /// Tokens of all texts.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.sequences.tokens()
    }

    /// Rows of logits: one for each text, or for each token to be predicted.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.read.count()
    }
}

impl Asked {
    fn new<I: Iterator<Item = usize>>(sequences: &Sequences, places: impl Iterator<Item = I>) -> Self {
        let (mut tokens, mut bounds, mut all) = (Vec::new(), vec![0], Vec::new());
        for (text, tokens_of_text) in places.enumerate() {
            for token in tokens_of_text {
                tokens.push(sequences.range(text).start + token);
                all.push(Place { text: text as u32, token: token as u32 });
            }
            bounds.push(tokens.len());
        }
        let is_every = tokens.len() == sequences.tokens();
        Self { tokens, bounds, places: all, is_every }
    }

    pub(crate) fn count(&self) -> usize {
        self.tokens.len()
    }

    pub(crate) fn range(&self, text: usize) -> std::ops::Range<usize> {
        self.bounds[text]..self.bounds[text + 1]
    }

    /// The rows asked for, of rows of all tokens.
    pub(crate) fn gather(&self, rows: &[f32], width: usize, out: &mut Vec<f32>) {
        out.clear();
        self.tokens.iter().for_each(|token| out.extend_from_slice(&rows[token * width..][..width]));
    }

    /// Adds rows of what is asked for to rows of all tokens.
    pub(crate) fn scatter(&self, rows: &[f32], width: usize, out: &mut [f32]) {
        for (row, token) in rows.chunks_exact(width).zip(&self.tokens) {
            let out = &mut out[token * width..][..width];
            out.iter_mut().zip(row).for_each(|(sum, number)| *sum += number);
        }
    }
}
