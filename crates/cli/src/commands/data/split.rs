//! `data split`: the same rows, divided anew.

use std::path::PathBuf;

use clap::Args;
use vulnlens_corpus::resplit;

use super::SplitArguments;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Divide a data set anew: another seed, other shares, other years
///
/// Rows with the same text, case and white space aside, always stay together.
#[derive(Debug, Args)]
pub(crate) struct SplitCommandArguments {
    /// A data set that `data build` made
    input: PathBuf,

    /// The file of the new data set; may be the same file
    out: PathBuf,

    #[command(flatten)]
    splits: SplitArguments,
}

pub(crate) fn run(arguments: &SplitCommandArguments, terminal: &Terminal) -> Result<(), Failure> {
    let splits = arguments.splits.resolve()?;
    let rows = resplit(&arguments.input, &arguments.out, &splits)?;
    terminal.note(&format!("{}: {rows} rows", arguments.out.display()));
    Ok(())
}
