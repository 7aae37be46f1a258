//! `train search`: settings of `train encoder`, searched for.

use clap::Args;
use vulnlens_train::encoder::{
    Sampler, SearchControl, SearchSettings, SettingRange, search, searchable_settings,
};

use super::encoder::EncoderArguments;
use crate::choice::one_of;
use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::terminal::Terminal;

/// Search for settings of `train encoder`: trials over ranges, bad ones ended early
///
/// Takes the arguments of `train encoder`, and ranges of settings that trials are to vary. Every trial is judged by the validation
/// part. The folder gets a folder for each trial, `trials.jsonl`, `search.md` and the model of the best trial, in `best`; the table
/// goes to standard output. Ctrl-C ends a search with a checkpoint; --resume goes on with it, and may ask for more trials.
#[derive(Debug, Args)]
pub(crate) struct SearchArguments {
    #[command(flatten)]
    encoder: EncoderArguments,

    /// A setting and its values, once for each: `rate=1e-4..1e-3:log` (an interval, here of logarithms) or `batch=16,32,64`
    #[arg(long = "range", value_name = "SETTING=VALUES", required = true, help_heading = SEARCH, long_help = range_help())]
    ranges: Vec<SettingRange>,

    /// Trials in all
    #[arg(long, value_name = "N", default_value_t = 20, help_heading = SEARCH)]
    trials: usize,

    /// The sampler of the settings of a trial
    #[arg(long, value_parser = one_of(&Sampler::ALL, Sampler::name, Sampler::help), value_name = "SAMPLER", default_value = Sampler::Tpe.name(), help_heading = SEARCH)]
    sampler: Sampler,

    /// Trials that are drawn evenly before `tpe` learns from them
    #[arg(long, value_name = "N", default_value_t = 10, help_heading = SEARCH)]
    random_trials: usize,

    /// Trials that must have finished before one that is below their median, after as many passes, is ended; 0: none is ended
    #[arg(long, value_name = "N", default_value_t = 5, help_heading = SEARCH)]
    prune_after: usize,
}

const SEARCH: &str = "Search";

/// The help of `--range`, with the settings that there are.
fn range_help() -> String {
    let mut settings = searchable_settings();
    let last = settings.pop().unwrap_or_default();
    format!(
        "A setting and its values, once for each: `rate=1e-4..1e-3:log` (an interval, here of logarithms) or \
         `batch=16,32,64`\n\nSettings are {} and {last}, under the names and with the values of their arguments.",
        settings.join(", ")
    )
}

impl SearchArguments {
    fn settings(&self) -> SearchSettings {
        SearchSettings {
            trials: self.trials,
            sampler: self.sampler,
            random_trials: self.random_trials,
            prune_after: Some(self.prune_after).filter(|&trials| trials > 0),
            ..SearchSettings::new(self.ranges.clone())
        }
    }
}

pub(crate) fn run(arguments: &SearchArguments, terminal: &Terminal) -> Result<(), Failure> {
    let encoder = &arguments.encoder;
    let start = encoder.start.start(terminal)?;
    let kb = encoder.kb.load(terminal)?;
    let run = encoder.run.open(terminal)?;
    let settings = (&encoder.settings(), &arguments.settings());
    let folders = (&start, encoder.run.out.as_path());
    let ending = run.watched(|control, progress| {
        let control = SearchControl { observer: progress, stop: control.stop, resume: control.resume };
        search(&run.examples, &kb, settings, &run.about, folders, control)
    })?;
    if ending.is_stopped {
        let (ended, out) = (ending.trials.len(), encoder.run.out.display());
        let failure = Failure::new(
            Kind::Interrupted,
            format!("{out}: stopped in trial {ended} of {}", arguments.trials),
        );
        return Err(failure.hint("give the same command with --resume to go on"));
    }
    let mut output = Output::stdout();
    output.data(ending.table.as_bytes())?;
    output.finish()?;
    match ending.best {
        Some(number) => {
            let best = encoder.run.out.join("best");
            terminal.note(&format!("{}: the model of trial {number}", best.display()));
            Ok(())
        }
        None => {
            let failure = Failure::new(Kind::Arguments, "no trial finished");
            Err(failure
                .hint("the table says why; give ranges of lower rates, or settings that fit the network"))
        }
    }
}
