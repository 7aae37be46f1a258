//! `train mlm`: masked-language pretraining.

use clap::Args;
use vulnlens_train::encoder::{FitSettings, PretrainingSettings, train_masked};

use super::encoder::FIT;
use super::run_arguments::{RunArguments, StartArguments};
use crate::failure::Failure;
use crate::settings::SettingArguments;
use crate::terminal::Terminal;

/// Pretrain an encoder on descriptions, labelled or not, by predicting hidden tokens
///
/// Writes a folder that `train encoder --from` and transformers begin with. Ctrl-C ends a run with a checkpoint;
/// --resume goes on from it.
#[derive(Debug, Args)]
pub(crate) struct MlmArguments {
    #[command(flatten)]
    run: RunArguments,

    /// Share of tokens that are to be predicted: most are hidden, some replaced, some left
    #[arg(long, value_name = "SHARE", default_value_t = 0.15)]
    masked: f32,

    #[command(flatten)]
    start: StartArguments,

    #[command(flatten, next_help_heading = FIT)]
    fit: SettingArguments<FitSettings>,
}

pub(crate) fn run(arguments: &MlmArguments, terminal: &Terminal) -> Result<(), Failure> {
    let start = arguments.start.start(terminal)?;
    let run = arguments.run.open(terminal)?;
    let settings = PretrainingSettings {
        masked: arguments.masked,
        year: arguments.run.year,
        fit: FitSettings { seed: arguments.run.seed, ..arguments.fit.0.clone() },
    };
    run.train(|control| {
        train_masked(&run.examples, &settings, &run.about, (&start, &arguments.run.out), control)
    })
}
