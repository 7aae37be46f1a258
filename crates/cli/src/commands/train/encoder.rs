//! `train encoder`: fine-tuning a classifier.

use clap::{Args, ValueEnum};
use vulnlens::{Network, NgramModel};
use vulnlens_train::encoder::{
    AuxiliaryLabels, ClassifierSettings, Distillation, LabelKind, MultiLabelLoss, train_classifier,
};

use super::fit_arguments::FitArguments;
use super::run_arguments::{Run, RunArguments, StartArguments};
use crate::failure::{Failure, Kind};
use crate::model_arguments::{KnowledgeBaseArguments, ngram};
use crate::terminal::Terminal;

/// Train a transformer encoder to classify, from a checkpoint or from nothing
///
/// Writes a folder as Hugging Face publishes models, which `classify --model` and transformers load. Ctrl-C ends a run
/// with a checkpoint; --resume goes on from it.
#[derive(Debug, Args)]
pub(crate) struct EncoderArguments {
    #[command(flatten)]
    pub(super) run: RunArguments,

    /// What the classifier learns
    #[arg(long, value_enum, value_name = "OBJECTIVE", default_value_t = Objective::CweSets)]
    objective: Objective,

    /// The labels of `multilabel`
    #[arg(long, value_enum, value_name = "LABELS", default_value_t = LabelsName::Attack)]
    labels: LabelsName,

    /// The loss of `multilabel`
    #[arg(long, value_enum, value_name = "LOSS", default_value_t = LossName::Plain)]
    loss: LossName,

    /// LabelKind that `cwe-sets` are to get right, too: a label is as probable as the sets that lead to it
    #[arg(long, value_enum, value_name = "LABELS", conflicts_with_all = ["labels", "loss"])]
    beside: Option<LabelsName>,

    /// What the sum of these labels' cross-entropies is multiplied by
    #[arg(long, value_name = "FACTOR", default_value_t = 0.02, requires = "beside")]
    beside_weight: f32,

    /// N-gram models that teach `cwe-sets`, too: what they say of the training part, also of texts without a label, is
    /// learnt beside the labels. They must be fitted on the same split
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "beside")]
    teachers: Vec<String>,

    /// The teachers' share in what is learnt of a labelled text
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, requires = "teachers")]
    teachers_share: f32,

    #[command(flatten)]
    pub(super) start: StartArguments,

    #[command(flatten)]
    fit: FitArguments,

    #[command(flatten)]
    pub(super) kb: KnowledgeBaseArguments,
}

/// What a classifier learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Objective {
    /// Which CWE set a record has; everything else follows by the chain
    CweSets,
    /// Which labels a record has, each for itself
    Multilabel,
}

/// Label spaces of multi-label training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LabelsName {
    /// CWE ids as assigned
    Cwe,
    /// CWE ids with their ancestors
    CweWithAncestors,
    /// CWE ids to which vulnerabilities may be mapped
    CweAllowed,
    /// Attack patterns
    Capec,
    /// ATT&CK techniques and sub-techniques as the chain writes them
    Attack,
    /// ATT&CK techniques
    Techniques,
    /// ATT&CK tactics
    Tactics,
}

/// Losses of multi-label training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LossName {
    /// Cross-entropy of each label
    Plain,
    /// With positives weighted by the root of how rare they are, at most 10
    Weighted,
    /// Asymmetric loss: easy negatives count little
    Asymmetric,
    /// Focal loss: whatever is easy counts little
    Focal,
}

impl LabelsName {
    pub(super) fn labels(self) -> LabelKind {
        match self {
            Self::Cwe => LabelKind::Cwe,
            Self::CweWithAncestors => LabelKind::CweWithAncestors,
            Self::CweAllowed => LabelKind::CweAllowed,
            Self::Capec => LabelKind::Capec,
            Self::Attack => LabelKind::Attack,
            Self::Techniques => LabelKind::Techniques,
            Self::Tactics => LabelKind::Tactics,
        }
    }
}

impl LossName {
    pub(super) fn loss(self) -> MultiLabelLoss {
        match self {
            Self::Plain => MultiLabelLoss::Plain,
            Self::Weighted => MultiLabelLoss::Weighted,
            Self::Asymmetric => MultiLabelLoss::Asymmetric,
            Self::Focal => MultiLabelLoss::Focal,
        }
    }
}

impl EncoderArguments {
    pub(super) fn settings(&self) -> ClassifierSettings {
        ClassifierSettings {
            labels: if self.objective == Objective::CweSets {
                LabelKind::CweSets
            } else {
                self.labels.labels()
            },
            loss: self.loss.loss(),
            auxiliary: self
                .beside
                .map(|labels| AuxiliaryLabels { labels: labels.labels(), weight: self.beside_weight }),
            distillation: None,
            year: self.run.year,
            fit: self.fit.settings(self.run.seed),
        }
    }
}

/// The teachers' answers to the training part, if there are any.
fn distillation(
    arguments: &EncoderArguments,
    run: &Run<'_>,
    terminal: &Terminal,
) -> Result<Option<Distillation>, Failure> {
    let models: Vec<NgramModel> =
        arguments.teachers.iter().map(|name| ngram(name)).collect::<Result<_, _>>()?;
    let split = arguments.run.split.name();
    if let Some(model) = models.iter().find(|model| model.header().provenance.split != split) {
        let message = format!(
            "the teacher {} was fitted on {:?}, and the run is of {split:?}",
            model.revision(),
            model.header().provenance.split
        );
        return Err(
            Failure::new(Kind::Arguments, message).hint("fit it with `train ngram --split` of the same name")
        );
    }
    if models.is_empty() {
        return Ok(None);
    }
    terminal.note(&format!("asking {} teachers", models.len()));
    Ok(Some(Distillation::of(&models, &run.examples, arguments.teachers_share)))
}

pub(crate) fn run(arguments: &EncoderArguments, terminal: &Terminal) -> Result<(), Failure> {
    let start = arguments.start.start(terminal)?;
    let kb = arguments.kb.load(terminal)?;
    let run = arguments.run.open(terminal)?;
    let settings =
        ClassifierSettings { distillation: distillation(arguments, &run, terminal)?, ..arguments.settings() };
    let folders = (&start, arguments.run.out.as_path());
    run.train(|control| train_classifier(&run.examples, &kb, &settings, &run.about, folders, control))
}
