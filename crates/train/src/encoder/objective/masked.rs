//! Masked-language modelling (Devlin et al., arXiv 1810.04805): tokens are hidden by counting from the seed.

use vulnlens_encoder::training::{Batch, Gradients, TrainingNetwork, masked_language_loss};

use crate::encoder::run::{Figures, MicroBatch, Objective, micro_batches};
use crate::encoder::texts::TokenLists;
use crate::error::TrainError;
use crate::random::Random;

/// Streams of the seed that masks are drawn from.
const MASKS: u64 = 1 << 61;
/// The pass whose masks validation texts have.
const VALIDATION: u64 = (1 << 24) - 1;
/// Tokens that go through the network at once in evaluations.
const TOKENS_AT_ONCE: usize = 4096;

/// The hiding of tokens.
#[derive(Debug, Clone)]
pub(crate) struct Masking {
    pub(crate) seed: u64,
    /// Share of tokens that are to be predicted.
    pub(crate) share: f32,
    /// The token that hides others.
    pub(crate) mask: u32,
    /// Tokens that are never hidden, and that no token is replaced by.
    pub(crate) special: Vec<u32>,
    pub(crate) vocabulary: usize,
}

/// A text with some tokens hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Masked {
    pub(crate) ids: Vec<u32>,
    /// Places of the tokens to be predicted, rising.
    pub(crate) places: Vec<usize>,
    /// The tokens that stood there.
    pub(crate) targets: Vec<u32>,
}

impl Masking {
    /// Hides tokens of a text: of those chosen eight tenths become the mask, one tenth a random token, one tenth stays.
    /// What is chosen depends on the seed, the pass and the text alone.
    pub(crate) fn apply(&self, ids: &[u32], epoch: u64, text: usize) -> Masked {
        let mut random = Random::new(self.seed, MASKS | (epoch << 32) | text as u64);
        let mut masked = Masked { ids: ids.to_vec(), places: vec![], targets: vec![] };
        for (place, id) in masked.ids.iter_mut().enumerate() {
            // As many numbers for each token, so that one token's choice does not move the others'.
            let (chosen, how, other) = (random.uniform(), random.uniform(), random.below(self.vocabulary));
            if self.special.contains(id) || chosen >= self.share {
                continue;
            }
            masked.places.push(place);
            masked.targets.push(*id);
            if how < 0.8 {
                *id = self.mask;
            } else if how < 0.9 && !self.special.contains(&(other as u32)) {
                *id = other as u32;
            }
        }
        masked
    }
}

/// The objective of a masked-language model.
pub(crate) struct MaskedLanguage {
    pub(crate) masking: Masking,
    pub(crate) training: TokenLists,
    pub(crate) validation: TokenLists,
}

impl MaskedLanguage {
    fn batch(&self, lists: &TokenLists, texts: &[usize], epoch: u64) -> (Vec<Masked>, Vec<u32>) {
        let masked: Vec<Masked> =
            texts.iter().map(|&text| self.masking.apply(lists.of(text), epoch, text)).collect();
        let targets = masked.iter().flat_map(|masked| masked.targets.iter().copied()).collect();
        (masked, targets)
    }
}

fn forward(network: &mut TrainingNetwork, masked: &[Masked], part: MicroBatch<'_>) -> Vec<f32> {
    let ids: Vec<&[u32]> = masked.iter().map(|masked| masked.ids.as_slice()).collect();
    let places: Vec<Vec<usize>> = masked.iter().map(|masked| masked.places.clone()).collect();
    network.forward(&Batch::masked(&ids, &places), part.noise)
}

impl Objective for MaskedLanguage {
    fn lengths(&self) -> &[usize] {
        self.training.lengths()
    }

    fn cut(&self) -> usize {
        self.training.cut()
    }

    fn validation_texts(&self) -> usize {
        self.validation.lengths().len()
    }

    fn rows(&self, texts: &[usize], epoch: u64) -> usize {
        self.batch(&self.training, texts, epoch).1.len()
    }

    fn learn(&self, network: &mut TrainingNetwork, part: MicroBatch<'_>, gradients: &mut Gradients) -> f64 {
        let (masked, targets) = self.batch(&self.training, part.texts, part.epoch);
        if targets.is_empty() {
            return 0.0;
        }
        let mut logits = forward(network, &masked, part);
        let share = targets.len() as f64 / part.rows as f64;
        let loss = masked_language_loss(&mut logits, &targets) * share;
        if targets.len() != part.rows {
            logits.iter_mut().for_each(|number| *number *= share as f32);
        }
        network.backward(&logits, gradients);
        loss
    }

    fn evaluate(&self, network: &mut TrainingNetwork) -> Result<Option<Figures>, TrainError> {
        let all: Vec<usize> = (0..self.validation.lengths().len()).collect();
        let (mut sum, mut count) = (0.0, 0);
        for texts in micro_batches(&all, self.validation.lengths(), TOKENS_AT_ONCE) {
            let part = MicroBatch { texts, epoch: VALIDATION, noise: None, rows: 0 };
            let (masked, targets) = self.batch(&self.validation, texts, VALIDATION);
            if targets.is_empty() {
                continue;
            }
            let mut logits = forward(network, &masked, part);
            sum += masked_language_loss(&mut logits, &targets) * targets.len() as f64;
            count += targets.len();
        }
        if count == 0 {
            return Ok(None);
        }
        let loss = sum / f64::from(count as u32);
        let figures = vec![("eval_loss".to_owned(), loss), ("eval_perplexity".to_owned(), loss.exp())];
        Ok(Some(Figures { score: -loss, texts: all.len(), figures }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masking() -> Masking {
        Masking { seed: 5, share: 0.15, mask: 4, special: vec![0, 1, 2, 3, 4], vocabulary: 1000 }
    }

    #[test]
    fn as_many_are_hidden_as_the_rule_says() {
        let ids: Vec<u32> = std::iter::once(0).chain((0..20_000).map(|i| 5 + i % 900)).chain([2]).collect();
        let masked = masking().apply(&ids, 0, 0);
        let chosen = masked.places.len() as f64;
        assert!((chosen / 20_000.0 - 0.15).abs() < 0.01, "{chosen}");
        let share = |of: &dyn Fn(u32, u32) -> bool| {
            let pairs = masked.places.iter().zip(&masked.targets);
            pairs.filter(|(place, target)| of(masked.ids[**place], **target)).count() as f64 / chosen
        };
        assert!((share(&|now, _| now == 4) - 0.8).abs() < 0.03);
        assert!((share(&|now, then| now == then) - 0.1).abs() < 0.02);
        assert!(masked.places.iter().all(|&place| ids[place] > 4));
        assert_eq!((masked.ids[0], masked.ids[20_001]), (0, 2), "special tokens stay");
    }

    #[test]
    fn masks_depend_on_seed_pass_and_text() {
        let ids: Vec<u32> = (0..200).map(|i| 5 + i).collect();
        let masked = masking().apply(&ids, 1, 7);
        assert_eq!(masked, masking().apply(&ids, 1, 7));
        assert_ne!(masked, masking().apply(&ids, 2, 7));
        assert_ne!(masked, masking().apply(&ids, 1, 8));
        assert_ne!(masked, Masking { seed: 6, ..masking() }.apply(&ids, 1, 7));
    }
}
