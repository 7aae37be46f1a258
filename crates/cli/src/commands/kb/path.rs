//! `kb path`: the ways of the chain, forwards and backwards.

use clap::Args;
use vulnlens::report::{EntryId, Glyphs, path_text};
use vulnlens::taxonomy::ChainPath;
use vulnlens::{CapecId, CweId, KnowledgeBase, TechniqueId};

use super::show::unknown;
use crate::failure::{Failure, Kind};
use crate::model_arguments::KnowledgeBaseArguments;
use crate::options::ViewFormat;
use crate::output::{print_json, print_text};
use crate::terminal::Terminal;

/// Show the ways from a weakness to an attack pattern or a technique, or the weaknesses that reach a technique
///
/// `kb path CWE-79 T1027` lists the ways, the shortest first; `kb path T1539` the weaknesses that have any.
#[derive(Debug, Args)]
pub(crate) struct PathArguments {
    /// The weakness to start from; or, alone, the technique to be reached
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
    let ways = match (arguments.from, arguments.to) {
        (EntryId::Cwe(from), Some(EntryId::Technique(to))) => to_technique(from, to, &kb)?,
        (EntryId::Cwe(from), Some(EntryId::Capec(to))) => to_pattern(from, to, &kb)?,
        (EntryId::Technique(to), None) => return backwards(to, arguments.format, &kb),
        _ => {
            let message = "a way leads from a weakness to a technique or an attack pattern";
            let hint = "such as `kb path CWE-79 T1027`, or `kb path T1539` for the weaknesses that reach it";
            return Err(Failure::new(Kind::Arguments, message).hint(hint));
        }
    };
    if ways.is_empty() {
        terminal.note("the chain knows no way from the one to the other");
    }
    match arguments.format {
        ViewFormat::Json => print_json(&ways.iter().map(|way| way.steps()).collect::<Vec<_>>()),
        ViewFormat::Table => {
            print_text(&ways.iter().map(|way| way.text(terminal.glyphs) + "\n").collect::<String>())
        }
    }
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

fn to_technique(from: CweId, to: TechniqueId, kb: &KnowledgeBase) -> Result<Vec<Way>, Failure> {
    kb.name_of_cwe(from).ok_or_else(|| unknown(&from.to_string()))?;
    kb.technique(to).ok_or_else(|| unknown(&to.to_string()))?;
    Ok(kb.paths(from, to).into_iter().map(Way::ToTechnique).collect())
}

fn to_pattern(from: CweId, to: CapecId, kb: &KnowledgeBase) -> Result<Vec<Way>, Failure> {
    kb.name_of_cwe(from).ok_or_else(|| unknown(&from.to_string()))?;
    kb.pattern(to).ok_or_else(|| unknown(&to.to_string()))?;
    Ok(kb.paths_to_capec(from, to).into_iter().map(|cwes| Way::ToPattern(cwes, to)).collect())
}

fn backwards(to: TechniqueId, format: ViewFormat, kb: &KnowledgeBase) -> Result<(), Failure> {
    kb.technique(to).ok_or_else(|| unknown(&to.to_string()))?;
    let reaching = kb.cwes_reaching(to);
    if format == ViewFormat::Json {
        return print_json(&reaching);
    }
    let line = |id: &CweId| format!("{:<9} {}\n", id.to_string(), kb.name_of_cwe(*id).unwrap_or_default());
    print_text(&reaching.iter().map(line).collect::<String>())
}
