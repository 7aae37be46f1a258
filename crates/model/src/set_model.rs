//! What gives distributions over CWE sets, whatever kind of network it is.

use std::collections::BTreeMap;

use vulnlens_taxonomy::CweId;

use crate::decision::DecisionRule;
use crate::ngram::{NgramModel, Scorer};
use crate::prediction::Input;
use crate::space::SpaceKind;

/// A model that says how probable each CWE set is; everything else follows from that by the chain.
pub trait SetModel: Send + Sync {
    /// The model's name.
    fn name(&self) -> &str;

    /// Which file or state of that name: 12 hexadecimal digits.
    fn revision(&self) -> &str;

    /// The CWE sets, in the order of the scores; each sorted by rising id.
    fn sets(&self) -> &[Vec<CweId>];

    /// Divides the logits; fitted on validation.
    fn temperature(&self) -> f32;

    /// The rules that say which labels are answered; the default one where a space has none.
    fn decisions(&self) -> &BTreeMap<SpaceKind, DecisionRule>;

    /// How many texts are best scored at once.
    fn texts_at_once(&self) -> usize;

    /// The logits before the temperature, `inputs × sets`, row by row. A row depends on its input alone.
    fn logits<'a>(&self, inputs: &[Input<'_>], scorer: &'a mut Scorer) -> &'a [f32];

    /// The probabilities of the sets, `inputs × sets`.
    fn score<'a>(&self, inputs: &[Input<'_>], scorer: &'a mut Scorer) -> &'a [f32] {
        self.logits(inputs, scorer);
        scorer.tempered(self.temperature(), self.sets().len())
    }
}

impl SetModel for NgramModel {
    fn name(&self) -> &str {
        &self.header().name
    }

    fn revision(&self) -> &str {
        Self::revision(self)
    }

    fn sets(&self) -> &[Vec<CweId>] {
        Self::sets(self)
    }

    fn temperature(&self) -> f32 {
        self.header().temperature
    }

    fn decisions(&self) -> &BTreeMap<SpaceKind, DecisionRule> {
        &self.header().decisions
    }

    /// Enough to use the output weights many times while they are in the cache, few enough that the
    /// buffers stay there, too.
    fn texts_at_once(&self) -> usize {
        32
    }

    fn logits<'a>(&self, inputs: &[Input<'_>], scorer: &'a mut Scorer) -> &'a [f32] {
        Self::logits(self, inputs, scorer)
    }
}
