//! The commands, one file each: dumb argument structs, settings resolved from them, and the calls.

mod calibrate;
mod checkpoint;
mod classify;
mod combine;
mod completions;
mod data;
mod doctor;
mod enrich;
mod evaluate;
mod explain;
mod find;
#[cfg(feature = "server")]
mod health;
mod kb;
mod man;
#[cfg(feature = "mcp")]
mod mcp;
mod model;
mod prompt;
mod review;
#[cfg(feature = "server")]
mod serve;
mod train;
mod watch;

use clap::Subcommand;

use crate::failure::Failure;
use crate::terminal::Terminal;

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Classify(classify::ClassifyArguments),
    Explain(explain::ExplainArguments),
    Review(review::ReviewArguments),
    Enrich(enrich::EnrichArguments),
    Find(find::FindArguments),
    Prompt(Box<prompt::PromptArguments>),
    /// Read, compare and build knowledge bases of CWE, CAPEC and ATT&CK
    #[command(subcommand)]
    Kb(kb::KbCommand),
    /// Fetch published records, build and look into labelled data sets of CVE records
    #[command(subcommand)]
    Data(data::DataCommand),
    /// Fit models to a data set
    #[command(subcommand)]
    Train(train::TrainCommand),
    Evaluate(evaluate::EvaluateArguments),
    Watch(Box<watch::WatchArguments>),
    /// Look into models, get, quantise and calibrate them
    #[command(subcommand)]
    Model(model::ModelCommand),
    #[cfg(feature = "server")]
    Serve(serve::ServeArguments),
    #[cfg(feature = "server")]
    Health(health::HealthArguments),
    #[cfg(feature = "mcp")]
    Mcp(mcp::McpArguments),
    Doctor(doctor::DoctorArguments),
    Completions(completions::CompletionsArguments),
    Man(man::ManArguments),
}

/// Runs a command. One line here and one in [`Command`] add another. `cli` makes the whole command line.
pub(crate) fn run(command: Command, cli: fn() -> clap::Command, terminal: &Terminal) -> Result<(), Failure> {
    match command {
        Command::Classify(arguments) => classify::run(arguments, terminal),
        Command::Explain(arguments) => explain::run(&arguments, terminal),
        Command::Review(arguments) => review::run(&arguments, terminal),
        Command::Enrich(arguments) => enrich::run(&arguments, terminal),
        Command::Find(arguments) => find::run(&arguments, terminal),
        Command::Prompt(arguments) => prompt::run(&arguments, terminal),
        Command::Kb(command) => kb::run(command, terminal),
        Command::Data(command) => data::run(command, terminal),
        Command::Train(command) => train::run(&command, terminal),
        Command::Evaluate(arguments) => evaluate::run(&arguments, terminal),
        Command::Watch(arguments) => watch::run(&arguments, terminal),
        Command::Model(command) => model::run(&command, terminal),
        #[cfg(feature = "server")]
        Command::Serve(arguments) => serve::run(&arguments, terminal),
        #[cfg(feature = "server")]
        Command::Health(arguments) => health::run(&arguments, terminal),
        #[cfg(feature = "mcp")]
        Command::Mcp(arguments) => mcp::run(&arguments, terminal),
        Command::Doctor(arguments) => doctor::run(arguments, terminal),
        Command::Completions(arguments) => completions::run(&arguments, cli()),
        Command::Man(arguments) => man::run(&arguments, cli()),
    }
}
