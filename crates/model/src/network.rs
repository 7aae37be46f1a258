//! Networks: models that score texts by their own outputs, before any label space makes labels of them.

use std::collections::BTreeMap;

use vulnlens_taxonomy::CweId;

use crate::decode::{DecisionRule, SpaceKind};
use crate::header::Header;
use crate::labels::{ThresholdsError, read_thresholds};
use crate::ngram::{NgramRoom, WordEvidence};
use crate::prediction::Input;

/// A model that scores texts. A [`Classifier`](crate::Classifier) makes labels of the scores.
pub trait Network: Send + Sync {
    /// The model's name.
    fn name(&self) -> &str;

    /// The state of that name: 12 hexadecimal digits.
    fn revision(&self) -> &str;

    /// The outputs, in the order of the scores.
    fn outputs(&self) -> &Outputs;

    /// The description in its file; `None` for a checkpoint that was published by others.
    fn header(&self) -> Option<&Header> {
        None
    }

    /// The rows that it was fitted on, if its file says so.
    fn origin(&self) -> Option<Origin<'_>> {
        let from = &self.header()?.provenance;
        Some(Origin { split: &from.split, seed: from.seed })
    }

    /// Whether a record's year changes its scores.
    fn reads_years(&self) -> bool;

    /// The number of texts that are best scored at once.
    fn texts_at_once(&self) -> usize;

    /// Whether one call computes on several threads. Others are asked by several threads at once.
    fn computes_in_parallel(&self) -> bool {
        false
    }

    /// Whether a text is longer than the part of it that is read, if that is worth telling.
    fn is_cut(&self, _input: &Input<'_>) -> bool {
        false
    }

    /// Replaces `scores` by `inputs × outputs` numbers, row by row. A row depends on its input alone.
    ///
    /// [`Outputs::CweSets`]: logits before the temperature. [`Outputs::Labels`]: scores in `0.0..=1.0`, NaN for a
    /// label that is ruled out, as a hierarchy of checkpoints does with children of parents that do not apply.
    fn score(&self, inputs: &[Input<'_>], room: &mut Room, scores: &mut Vec<f32>);

    /// The words of a text with their weight for the output `first` against the others, which have these
    /// `probabilities`; `None` if the network cannot tell.
    fn word_evidence(
        &self,
        _input: &Input<'_>,
        _probabilities: &[f32],
        _first: usize,
    ) -> Option<Vec<WordEvidence>> {
        None
    }
}

/// The rows that a network was fitted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The split whose training part they are, or `all`.
    pub split: &'a str,
    /// The seed of every random choice.
    pub seed: u64,
}

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

    /// Whether there is no output.
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

/// CWE sets as outputs: one of them is the record's.
#[derive(Debug, Clone, PartialEq)]
pub struct CweSets {
    /// The sets, each sorted by rising id.
    pub sets: Vec<Vec<CweId>>,
    /// The divisor of the logits; fitted on validation.
    pub temperature: f32,
    /// The rules that say which labels are answered; the default rule where a space has none.
    pub rules: BTreeMap<SpaceKind, DecisionRule>,
}

impl CweSets {
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
    /// Whether the labels exclude each other, so that their scores add up to 1 (softmax); else each is scored for
    /// itself (sigmoid).
    pub exclusive: bool,
    /// The score of each label from which it is answered. Of labels that exclude each other only the best is.
    pub thresholds: Vec<f32>,
}

/// The score from which a label is answered that was scored for itself, as the reference system has it.
const USUAL_THRESHOLD: f32 = 0.5;

impl LabelOutputs {
    /// Labels with the usual thresholds: 0.5 for labels that are scored for themselves, 0 for those that exclude each
    /// other, of which the best is answered whatever its score.
    #[must_use]
    pub fn new(labels: Vec<String>, exclusive: bool) -> Self {
        let thresholds = vec![Self::usual(exclusive); labels.len()];
        Self { labels, exclusive, thresholds }
    }

    fn usual(exclusive: bool) -> f32 {
        if exclusive { 0.0 } else { USUAL_THRESHOLD }
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

/// Buffers of networks; reused, they save allocations.
#[derive(Debug, Default)]
pub struct Room {
    pub(crate) ngram: NgramRoom,
}
