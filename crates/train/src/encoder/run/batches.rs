//! The batches of a pass over the texts: another order in each pass, from the seed alone.
//!
//! Nothing is padded, so texts of any lengths can stand together: batches are plain random samples.

use crate::encoder::settings::BatchSize;
use crate::random::Random;

/// Streams of the seed that order texts; the parameters' and masks' are others.
const ORDER: u64 = 1 << 62;

/// The batches of one pass over the texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batches {
    order: Vec<usize>,
    bounds: Vec<usize>,
}

impl Batches {
    /// The batches of pass `epoch` over texts of these lengths.
    pub(crate) fn new(lengths: &[usize], size: BatchSize, seed: u64, epoch: u64) -> Self {
        let mut order: Vec<usize> = (0..lengths.len()).collect();
        Random::new(seed, ORDER | epoch).shuffle(&mut order);
        let bounds = match size {
            BatchSize::Texts(texts) => {
                let count = order.len().div_ceil(texts);
                (0..=count).map(|batch| (batch * texts).min(order.len())).collect()
            }
            BatchSize::Tokens(tokens) => cut(&order, lengths, tokens),
        };
        Self { order, bounds }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.bounds.len() - 1
    }

    /// The texts of one.
    pub(crate) fn of(&self, batch: usize) -> &[usize] {
        &self.order[self.bounds[batch]..self.bounds[batch + 1]]
    }
}

/// The micro-batches of a batch, which go through the network one after another: of at most `tokens` tokens, or one text.
pub(crate) fn micro_batches<'a>(
    texts: &'a [usize],
    lengths: &'a [usize],
    tokens: usize,
) -> impl Iterator<Item = &'a [usize]> {
    let bounds = cut(texts, lengths, tokens);
    (1..bounds.len()).map(move |part| &texts[bounds[part - 1]..bounds[part]])
}

/// Where runs of texts end that have at most so many tokens.
fn cut(texts: &[usize], lengths: &[usize], most: usize) -> Vec<usize> {
    let (mut bounds, mut tokens) = (vec![0], 0);
    for (place, &text) in texts.iter().enumerate() {
        tokens += lengths[text];
        if tokens > most && bounds.last() != Some(&place) {
            bounds.push(place);
            tokens = lengths[text];
        }
    }
    if !texts.is_empty() {
        bounds.push(texts.len());
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths() -> Vec<usize> {
        (0..103).map(|text| 1 + text * 7 % 40).collect()
    }

    #[test]
    fn a_pass_has_every_text_once_in_an_order_of_its_own() {
        for size in [BatchSize::Texts(10), BatchSize::Tokens(64)] {
            let batches = Batches::new(&lengths(), size, 3, 0);
            let mut all: Vec<usize> =
                (0..batches.count()).flat_map(|batch| batches.of(batch).to_vec()).collect();
            assert!(!all.is_sorted());
            all.sort_unstable();
            assert!(all.into_iter().eq(0..103));
            assert_eq!(batches, Batches::new(&lengths(), size, 3, 0));
            assert_ne!(batches, Batches::new(&lengths(), size, 3, 1));
            assert_ne!(batches, Batches::new(&lengths(), size, 4, 0));
        }
    }

    #[test]
    fn batches_hold_what_they_are_asked_to() {
        let lengths = lengths();
        let texts = Batches::new(&lengths, BatchSize::Texts(10), 3, 0);
        assert_eq!((texts.count(), texts.of(0).len(), texts.of(10).len()), (11, 10, 3));
        let tokens = Batches::new(&lengths, BatchSize::Tokens(64), 3, 0);
        for batch in 0..tokens.count() {
            let sum: usize = tokens.of(batch).iter().map(|&text| lengths[text]).sum();
            assert!((1..=64).contains(&sum), "{sum}");
        }
        let one_each = Batches::new(&lengths, BatchSize::Tokens(1), 3, 0);
        assert_eq!(one_each.count(), 103);
        assert_eq!(Batches::new(&[], BatchSize::Tokens(64), 3, 0).count(), 0);
    }

    #[test]
    fn micro_batches_make_their_batch() {
        let lengths = lengths();
        let batches = Batches::new(&lengths, BatchSize::Texts(30), 3, 0);
        let joined: Vec<usize> = micro_batches(batches.of(0), &lengths, 100).flatten().copied().collect();
        assert_eq!(joined, batches.of(0));
        assert!(micro_batches(batches.of(0), &lengths, 100).count() > 3);
    }
}
