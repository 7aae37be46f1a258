//! `kb path`: the ways of the chain, forwards and backwards.

use clap::Args;
use vulnlens::CweId;
use vulnlens::report::{EntryId, NoWays, Ways};

use super::show::unknown;
use crate::failure::{Failure, Kind};
use crate::model_arguments::KnowledgeBaseArguments;
use crate::options::ViewFormat;
use crate::output::{print_json, print_text};
use crate::terminal::Terminal;

/// Show the ways from a weakness to an attack pattern or a technique, or the weaknesses that reach one
///
/// `kb path CWE-79 T1027` lists the ways, the shortest first; `kb path T1539` and `kb path CAPEC-63` the weaknesses that
/// have any. A technique of ATLAS is reached by the technique of ATT&CK that it corresponds to, a countermeasure of D3FEND
/// by artifacts. Without any, the exit code is 3.
#[derive(Debug, Args)]
pub(crate) struct PathArguments {
    /// The weakness to start from; or, alone, the technique, attack pattern or countermeasure to be reached
    from: EntryId,

    /// The technique, attack pattern or countermeasure to be reached
    to: Option<EntryId>,

    /// Format of the paths
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    format: ViewFormat,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
}

pub(crate) fn run(arguments: &PathArguments, terminal: &Terminal) -> Result<(), Failure> {
    let kb = arguments.kb.load(terminal)?;
    let is_json = arguments.format == ViewFormat::Json;
    let found = Ways::of(arguments.from, arguments.to, &kb);
    match &found {
        Ok(Ways::Paths(paths)) if is_json => print_json(paths)?,
        Ok(Ways::Paths(paths)) => {
            print_text(
                &paths.iter().map(|path| terminal.glyphs.joined(path.clone()) + "\n").collect::<String>(),
            )?;
        }
        Ok(Ways::From(cwes)) if is_json => print_json(cwes)?,
        Ok(Ways::From(cwes)) => {
            let name = |id: &CweId| kb.name_of_cwe(*id).unwrap_or_default();
            let line = |id: &CweId| format!("{:<9} {}\n", id.to_string(), name(id));
            print_text(&cwes.iter().map(line).collect::<String>())?;
        }
        // Programs get a list in any case.
        Err(NoWays::NoneBetween(..) | NoWays::NoneTo(_)) if is_json => print_json(&[(); 0])?,
        Err(_) => {}
    }
    found.map(drop).map_err(no_ways)
}

/// The reason why there are no ways, with what to do.
fn no_ways(reason: NoWays) -> Failure {
    let hint = match reason {
        NoWays::Unknown(id) => return unknown(id),
        NoWays::NotEnds(from, to) => {
            return Failure::new(Kind::Arguments, reason.to_string()).hint(not_ends(from, to));
        }
        NoWays::NoneBetween(from, _, Some(kind)) => {
            format!(
                "{from} is a {kind}, and the chain starts from weaknesses; `kb show {from}` lists its members"
            )
        }
        NoWays::NoneBetween(from, ..) => format!("`kb show {from}` lists all that the chain reaches from it"),
        NoWays::NoneTo(EntryId::Capec(_)) => "CWE relates no weakness to this attack pattern".to_owned(),
        NoWays::NoneTo(EntryId::AtlasTechnique(id)) => {
            format!("`kb show {id}` says which technique of ATT&CK it corresponds to, if any")
        }
        NoWays::NoneTo(EntryId::Countermeasure(_)) => {
            "D3FEND relates no weakness to an artifact of this countermeasure".to_owned()
        }
        NoWays::NoneTo(_) => "CAPEC links no attack pattern of a weakness to this technique".to_owned(),
    };
    Failure::new(Kind::Input, reason.to_string()).hint(hint)
}

/// The way to ask, in place of ids between which the chain has no ways at all.
fn not_ends(from: EntryId, to: Option<EntryId>) -> String {
    match (from, to) {
        (EntryId::Cwe(_), None) => {
            format!(
                "name the end, such as `kb path {from} T1027`; `kb show {from}` lists all that it reaches"
            )
        }
        (EntryId::Technique(_) | EntryId::Capec(_), Some(to @ EntryId::Cwe(_))) => {
            format!("give the weakness first: `kb path {to} {from}`")
        }
        (EntryId::Capec(_), Some(EntryId::Technique(_))) => {
            format!("`kb show {from}` lists the techniques of an attack pattern")
        }
        (EntryId::Tactic(_) | EntryId::AtlasTactic(_) | EntryId::AtlasMitigation(_), _)
        | (_, Some(EntryId::Tactic(_) | EntryId::AtlasTactic(_) | EntryId::AtlasMitigation(_))) => {
            "name a technique: `kb show` lists those of a tactic".to_owned()
        }
        _ => "such as `kb path CWE-79 T1027`, or `kb path T1539` for the weaknesses that reach it".to_owned(),
    }
}
