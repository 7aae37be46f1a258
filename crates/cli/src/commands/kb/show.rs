//! `kb show`: entries.

use clap::Args;
use vulnlens::report::{Entry, EntryId};

use crate::failure::{Failure, Kind};
use crate::model_arguments::KnowledgeBaseArguments;
use crate::options::ViewFormat;
use crate::output::{print_json, print_text};
use crate::terminal::{self, Terminal};

/// Show weaknesses, categories, views, attack patterns, techniques, tactics, mitigations or countermeasures
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// CWE-79 (or 79), CAPEC-63, T1027, T1562.003, TA0005, AML.T0051, AML.TA0002, AML.M0001, D3-FA …
    #[arg(required = true, value_name = "ID")]
    ids: Vec<EntryId>,

    /// Format of the output; JSON is a list if there are several ids
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    format: ViewFormat,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
}

pub(crate) fn run(arguments: &ShowArguments, terminal: &Terminal) -> Result<(), Failure> {
    let kb = arguments.kb.load(terminal)?;
    let ids = &arguments.ids;
    let found: Vec<(EntryId, Option<Entry>)> = ids.iter().map(|&id| (id, Entry::of(id, &kb))).collect();
    let entries: Vec<&Entry> = found.iter().filter_map(|(_, entry)| entry.as_ref()).collect();
    let mut unknown = found.iter().filter(|(_, entry)| entry.is_none()).map(|(id, _)| unknown(*id));
    match (arguments.format, entries.as_slice()) {
        (_, []) => {}
        (ViewFormat::Table, _) => {
            let texts = entries.iter().map(|entry| entry.text(terminal.width, terminal.glyphs));
            print_text(&texts.collect::<Vec<_>>().join("\n"))?;
        }
        (ViewFormat::Json, [entry]) if ids.len() == 1 => print_json(entry)?,
        (ViewFormat::Json, _) => print_json(&entries)?,
    }
    let Some(last) = unknown.next_back() else { return Ok(()) };
    unknown.for_each(|failure| terminal::error(&failure.message));
    let kind = if entries.is_empty() { last.kind } else { Kind::SomeRecords };
    Err(Failure { kind, ..last })
}

/// An id that the knowledge base does not know.
pub(super) fn unknown(id: EntryId) -> Failure {
    Failure::new(Kind::Input, format!("the knowledge base does not know {id}"))
        .hint("check the id; `vulnlens kb info` says which releases the knowledge base is of")
}
