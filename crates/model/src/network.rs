//! Networks: models that score texts by their own outputs, before any label space makes labels of them.

use vulnlens_taxonomy::TechniqueId;

use crate::curated::{CuratedEvidence, CuratedHead};
use crate::evidence::WordEvidence;
use crate::header::Header;
use crate::ngram::vocabulary::Entry;
use crate::outputs::Outputs;
use crate::prediction::Input;
use crate::room::Room;
use crate::severity::SeverityHead;

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

    /// The head of curated techniques, which reads what [`score`](Self::score) left in the room.
    fn curated(&self) -> Option<&CuratedHead> {
        None
    }

    /// The head of severities, which reads what [`score`](Self::score) left in the room.
    fn severity(&self) -> Option<&SeverityHead> {
        None
    }

    /// True when a record's year changes its scores.
    fn reads_years(&self) -> bool;

    /// The number of texts that are best scored at once.
    fn texts_at_once(&self) -> usize;

    /// True when one call computes on several threads. Others are asked by several threads at once.
    fn computes_in_parallel(&self) -> bool {
        false
    }

    /// True when a text is longer than the part of it that is read, if that is worth telling.
    fn is_cut(&self, _input: &Input<'_>) -> bool {
        false
    }

    /// Replaces `scores` by `inputs × outputs` numbers, row by row. A row depends on its input alone.
    ///
    /// [`Outputs::CweSets`]: logits before the temperature. [`Outputs::Labels`]: scores in `0.0..=1.0`, NaN for a
    /// label that is ruled out, as a hierarchy of checkpoints does with children of parents that do not apply.
    fn score(&self, inputs: &[Input<'_>], room: &mut Room, scores: &mut Vec<f32>);

    /// The outputs that an output lies directly below; none but in hierarchies.
    fn parents(&self, _output: usize) -> Vec<usize> {
        vec![]
    }

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

    /// The known features of a text, by which texts are compared; none for networks that do not read such.
    fn entries(&self, _text: &str) -> Vec<Entry> {
        vec![]
    }

    /// The reasons of the scores of some curated techniques for a text, given the probabilities of the weaknesses that
    /// the head reads; empty without such a head.
    fn curated_evidence(
        &self,
        _input: &Input<'_>,
        _cwes: &[f32],
        _techniques: &[TechniqueId],
    ) -> Vec<CuratedEvidence> {
        vec![]
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
