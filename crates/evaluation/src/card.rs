//! The model card, rendered from a model's header and an evaluation file: never typed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use vulnlens_model::decode::SpaceKind;
use vulnlens_model::labels::TaxonomyFile;
use vulnlens_model::{DecisionRule, ModelHeader, TaxonomyVersions};

use crate::file::Evaluation;
use crate::tables::{Detail, tables, task_title};

/// What the card is told of a model of CWE sets.
#[derive(Debug, Clone)]
pub struct CardFile<'a> {
    name: &'a str,
    split: &'a str,
    decisions: &'a BTreeMap<SpaceKind, DecisionRule>,
    decisions_from: &'a str,
    newest_year: Option<u16>,
    /// Its facts, in the order of the card.
    rows: Vec<(&'static str, String)>,
    settings: Vec<String>,
}

/// The size of an encoder.
#[derive(Debug, Clone, Copy)]
pub struct EncoderFacts<'a> {
    /// Twelve digits of its numbers' checksum.
    pub revision: &'a str,
    /// Bytes of its file, or of its folder's weights.
    pub bytes: usize,
    /// The architecture, as `config.json` has it.
    pub architecture: &'a str,
    /// Layers.
    pub layers: usize,
    /// Width of a layer.
    pub hidden: usize,
    /// Tokens of its vocabulary.
    pub vocabulary: usize,
    /// Tokens that it reads of a text.
    pub max_tokens: usize,
    /// CWE sets that it tells apart.
    pub sets: usize,
    /// The model that it answers together with, and how.
    pub answers_with: Option<&'a str>,
    /// Divides the logits, of both models if it answers with another.
    pub temperature: f32,
    /// The decision rules.
    pub decisions: &'a BTreeMap<SpaceKind, DecisionRule>,
    /// Where temperature and rules were fitted.
    pub decisions_from: &'a str,
}

impl<'a> CardFile<'a> {
    /// What is told of an n-gram model: its header, twelve digits of its file's checksum, the features that it knows and
    /// the file's size.
    #[must_use]
    pub fn ngram(header: &'a ModelHeader, revision: &str, features: usize, bytes: usize) -> Self {
        let about = &header.provenance;
        let rows = vec![
            ("revision", revision.to_owned()),
            ("size", megabytes(bytes)),
            ("features", format!("{features} n-grams ({})", header.features)),
            ("hidden units", header.dimensions.to_string()),
            ("CWE sets", header.sets.len().to_string()),
            ("years told apart", format!("{} to {}", header.oldest_year, header.newest_year)),
            ("temperature", format!("{:.2}", header.temperature)),
            (
                "fitted on",
                format!(
                    "{}: {} texts, {} of them labelled",
                    parts(&about.split),
                    about.texts,
                    about.labelled_texts
                ),
            ),
            ("data", format!("{} (sha256 {})", about.data, about.data_sha256)),
            ("taxonomies", versions(&header.taxonomies)),
            ("seed", about.seed.to_string()),
            ("thresholds and temperature", about.decisions_from.clone()),
            ("tool", format!("vulnlens {}", about.tool_version)),
        ];
        Self {
            name: &header.name,
            split: &about.split,
            decisions: &header.decisions,
            decisions_from: &about.decisions_from,
            newest_year: Some(header.newest_year),
            rows,
            settings: about.settings.iter().map(|(name, value)| format!("`{name}={value}`")).collect(),
        }
    }

    /// What is told of an encoder that was trained on CWE sets.
    #[must_use]
    pub fn encoder(about: &'a TaxonomyFile, facts: EncoderFacts<'a>) -> Self {
        let from = &about.provenance;
        let mut rows = vec![
            ("revision", facts.revision.to_owned()),
            ("size", megabytes(facts.bytes)),
            (
                "network",
                format!(
                    "{}, {} layers of {}, {} tokens",
                    facts.architecture, facts.layers, facts.hidden, facts.vocabulary
                ),
            ),
            ("reads", format!("{} tokens of a text", facts.max_tokens)),
            ("CWE sets", facts.sets.to_string()),
            ("temperature", format!("{:.2}", facts.temperature)),
            ("began with", from.start.clone()),
            ("trained on", format!("{}: {} labelled texts", parts(&from.split), from.texts)),
            ("data", format!("{} (sha256 {})", from.data, from.data_sha256)),
            ("taxonomies", versions(&about.taxonomies)),
            ("seed", from.seed.to_string()),
            ("thresholds and temperature", facts.decisions_from.to_owned()),
            ("tool", format!("vulnlens {}", from.tool_version)),
        ];
        let newest_year = about.newest_year.filter(|_| about.year_first);
        if let Some(newest) = newest_year {
            rows.insert(
                rows.len() - 9,
                ("text", format!("behind its year, of which {newest} is the newest")),
            );
        }
        if let Some(other) = facts.answers_with {
            rows.insert(1, ("answers together with", other.to_owned()));
        }
        let words = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let settings = from.settings.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
        Self {
            name: &from.name,
            split: &from.split,
            decisions: facts.decisions,
            decisions_from: facts.decisions_from,
            newest_year,
            rows,
            settings: settings.map(|(name, value)| format!("`{name}={}`", words(value))).collect(),
        }
    }
}

fn megabytes(bytes: usize) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}

