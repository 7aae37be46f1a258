//! `data split`: the same rows, divided anew.

use std::path::PathBuf;

use clap::Args;
use vulnlens_corpus::resplit;

use super::{SplitArguments, new_data_set};
use crate::failure::{Failure, Kind};
use crate::terminal::Terminal;

/// Divide a data set anew: another seed, other shares, other years
///
/// Rows with the same text, case and white space aside, and rows that are about one CVE or name it, always stay together.
#[derive(Debug, Args)]
pub(crate) struct SplitCommandArguments {
    /// A data set that `data build` made
    input: PathBuf,

    /// The file of the new data set; may be the same file
    #[arg(short, long, value_name = "FILE", value_parser = new_data_set)]
    out: Option<PathBuf>,

    /// Former place of --out
    #[arg(hide = true, value_name = "FILE", value_parser = new_data_set, conflicts_with = "out")]
    second: Option<PathBuf>,

    #[command(flatten)]
    splits: SplitArguments,
}

pub(crate) fn run(arguments: &SplitCommandArguments, terminal: &Terminal) -> Result<(), Failure> {
    let splits = arguments.splits.resolve()?;
    let Some(out) = arguments.out.as_ref().or(arguments.second.as_ref()) else {
        return Err(Failure::new(Kind::Arguments, "no output is named").hint("add --out FILE"));
    };
    let rows = resplit(&arguments.input, out, &splits)?;
    terminal.note(&format!("{}: {rows} rows", out.display()));
    Ok(())
}
