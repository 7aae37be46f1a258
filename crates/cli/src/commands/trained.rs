//! `model info` for what was trained here: what `taxonomy.json` says, in a folder or in a package.

use std::sync::Arc;

use serde::Serialize;
use vulnlens::encoder::{Config, Encoder, Package};
use vulnlens::model::CweSets;
use vulnlens::model::labels::TaxonomyFile;
use vulnlens::{CombinationFile, Network, Open, OpenedEncoder};
use vulnlens_evaluation::{CardFile, EncoderFacts, Evaluation};

use super::checkpoint::megabytes;
use crate::failure::{Failure, Kind};
use crate::options::ViewFormat;
use crate::output::{print_json, print_text};

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

/// The facts of a package.
struct Opened {
    about: TaxonomyFile,
    combination: Option<CombinationFile>,
    config: Config,
    max_tokens: usize,
    /// The network that answers.
    network: Arc<dyn Network>,
    sets: CweSets,
}

impl Opened {
    fn new(package: &Package) -> Result<Self, Failure> {
        let opened = OpenedEncoder::of_package(package, &Open::new())?;
        let encoder = opened.encoder();
        let (about, config) =
            (encoder.about().cloned(), encoder.parts().next().map(Encoder::config).cloned());
        let (combination, max_tokens) = (opened.combination().cloned(), encoder.max_tokens());
        let network = opened.into_network()?;
        let sets = network.outputs().cwe_sets().cloned();
        match (about, config, sets) {
            (Some(about), Some(config), Some(sets)) => {
                Ok(Self { about, combination, config, max_tokens, network, sets })
            }
            _ => {
                let problem = format!("{}: is not an encoder of CWE sets", package.place().display());
                Err(Failure::new(Kind::Unavailable, problem))
            }
        }
    }

    /// The origin of the decision rules.
    fn decisions_from(&self) -> &str {
        self.combination.as_ref().map_or(&self.about.decisions_from, |together| &together.decisions_from)
    }
}

/// Prints the card of a package.
pub(super) fn card(package: &Package, evaluation: Option<&Evaluation>) -> Result<(), Failure> {
    let opened = Opened::new(package)?;
    let answers_with = opened.combination.as_ref().map(answers_with);
    let facts = EncoderFacts {
        revision: opened.network.revision(),
        bytes: package.len(),
        architecture: opened.config.architecture.model_type(),
        layers: opened.config.layers,
        hidden: opened.config.hidden,
        vocabulary: opened.config.vocabulary,
        max_tokens: opened.max_tokens,
        sets: opened.sets.sets.len(),
        answers_with: answers_with.as_deref(),
        temperature: opened.sets.temperature,
        decisions: &opened.sets.rules,
        decisions_from: opened.decisions_from(),
    };
    print_text(&vulnlens_evaluation::card(&CardFile::encoder(&opened.about, facts), evaluation))
}

fn answers_with(combination: &CombinationFile) -> String {
    let CombinationFile { with, with_revision, .. } = combination;
    format!("{with} {with_revision}: {}", combination.way.described("own", with))
}

/// Shows what a package is.
pub(super) fn info(package: &Package, format: ViewFormat) -> Result<(), Failure> {
    let opened = Opened::new(package)?;
    let config = &opened.config;
    let info = Info {
        revision: opened.network.revision(),
        kind: "encoder",
        bytes: package.len(),
        layers: config.layers,
        hidden: config.hidden,
        vocabulary: config.vocabulary,
        cwe_sets: opened.sets.sets.len(),
        max_tokens: opened.max_tokens,
        combination: opened.combination.as_ref(),
        about: &opened.about,
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
        ("name", opened.network.name().to_owned()),
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
