//! The `vulnlens` command: arguments to settings, calls into the libraries, exit code.
//!
//! Standard output is data, standard error is talk. Each command has its file in `commands`; the exit codes stand in
//! `exit_codes`, what they are given for in `failure`. [`run`] is the whole command: the binary calls it, and so does
//! the package for Python, whose process has other arguments than the command.

mod addition_arguments;
mod arguments;
mod attack_arguments;
mod checkpoint_arguments;
mod choice;
mod commands;
mod data_set;
mod exit_codes;
mod failure;
mod fetching;
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

use std::ffi::OsString;
use std::io::Write as _;

use arguments::Cli;
use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};
use failure::Kind;
use terminal::Terminal;

/// Runs the command by its arguments, the first of which is the program's name; returns the exit code.
///
/// Reads standard input, the environment and files, writes to standard output and standard error, and takes over
/// signals: it is meant for a process of its own.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let code = match Cli::try_parse_from(&arguments) {
        Ok(cli) => run_parsed(cli),
        Err(error) => not_parsed(&error, &arguments),
    };
    // Only a process that Rust began flushes at its end. What cannot be written has nobody to read it.
    let _ = std::io::stdout().flush();
    code
}

/// Runs the command that was asked for; returns the exit code.
fn run_parsed(cli: Cli) -> u8 {
    signals::watch();
    let terminal = Terminal::new(&cli.global);
    match commands::run(cli.command, Cli::command, &terminal) {
        Ok(()) => exit_codes::OK,
        Err(failure) => {
            if failure.kind != Kind::OutputClosed {
                terminal::failure(&failure);
            }
            failure.kind.exit_code()
        }
    }
}

/// Prints help, or what is wrong with the arguments; gives the exit code.
fn not_parsed(error: &clap::Error, arguments: &[OsString]) -> u8 {
    terminal::choose_colors(arguments);
    if error.use_stderr() {
        terminal::usage(error, arguments);
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
