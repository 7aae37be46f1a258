//! `train search`: settings of encoders, hierarchies and n-gram models, searched for.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};
use vulnlens_evaluation::Split;
use vulnlens_train::encoder::{ClassifierSettings, HierarchySettings};
use vulnlens_train::ngram::Settings;
use vulnlens_train::search::{
    Sampler, SearchControl, SearchEnding, SearchSettings, Searchable, SettingRange, importances,
    search_encoder, search_hierarchy, search_ngram,
};
use vulnlens_train::{Description, Goal, TrainError};

use super::encoder::{EncoderArguments, goal};
use super::hierarchy::HierarchyArguments;
use super::ngram::{FIT, resolved};
use super::progress::Progress;
use super::run_arguments::Run;
use crate::choice::one_of;
use crate::data_set;
use crate::failure::{Failure, Kind};
use crate::model_arguments::KnowledgeBaseArguments;
use crate::options::{THREADS, thread_count, threads};
use crate::output::{Output, print_text};
use crate::settings::SettingArguments;
use crate::signals;
use crate::terminal::Terminal;
use crate::threads::on_threads;

/// The arguments of `train search`: of one kind of search, or of none.
#[derive(Debug)]
pub(crate) enum SearchArguments {
    /// A search for settings of `train encoder`.
    Encoder(Box<EncoderSearch>),
    /// A search for settings of another kind of model.
    Other(Box<OtherSearch>),
    /// The importance of settings in a search that was made.
    Importance(PathBuf),
}

/// A search for settings of `train encoder`.
#[derive(Debug, Args)]
pub(crate) struct EncoderSearch {
    #[command(flatten)]
    encoder: EncoderArguments,

    /// A setting and its values, once for each: `rate=1e-4..1e-3:log` (an interval, here of logarithms) or
    /// `batch=16,32,64`
    #[arg(long = "range", value_parser = SettingRange::read::<ClassifierSettings>, value_name = "SETTING=VALUES", required = true, help_heading = SEARCH, long_help = range_help::<ClassifierSettings>())]
    ranges: Vec<SettingRange>,

    #[command(flatten)]
    how: SamplingArguments,

    #[command(flatten)]
    pruning: PruningArguments,
}

/// Searches for settings of other kinds of models.
#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one of them, in a box")]
pub(crate) enum OtherSearch {
    Hierarchy(HierarchySearch),
    Ngram(NgramSearch),
}

/// Search for settings of `train hierarchy`, whose arguments it takes
///
/// A trial's score is that of the finished hierarchy on the validation part, with the parents that it predicts: above
/// 0.5 in a cascade, multiplied in a shared one. Trials of shared hierarchies are ended early, those of cascades are
/// not.
#[derive(Debug, Args)]
pub(crate) struct HierarchySearch {
    #[command(flatten)]
    hierarchy: HierarchyArguments,

    /// A setting and its values, once for each: `rate=1e-4..1e-3:log` (an interval, here of logarithms) or
    /// `batch=16,32,64`
    #[arg(long = "range", value_parser = SettingRange::read::<HierarchySettings>, value_name = "SETTING=VALUES", required = true, help_heading = SEARCH, long_help = range_help::<HierarchySettings>())]
    ranges: Vec<SettingRange>,

    #[command(flatten)]
    how: SamplingArguments,

    #[command(flatten)]
    pruning: PruningArguments,
}

/// Search for settings of `train ngram`
///
/// A trial's score is the mean of the goal over the tasks of `evaluate`, on the validation part. No trial is ended
/// early; one that Ctrl-C ended begins anew with --resume. The model of the best trial is `best/ngram.safetensors`.
#[derive(Debug, Args)]
pub(crate) struct NgramSearch {
    /// A data set that `data build` made
    #[arg(long, value_name = "FILE")]
    data: PathBuf,

    /// The folder of the search
    #[arg(short, long, value_name = "FOLDER")]
    out: PathBuf,

    /// The split whose training part is fitted on
    #[arg(long, value_parser = data_set::split(), value_name = "SPLIT", default_value = "random")]
    split: Split,

    /// Go on with the folder's search, if there is one
    #[arg(long)]
    resume: bool,

    /// The name that predictions state [default: the folder's]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Seed of every random choice
    #[arg(long, value_name = "N", default_value_t = Settings::default().seed)]
    seed: u64,

    /// Threads [default: one for each core]
    #[arg(long, env = THREADS, hide_env_values = true, value_name = "N", value_parser = thread_count)]
    threads: Option<NonZeroUsize>,

    /// The figure that makes one trial better than another
    #[arg(long, value_parser = goal(), value_name = "FIGURE", default_value = Goal::default().name(), help_heading = SEARCH)]
    goal: Goal,

