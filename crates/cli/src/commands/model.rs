//! `model`: what models say of themselves, and what is done with their files.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use vulnlens::model::ngram::with_header;
use vulnlens::report::model_info_text;
use vulnlens_evaluation::{Detail, Evaluation, Split, calibrate, card, tables};

use super::checkpoint::{self, PackArguments, PullArguments, QuantizeArguments};
use super::combine::{self, CombineArguments};
use crate::data_set;
use crate::failure::{Failure, Kind};
use crate::model_arguments::{KnowledgeBaseArguments, check_ngram, facts};
use crate::options::{THREADS, ViewFormat, thread_count, threads};
use crate::output::{Output, print_json, print_text};
use crate::terminal::Terminal;
use crate::threads::on_threads;

/// The commands on models.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    Info(InfoArguments),
    Pull(PullArguments),
    Quantize(QuantizeArguments),
    Combine(CombineArguments),
    Pack(PackArguments),
    Card(CardArguments),
    Tables(TablesArguments),
    Calibrate(CalibrateArguments),
}

/// Show what a model is and where it comes from
#[derive(Debug, Args)]
pub(crate) struct InfoArguments {
    /// `fast` or `accurate`, which are embedded; a model file; the folder of a checkpoint, or a file in it; or an id of
    /// the hub
    #[arg(default_value = "fast", value_name = "NAME|FILE|FOLDER|ID")]
    model: String,

    /// For people or for programs
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    format: ViewFormat,
}

/// Render a model's card in Markdown from its file and an evaluation
#[derive(Debug, Args)]
pub(crate) struct CardArguments {
    /// `fast` or `accurate`, which are embedded, or a model file; of an encoder, one that `model pack` made
    #[arg(default_value = "fast", value_name = "NAME|FILE")]
    model: String,

    /// A file that `evaluate --out` wrote
    #[arg(long, value_name = "FILE")]
    evaluation: Option<PathBuf>,
}

/// Render an evaluation as tables in Markdown
#[derive(Debug, Args)]
pub(crate) struct TablesArguments {
    /// A file that `evaluate --out` wrote
    #[arg(value_name = "FILE")]
    evaluation: PathBuf,

    /// The headline figures alone
    #[arg(long)]
    headline: bool,
}

/// Fit a model's temperature and thresholds to the validation part of a data set
///
/// The model itself stays as it is. For a model of your own data, or after the rule of fitting has changed.
#[derive(Debug, Args)]
pub(crate) struct CalibrateArguments {
    /// `fast`, which is embedded, or a model file
    #[arg(value_name = "NAME|FILE")]
    model: String,

    /// A data set that `data build` made
    #[arg(long, value_name = "FILE")]
    data: PathBuf,

    /// The split whose validation part is taken
    #[arg(long, value_parser = data_set::split(), value_name = "SPLIT", default_value = "random")]
    split: Split,

    /// The file of the calibrated model
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,

    /// Threads [default: one for each core]
    #[arg(long, env = THREADS, hide_env_values = true, value_name = "N", value_parser = thread_count)]
    threads: Option<NonZeroUsize>,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
}

pub(crate) fn run(command: &ModelCommand, terminal: &Terminal) -> Result<(), Failure> {
    match command {
        ModelCommand::Tables(arguments) => {
            let detail = if arguments.headline { Detail::Headline } else { Detail::Full };
            print_text(&tables(&read_evaluation(&arguments.evaluation)?, detail))
        }
        ModelCommand::Calibrate(arguments) => calibrated(arguments, terminal),
        ModelCommand::Info(arguments) => info(arguments, terminal),
        ModelCommand::Pull(arguments) => checkpoint::pull(arguments, terminal),
        ModelCommand::Quantize(arguments) => checkpoint::write_quantized(arguments, terminal),
        ModelCommand::Combine(arguments) => combine::run(arguments, terminal),
        ModelCommand::Pack(arguments) => checkpoint::write_packed(arguments, terminal),
        ModelCommand::Card(arguments) => print_card(arguments, terminal),
    }
}

fn info(arguments: &InfoArguments, terminal: &Terminal) -> Result<(), Failure> {
    let info = facts(&arguments.model, terminal)?;
    match arguments.format {
        ViewFormat::Table => print_text(&model_info_text(&info)),
        ViewFormat::Json => print_json(&info),
    }
}

fn calibrated(arguments: &CalibrateArguments, terminal: &Terminal) -> Result<(), Failure> {
    if arguments.split == Split::All {
        let failure = Failure::new(Kind::Arguments, "the split `all` has no validation part");
        return Err(failure.hint("calibrate on `random` or `temporal`"));
    }
    check_ngram(&arguments.model, "`model calibrate`")?;
    let (model, bytes) = vulnlens::open_ngram(&arguments.model)?;
    let kb = arguments.kb.load(terminal)?;
    let data = data_set::read(&arguments.data)?;
    let examples = data.examples(arguments.split);
    let work = || calibrate(&model, &kb, &examples);
    let calibration = on_threads(threads(arguments.threads), work)??;
    let mut header = model.header().clone();
    if let Some(head) = header.cwe_head_mut() {
        let part = format!("validation part of the {} split of {}", arguments.split.name(), data.name);
        calibration.apply(head, part);
    }
    let changed = with_header(&bytes, &header)
        .map_err(|error| Failure::new(Kind::Failed, format!("{}: {error}", arguments.model)))?;
    let mut output = Output::open(Some(&arguments.out))?;
    output.data(&changed)?;
    output.finish()
}

fn print_card(arguments: &CardArguments, terminal: &Terminal) -> Result<(), Failure> {
    let evaluation = arguments.evaluation.as_deref().map(read_evaluation).transpose()?;
    let info = facts(&arguments.model, terminal)?;
    match card(&info, evaluation.as_ref()) {
        Some(card) => print_text(&card),
        None => {
            let message = format!("{}: its file does not say how it was made", arguments.model);
            Err(Failure::new(Kind::Arguments, message)
                .hint("`model card` is for models that vulnlens trained; see `model info`"))
        }
    }
}

fn read_evaluation(path: &Path) -> Result<Evaluation, Failure> {
    let unavailable = |problem: String| {
        Failure::new(Kind::Unavailable, format!("{}: {problem}", path.display()))
            .hint("make the file with `vulnlens evaluate --out`")
    };
    let text = std::fs::read_to_string(path).map_err(|error| unavailable(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| unavailable(error.to_string()))
}
