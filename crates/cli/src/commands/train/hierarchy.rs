//! `train hierarchy`: a cascade of classifiers, or one for a whole tree.

use std::path::PathBuf;

use clap::Args;
use vulnlens_evaluation::{Part, Split};
use vulnlens_train::Goal;
use vulnlens_train::encoder::{
    ClassifierSettings, FitSettings, HierarchyEnding, HierarchyForm, HierarchySettings, LabelKind,
    MultiLabelLoss, evaluate_hierarchy, train_hierarchy,
};

use super::encoder::{FIT, goal, labels, loss};
use super::run_arguments::{Run, RunArguments, StartArguments};
use crate::choice::one_of;
use crate::failure::{Failure, Kind};
use crate::model_arguments::KnowledgeBaseArguments;
use crate::output::{Output, json, print_text};
use crate::settings::SettingArguments;
use crate::terminal::Terminal;

/// Train a hierarchy of transformer encoders: one for the parents, and one for the labels of each
///
/// Writes folders `master` and `slave_<parent>`, as hierarchical repositories are published; with --shared, one network
/// for the whole tree. `classify --model` reads both. Ends with figures: with gold parents, as if somebody had said which
/// apply, and with predicted ones. They are printed as a table and stand in the folder's `evaluation.json`.
#[derive(Debug, Args)]
pub(crate) struct HierarchyArguments {
    #[command(flatten)]
    pub(super) run: RunArguments,

    /// The labels at the lowest level: ATT&CK's lie below tactics, CWE's below pillars, patterns below those without a parent
    #[arg(long, value_parser = labels(), value_name = "LABELS", default_value = LabelKind::Attack.name())]
    labels: LabelKind,

    /// The loss of every network
    #[arg(long, value_parser = loss(), value_name = "LOSS", default_value = MultiLabelLoss::Plain.name())]
    loss: MultiLabelLoss,

    /// The figure by which evaluations of each network during its run are compared
    #[arg(long, value_parser = goal(), value_name = "FIGURE", default_value = Goal::default().name())]
    goal: Goal,

    /// Train one network for all parents and labels: a single pass scores the whole tree
    #[arg(long)]
    shared: bool,

    /// Levels, that of the labels included: with 3, techniques stand between tactics and sub-techniques, classes between
    /// pillars and what lies below, patterns between those without a parent and what lies below
    #[arg(long, value_name = "N", default_value_t = HierarchySettings::LEVELS as u8, value_parser = clap::value_parser!(u8).range(2..=3))]
    levels: u8,

    /// Training texts that a parent must have for a part of its own; the master scores the labels of other parents
    #[arg(long, value_name = "N", default_value_t = HierarchySettings::FEWEST_TEXTS)]
    fewest_texts: u64,

    /// A flat classifier of the same labels, to be evaluated beside the hierarchy
    #[arg(long, value_name = "FOLDER")]
    flat: Option<PathBuf>,

    /// The part to evaluate on; thresholds are fitted to the validation part
    #[arg(long, value_parser = one_of(&Part::EVALUATED, Part::name, Part::help), value_name = "PART", default_value = Part::Validation.name())]
    part: Part,

    #[command(flatten)]
    pub(super) start: StartArguments,

    #[command(flatten, next_help_heading = FIT)]
    fit: SettingArguments<FitSettings>,

    #[command(flatten)]
    pub(super) kb: KnowledgeBaseArguments,
}

impl HierarchyArguments {
    pub(super) fn settings(&self) -> HierarchySettings {
        HierarchySettings {
            classifier: ClassifierSettings {
                loss: self.loss,
                goal: self.goal,
                year: self.run.year,
                fit: FitSettings { seed: self.run.seed, ..self.fit.0.clone() },
                ..ClassifierSettings::new(self.labels)
            },
            form: if self.shared { HierarchyForm::Shared } else { HierarchyForm::Cascade },
            fewest_texts: self.fewest_texts,
            levels: usize::from(self.levels),
        }
    }
}

pub(crate) fn run(arguments: &HierarchyArguments, terminal: &Terminal) -> Result<(), Failure> {
    let start = arguments.start.start(terminal)?;
    let kb = arguments.kb.load(terminal)?;
    let run = arguments.run.open(terminal)?;
    let settings = arguments.settings();
    let out = arguments.run.out.as_path();
    let folders = (&start, out);
    let ending = run
        .watched(|control, _| train_hierarchy(&run.examples, &kb, &settings, &run.about, folders, control))?;
    match ending {
        HierarchyEnding::Finished { networks } => {
            let number =
                if networks == 1 { "one network".to_owned() } else { format!("{networks} networks") };
            terminal.note(&format!("{}: {number}", out.display()));
        }
        HierarchyEnding::Stopped { network, step, steps } => {
            let of = if network.is_empty() { network } else { format!(" of {network}") };
            let failure =
                Failure::new(Kind::Interrupted, format!("stopped after step {step} of {steps}{of}"));
            return Err(failure.hint("give the same command with --resume to go on"));
        }
    }
    if arguments.run.split == Split::All {
        terminal.note("the split `all` has no part to evaluate on");
        return Ok(());
    }
    evaluate(arguments, &run, &settings, &kb)
}

/// Prints the figures, and keeps them in the folder.
fn evaluate(
    arguments: &HierarchyArguments,
    run: &Run<'_>,
    settings: &HierarchySettings,
    kb: &vulnlens::KnowledgeBase,
) -> Result<(), Failure> {
    let folders = (arguments.run.out.as_path(), arguments.flat.as_deref());
    let part = arguments.part;
    let evaluation =
        run.watched(|_, _| evaluate_hierarchy(&run.examples, kb, settings, &run.about, folders, part))?;
    let mut output = Output::open(Some(&arguments.run.out.join("evaluation.json")))?;
    output.data(&json(&evaluation)?)?;
    output.finish()?;
    print_text(&evaluation.table())
}