    /// A setting and its values, once for each: `embedding-rate=5e-3..0.1:log` (an interval, here of logarithms) or
    /// `dimensions=64,128,256`
    #[arg(long = "range", value_parser = SettingRange::read::<Settings>, value_name = "SETTING=VALUES", required = true, help_heading = SEARCH, long_help = range_help::<Settings>())]
    ranges: Vec<SettingRange>,

    #[command(flatten)]
    how: SamplingArguments,

    #[command(flatten, next_help_heading = FIT)]
    settings: SettingArguments<Settings>,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
}

/// The choice of trials.
#[derive(Debug, Args)]
#[command(next_help_heading = SEARCH)]
pub(crate) struct SamplingArguments {
    /// Trials in all
    #[arg(long, value_name = "N", default_value_t = 20)]
    trials: usize,

    /// The sampler of the settings of a trial
    #[arg(long, value_parser = one_of(&Sampler::ALL, Sampler::name, Sampler::help), value_name = "SAMPLER", default_value = Sampler::Tpe.name())]
    sampler: Sampler,

    /// Trials that are drawn evenly before `tpe` learns from them
    #[arg(long, value_name = "N", default_value_t = 10)]
    random_trials: usize,
}

/// The end of bad trials.
#[derive(Debug, Args)]
#[command(next_help_heading = SEARCH)]
pub(crate) struct PruningArguments {
    /// Trials that must have finished before one that is below their median, after as many passes, is ended; 0: none is ended
    #[arg(long, value_name = "N", default_value_t = 5)]
    prune_after: usize,
}

const ABOUT: &str =
    "Search for settings: trials over ranges, bad ones ended early, and the importance of each setting";
const LONG_ABOUT: &str = "\
Without the name of a kind, settings of `train encoder` are searched for: takes its arguments, and ranges of settings \
that trials are to vary. Every trial is judged by the validation part. The folder gets a folder for each trial, \
`trials.jsonl`, `search.md` and the model of the best trial, in `best`; the tables go to standard output. Ctrl-C ends a \
search with a checkpoint; --resume goes on with it, and may ask for more trials.";
const SEARCH: &str = "Search";
/// The argument that asks for importance in place of a search.
const IMPORTANCE: &str = "importance";

/// The help of `--range`, with the settings that there are.
fn range_help<S: Searchable>() -> String {
    let mut settings = S::names();
    let last = settings.pop().unwrap_or_default();
    format!(
        "A setting and its values, once for each: `epochs=2..8` (an interval; `:log` behind it draws evenly from the \
         logarithms) or `batch=16,32,64`\n\nSettings are {} and {last}, under the names and with the values of their arguments.",
        settings.join(", ")
    )
}

impl Args for SearchArguments {
    fn augment_args(command: Command) -> Command {
        let importance = clap::Arg::new(IMPORTANCE)
            .long(IMPORTANCE)
            .value_name("FOLDER")
            .value_parser(clap::value_parser!(PathBuf))
            // Not `exclusive`: the number of threads may come from a variable. What conflicts is not required.
            .conflicts_with_all(["data", "out", "ranges", "tokenizer", "from"])
            .help_heading(SEARCH)
            .help("Print the importance of each setting in the search of a folder, and make none");
        let command = EncoderSearch::augment_args(command).arg(importance);
        let command = command.mut_arg("tokenizer", |tokenizer| tokenizer.required_unless_present(IMPORTANCE));
        let command = OtherSearch::augment_subcommands(command);
        let command = command.about(ABOUT).long_about(format!("{ABOUT}\n\n{LONG_ABOUT}"));
        command.subcommand_required(false).subcommand_negates_reqs(true).args_conflicts_with_subcommands(true)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SearchArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        if matches.subcommand_name().is_some() {
            return Ok(Self::Other(Box::new(OtherSearch::from_arg_matches(matches)?)));
        }
        if let Some(folder) = matches.get_one::<PathBuf>(IMPORTANCE) {
            return Ok(Self::Importance(folder.clone()));
        }
        Ok(Self::Encoder(Box::new(EncoderSearch::from_arg_matches(matches)?)))
    }

    fn update_from_arg_matches(&mut self, _: &ArgMatches) -> Result<(), clap::Error> {
        Err(clap::Error::raw(ErrorKind::InvalidSubcommand, "a search is not changed by other arguments\n"))
    }
}

impl SamplingArguments {
    fn settings(&self, ranges: &[SettingRange], prune_after: usize) -> SearchSettings {
        SearchSettings {
            trials: self.trials,
            sampler: self.sampler,
            random_trials: self.random_trials,
            prune_after: Some(prune_after).filter(|&trials| trials > 0),
            ..SearchSettings::new(ranges.to_vec())
        }
    }
}

