//! Outputs of networks: CWE sets, or labels as a checkpoint writes them.

use std::collections::BTreeMap;

use vulnlens_taxonomy::{CweId, Outcome};

use crate::decode::{DecisionRule, SpaceKind};
use crate::labels::{LabelMap, ThresholdsError, read_thresholds};
use crate::task::Task;

/// The outputs of a network, and the way from their scores to probabilities and answers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Outputs {
    /// A distribution over CWE sets; all else follows by the chain.
    CweSets(CweSets),
    /// Labels as a checkpoint writes them, each with a score of its own.
    Labels(LabelOutputs),
}

impl Outputs {
    /// The number of outputs.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::CweSets(outputs) => outputs.sets.len(),
            Self::Labels(outputs) => outputs.labels.len(),
        }
    }

    /// True when there is no output.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The CWE sets, if the outputs are such.
    #[must_use]
    pub fn cwe_sets(&self) -> Option<&CweSets> {
        match self {
            Self::CweSets(outputs) => Some(outputs),
            Self::Labels(_) => None,
        }
    }

    /// The labels, if the outputs are such.
    #[must_use]
    pub fn labels(&self) -> Option<&LabelOutputs> {
        match self {
            Self::CweSets(_) => None,
            Self::Labels(outputs) => Some(outputs),
        }
    }
}

/// CWE sets as outputs: one of them is the record's, or else one of some outcomes that are not weaknesses.
#[derive(Debug, Clone, PartialEq)]
pub struct CweSets {
    /// The sets, each sorted by rising id; behind them an empty one for each of the outcomes, so that whatever adds up
    /// probabilities finds no label there.
    pub sets: Vec<Vec<CweId>>,
    /// The outcomes that the last of the sets stand for, in their order.
    pub outcomes: Vec<Outcome>,
    /// The weaknesses that no record taught, rising: they are known from the catalogue alone.
    pub catalogue_only: Vec<CweId>,
    /// The divisor of the logits; fitted on validation.
    pub temperature: f32,
    /// The rules that say which labels are answered; the default rule where a space has none.
    pub rules: BTreeMap<SpaceKind, DecisionRule>,
}

impl CweSets {
    /// The place of an outcome among the outputs.
    #[must_use]
    pub fn place_of(&self, outcome: Outcome) -> Option<usize> {
        let first = self.sets.len().checked_sub(self.outcomes.len())?;
        self.outcomes.iter().position(|known| *known == outcome).map(|place| first + place)
    }

    /// The sets without those that stand for outcomes.
    #[must_use]
    pub fn weaknesses(&self) -> &[Vec<CweId>] {
        let sets = self.sets.len().saturating_sub(self.outcomes.len());
        self.sets.get(..sets).unwrap_or_default()
    }

    /// The rule of a label space.
    #[must_use]
    pub fn rule(&self, kind: SpaceKind) -> DecisionRule {
        self.rules.get(&kind).copied().unwrap_or_default()
    }
}

/// Labels as outputs, in the order of the scores.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelOutputs {
    /// The labels as the checkpoint writes them.
    pub labels: Vec<String>,
    /// True when the labels exclude each other, so that their scores add up to 1 (softmax); otherwise each is scored for
    /// itself (sigmoid).
    pub exclusive: bool,
    /// The score of each label from which it is answered. Of labels that exclude each other only the best is.
    pub thresholds: Vec<f32>,
    /// The taxonomy of labels that are bare numbers, where they do not say it themselves.
    pub numbers: Option<Task>,
}

/// The score from which a label is answered that was scored for itself, as the reference system has it.
const USUAL_THRESHOLD: f32 = 0.5;

impl LabelOutputs {
    /// Labels with the usual thresholds: 0.5 for labels that are scored for themselves, 0 for those that exclude each
    /// other, of which the best is answered whatever its score.
    #[must_use]
    pub fn new(labels: Vec<String>, exclusive: bool) -> Self {
        let thresholds = vec![Self::usual(exclusive); labels.len()];
        Self { labels, exclusive, thresholds, numbers: None }
    }

    fn usual(exclusive: bool) -> f32 {
        if exclusive { 0.0 } else { USUAL_THRESHOLD }
    }

    /// The entries of the catalogues that the labels name.
    #[must_use]
    pub fn map(&self) -> LabelMap {
        LabelMap::new(&self.labels, self.numbers)
    }

    /// The labels with thresholds of their own, given as [`read_thresholds`] reads them.
    ///
    /// # Errors
    /// The thresholds cannot be used.
    pub fn with_thresholds(mut self, json: &[u8]) -> Result<Self, ThresholdsError> {
        self.thresholds = read_thresholds(json, &self.labels, Self::usual(self.exclusive))?;
        Ok(self)
    }
}
