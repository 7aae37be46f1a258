//! `train severity`: fitting the head of severities, and measuring it.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use vulnlens_evaluation::Split;
use vulnlens_train::severity::{SeverityReport, SystemFigures, measure, train};

use crate::data_set;
use crate::failure::{Failure, Kind};
use crate::model_arguments::KnowledgeBaseArguments;
use crate::options::{THREADS, thread_count, threads};
use crate::output::Output;
use crate::terminal::Terminal;
use crate::threads::on_threads;

/// Fit the head of severities, and put it into an n-gram model's file
///
/// Learns from the base vectors of CVSS 3.x that `data build --cvss` put into the data set: on the training part of the
/// split, with the temperature fitted on the validation part or, where there is none, on the newest year. The same data
/// and model give the same bytes, on any number of threads. With --report, the head is measured on the records of the
/// test part, and a table goes to standard output.
#[derive(Debug, Args)]
pub(crate) struct SeverityArguments {
    /// A data set that `data build --cvss` made
    #[arg(long, value_name = "FILE")]
    data: PathBuf,

    /// The n-gram model that gets the head, and whose answers the head reads; to be measured on a split, it must be fitted
    /// on the training part of that split
    #[arg(long, value_name = "NAME|FILE", default_value = "fast")]
    model: String,

    /// The file of the model with its head
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,

    /// The split whose training part is fitted on
    #[arg(long, value_name = "SPLIT", default_value = "all", value_parser = data_set::split())]
    split: Split,

    /// A file for the figures of the head on the records of the split's test part, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Threads [default: one for each core]
    #[arg(long, env = THREADS, hide_env_values = true, value_name = "N", value_parser = thread_count)]
    threads: Option<NonZeroUsize>,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
}

pub(crate) fn run(arguments: &SeverityArguments, terminal: &Terminal) -> Result<(), Failure> {
    let split = arguments.split;
    if arguments.report.is_some() && !split.has_test_part() {
        let failure =
            Failure::new(Kind::Arguments, format!("--split {} has no test part to report on", split.name()));
        return Err(failure.hint("give --split random or temporal, or leave --report out"));
    }
    let data = data_set::read(&arguments.data)?;
    let texts = data.rated(split);
    let (model, bytes) = vulnlens::open_ngram(&arguments.model)?;
    let kb = arguments.kb.load(terminal)?;
    let threads = threads(arguments.threads);
    let in_data = |mut failure: Failure| {
        failure.message = format!("{}: {}", arguments.data.display(), failure.message);
        failure
    };
    let fitted_on =
        format!("{} texts with base vectors of {}, split {}", texts.len(), data.name, split.name());
    let mut output = Output::open(Some(&arguments.out))?;
    let bar = terminal.progress("{spinner} fitting, {elapsed}");
    let fitted = on_threads(threads, || train(&bytes, &model, &kb, &texts, fitted_on))?;
    bar.finish_and_clear();
    let fitted = fitted.map_err(Failure::from).map_err(in_data)?;
    if let Some(path) = &arguments.report {
        let report = on_threads(threads, || measure(&fitted, &kb, &texts, split.name(), &data.name))?;
        let report = report.map_err(Failure::from).map_err(in_data)?;
        let mut tables = Output::open(None)?;
        tables.data(table(&report).as_bytes())?;
        tables.finish()?;
        let json = serde_json::to_string_pretty(&report)
            .map_err(|error| Failure::new(Kind::Failed, error.to_string()))?;
        let mut output = Output::open(Some(path))?;
        output.data((json + "\n").as_bytes())?;
        output.finish()?;
    }
    output.data(&fitted)?;
    output.finish()?;
    terminal.note(&format!("{}: {:.2} MB", arguments.out.display(), fitted.len() as f64 / 1e6));
    Ok(())
}

/// The measurement as Markdown.
fn table(report: &SeverityReport) -> String {
    let [records, others] = report.fitted;
    let mut text = format!(
        "split {}: fitted on {records} records and {others} texts in other styles, judged on {} records\n\n\
         | system | band accuracy | band macro-F1 | vector accuracy | score error | calibration error |\n\
         |---|--:|--:|--:|--:|--:|\n",
        report.split, report.tested
    );
    for SystemFigures { system, figures } in &report.systems {
        text += &format!(
            "| {system} | {:.3} | {:.3} | {:.3} | {:.2} | {:.3} |\n",
            figures.band_accuracy,
            figures.band_macro_f1,
            figures.vector_accuracy,
            figures.score_error,
            figures.band_calibration_error
        );
    }
    text
}
