//! A model of CWE sets that is to be evaluated, whatever its kind.

use vulnlens::encoder::LoadOptions;
use vulnlens::{EncoderSets, KnowledgeBase, Lens, NgramModel, SetModel};
use vulnlens_evaluation::{Calibration, Candidate, Example, RecordedLogits, SetScores};

use crate::failure::{Failure, Kind};
use crate::model::{self, OnThreads};
use crate::terminal::Terminal;

/// An n-gram model, or an encoder that was trained on CWE sets.
pub(super) enum Model {
    Ngram(Box<NgramModel>),
    Encoder(Box<OnThreads<Lens<EncoderSets>>>),
}

impl Model {
    pub(super) fn open(
        name: &str,
        options: &LoadOptions,
        threads: usize,
        kb: &KnowledgeBase,
        terminal: &Terminal,
    ) -> Result<Self, Failure> {
        match model::Model::load(name, options, threads, kb.clone(), terminal)? {
            model::Model::Lens(lens) => Ok(Self::Ngram(Box::new(lens.model().clone()))),
            model::Model::Sets(sets) => Ok(Self::Encoder(sets)),
            model::Model::Checkpoint(_) => {
                let message = format!("{name}: its outputs are labels of their own, not CWE sets");
                let failure = Failure::new(Kind::Arguments, message);
                Err(failure.hint(
                    "`evaluate` takes n-gram models and what `train encoder` made with --objective cwe-sets",
                ))
            }
        }
    }
}

impl Candidate for Model {
    fn name(&self) -> &str {
        match self {
            Self::Ngram(model) => &model.header().name,
            Self::Encoder(sets) => sets.lens.model().name(),
        }
    }

    fn revision(&self) -> &str {
        match self {
            Self::Ngram(model) => model.revision(),
            Self::Encoder(sets) => sets.lens.model().revision(),
        }
    }

    fn seed(&self) -> u64 {
        match self {
            Self::Ngram(model) => model.header().provenance.seed,
            Self::Encoder(sets) => sets.lens.model().about().provenance.seed,
        }
    }

    fn split(&self) -> &str {
        match self {
            Self::Ngram(model) => &model.header().provenance.split,
            Self::Encoder(sets) => &sets.lens.model().about().provenance.split,
        }
    }

    fn calibration(&self) -> Calibration {
        match self {
            Self::Ngram(model) => Calibration::of(model.header()),
            Self::Encoder(sets) => {
                let model = sets.lens.model();
                Calibration { temperature: model.temperature(), decisions: model.decisions().clone() }
            }
        }
    }

    fn scores(&self, rows: &[&Example]) -> Box<dyn SetScores + '_> {
        match self {
            Self::Ngram(model) => Box::new((**model).clone()),
            Self::Encoder(_) => Box::new(self.record(rows)),
        }
    }

    fn record(&self, rows: &[&Example]) -> RecordedLogits<'static> {
        match self {
            Self::Ngram(model) => RecordedLogits::of(&**model, rows),
            Self::Encoder(sets) => sets.install(|| RecordedLogits::of(sets.lens.model(), rows)),
        }
    }
}
