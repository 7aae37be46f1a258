//! `data`: what is published, and labelled data sets of CVE records.

mod build;
mod fetch;
mod split;
mod stats;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use vulnlens_corpus::SplitOptions;

use crate::failure::{Failure, Kind};
use crate::packing::ending;
use crate::terminal::Terminal;

/// The commands on data sets.
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    Fetch(fetch::FetchArguments),
    Build(Box<build::BuildArguments>),
    Stats(stats::StatsArguments),
    Split(split::SplitCommandArguments),
}

pub(crate) fn run(command: DataCommand, terminal: &Terminal) -> Result<(), Failure> {
    match command {
        DataCommand::Fetch(arguments) => fetch::run(&arguments, terminal),
        DataCommand::Build(arguments) => build::run(&arguments, terminal),
        DataCommand::Stats(arguments) => stats::run(&arguments),
        DataCommand::Split(arguments) => split::run(&arguments, terminal),
    }
}

/// The division of records. The defaults are the division that published figures are measured on.
#[derive(Debug, Args)]
#[command(next_help_heading = "Splits")]
struct SplitArguments {
    /// Seed of the random split
    #[arg(long, value_name = "N", default_value_t = SplitOptions::default().seed)]
    seed: u64,

    /// Share of the texts that the random split trains on
    #[arg(long, value_name = "SHARE", default_value_t = SplitOptions::default().train, value_parser = share)]
    train: f64,

    /// Share of the texts that the random split validates on; the rest is its test
    #[arg(long, value_name = "SHARE", default_value_t = SplitOptions::default().validation, value_parser = share)]
    validation: f64,

    /// Last CVE year that the temporal split trains on
    #[arg(long, value_name = "YEAR", default_value_t = SplitOptions::default().train_until)]
    train_until: u16,

    /// Last CVE year that the temporal split validates on; later years are its test
    #[arg(long, value_name = "YEAR", default_value_t = SplitOptions::default().validation_until)]
    validation_until: u16,
}

/// Parses the path of a data set to write: one whose name promises another format is refused.
fn new_data_set(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match ending(&path).as_deref() {
        None | Some("parquet") => Ok(path),
        Some(ending) => {
            Err(format!("a data set is a Parquet file, and the name ends in .{ending}; end it in .parquet"))
        }
    }
}

fn share(text: &str) -> Result<f64, &'static str> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or("expected a number from 0 to 1")
}

impl SplitArguments {
    fn resolve(&self) -> Result<SplitOptions, Failure> {
        if self.train + self.validation > 1.0 {
            let message =
                format!("the shares {} and {} are more than the whole", self.train, self.validation);
            return Err(Failure::new(Kind::Arguments, message));
        }
        if self.train_until > self.validation_until {
            let (train, validation) = (self.train_until, self.validation_until);
            let message = format!("training until {train} leaves no year to validate on until {validation}");
            return Err(Failure::new(Kind::Arguments, message));
        }
        Ok(SplitOptions {
            seed: self.seed,
            train: self.train,
            validation: self.validation,
            train_until: self.train_until,
            validation_until: self.validation_until,
        })
    }
}
