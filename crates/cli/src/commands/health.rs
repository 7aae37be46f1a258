//! `health`: whether a server answers, for supervisors of containers and services.

use std::time::Duration;

use clap::Args;

use crate::failure::{Failure, Kind};
use crate::terminal::Terminal;

/// Ask a running server whether it answers
///
/// The exit code is 0 where it does, and another where it does not; nothing is printed to standard output. Health checks of
/// containers call it, as their images have neither a shell nor curl.
#[derive(Debug, Args)]
pub(crate) struct HealthArguments {
    /// The address of the server
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: String,

    /// Seconds until it counts as not answering
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=300))]
    timeout: u64,
}

pub(crate) fn run(arguments: &HealthArguments, terminal: &Terminal) -> Result<(), Failure> {
    let address = format!("{}/health", arguments.url.trim_end_matches('/'));
    // A proxy of the environment is for other machines.
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(arguments.timeout)))
        .proxy(None)
        .build();
    let answered = ureq::Agent::new_with_config(config).get(&address).call();
    answered.map_err(|error| Failure::new(Kind::Unavailable, format!("{address}: {error}")))?;
    terminal.note(&format!("{address} answers"));
    Ok(())
}
