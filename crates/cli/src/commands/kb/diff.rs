//! `kb diff`: what changed from one knowledge base to another.

use std::path::PathBuf;

use clap::Args;
use vulnlens::report::Changes;
use vulnlens::taxonomy::diff;

use crate::failure::Failure;
use crate::model_arguments::knowledge_base;
use crate::options::ViewFormat;
use crate::output::{print_json, print_text};
use crate::terminal::Terminal;

/// Show what changed from one knowledge base to another
#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// The knowledge base before: a file that `kb build` made, or a folder of MITRE's files
    old: PathBuf,

    /// The knowledge base after, likewise
    new: PathBuf,

    /// Format of the changes
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    format: ViewFormat,
}

pub(crate) fn run(arguments: &DiffArguments, terminal: &Terminal) -> Result<(), Failure> {
    let old = knowledge_base(&arguments.old, None, terminal)?;
    let new = knowledge_base(&arguments.new, None, terminal)?;
    let changes = Changes::new(&diff(&old, &new), &old, &new);
    match arguments.format {
        ViewFormat::Table => print_text(&changes.text()),
        ViewFormat::Json => print_json(&changes),
    }
}
