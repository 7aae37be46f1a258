//! `train`: fitting models, one file a kind.

mod curated;
mod encoder;
mod hierarchy;
mod mlm;
mod ngram;
mod progress;
mod run_arguments;
mod search;
mod severity;
mod tokenizer;

use clap::Subcommand;

pub(crate) use ngram::{FIT, Fit, resolved};

use crate::failure::Failure;
use crate::terminal::Terminal;

/// The commands that fit models.
#[derive(Debug, Subcommand)]
pub(crate) enum TrainCommand {
    Ngram(ngram::NgramArguments),
    Curated(curated::CuratedArguments),
    Severity(severity::SeverityArguments),
    Tokenizer(tokenizer::TokenizerArguments),
    Mlm(mlm::MlmArguments),
    Encoder(encoder::EncoderArguments),
    Hierarchy(hierarchy::HierarchyArguments),
    Search(search::SearchArguments),
}

pub(crate) fn run(command: &TrainCommand, terminal: &Terminal) -> Result<(), Failure> {
    match command {
        TrainCommand::Ngram(arguments) => ngram::run(arguments, terminal),
        TrainCommand::Curated(arguments) => curated::run(arguments, terminal),
        TrainCommand::Severity(arguments) => severity::run(arguments, terminal),
        TrainCommand::Tokenizer(arguments) => tokenizer::run(arguments, terminal),
        TrainCommand::Mlm(arguments) => mlm::run(arguments, terminal),
        TrainCommand::Encoder(arguments) => encoder::run(arguments, terminal),
        TrainCommand::Hierarchy(arguments) => hierarchy::run(arguments, terminal),
        TrainCommand::Search(arguments) => search::run(arguments, terminal),
    }
}
