//! The `vulnlens` command: arguments to settings, calls into the libraries, exit code.
//!
//! Standard output is data, standard error is talk. Each command has its file in `commands`; the exit codes stand in
//! `exit_codes`, what they are given for in `failure`.

mod arguments;
mod attack_arguments;
mod checkpoint_arguments;
mod choice;
mod commands;
mod data_set;
mod exit_codes;
mod failure;
mod folder_notes;
mod hub;
mod model_arguments;
mod options;
mod output;
mod packing;
mod progress;
mod question;
mod record_folder;
mod record_format;
mod records;
#[cfg(test)]
mod reference;
mod settings;
mod signals;
mod source;
mod tally;
mod terminal;
mod text_argument;
mod threads;
mod version;

use std::io::Write as _;
use std::process::ExitCode;

use arguments::Cli;
use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};
use failure::Kind;
use terminal::Terminal;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_parsed(&error).into(),
    };
    signals::watch();
    let terminal = Terminal::new(&cli.global);
    match commands::run(cli.command, Cli::command, &terminal) {
        Ok(()) => exit_codes::OK.into(),
        Err(failure) => {
            if failure.kind != Kind::OutputClosed {
                terminal::failure(&failure);
            }
            failure.kind.exit_code().into()
        }
    }
}

/// Prints help, or what is wrong with the arguments; gives the exit code.
fn not_parsed(error: &clap::Error) -> u8 {
    terminal::choose_colors();
    if error.use_stderr() {
        terminal::usage(error);
        return exit_codes::BAD_ARGUMENTS;
    }
    // Help and version are data for standard output; a closed pipe there is nobody's fault.
    let print = || match error.kind() {
        ErrorKind::DisplayVersion => std::io::stdout().write_all(version::text().as_bytes()),
        _ => error.print(),
    };
    let printed = print().and_then(|()| std::io::stdout().flush());
    let lost = printed.is_err_and(|error| error.kind() != std::io::ErrorKind::BrokenPipe);
    if lost { exit_codes::FAILED } else { exit_codes::OK }
}
