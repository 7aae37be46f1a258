//! Logits of many texts by a network in training.

use std::collections::BTreeMap;

use vulnlens_encoder::training::{Batch, TrainingNetwork};
use vulnlens_model::Scorer;
use vulnlens_taxonomy::{CveId, CweId};

use super::batches::parts;
use super::token_lists::TokenLists;
use crate::example::Example;
use crate::scores::SetScores;

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

/// Logits of CWE sets by record, for the repository's own evaluation.
pub(crate) struct RecordedLogits<'a> {
    sets: &'a [Vec<CweId>],
    rows: BTreeMap<CveId, usize>,
    logits: &'a [f32],
}

impl<'a> RecordedLogits<'a> {
    /// A row for each of the records.
    pub(crate) fn new(sets: &'a [Vec<CweId>], records: &[Example], logits: &'a [f32]) -> Self {
        Self { sets, rows: records.iter().map(|record| record.id).zip(0..).collect(), logits }
    }
}

impl SetScores for RecordedLogits<'_> {
    fn sets(&self) -> &[Vec<CweId>] {
        self.sets
    }

    fn logits(&self, examples: &[&Example], _: &mut Scorer, out: &mut Vec<f32>) {
        let width = self.sets.len();
        out.clear();
        for example in examples {
            match self.rows.get(&example.id) {
                Some(row) => out.extend_from_slice(&self.logits[row * width..][..width]),
                None => out.resize(out.len() + width, 0.0),
            }
        }
    }
}