pub(crate) fn run(arguments: &SearchArguments, terminal: &Terminal) -> Result<(), Failure> {
    match arguments {
        SearchArguments::Encoder(arguments) => encoder(arguments, terminal),
        SearchArguments::Importance(folder) => importance(folder),
        SearchArguments::Other(arguments) => match &**arguments {
            OtherSearch::Hierarchy(arguments) => hierarchy(arguments, terminal),
            OtherSearch::Ngram(arguments) => ngram(arguments, terminal),
        },
    }
}

fn importance(folder: &Path) -> Result<(), Failure> {
    print_text(&importances(folder)?.table())
}

fn encoder(arguments: &EncoderSearch, terminal: &Terminal) -> Result<(), Failure> {
    let EncoderSearch { encoder, ranges, how, pruning } = arguments;
    let start = encoder.start.start(terminal)?;
    let kb = encoder.kb.load(terminal)?;
    let run = encoder.run.open(terminal)?;
    let settings = (&encoder.settings(), &how.settings(ranges, pruning.prune_after));
    let folders = (&start, encoder.run.out.as_path());
    let ending =
        searched(&run, |control| search_encoder(&run.examples, &kb, settings, &run.about, folders, control))?;
    report(&ending, &encoder.run.out, how.trials, terminal)
}

fn hierarchy(arguments: &HierarchySearch, terminal: &Terminal) -> Result<(), Failure> {
    let HierarchySearch { hierarchy, ranges, how, pruning } = arguments;
    let start = hierarchy.start.start(terminal)?;
    let kb = hierarchy.kb.load(terminal)?;
    let run = hierarchy.run.open(terminal)?;
    let settings = (&hierarchy.settings(), &how.settings(ranges, pruning.prune_after));
    let folders = (&start, hierarchy.run.out.as_path());
    let ending = searched(&run, |control| {
        search_hierarchy(&run.examples, &kb, settings, &run.about, folders, control)
    })?;
    report(&ending, &hierarchy.run.out, how.trials, terminal)
}

fn ngram(arguments: &NgramSearch, terminal: &Terminal) -> Result<(), Failure> {
    let base = resolved(&arguments.settings, arguments.seed)?;
    let data = data_set::read(&arguments.data)?;
    let kb = arguments.kb.load(terminal)?;
    let folder = std::path::absolute(&arguments.out).ok();
    let folder = folder.as_deref().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let about = Description {
        held_out_styles: vec![],
        name: arguments.name.clone().unwrap_or_else(|| folder.into_owned()),
        data: data.name.clone(),
        data_sha256: data.sha256.clone(),
        split: arguments.split.name().to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let examples = data.examples(arguments.split);
    let how = arguments.how.settings(&arguments.ranges, 0);
    let (stop, progress) = (signals::stop_flag(), Progress::new(terminal));
    let control = SearchControl { observer: &progress, stop: &stop, resume: arguments.resume };
    let settings = (&base, &how, arguments.goal);
    let work = || search_ngram(&examples, &kb, settings, &about, &arguments.out, control);
    let ending = on_threads(threads(arguments.threads), work)?;
    progress.finish();
    report(&ending?, &arguments.out, how.trials, terminal)
}

/// Searches with signals caught and progress shown.
fn searched(
    run: &Run<'_>,
    search: impl FnOnce(SearchControl<'_>) -> Result<SearchEnding, TrainError> + Send,
) -> Result<SearchEnding, Failure> {
    run.watched(|control, progress| {
        search(SearchControl { observer: progress, stop: control.stop, resume: control.resume })
    })
}

/// Prints the tables, and says how the search ended.
fn report(ending: &SearchEnding, out: &Path, trials: usize, terminal: &Terminal) -> Result<(), Failure> {
    if ending.is_stopped {
        let ended = ending.trials.len();
        let message = format!("{}: stopped in trial {ended} of {trials}", out.display());
        let failure = Failure::new(Kind::Interrupted, message);
        return Err(failure.hint("give the same command with --resume to go on"));
    }
    let importances = ending.importances.as_ref();
    let importances = importances.map_or_else(String::new, |found| format!("\n{}", found.table()));
    let mut output = Output::stdout();
    output.data(format!("{}{importances}", ending.table).as_bytes())?;
    output.finish()?;
    match ending.best {
        Some(number) => {
            terminal.note(&format!("{}: the model of trial {number}", out.join("best").display()));
            Ok(())
        }
        None => {
            let failure = Failure::new(Kind::Arguments, "no trial finished");
            Err(failure
                .hint("the table says why; give ranges of lower rates, or settings that fit the network"))
        }
    }
}
