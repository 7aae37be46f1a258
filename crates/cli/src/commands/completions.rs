//! `completions`: the script that lets a shell complete vulnlens's arguments.

use clap::{Args, Command};
use clap_complete::Shell;

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

/// Prints the script for `cli`, the whole command line.
pub(crate) fn run(arguments: &CompletionsArguments, mut cli: Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut cli, "vulnlens", &mut script);
    let mut output = Output::stdout();
    output.data(&script)?;
    output.finish()
}
