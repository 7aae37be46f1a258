//! A model of CWE sets that is to be evaluated, whatever its kind.

use vulnlens::encoder::LoadOptions;
use vulnlens::{EncoderSets, KnowledgeBase, Lens, NgramModel, SetModel};
use vulnlens_train::{Calibration, Example, RecordedLogits};

use crate::failure::{Failure, Kind};
use crate::model::{Model, OnThreads};
use crate::terminal::Terminal;

/// An n-gram model, or an encoder that was trained on CWE sets.
pub(super) enum Candidate {
    Ngram(Box<NgramModel>),
    Encoder(Box<OnThreads<Lens<EncoderSets>>>),
}

impl Candidate {
    pub(super) fn open(
        name: &str,
        options: &LoadOptions,
        threads: usize,
        kb: &KnowledgeBase,
        terminal: &Terminal,
    ) -> Result<Self, Failure> {
        match Model::load(name, options, threads, kb.clone(), terminal)? {
            Model::Lens(lens) => Ok(Self::Ngram(Box::new(lens.model().clone()))),
            Model::Sets(sets) => Ok(Self::Encoder(sets)),
            Model::Checkpoint(_) => {
                let message = format!("{name}: its outputs are labels of their own, not CWE sets");
                let failure = Failure::new(Kind::Arguments, message);
                Err(failure.hint(
                    "`evaluate` takes n-gram models and what `train encoder` made with --objective cwe-sets",
                ))
            }
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Ngram(model) => &model.header().name,
            Self::Encoder(sets) => sets.lens.model().name(),
        }
    }

    pub(super) fn revision(&self) -> &str {
        match self {
            Self::Ngram(model) => model.revision(),
            Self::Encoder(sets) => sets.lens.model().revision(),
        }
    }

    pub(super) fn seed(&self) -> u64 {
        match self {
            Self::Ngram(model) => model.header().provenance.seed,
            Self::Encoder(sets) => sets.lens.model().about().provenance.seed,
        }
    }

    /// The split whose training part it was fitted on.
    pub(super) fn split(&self) -> &str {
        match self {
            Self::Ngram(model) => &model.header().provenance.split,
            Self::Encoder(sets) => &sets.lens.model().about().provenance.split,
        }
    }

    /// What its file says.
    pub(super) fn calibration(&self) -> Calibration {
        match self {
            Self::Ngram(model) => Calibration::of(model.header()),
            Self::Encoder(sets) => {
                let model = sets.lens.model();
                Calibration { temperature: model.temperature(), decisions: model.decisions().clone() }
            }
        }
    }

    /// What it says of each of the rows.
    pub(super) fn record(&self, rows: &[&Example]) -> RecordedLogits<'static> {
        match self {
            Self::Ngram(model) => RecordedLogits::of(&**model, rows),
            Self::Encoder(sets) => sets.install(|| RecordedLogits::of(sets.lens.model(), rows)),
        }
    }
}
