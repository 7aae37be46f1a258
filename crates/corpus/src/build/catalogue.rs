//! Texts of the catalogue of weaknesses, each labelled with its weakness.

use std::collections::HashSet;
use std::path::Path;

use vulnlens_files::each_entry;
use vulnlens_taxonomy::cwe::{AlternateTerm, WeaknessProse};
use vulnlens_taxonomy::{CveId, Usage};

use super::options::BuildOptions;
use super::spill::SpillWriter;
use super::tally::Tally;
use super::texts::OtherText;
use crate::dataset::writer::unwritable;
use crate::error::{CorpusError, RecordError};
use crate::groups::{GroupId, fold};
use crate::place::Place;
use crate::problem::Problem;
use crate::text_kind::TextKind;

/// The style of the catalogue's texts.
const STYLE: &str = "cwe";

/// The texts of the archive at `path`, by rising weakness, with their counts.
pub(super) fn read(
    path: &Path,
    texts: &mut SpillWriter,
    out: &Path,
    options: &BuildOptions,
) -> Result<(Vec<OtherText>, Tally), CorpusError> {
    let mut tally = Tally::of(path);
    let file = path.display().to_string();
    let mut weaknesses = Vec::new();
    let is_json = |name: &str| name.to_ascii_lowercase().ends_with(".json");
    let all =
        each_entry(path, options.limits.unpacking(), is_json, |name, bytes| {
            match WeaknessProse::parse(bytes, name) {
                Ok(weakness) => weaknesses.extend(weakness),
                Err(error) => {
                    let (place, problem) = (Place::Whole, Problem::Unreadable(error.to_string()));
                    let error = RecordError { file: file.as_str().into(), place, id: None, problem };
                    tally.add_error(&error, options.bad_records_shown);
                }
            }
        });
    all.map_err(|source| CorpusError::Open { file: file.clone(), source })?;
    if weaknesses.is_empty() {
        let problem =
            "holds no weakness as CWE's REST API answers it; give an archive of its documents (W/79.json, …)";
        return Err(CorpusError::Format { file, problem: problem.to_owned() });
    }
    weaknesses.sort_by_key(|weakness| weakness.id);
    let mut rows = Vec::new();
    for weakness in weaknesses.iter().filter(|weakness| weakness.usage != Usage::Prohibited) {
        for (text, cve) in texts_of(weakness) {
            tally.add_text();
            let group = GroupId::of(&text, options.splits.seed);
            rows.push(OtherText {
                name: weakness.id.to_string(),
                kind: TextKind::Catalogue,
                style: Some(STYLE.to_owned()),
                cve,
                aliases: Vec::new(),
                published: None,
                cwes: vec![weakness.id],
                span: texts.push(&text, group).map_err(|source| unwritable(out, source))?,
            });
        }
    }
    Ok((rows, tally))
}

/// The texts about a weakness, each once, with the CVE that one is about.
fn texts_of(weakness: &WeaknessProse) -> Vec<(String, Option<CveId>)> {
    let name = &weakness.name;
    let term = |of: &AlternateTerm| {
        let AlternateTerm { term, description } = of;
        format!("{term}: {}", description.as_ref().unwrap_or(name))
    };
    let prose = std::iter::once(format!("{name}: {}", weakness.description))
        .chain(weakness.alternate_terms.iter().map(term))
        .chain(weakness.extended_description.clone())
        .chain(weakness.consequence_notes.iter().cloned())
        .map(|text| (text, None));
    let examples = weakness.observed_examples.iter();
    let examples = examples.map(|of| (of.description.clone(), of.reference.parse().ok()));
    let mut seen = HashSet::new();
    prose.chain(examples).filter(|(text, cve)| seen.insert((fold(text), *cve))).collect()
}