fn versions(taxonomies: &TaxonomyVersions) -> String {
    format!("CWE {}, CAPEC {}, ATT&CK {}", taxonomies.cwe, taxonomies.capec, taxonomies.attack)
}

fn parts(split: &str) -> &str {
    match split {
        "all" => "all parts, with the settings that validation chose",
        other => other,
    }
}

/// Renders the card in Markdown with the front matter that model hubs read.
#[must_use]
pub fn card(file: &CardFile<'_>, evaluation: Option<&Evaluation>) -> String {
    let mut out = front_matter(file, evaluation);
    let _ = writeln!(
        out,
        "# {}\n\nReads the English description of a vulnerability and gives a distribution over the CWE sets that \
         records were assigned; CAPEC and ATT&CK follow from the set through the chain CWE ▸ ancestors ▸ CAPEC ▸ \
         ATT&CK.\n",
        file.name
    );
    let _ = writeln!(out, "| | |\n|---|---|");
    for (name, value) in &file.rows {
        let _ = writeln!(out, "| {name} | {value} |");
    }
    let _ = writeln!(out, "\nSettings: {}.\n", file.settings.join(", "));
    rules(&mut out, file);
    if let Some(evaluation) = evaluation {
        figures(&mut out, file, evaluation);
    }
    limits(&mut out, file);
    out
}

fn front_matter(file: &CardFile<'_>, evaluation: Option<&Evaluation>) -> String {
    let mut out = String::from(
        "---\nlanguage: en\nlicense: other\nlibrary_name: vulnlens\npipeline_tag: text-classification\ntags: \
         [cve, cwe, capec, mitre-attack]\n",
    );
    if let Some(evaluation) = evaluation {
        let _ = writeln!(out, "model-index:\n- name: {}\n  results:", file.name);
        let first_of = |split: &str| {
            let ours = |run: &&crate::file::EvaluationRun| run.system == file.name && run.split == split;
            evaluation.runs.iter().find(ours)
        };
        for run in ["random", "temporal"].into_iter().filter_map(first_of) {
            for task in &run.tasks {
                let _ = writeln!(
                    out,
                    "  - task: {{type: text-classification, name: \"{}\"}}\n    dataset: {{type: {}, name: \"{}, \
                     {} split, {} part\"}}\n    metrics:\n    - {{type: f1, name: micro-F1, value: {:.4}}}\n    - \
                     {{type: lrap, name: LRAP, value: {:.4}}}",
                    task_title(task.task),
                    evaluation.data,
                    evaluation.data,
                    run.split,
                    run.part,
                    task.table.micro_f1,
                    task.table.lrap,
                );
            }
        }
    }
    out.push_str("---\n\n");
    out
}

fn rules(out: &mut String, file: &CardFile<'_>) {
    let _ = writeln!(
        out,
        "## What is answered\n\nThe most probable whole label list is answered when it reaches the first bound; else \
         every label that reaches the second. Both were chosen on validation: the highest subset accuracy among the \
         rules whose micro-F1 is within 0.0005 of the best.\n\n| label space | whole list | label |\n|---|--:|--:|"
    );
    for kind in SpaceKind::ALL {
        if let Some(rule) = file.decisions.get(&kind) {
            let whole =
                if rule.whole_list > 1.0 { "never".to_owned() } else { format!("{:.2}", rule.whole_list) };
            let _ = writeln!(out, "| {} | {whole} | {:.3} |", task_title(kind), rule.label);
        }
    }
    out.push('\n');
}

fn figures(out: &mut String, file: &CardFile<'_>, evaluation: &Evaluation) {
    let _ = writeln!(
        out,
        "## Figures\n\nMeasured by `vulnlens evaluate` {} on {} (sha256 {}, {} labelled rows), labels through CWE {}, \
         CAPEC {}, ATT&CK {}.",
        evaluation.tool_version,
        evaluation.data,
        evaluation.data_sha256,
        evaluation.labelled_rows,
        evaluation.taxonomies.cwe,
        evaluation.taxonomies.capec,
        evaluation.taxonomies.attack,
    );
    if file.split == "all" {
        out.push_str(
            "**These are the figures of models fitted, with the same settings, on the training parts alone.** The \
             model in this file was fitted on all parts afterwards, so it has no unseen rows to be measured on.\n",
        );
    }
    out.push_str(
        "A task is scored on the records that have at least one label of it, and its probabilities are given that \
         they have (`--labels reference`). Texts that fold to the same words are never in two parts.\n\n",
    );
    out.push_str(&tables(evaluation, Detail::Full));
}

fn limits(out: &mut String, file: &CardFile<'_>) {
    let year = file
        .newest_year
        .map_or_else(String::new, |year| format!(" A text without a year is asked as of {year}."));
    let _ = writeln!(
        out,
        "## Limits\n\n- Assignment habits drift: the temporal split, not the random one, tells what to expect of new \
         records.{year}\n- CAPEC and ATT&CK labels here are what MITRE's catalogues \
         link to a weakness. They are not what an analyst would assign to an incident; some common techniques (T1190, \
         T1059, T1203, T1068) cannot be reached at all.\n- The temperature was fitted once ({}); on records of later \
         years probabilities are too sure.\n- Only English descriptions were seen.",
        file.decisions_from
    );
}
