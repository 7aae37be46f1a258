//! `kb`: the knowledge base, made, read and compared.

mod build;
mod diff;
mod info;
mod path;
mod show;
mod update;

use clap::Subcommand;

use crate::failure::Failure;
use crate::terminal::Terminal;

/// The commands on knowledge bases.
#[derive(Debug, Subcommand)]
pub(crate) enum KbCommand {
    Build(build::BuildArguments),
    Show(show::ShowArguments),
    Path(path::PathArguments),
    Diff(diff::DiffArguments),
    Info(info::InfoArguments),
    Update(update::UpdateArguments),
}

pub(crate) fn run(command: KbCommand, terminal: &Terminal) -> Result<(), Failure> {
    match command {
        KbCommand::Build(arguments) => build::run(arguments, terminal),
        KbCommand::Show(arguments) => show::run(&arguments, terminal),
        KbCommand::Path(arguments) => path::run(&arguments, terminal),
        KbCommand::Diff(arguments) => diff::run(&arguments, terminal),
        KbCommand::Info(arguments) => info::run(&arguments, terminal),
        KbCommand::Update(arguments) => update::run(&arguments, terminal),
    }
}
