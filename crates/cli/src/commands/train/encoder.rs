//! `train encoder`: fine-tuning a classifier.

use clap::{Args, ValueEnum};
use vulnlens_train::encoder::{ClassifierSettings, Labels, MultiLabelLoss, train_classifier};

use super::fit_arguments::FitArguments;
use super::run_arguments::{RunArguments, StartArguments};
use crate::failure::Failure;
use crate::lens::KnowledgeBaseArguments;
use crate::terminal::Terminal;

/// Train a transformer encoder to classify, from a checkpoint or from nothing
///
/// Writes a folder as Hugging Face publishes models, which `classify --model` and transformers load. Ctrl-C ends a run
/// with a checkpoint; --resume goes on from it.
#[derive(Debug, Args)]
pub(crate) struct EncoderArguments {
    #[command(flatten)]
    run: RunArguments,

    /// What the classifier learns
    #[arg(long, value_enum, value_name = "OBJECTIVE", default_value_t = Objective::CweSets)]
    objective: Objective,

    /// The labels of `multilabel`
    #[arg(long, value_enum, value_name = "LABELS", default_value_t = LabelsName::Attack)]
    labels: LabelsName,

    /// The loss of `multilabel`
    #[arg(long, value_enum, value_name = "LOSS", default_value_t = LossName::Plain)]
    loss: LossName,

    #[command(flatten)]
    start: StartArguments,

    #[command(flatten)]
    fit: FitArguments,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
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
enum LabelsName {
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
enum LossName {
    /// Cross-entropy of each label
    Plain,
    /// With positives weighted by the root of how rare they are, at most 10
    Weighted,
    /// Asymmetric loss: easy negatives count little
    Asymmetric,
    /// Focal loss: whatever is easy counts little
    Focal,
}

impl EncoderArguments {
    fn settings(&self) -> ClassifierSettings {
        let labels = match self.labels {
            LabelsName::Cwe => Labels::Cwe,
            LabelsName::CweWithAncestors => Labels::CweWithAncestors,
            LabelsName::CweAllowed => Labels::CweAllowed,
            LabelsName::Capec => Labels::Capec,
            LabelsName::Attack => Labels::Attack,
            LabelsName::Techniques => Labels::Techniques,
            LabelsName::Tactics => Labels::Tactics,
        };
        ClassifierSettings {
            labels: if self.objective == Objective::CweSets { Labels::CweSets } else { labels },
            loss: match self.loss {
                LossName::Plain => MultiLabelLoss::Plain,
                LossName::Weighted => MultiLabelLoss::Weighted,
                LossName::Asymmetric => MultiLabelLoss::Asymmetric,
                LossName::Focal => MultiLabelLoss::Focal,
            },
            year: self.run.year,
            fit: self.fit.settings(self.run.seed),
        }
    }
}

pub(crate) fn run(arguments: &EncoderArguments, terminal: &Terminal) -> Result<(), Failure> {
    let start = arguments.start.start(terminal)?;
    let kb = arguments.kb.load(terminal)?;
    let run = arguments.run.open(terminal)?;
    let settings = arguments.settings();
    let folders = (&start, arguments.run.out.as_path());
    run.train(|control| train_classifier(&run.examples, &kb, &settings, &run.about, folders, control))
}
