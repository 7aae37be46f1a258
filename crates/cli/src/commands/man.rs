//! `man`: manual pages, one for each command.

use clap::{Args, Command};
use clap_mangen::Man;

use crate::failure::{Failure, Kind};
use crate::output::Output;

/// Print a manual page, in the form that man reads
///
/// For example: vulnlens man > ~/.local/share/man/man1/vulnlens.1, and vulnlens man kb path > …/vulnlens-kb-path.1
#[derive(Debug, Args)]
pub(crate) struct ManArguments {
    /// The command that the page is about [default: vulnlens as a whole]
    command: Vec<String>,
}

/// Prints the page of a command of `cli`, the whole command line.
pub(crate) fn run(arguments: &ManArguments, mut cli: Command) -> Result<(), Failure> {
    cli.build();
    let mut command = &cli;
    for name in &arguments.command {
        command = command.find_subcommand(name).ok_or_else(|| unknown(command, name))?;
    }
    let mut page = Vec::new();
    let man = Man::new(command.clone()).source(concat!("vulnlens ", env!("CARGO_PKG_VERSION")));
    man.render(&mut page).map_err(|error| Failure::output("the page", &error))?;
    let mut output = Output::stdout();
    output.data(&page)?;
    output.finish()
}

fn unknown(command: &Command, name: &str) -> Failure {
    Failure::new(Kind::Arguments, format!("`{}` has no command `{name}`", command.get_name()))
        .hint("leave the command out for the page of vulnlens as a whole")
}
