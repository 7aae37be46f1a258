//! `train encoder`: fine-tuning a classifier.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use clap::builder::TypedValueParser;
use vulnlens::{Network, NgramModel};
use vulnlens_files::FileError;
use vulnlens_train::Goal;
use vulnlens_train::encoder::{
    AuxiliaryLabels, ClassifierObjective, ClassifierSettings, Distillation, FitSettings, LabelKind,
    LabelTable, MultiLabelLoss, train_classifier,
};

use super::run_arguments::{Run, RunArguments, StartArguments};
use crate::choice::one_of;
use crate::failure::{Failure, Kind};
use crate::model_arguments::{KnowledgeBaseArguments, ngram};
use crate::settings::SettingArguments;
use crate::terminal::Terminal;

/// Train a transformer encoder to classify, from a checkpoint or from nothing
///
/// Writes a folder as Hugging Face publishes models, which `classify --model` and transformers load. Ctrl-C ends a run
/// with a checkpoint; --resume goes on from it.
#[derive(Debug, Args)]
pub(crate) struct EncoderArguments {
    #[command(flatten)]
    pub(super) run: RunArguments,

    /// The objective of the classifier
    #[arg(long, value_parser = one_of(&ClassifierObjective::ALL, ClassifierObjective::name, ClassifierObjective::help), value_name = "OBJECTIVE", default_value = ClassifierObjective::CweSets.name())]
    objective: ClassifierObjective,

    /// The labels of `multilabel`
    #[arg(long, value_parser = labels(), value_name = "LABELS", default_value = LabelKind::Attack.name())]
    labels: LabelKind,

    /// Labels of your own in place of these, each for itself: a file of JSON Lines with `id`, as the data set has it, and
    /// `labels`. The texts of other ids are not trained on
    #[arg(long, value_name = "FILE", conflicts_with_all = ["objective", "labels", "beside", "teachers"])]
    labels_file: Option<PathBuf>,

    /// The loss of `multilabel`
    #[arg(long, value_parser = loss(), value_name = "LOSS", default_value = MultiLabelLoss::Plain.name())]
    loss: MultiLabelLoss,

    /// The figure by which evaluations during the run are compared: the parameters of the best are kept
    #[arg(long, value_parser = goal(), value_name = "FIGURE", default_value = Goal::default().name())]
    goal: Goal,

    /// Labels that `cwe-sets` are to get right, too: a label is as probable as the sets that lead to it
    #[arg(long, value_parser = labels(), value_name = "LABELS", conflicts_with_all = ["labels", "loss"])]
    beside: Option<LabelKind>,

    /// The weight of these labels' cross-entropies
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

    #[command(flatten, next_help_heading = FIT)]
    fit: SettingArguments<FitSettings>,

    #[command(flatten)]
    pub(super) kb: KnowledgeBaseArguments,
}

/// The heading of the settings of a run.
pub(super) const FIT: &str = "Settings of the training";

/// Parses the name of a kind of labels.
pub(super) fn labels() -> impl TypedValueParser<Value = LabelKind> {
    one_of(&LabelKind::MULTILABEL, LabelKind::name, LabelKind::help)
}

/// Parses the name of a loss.
pub(super) fn loss() -> impl TypedValueParser<Value = MultiLabelLoss> {
    one_of(&MultiLabelLoss::ALL, MultiLabelLoss::name, MultiLabelLoss::help)
}

/// Parses the name of a goal.
pub(super) fn goal() -> impl TypedValueParser<Value = Goal> {
    one_of(&Goal::ALL, Goal::name, Goal::help)
}

impl EncoderArguments {
    pub(super) fn settings(&self) -> ClassifierSettings {
        ClassifierSettings {
            labels: match self.labels_file {
                Some(_) => LabelKind::Own,
                None => self.objective.labels(self.labels),
            },
            table: None,
            loss: self.loss,
            auxiliary: self.beside.map(|labels| AuxiliaryLabels { labels, weight: self.beside_weight }),
            distillation: None,
            goal: self.goal,
            year: self.run.year,
            fit: FitSettings { seed: self.run.seed, ..self.fit.0.clone() },
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

/// The labels of one's own, if they are given; says which of their ids the data set does not have.
fn table(
    arguments: &EncoderArguments,
    run: &Run<'_>,
    terminal: &Terminal,
) -> Result<Option<Arc<LabelTable>>, Failure> {
    let Some(path) = &arguments.labels_file else { return Ok(None) };
    let file = File::open(path).map_err(|error| Failure::from(FileError::read(path)(error)).unavailable())?;
    let table = LabelTable::read(BufReader::new(file), &path.display().to_string())?;
    if let unknown @ [first, ..] = &table.unknown(&run.examples)[..] {
        let (count, all) = (unknown.len(), table.len());
        terminal.warn(&format!("the data set has no text for {count} of the {all} ids, such as {first}"));
    }
    Ok(Some(Arc::new(table)))
}

pub(crate) fn run(arguments: &EncoderArguments, terminal: &Terminal) -> Result<(), Failure> {
    let start = arguments.start.start(terminal)?;
    let kb = arguments.kb.load(terminal)?;
    let run = arguments.run.open(terminal)?;
    let settings = ClassifierSettings {
        distillation: distillation(arguments, &run, terminal)?,
        table: table(arguments, &run, terminal)?,
        ..arguments.settings()
    };
    let folders = (&start, arguments.run.out.as_path());
    run.train(|control| train_classifier(&run.examples, &kb, &settings, &run.about, folders, control))
}
