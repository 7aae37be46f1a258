//! `completions`: the script that lets a shell complete vulnlens's arguments.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::arguments::Cli;
use crate::failure::Failure;
use crate::output::Output;

/// Print the script that lets a shell complete arguments
///
/// For bash, for example: vulnlens completions bash > ~/.local/share/bash-completion/completions/vulnlens
#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(arguments: CompletionsArguments) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "vulnlens", &mut script);
    let mut output = Output::stdout();
    output.data(&script)?;
    output.finish()
}
