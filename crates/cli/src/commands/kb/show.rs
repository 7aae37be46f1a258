//! `kb show`: one entry.

use clap::Args;
use vulnlens::report::{Entry, EntryId};

use crate::failure::{Failure, Kind};
use crate::model_arguments::KnowledgeBaseArguments;
use crate::options::ViewFormat;
use crate::output::{print_json, print_text};
use crate::terminal::Terminal;

/// Show a weakness, an attack pattern, a technique or a tactic
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// CWE-79, CAPEC-63, T1027, T1562.003, TA0005 …
    id: EntryId,

    /// Format of the output
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    format: ViewFormat,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
}

pub(crate) fn run(arguments: &ShowArguments, terminal: &Terminal) -> Result<(), Failure> {
    let kb = arguments.kb.load(terminal)?;
    let entry = Entry::of(arguments.id, &kb).ok_or_else(|| unknown(&arguments.id.to_string()))?;
    match arguments.format {
        ViewFormat::Table => print_text(&entry.text(terminal.width, terminal.glyphs)),
        ViewFormat::Json => print_json(&entry),
    }
}

/// An id that the knowledge base does not know.
pub(super) fn unknown(id: &str) -> Failure {
    Failure::new(Kind::Input, format!("the knowledge base does not know {id}"))
        .hint("check the id; `vulnlens kb info` says which releases the knowledge base is of")
}
