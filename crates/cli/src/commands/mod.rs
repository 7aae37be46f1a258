//! The commands, one file each: dumb argument structs, settings resolved from them, and the calls.

pub(crate) mod checkpoint;
pub(crate) mod classify;
mod combine;
pub(crate) mod completions;
pub(crate) mod data;
pub(crate) mod doctor;
pub(crate) mod evaluate;
pub(crate) mod explain;
pub(crate) mod kb;
pub(crate) mod model;
pub(crate) mod train;
mod trained;

use crate::arguments::Command;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Runs a command. One line here and one in [`Command`] add another.
pub(crate) fn run(command: Command, terminal: &Terminal) -> Result<(), Failure> {
    match command {
        Command::Classify(arguments) => classify::run(arguments, terminal),
        Command::Explain(arguments) => explain::run(&arguments, terminal),
        Command::Kb(command) => kb::run(command, terminal),
        Command::Data(command) => data::run(command, terminal),
        Command::Train(command) => train::run(&command, terminal),
        Command::Evaluate(arguments) => evaluate::run(&arguments, terminal),
        Command::Model(command) => model::run(&command, terminal),
        Command::Doctor(arguments) => doctor::run(arguments, terminal),
        Command::Completions(arguments) => completions::run(arguments),
    }
}
