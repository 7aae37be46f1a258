//! `kb_show` and `kb_path`: the knowledge base.

use serde::Serialize;
use vulnlens::report::{Entry, EntryId, NoWays, Ways};

use super::common::json;
use crate::arguments::Arguments;
use crate::error::ToolError;
use crate::limits::Limits;
use crate::models::Models;

/// Entries of a call at most.
const MOST_IDS: usize = 100;

#[derive(Serialize)]
struct Shown {
    entries: Vec<Entry>,
    unknown: Vec<String>,
}

/// Entries of the catalogues.
pub(crate) fn show(models: &dyn Models, _: &Limits, mut arguments: Arguments) -> Result<String, ToolError> {
    let one: Option<String> = arguments.take("id")?;
    let several: Option<Vec<String>> = arguments.take("ids")?;
    let ids = match (one, several) {
        (Some(id), None) => vec![entry_id(&id, "id")?],
        (None, Some(ids)) if ids.is_empty() || ids.len() > MOST_IDS => {
            let message = format!("ids: {} ids are not from 1 to {MOST_IDS}", ids.len());
            return Err(ToolError::new(message).hint("send them in several calls"));
        }
        (None, Some(ids)) => {
            let numbered = ids.iter().enumerate();
            let parsed = numbered.map(|(place, id)| entry_id(id, &format!("ids[{place}]")));
            parsed.collect::<Result<Vec<EntryId>, ToolError>>()?
        }
        _ => {
            return Err(ToolError::new("the call has neither or both of id and ids").hint("give id or ids"));
        }
    };
    let kb = models.knowledge_base().map_err(ToolError::new)?;
    let mut shown = Shown { entries: vec![], unknown: vec![] };
    for id in ids {
        match Entry::of(id, &kb) {
            Some(entry) => shown.entries.push(entry),
            None => shown.unknown.push(id.to_string()),
        }
    }
    match shown.entries.is_empty() {
        true => Err(unknown(&shown.unknown.join(", "))),
        false => json(&shown),
    }
}

/// The id of an entry at a place among the arguments.
fn entry_id(text: &str, place: &str) -> Result<EntryId, ToolError> {
    text.parse().map_err(|error: vulnlens::report::ParseEntryIdError| {
        ToolError::new(error.to_string()).at(place).hint("check the id")
    })
}

/// Ids that the knowledge base does not have.
fn unknown(ids: &str) -> ToolError {
    ToolError::new(format!("the knowledge base does not know {ids}")).hint("check the id")
}

#[derive(Serialize)]
struct Reached<'a> {
    cwe: String,
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Found<'a> {
    Paths(Vec<Vec<String>>),
    Weaknesses(Vec<Reached<'a>>),
}

/// The ways of the chain.
pub(crate) fn path(models: &dyn Models, _: &Limits, mut arguments: Arguments) -> Result<String, ToolError> {
    let from = entry_id(&arguments.need::<String>("from")?, "from")?;
    let to = arguments.take::<String>("to")?.map(|to| entry_id(&to, "to")).transpose()?;
    let kb = models.knowledge_base().map_err(ToolError::new)?;
    json(&match Ways::of(from, to, &kb).map_err(no_ways)? {
        Ways::Paths(paths) => Found::Paths(paths),
        Ways::From(cwes) => Found::Weaknesses(
            cwes.iter()
                .map(|id| Reached { cwe: id.to_string(), name: kb.name_of_cwe(*id).unwrap_or_default() })
                .collect(),
        ),
    })
}

/// The reason why there are no ways, with what to do.
fn no_ways(reason: NoWays) -> ToolError {
    let hint = match reason {
        NoWays::Unknown(id) => return unknown(&id.to_string()),
        NoWays::NotEnds(..) => {
            "give a weakness as from and a technique or attack pattern as to, or one of the latter as from"
                .to_owned()
        }
        NoWays::NoneBetween(from, ..) => format!("kb_show lists all that the chain reaches from {from}"),
        NoWays::NoneTo(_) => "the catalogues link no weakness to it".to_owned(),
    };
    ToolError::new(reason.to_string()).hint(hint)
}
