//! `model calibrate`: decision rules of n-gram models and thresholds of checkpoints, fitted to a validation part.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use vulnlens::encoder::LoadOptions;
use vulnlens::model::ngram::with_header;
use vulnlens::{Classifier, FoundModel, ModelKind};
use vulnlens_evaluation::{
    DataSet, FittedThresholds, Split, ThresholdFigures, ThresholdRule, calibrate, fit_thresholds,
};
use vulnlens_files::names::THRESHOLDS;

use crate::checkpoint_arguments::CheckpointArguments;
use crate::choice::one_of;
use crate::data_set;
use crate::failure::{Failure, Kind};
use crate::model_arguments::{KnowledgeBaseArguments, find, opening};
use crate::options::{THREADS, thread_count, threads};
use crate::output::{Output, json, print_text};
use crate::terminal::Terminal;
use crate::threads::on_threads;

/// Fit a model's temperature and rules, or a checkpoint's thresholds, to the validation part of a data set
///
/// Of an n-gram model, a copy with other rules is written: for a model of your own data, or after the rule of fitting
/// has changed. Of a published checkpoint that scores label by label, `thresholds.json` is written, which `classify`
/// and `evaluate` read when it stands beside the checkpoint's `config.json`.
#[derive(Debug, Args)]
pub(crate) struct CalibrateArguments {
    /// `fast`, which is embedded, or a model file; the folder of a checkpoint, or an id of the hub
    #[arg(value_name = "NAME|FILE|FOLDER|ID")]
    model: String,

    /// A data set that `data build` made
    #[arg(long, value_name = "FILE")]
    data: PathBuf,

    /// The split whose validation part is taken
    #[arg(long, value_parser = data_set::split(), value_name = "SPLIT", default_value = "random")]
    split: Split,

    /// The thresholds of a checkpoint
    #[arg(long, value_parser = one_of(&ThresholdRule::ALL, ThresholdRule::name, ThresholdRule::help), value_name = "RULE", default_value = ThresholdRule::Each.name())]
    rule: ThresholdRule,

    /// The file of the calibrated model, or of the thresholds
    #[arg(short, long, value_name = "FILE", required_unless_present = "in_place")]
    out: Option<PathBuf>,

    /// Write the thresholds beside the checkpoint, from where they are read
    #[arg(long, conflicts_with = "out")]
    in_place: bool,

    #[command(flatten)]
    checkpoint: CheckpointArguments,

    /// Threads [default: one for each core]
    #[arg(long, env = THREADS, hide_env_values = true, value_name = "N", value_parser = thread_count)]
    threads: Option<NonZeroUsize>,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
}

pub(crate) fn run(arguments: &CalibrateArguments, terminal: &Terminal) -> Result<(), Failure> {
    if arguments.split == Split::All {
        let failure = Failure::new(Kind::Arguments, "the split `all` has no validation part");
        return Err(failure.hint("calibrate on `random` or `temporal`"));
    }
    match ModelKind::of(&arguments.model) {
        ModelKind::Ngram => ngram(arguments, terminal),
        ModelKind::Accurate | ModelKind::Package => Err(carries_rules(&arguments.model)),
        _ => checkpoint(arguments, terminal),
    }
}

/// Writes a copy of an n-gram model with other rules.
fn ngram(arguments: &CalibrateArguments, terminal: &Terminal) -> Result<(), Failure> {
    let Some(out) = &arguments.out else {
        let message = format!("{}: an n-gram model is not calibrated in place", arguments.model);
        return Err(Failure::new(Kind::Arguments, message).hint("give --out and the name of another file"));
    };
    let (model, bytes) = vulnlens::open_ngram(&arguments.model)?;
    let kb = arguments.kb.load(terminal)?;
    let data = data_set::read(&arguments.data)?;
    let examples = data.examples(arguments.split);
    let work = || calibrate(&model, &kb, &examples);
    let calibration = on_threads(threads(arguments.threads), work)??;
    let mut header = model.header().clone();
    if let Some(head) = header.cwe_head_mut() {
        calibration.apply(head, part(arguments, &data));
    }
    let changed = with_header(&bytes, &header)
        .map_err(|error| Failure::new(Kind::Failed, format!("{}: {error}", arguments.model)))?;
    write(out, &changed)
}

/// Writes the thresholds of a checkpoint, and prints what they change.
fn checkpoint(arguments: &CalibrateArguments, terminal: &Terminal) -> Result<(), Failure> {
    let name = &arguments.model;
    let FoundModel::Folder(folder) = find(name, terminal)? else { return Err(carries_rules(name)) };
    match folder.header()? {
        Some(header) if header.cwe_head().is_some() => return Err(carries_rules(name)),
        Some(_) => {
            let message = format!("{name}: has the thresholds that its training fitted, in vulnlens.json");
            return Err(Failure::new(Kind::Arguments, message)
                .hint("`classify` and `evaluate` use them; `model calibrate` is for checkpoints of others"));
        }
        None => {}
    }
    if arguments.in_place && ModelKind::of(name) == ModelKind::Hub {
        let message = format!("{name}: the hub's cache is not written to");
        return Err(Failure::new(Kind::Arguments, message)
            .hint("copy the folder that `model pull` prints, and calibrate the copy"));
    }
    let kb = arguments.kb.load(terminal)?;
    let threads = threads(arguments.threads);
    let settings = arguments.checkpoint.settings(LoadOptions::default())?;
    let settings = settings.knowledge_base(kb.clone()).threads(threads);
    let opened = opening(name, settings, terminal, |settings| folder.open(settings))?;
    let names = opened.encoder().written_labels().to_vec();
    let classifier = Classifier::of(opened.into_network()?, kb.into());
    let data = data_set::read(&arguments.data)?;
    let examples = data.examples(arguments.split);
    let work = || fit_thresholds(&classifier, &names, &examples, arguments.rule);
    let fitted = on_threads(threads, work)??;
    let beside = folder.beside(THRESHOLDS);
    write(arguments.out.as_deref().unwrap_or(&beside), &json(&fitted.by_label)?)?;
    print_text(&report(classifier.network().name(), &fitted, &part(arguments, &data)))
}

fn part(arguments: &CalibrateArguments, data: &DataSet) -> String {
    format!("validation part of the {} split of {}", arguments.split.name(), data.name)
}

fn carries_rules(name: &str) -> Failure {
    let message = format!("{name}: answers by CWE sets and has rules of its own, not thresholds");
    Failure::new(Kind::Arguments, message).hint(
        "`train encoder` fits an encoder's rules at its end; `model calibrate` takes n-gram models, and checkpoints \
         that score label by label",
    )
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut output = Output::open(Some(path))?;
    output.data(bytes)?;
    output.finish()
}

/// The figures before and after, as a table.
fn report(name: &str, fitted: &FittedThresholds, part: &str) -> String {
    let row = |words: &str, figures: ThresholdFigures| {
        format!("| {words} | {:.4} | {:.4} |\n", figures.micro_f1, figures.macro_f1)
    };
    format!(
        "{name}: thresholds of {} labels, fitted to {} texts of the {part}. The figures are of the same texts: \
         they compare thresholds, and are not for publishing.\n\n| thresholds | micro-F1 | macro-F1 |\n|---|--:|--:|\n{}{}",
        fitted.by_label.len(),
        fitted.texts,
        row("before", fitted.before),
        row("fitted", fitted.after)
    )
}
