//! The command line as clap reads it. Nothing is decided here: each command resolves its own arguments.

use clap::Parser;

use crate::commands::Command;
use crate::options::GlobalArguments;

/// Says which weaknesses (CWE), attack patterns (CAPEC) and ATT&CK techniques a vulnerability's text implies.
///
/// Works offline: the model and the knowledge base are part of the program.
///
/// Exit codes: 0 ok · 1 failed · 2 bad arguments · 3 no or unreadable input, or nothing found · 4 some records failed,
/// the rest were done · 5 model or data not available · 6 a record has a verdict of `review --fail-on` · 7 a
/// finding is one of `enrich --fail-on` · 129, 130, 143
/// ended by SIGHUP, Ctrl-C, SIGTERM.
///
/// Variables: VULNLENS_MODEL, VULNLENS_LABELS and VULNLENS_THREADS stand for --model, --labels and --threads where these
/// are not given.
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
