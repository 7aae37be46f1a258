//! The binary `vulnlens`.

use std::process::ExitCode;

fn main() -> ExitCode {
    vulnlens_cli::run(std::env::args_os()).into()
}
