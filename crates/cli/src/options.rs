//! Options that several commands share.

use std::num::NonZeroUsize;

use clap::{ArgAction, Args, ValueEnum};

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

    /// Use of colours; `auto` also heeds NO_COLOR
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", global = true)]
    pub(crate) color: Color,
}

impl GlobalArguments {
    /// Negative for `--quiet`, above 0 for `--verbose`.
    pub(crate) fn verbosity(&self) -> i8 {
        if self.quiet { -1 } else { i8::try_from(self.verbose).unwrap_or(i8::MAX) }
    }
}

/// The choice of colours.
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

/// The variable that stands for `--threads` of every command.
pub(crate) const THREADS: &str = "VULNLENS_THREADS";

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
