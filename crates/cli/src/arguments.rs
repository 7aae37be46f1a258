//! The command line as clap reads it. Nothing is decided here: each command resolves its own arguments.

use std::num::NonZeroUsize;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::commands::classify::ClassifyArguments;
use crate::commands::completions::CompletionsArguments;
use crate::commands::data::DataCommand;
use crate::commands::doctor::DoctorArguments;
use crate::commands::evaluate::EvaluateArguments;
use crate::commands::explain::ExplainArguments;
use crate::commands::kb::KbCommand;
use crate::commands::model::ModelCommand;
use crate::commands::train::TrainCommand;

/// Says which weaknesses (CWE), attack patterns (CAPEC) and ATT&CK techniques a vulnerability's text implies.
///
/// Works offline: the model and the knowledge base are part of the program.
///
/// Exit codes: 0 ok · 1 failed · 2 bad arguments · 3 no or unreadable input · 4 some records failed, the rest were
/// done · 5 model or data not available.
#[derive(Debug, Parser)]
#[command(
    name = "vulnlens",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArguments,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What vulnlens can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Classify(ClassifyArguments),
    Explain(ExplainArguments),
    /// Read, compare and build knowledge bases of CWE, CAPEC and ATT&CK
    #[command(subcommand)]
    Kb(KbCommand),
    /// Build and look into labelled data sets of CVE records
    #[command(subcommand)]
    Data(DataCommand),
    /// Fit models to a data set
    #[command(subcommand)]
    Train(TrainCommand),
    Evaluate(EvaluateArguments),
    /// Look into models, get, quantise and calibrate them
    #[command(subcommand)]
    Model(ModelCommand),
    Doctor(DoctorArguments),
    Completions(CompletionsArguments),
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArguments {
    /// Say more on standard error
    #[arg(short, long, action = ArgAction::Count, global = true)]
    verbose: u8,

    /// Say nothing but errors on standard error
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,

    /// When to use colours; `auto` also heeds NO_COLOR
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", global = true)]
    pub(crate) color: Color,
}

impl GlobalArguments {
    /// Negative for `--quiet`, above 0 for `--verbose`.
    pub(crate) fn verbosity(&self) -> i8 {
        if self.quiet { -1 } else { i8::try_from(self.verbose).unwrap_or(i8::MAX) }
    }
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    #[default]
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

/// Forms of what is shown of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ViewFormat {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
}

/// The most threads that are started: more are a slip of the finger, and take the machine down.
const MOST_THREADS: usize = 1024;

/// Parses a number of threads.
pub(crate) fn thread_count(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse().ok().filter(|number: &NonZeroUsize| number.get() <= MOST_THREADS);
    number.ok_or_else(|| format!("expected a number from 1 to {MOST_THREADS}"))
}

/// Threads where `--threads` does not say how many: as many as the process may use.
pub(crate) fn threads(asked: Option<NonZeroUsize>) -> usize {
    let available = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    asked.map_or_else(available, NonZeroUsize::get).min(MOST_THREADS)
}
