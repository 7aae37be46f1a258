//! A repository as published: one checkpoint, or a hierarchy of them, or one that is a hierarchy by itself.

mod conditions;
mod encoder;
mod hierarchy;
mod quantize;

use std::path::Path;

pub use self::conditions::Conditions;
pub use self::encoder::{Encoder, LoadOptions};
pub use self::hierarchy::Branch;
use self::hierarchy::Hierarchy;
pub use self::quantize::{Quantization, quantize};
use crate::config::{Config, Problem};
use crate::error::EncoderError;
use crate::repository::layout::Layout;
use crate::tokenizer::Notice;

/// A published checkpoint or hierarchy of checkpoints, ready to score texts.
#[derive(Debug)]
pub struct Checkpoint {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Single(Box<Encoder>),
    /// One network for a whole tree.
    Shared(Box<Encoder>, Conditions),
    Hierarchy(Box<Hierarchy>),
}

impl Checkpoint {
    /// Opens the checkpoint or the hierarchy in a folder, or the checkpoint that one of its files belongs to.
    ///
    /// # Errors
    /// As [`Encoder::open`] and [`Layout::of`]; [`EncoderError::Layout`] for a hierarchy whose folders do not say which
    /// label of the level above they refine; [`EncoderError::Format`] for a file `hierarchy.json` that is not of the
    /// checkpoint beside it.
    pub fn open(path: &Path, options: &LoadOptions) -> Result<Self, EncoderError> {
        let kind = match Layout::of(path)? {
            Layout::Single(folder) => {
                let encoder = Box::new(Encoder::open(&folder, options)?);
                match Conditions::open(&folder, encoder.labels())? {
                    Some(conditions) => Kind::Shared(encoder, conditions),
                    None => Kind::Single(encoder),
                }
            }
            Layout::Hierarchy(levels) => Kind::Hierarchy(Box::new(Hierarchy::open(path, &levels, options)?)),
        };
        Ok(Self { kind })
    }

    /// The labels, in the order of the scores: of a hierarchy, those of each level after those of the one above.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        match &self.kind {
            Kind::Single(encoder) | Kind::Shared(encoder, _) => encoder.labels(),
            Kind::Hierarchy(hierarchy) => hierarchy.labels(),
        }
    }

    /// Scores of texts, one row a text, one column a label, in `0..=1`. `None`: the label stands in a part of a
    /// hierarchy that a parent's score rules out.
    ///
    /// In a hierarchy a part is asked about a text when the label that it refines is answered one level above: a score
    /// above 0.5, or the best of labels that exclude each other. A label's score is that of its own part, not
    /// multiplied by its parents'; of several parts with the same label, the greatest. No published code fixes this
    /// routing; it is the one under which each checkpoint is used as it was trained.
    ///
    /// One network for a whole tree scores labels given their parents; here they are weighed by them
    /// ([`Conditions::weigh`]), so that no label is ruled out.
    #[must_use]
    pub fn scores(&self, texts: &[&str]) -> Vec<Option<f32>> {
        match &self.kind {
            Kind::Single(encoder) => encoder.scores(texts).into_iter().map(Some).collect(),
            Kind::Shared(encoder, conditions) => {
                let mut scores = encoder.scores(texts);
                scores.chunks_exact_mut(encoder.labels().len()).for_each(|row| conditions.weigh(row));
                scores.into_iter().map(Some).collect()
            }
            Kind::Hierarchy(hierarchy) => hierarchy.scores(texts),
        }
    }

    /// The parts of a hierarchy, from the top down; `None` for a checkpoint that scores all its labels alike. Of one network
    /// for a whole tree, a part is the labels below one parent.
    #[must_use]
    pub fn branches(&self) -> Option<Vec<Branch>> {
        match &self.kind {
            Kind::Single(_) => None,
            Kind::Shared(encoder, conditions) => Some(conditions.branches(encoder.labels().len())),
            Kind::Hierarchy(hierarchy) => Some(hierarchy.branches()),
        }
    }

    /// True if [`scores`](Self::scores) are multiplied by the parents', and not ruled out by them: true of one network for a
    /// whole tree.
    #[must_use]
    pub fn multiplies(&self) -> bool {
        matches!(self.kind, Kind::Shared(..))
    }

    /// Scores of texts given the parents, one row a text, one column for each label of each of the
    /// [`branches`](Self::branches): every part is asked about every text. Those of [`scores`](Self::scores) without
    /// branches.
    #[must_use]
    pub fn branch_scores(&self, texts: &[&str]) -> Vec<f32> {
        match &self.kind {
            Kind::Single(encoder) => encoder.scores(texts),
            Kind::Shared(encoder, conditions) => {
                let branches = conditions.branches(encoder.labels().len());
                let scores = encoder.scores(texts);
                let rows = scores.chunks_exact(encoder.labels().len());
                rows.flat_map(|row| {
                    branches.iter().flat_map(|branch| branch.labels.iter().map(|&label| row[label]))
                })
                .collect()
            }
            Kind::Hierarchy(hierarchy) => hierarchy.branch_scores(texts),
        }
    }

    /// The relation of the last level's scores: [`Problem::SingleLabel`] where they exclude each other.
    #[must_use]
    pub fn problem(&self) -> Problem {
        match &self.kind {
            Kind::Single(encoder) | Kind::Shared(encoder, _) => encoder.config().problem,
            // Scores of several parts never exclude each other.
            Kind::Hierarchy(_) => Problem::MultiLabel,
        }
    }

    /// The checkpoints, from the top of the hierarchy on.
    pub fn parts(&self) -> impl Iterator<Item = &Encoder> {
        let (single, hierarchy) = match &self.kind {
            Kind::Single(encoder) | Kind::Shared(encoder, _) => (Some(&**encoder), None),
            Kind::Hierarchy(hierarchy) => (None, Some(&**hierarchy)),
        };
        single.into_iter().chain(hierarchy.into_iter().flat_map(Hierarchy::parts))
    }

    /// Remarks for the user, to be shown once.
    pub fn notices(&self) -> impl Iterator<Item = &Notice> {
        let mut is_told = false;
        let is_new =
            move |notice: &&Notice| !notice.is_about_scores() || !std::mem::replace(&mut is_told, true);
        self.parts().flat_map(Encoder::notices).filter(is_new)
    }

    /// The configuration of the checkpoint, or of the one at the top of the hierarchy.
    #[must_use]
    pub fn config(&self) -> &Config {
        match &self.kind {
            Kind::Single(encoder) | Kind::Shared(encoder, _) => encoder.config(),
            Kind::Hierarchy(hierarchy) => hierarchy.master().config(),
        }
    }

    /// Tokens of a text that are read at most, special tokens included.
    #[must_use]
    pub fn max_tokens(&self) -> usize {
        self.parts().map(Encoder::max_tokens).min().unwrap_or(0)
    }

    /// True if a text is too long to be read in one piece.
    #[must_use]
    pub fn is_cut(&self, text: &str) -> bool {
        self.parts().next().is_some_and(|encoder| encoder.is_cut(text))
    }
}
