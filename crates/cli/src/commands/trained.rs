//! `model info` for what was trained here: what `taxonomy.json` says, in a folder or in a package.

use std::path::Path;

use serde::Serialize;
use vulnlens::encoder::{LoadOptions, Package};
use vulnlens::model::checkpoint::TaxonomyFile;
use vulnlens::{CombinationFile, EncoderSets, Lens, SetModel, embedded_knowledge_base, sets_of_package};
use vulnlens_evaluation::{CardFile, EncoderFacts, Evaluation};

use super::checkpoint::megabytes;
use crate::failure::{Failure, Kind};
use crate::options::ViewFormat;
use crate::output::{print_json, print_text};

/// The file beside a checkpoint's that says what was trained.
const FILE: &str = "taxonomy.json";

#[derive(Serialize)]
struct Info<'a> {
    revision: &'a str,
    kind: &'static str,
    bytes: usize,
    layers: usize,
    hidden: usize,
    vocabulary: usize,
    cwe_sets: usize,
    max_tokens: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    combination: Option<&'a CombinationFile>,
    #[serde(flatten)]
    about: &'a TaxonomyFile,
}

/// Prints the card of a package.
pub(super) fn card(package: &Package, evaluation: Option<&Evaluation>) -> Result<(), Failure> {
    let lens = opened(package)?;
    let (model, config) = (lens.model(), lens.model().encoder().config());
    let answers_with = model.combination().map(answers_with);
    let facts = EncoderFacts {
        revision: model.revision(),
        bytes: package.len(),
        architecture: config.architecture.model_type(),
        layers: config.layers,
        hidden: config.hidden,
        vocabulary: config.vocabulary,
        max_tokens: model.encoder().max_tokens(),
        sets: model.sets().len(),
        answers_with: answers_with.as_deref(),
        temperature: model.temperature(),
        decisions: model.decisions(),
        decisions_from: decisions_from(model),
    };
    print_text(&vulnlens_evaluation::card(&CardFile::encoder(model.about(), facts), evaluation))
}

fn opened(package: &Package) -> Result<Lens<EncoderSets>, Failure> {
    sets_of_package(package, &LoadOptions::default(), embedded_knowledge_base())
        .map_err(|error| Failure::new(Kind::Unavailable, error.to_string()))
}

/// Where an encoder's decision rules come from.
fn decisions_from(model: &EncoderSets) -> &str {
    model.combination().map_or(&model.about().decisions_from, |combination| &combination.decisions_from)
}

fn answers_with(combination: &CombinationFile) -> String {
    let CombinationFile { with, with_revision, .. } = combination;
    format!("{with} {with_revision}: {}", combination.way.described("own", with))
}

/// Shows what a package is.
pub(super) fn info(package: &Package, format: ViewFormat) -> Result<(), Failure> {
    let lens = opened(package)?;
    let (model, encoder) = (lens.model(), lens.model().encoder());
    let config = encoder.config();
    let info = Info {
        revision: model.revision(),
        kind: "encoder",
        bytes: package.len(),
        layers: config.layers,
        hidden: config.hidden,
        vocabulary: config.vocabulary,
        cwe_sets: model.sets().len(),
        max_tokens: encoder.max_tokens(),
        combination: model.combination(),
        about: model.about(),
    };
    if format == ViewFormat::Json {
        return print_json(&info);
    }
    let network = format!(
        "{}, {} layers of {}, {} tokens",
        config.architecture.model_type(),
        config.layers,
        config.hidden,
        config.vocabulary
    );
    let mut rows = vec![
        ("name", model.name().to_owned()),
        ("revision", info.revision.to_owned()),
        ("kind", info.kind.to_owned()),
        ("size", megabytes(info.bytes as u64)),
        ("network", network),
        ("reads", format!("{} tokens of a text", info.max_tokens)),
        ("CWE sets", info.cwe_sets.to_string()),
    ];
    rows.extend(self::rows(info.about));
    if let Some(combination) = info.combination {
        rows.push(("answers with", answers_with(combination)));
        rows.push(("both by", combination.decisions_from.clone()));
    }
    print_text(&rows.iter().map(|(name, value)| format!("{name:<13} {value}\n")).collect::<String>())
}

/// What was trained, in rows of a table.
pub(super) fn rows(about: &TaxonomyFile) -> Vec<(&'static str, String)> {
    let (taxonomies, from) = (&about.taxonomies, &about.provenance);
    let mut rows = vec![
        ("learnt", about.labels.clone()),
        (
            "taxonomies",
            format!("CWE {}, CAPEC {}, ATT&CK {}", taxonomies.cwe, taxonomies.capec, taxonomies.attack),
        ),
        ("began with", from.start.clone()),
        ("trained on", format!("{} texts, {} of {}", from.texts, from.split, from.data)),
        ("data sha256", from.data_sha256.clone()),
        ("seed", from.seed.to_string()),
        ("thresholds", about.decisions_from.clone()),
        ("tool", format!("vulnlens {}", from.tool_version)),
    ];
    if let Some(newest) = about.newest_year.filter(|_| about.year_first) {
        rows.insert(1, ("text", format!("behind its year, the newest being {newest}")));
    }
    rows
}

/// What the folder of a checkpoint, or of the file at `path`, says of its training; `None` if it was not trained here.
pub(super) fn about(path: &Path) -> Result<Option<TaxonomyFile>, Failure> {
    let file = if path.is_dir() { path.join(FILE) } else { path.with_file_name(FILE) };
    let failed = |problem: String| Failure::new(Kind::Unavailable, format!("{}: {problem}", file.display()));
    match std::fs::read(&file) {
        Ok(json) => TaxonomyFile::read(&json).map(Some).map_err(|error| failed(error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unavailable_file(&file, &error)),
    }
}

fn unavailable_file(file: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Kind::Unavailable, format!("{}: cannot be read: {error}", file.display()))
}
