//! The model card, rendered from a model's facts and an evaluation file: never typed.

use std::fmt::Write as _;

use serde_json::Value;
use vulnlens_model::{Decisions, Header, ModelInfo, SpaceKind, Years, megabytes};

use crate::file::Evaluation;
use crate::tables::{Detail, tables, task_title};

/// The facts that the card of a model of CWE sets shows.
struct Facts<'a> {
    header: &'a Header,
    decisions: Decisions<'a>,
    /// Facts by name, in the order of the card.
    rows: Vec<(&'static str, String)>,
    settings: Vec<String>,
}

impl<'a> Facts<'a> {
    fn new(info: &'a ModelInfo) -> Option<Self> {
        let header = info.header.as_ref()?;
        let decisions = info.decisions()?;
        let mut rows = vec![("revision", info.revision.clone())];
        rows.extend(header.combined_with.iter().map(|other| ("answers together with", other.to_string())));
        rows.push(("size", megabytes(info.bytes)));
        rows.extend(network(info, header));
        rows.push(("temperature", format!("{:.2}", decisions.temperature)));
        rows.extend(training(header, &decisions));
        let words = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let settings = header.provenance.settings.iter().filter(|(_, value)| !value.is_null());
        let settings = settings.map(|(name, value)| format!("`{name}={}`", words(value))).collect();
        Some(Self { header, decisions, rows, settings })
    }
}

fn network(info: &ModelInfo, header: &Header) -> Vec<(&'static str, String)> {
    let mut rows = vec![];
    if let (Some(features), Some(shape)) = (info.features, &header.ngram) {
        rows.push(("features", format!("{features} n-grams ({})", shape.features)));
        rows.push(("hidden units", shape.dimensions.to_string()));
    }
    rows.extend(info.parts.iter().map(|part| ("network", part.to_string())));
    rows.extend(info.max_tokens.map(|most| ("reads", format!("{most} tokens of a text"))));
    if let Some(Years { oldest: None, newest }) = header.years {
        rows.push(("text", format!("behind its year, of which {newest} is the newest")));
    }
    rows.extend(info.cwe_sets.map(|sets| ("CWE sets", sets.to_string())));
    if let Some(Years { oldest: Some(oldest), newest }) = header.years {
        rows.push(("years told apart", format!("{oldest} to {newest}")));
    }
    rows
}

fn training(header: &Header, decisions: &Decisions<'_>) -> Vec<(&'static str, String)> {
    let from = &header.provenance;
    let split = parts(&from.split);
    let mut rows = vec![];
    match &from.start {
        Some(start) => {
            rows.push(("began with", start.clone()));
            rows.push(("trained on", format!("{split}: {} labelled texts", from.texts)));
        }
        None => rows.push((
            "fitted on",
            format!("{split}: {} texts, {} of them labelled", from.texts, from.labelled_texts),
        )),
    }
    rows.push(("data", format!("{} (sha256 {})", from.data, from.data_sha256)));
    rows.push(("taxonomies", header.taxonomies.to_string()));
    rows.push(("seed", from.seed.to_string()));
    rows.push(("thresholds and temperature", decisions.fitted_on.to_owned()));
    rows.push(("tool", format!("vulnlens {}", from.tool_version)));
    rows
}

fn parts(split: &str) -> &str {
    match split {
        "all" => "all parts, with the settings that validation chose",
        other => other,
    }
}

/// Renders the card of a model of CWE sets in Markdown, with the front matter that model hubs read; `None` for a model
/// whose file does not say how it was made.
#[must_use]
pub fn card(info: &ModelInfo, evaluation: Option<&Evaluation>) -> Option<String> {
    let file = &Facts::new(info)?;
    let mut out = front_matter(file, evaluation);
    let _ = writeln!(
        out,
        "# {}\n\nReads the English description of a vulnerability and gives a distribution over the CWE sets that \
         records were assigned; CAPEC and ATT&CK follow from the set through the chain CWE ▸ ancestors ▸ CAPEC ▸ \
         ATT&CK.\n",
        file.header.name
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
    Some(out)
}

fn front_matter(file: &Facts<'_>, evaluation: Option<&Evaluation>) -> String {
    let mut out = String::from(
        "---\nlanguage: en\nlicense: other\nlibrary_name: vulnlens\npipeline_tag: text-classification\ntags: \
         [cve, cwe, capec, mitre-attack]\n",
    );
    if let Some(evaluation) = evaluation {
        let _ = writeln!(out, "model-index:\n- name: {}\n  results:", file.header.name);
        let first_of = |split: &str| {
            let ours =
                |run: &&crate::file::EvaluationRun| run.system == file.header.name && run.split == split;
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

fn rules(out: &mut String, file: &Facts<'_>) {
    let _ = writeln!(
        out,
        "## What is answered\n\nThe most probable whole label list is answered when it reaches the first bound; else \
         every label that reaches the second. Both were chosen on validation: the highest subset accuracy among the \
         rules whose micro-F1 is within 0.0005 of the best.\n\n| label space | whole list | label |\n|---|--:|--:|"
    );
    for kind in SpaceKind::ALL {
        if let Some(rule) = file.decisions.rules.get(&kind) {
            let whole =
                if rule.whole_list > 1.0 { "never".to_owned() } else { format!("{:.2}", rule.whole_list) };
            let _ = writeln!(out, "| {} | {whole} | {:.3} |", task_title(kind), rule.label);
        }
    }
    out.push('\n');
}

fn figures(out: &mut String, file: &Facts<'_>, evaluation: &Evaluation) {
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
    if file.header.provenance.split == "all" {
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

fn limits(out: &mut String, file: &Facts<'_>) {
    let year = file.header.years.map_or_else(String::new, |Years { newest: year, .. }| {
        format!(" A text without a year is asked as of {year}.")
    });
    let _ = writeln!(
        out,
        "## Limits\n\n- Assignment habits drift: the temporal split, not the random one, tells what to expect of new \
         records.{year}\n- CAPEC and ATT&CK labels here are what MITRE's catalogues \
         link to a weakness. They are not what an analyst would assign to an incident; some common techniques (T1190, \
         T1059, T1203, T1068) cannot be reached at all.\n- The temperature was fitted once ({}); on records of later \
         years probabilities are too sure.\n- Only English descriptions were seen.",
        file.decisions.fitted_on
    );
}
