//! `model`: what models say of themselves, and what is done with their files.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use vulnlens::report::model_info_text;
use vulnlens_evaluation::{Detail, Evaluation, card, tables};

use super::calibrate::{self, CalibrateArguments};
use super::checkpoint::{self, PackArguments, PullArguments, QuantizeArguments};
use super::combine::{self, CombineArguments};
use crate::failure::{Failure, Kind};
use crate::model_arguments::facts;
use crate::options::ViewFormat;
use crate::output::{print_json, print_text};
use crate::terminal::Terminal;

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

pub(crate) fn run(command: &ModelCommand, terminal: &Terminal) -> Result<(), Failure> {
    match command {
        ModelCommand::Tables(arguments) => {
            let detail = if arguments.headline { Detail::Headline } else { Detail::Full };
            print_text(&tables(&read_evaluation(&arguments.evaluation)?, detail))
        }
        ModelCommand::Calibrate(arguments) => calibrate::run(arguments, terminal),
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
