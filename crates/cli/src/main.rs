//! The `vulnlens` command: arguments to settings, calls into the libraries, exit code.
//!
//! Standard output is data, standard error is talk. Each command has its file in `commands`; the exit codes stand in
//! `exit_codes`, what they are given for in `failure`.

mod arguments;
mod catalogues;
mod commands;
mod exit_codes;
mod failure;
mod lens;
mod output;
mod record_format;
#[cfg(test)]
mod reference;
mod stream;
mod terminal;
mod training_data;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::Cli;
use failure::Kind;
use terminal::Terminal;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are data for standard output; a closed pipe there is nobody's fault.
            let _ = error.print();
            return if error.use_stderr() { exit_codes::BAD_ARGUMENTS } else { exit_codes::OK }.into();
        }
    };
    let terminal = Terminal::new(&cli.global);
    match commands::run(cli.command, &terminal) {
        Ok(()) => exit_codes::OK.into(),
        Err(failure) => {
            if failure.kind != Kind::OutputClosed {
                terminal::failure(&failure);
            }
            failure.kind.exit_code().into()
        }
    }
}
