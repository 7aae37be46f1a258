//! `train ngram`: fitting the n-gram model.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use vulnlens::{KnowledgeBase, Network};
use vulnlens_evaluation::{Calibration, DataSet, Split};
use vulnlens_train::Description;
use vulnlens_train::ngram::{Decisions, Settings, train, work};
use vulnlens_train::setting::Settings as _;

use crate::data_set;
use crate::failure::{Failure, Kind};
use crate::model_arguments::{self, KnowledgeBaseArguments};
use crate::options::{THREADS, thread_count, threads};
use crate::output::Output;
use crate::settings::SettingArguments;
use crate::terminal::Terminal;
use crate::threads::on_threads;

/// Fit an n-gram model to a data set
///
/// The same data, seed and settings give the same file, byte for byte, on any number of threads of one machine.
#[derive(Debug, Args)]
pub(crate) struct NgramArguments {
    /// A data set that `data build` made
    #[arg(long, value_name = "FILE")]
    data: PathBuf,

    /// The file of the model
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,

    /// The split whose training part is fitted on
    #[arg(long, value_parser = data_set::split(), value_name = "SPLIT", default_value = "random")]
    split: Split,

    /// A model whose temperature and thresholds are taken over, in place of fitting them on validation
    #[arg(long, value_name = "NAME|FILE", required_if_eq("split", "all"))]
    decisions_from: Option<PathBuf>,

    /// The name that predictions state [default: the file's, without its ending]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Seed of every random choice
    #[arg(long, value_name = "N", default_value_t = Settings::default().seed)]
    seed: u64,

    /// Threads [default: one for each core]
    #[arg(long, env = THREADS, hide_env_values = true, value_name = "N", value_parser = thread_count)]
    threads: Option<NonZeroUsize>,

    /// Styles of texts that are left out of the fit, so that `evaluate` can judge it on them
    #[arg(long, value_name = "STYLE", num_args = 1.., value_delimiter = ',')]
    held_out_styles: Vec<String>,

    #[command(flatten, next_help_heading = FIT)]
    settings: SettingArguments<Settings>,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
}

/// The heading of the settings of a fit.
pub(crate) const FIT: &str = "Settings of the fit";

/// The settings that the command line gives, if all are within their bounds.
pub(crate) fn resolved(arguments: &SettingArguments<Settings>, seed: u64) -> Result<Settings, Failure> {
    let settings = Settings { seed, ..arguments.0.clone() };
    settings.problem().map_or(Ok(settings), |problem| Err(Failure::new(Kind::Arguments, problem)))
}

pub(crate) fn run(arguments: &NgramArguments, terminal: &Terminal) -> Result<(), Failure> {
    let settings = resolved(&arguments.settings, arguments.seed)?;
    let decisions = match &arguments.decisions_from {
        None => Decisions::Validation,
        Some(path) => decisions_of(path)?,
    };
    let data = data_set::read(&arguments.data)?;
    let stem = arguments.out.file_stem().unwrap_or_default().to_string_lossy();
    let name = arguments.name.as_deref().unwrap_or(&stem);
    let styles = arguments.held_out_styles.clone();
    let fit = Fit { data: &data, split: arguments.split, held_out_styles: styles, name, settings, decisions };
    let mut output = Output::open(Some(&arguments.out))?;
    let kb = arguments.kb.load(terminal)?;
    let bytes = fit.run(&kb, threads(arguments.threads), terminal)?;
    output.data(&bytes)?;
    output.finish()?;
    terminal.note(&format!("{}: {:.2} MB", arguments.out.display(), bytes.len() as f64 / 1e6));
    Ok(())
}

/// The temperature and rules of another model, and the words that say whose they are.
fn decisions_of(path: &std::path::Path) -> Result<Decisions, Failure> {
    let model = model_arguments::ngram(&path.to_string_lossy())?;
    let header = model.header();
    let no_head = || Failure::new(Kind::Unavailable, format!("{}: has no CWE sets", path.display()));
    let head = header.cwe_head().ok_or_else(no_head)?;
    let calibration = Calibration { temperature: head.temperature, decisions: head.rules.clone() };
    let from = format!("{}, revision {}", head.fitted_on, model.revision());
    Ok(Decisions::Given(Box::new(calibration), from))
}

/// One fit, as `train` and `evaluate --fit` do it.
pub(crate) struct Fit<'a> {
    pub(crate) data: &'a DataSet,
    pub(crate) split: Split,
    /// Styles that are not fitted on.
    pub(crate) held_out_styles: Vec<String>,
    pub(crate) name: &'a str,
    pub(crate) settings: Settings,
    pub(crate) decisions: Decisions,
}

impl Fit<'_> {
    /// Fits and gives the bytes of the model's file.
    pub(crate) fn run(
        &self,
        kb: &KnowledgeBase,
        threads: usize,
        terminal: &Terminal,
    ) -> Result<Vec<u8>, Failure> {
        let mut examples = self.data.examples(self.split);
        let is_held_out = |style: &String| self.held_out_styles.contains(style);
        examples.retain(|example| !example.style.as_ref().is_some_and(is_held_out));
        let description = self.description();
        let bar = terminal.progress("fitting {bar:30} {percent}% {rate} texts/s, {eta} left");
        bar.set_length(work(&examples, &self.settings));
        let tick = |texts: u64| {
            bar.inc(texts);
            ControlFlow::Continue(())
        };
        let fitted = on_threads(threads, || {
            train(&examples, kb, &self.settings, &description, &self.decisions, &tick)
        })?;
        bar.finish_and_clear();
        Ok(fitted?)
    }

    /// The facts that the model's file states.
    pub(crate) fn description(&self) -> Description {
        Description {
            name: self.name.to_owned(),
            data: self.data.name.clone(),
            data_sha256: self.data.sha256.clone(),
            split: self.split.name().to_owned(),
            held_out_styles: self.held_out_styles.clone(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}
