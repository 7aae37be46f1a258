//! Logits of many texts by a network in training.

use vulnlens_encoder::training::{Batch, TrainingNetwork};

use super::batches::parts;
use super::token_lists::TokenLists;

/// Tokens that go through the network at once.
const TOKENS_AT_ONCE: usize = 4096;

/// A row of logits for each of some texts, without dropout.
pub(crate) fn logits(network: &mut TrainingNetwork, lists: &TokenLists, texts: &[usize]) -> Vec<f32> {
    let mut all = Vec::with_capacity(texts.len() * network.config().labels.len());
    for part in parts(texts, lists.lengths(), TOKENS_AT_ONCE) {
        let ids: Vec<&[u32]> = part.iter().map(|&text| lists.of(text)).collect();
        all.extend(network.forward(&Batch::new(&ids), None));
    }
    all
}
