//! `kb path`: the ways of the chain, forwards and backwards.

use clap::Args;
use vulnlens::report::{Entry, EntryId, Glyphs, path_text};
use vulnlens::taxonomy::ChainPath;
use vulnlens::{CapecId, CweId, KnowledgeBase};

use super::show::unknown;
use crate::failure::{Failure, Kind};
use crate::model_arguments::KnowledgeBaseArguments;
use crate::options::ViewFormat;
use crate::output::{print_json, print_text};
use crate::terminal::Terminal;

/// Show the ways from a weakness to an attack pattern or a technique, or the weaknesses that reach one
///
/// `kb path CWE-79 T1027` lists the ways, the shortest first; `kb path T1539` and `kb path CAPEC-63` the weaknesses that
/// have any. Without any, the exit code is 3.
#[derive(Debug, Args)]
pub(crate) struct PathArguments {
    /// The weakness to start from; or, alone, the technique or attack pattern to be reached
    from: EntryId,

    /// The technique or attack pattern to be reached
    to: Option<EntryId>,

    /// Format of the paths
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    format: ViewFormat,

    #[command(flatten)]
    kb: KnowledgeBaseArguments,
}

pub(crate) fn run(arguments: &PathArguments, terminal: &Terminal) -> Result<(), Failure> {
    let kb = arguments.kb.load(terminal)?;
    for id in [Some(arguments.from), arguments.to].into_iter().flatten() {
        Entry::of(id, &kb).ok_or_else(|| unknown(id))?;
    }
    let ways: Vec<Way> = match (arguments.from, arguments.to) {
        (EntryId::Cwe(from), Some(EntryId::Technique(to))) => {
            kb.paths(from, to).into_iter().map(Way::ToTechnique).collect()
        }
        (EntryId::Cwe(from), Some(EntryId::Capec(to))) => {
            kb.paths_to_capec(from, to).into_iter().map(|cwes| Way::ToPattern(cwes, to)).collect()
        }
        (EntryId::Technique(to), None) => {
            return backwards(arguments.from, &kb.cwes_reaching(to), arguments.format, &kb);
        }
        (EntryId::Capec(to), None) => {
            return backwards(arguments.from, &kb.cwes_reaching_capec(to), arguments.format, &kb);
        }
        (from, to) => return Err(not_a_way(from, to)),
    };
    match arguments.format {
        ViewFormat::Json => print_json(&ways.iter().map(Way::steps).collect::<Vec<_>>())?,
        ViewFormat::Table => {
            print_text(&ways.iter().map(|way| way.text(terminal.glyphs) + "\n").collect::<String>())?;
        }
    }
    let EntryId::Cwe(from) = arguments.from else { return Ok(()) };
    if ways.is_empty() { Err(no_way(from, arguments.to, &kb)) } else { Ok(()) }
}

/// A way of the chain, as far as it was asked for.
enum Way {
    ToTechnique(ChainPath),
    ToPattern(Vec<CweId>, CapecId),
}

impl Way {
    fn steps(&self) -> Vec<String> {
        let (cwes, rest) = match self {
            Self::ToTechnique(path) => (&path.cwe, vec![path.capec.to_string(), path.technique.to_string()]),
            Self::ToPattern(cwes, capec) => (cwes, vec![capec.to_string()]),
        };
        cwes.iter().map(CweId::to_string).chain(rest).collect()
    }

    fn text(&self, glyphs: Glyphs) -> String {
        match self {
            Self::ToTechnique(path) => path_text(path, glyphs),
            Self::ToPattern(..) => glyphs.joined(self.steps()),
        }
    }
}

/// Ids between which the chain has no ways at all.
fn not_a_way(from: EntryId, to: Option<EntryId>) -> Failure {
    let hint = match (from, to) {
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
        (EntryId::Tactic(_), _) | (_, Some(EntryId::Tactic(_))) => {
            "name a technique: `kb show` lists those of a tactic".to_owned()
        }
        _ => "such as `kb path CWE-79 T1027`, or `kb path T1539` for the weaknesses that reach it".to_owned(),
    };
    Failure::new(Kind::Arguments, "a way leads from a weakness to a technique or an attack pattern")
        .hint(hint)
}

/// Known ids without a way between them.
fn no_way(from: CweId, to: Option<EntryId>, kb: &KnowledgeBase) -> Failure {
    let to = to.map(|to| to.to_string()).unwrap_or_default();
    let hint = match kb.grouping(from) {
        Some(grouping) => format!(
            "{from} is a {}, and the chain starts from weaknesses; `kb show {from}` lists its members",
            grouping.kind
        ),
        None => format!("`kb show {from}` lists all that the chain reaches from it"),
    };
    Failure::new(Kind::Input, format!("the chain knows no way from {from} to {to}")).hint(hint)
}

/// Lists the weaknesses that reach `to`.
fn backwards(to: EntryId, reaching: &[CweId], format: ViewFormat, kb: &KnowledgeBase) -> Result<(), Failure> {
    if format == ViewFormat::Json {
        print_json(&reaching)?;
    } else {
        let name = |id: &CweId| kb.name_of_cwe(*id).unwrap_or_default();
        let line = |id: &CweId| format!("{:<9} {}\n", id.to_string(), name(id));
        print_text(&reaching.iter().map(line).collect::<String>())?;
    }
    if reaching.is_empty() {
        let hint = match to {
            EntryId::Capec(_) => "CWE relates no weakness to this attack pattern",
            _ => "CAPEC links no attack pattern of a weakness to this technique",
        };
        let message = format!("the chain knows no way to {to} from any weakness");
        return Err(Failure::new(Kind::Input, message).hint(hint));
    }
    Ok(())
}
