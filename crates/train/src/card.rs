//! The model card, rendered from a model's header and an evaluation file: never typed.

use std::fmt::Write as _;

use vulnlens_model::ModelHeader;
use vulnlens_model::space::SpaceKind;

use crate::evaluation::Evaluation;
use crate::markdown::{Detail, tables, task_title};

/// What the card is told of the model's file.
#[derive(Debug, Clone, Copy)]
pub struct CardFile<'a> {
    /// What the file says of itself.
    pub header: &'a ModelHeader,
    /// Twelve digits of its checksum.
    pub revision: &'a str,
    /// Features that it knows.
    pub features: usize,
    /// Its size.
    pub bytes: usize,
}

/// Renders the card in Markdown with the front matter that model hubs read.
#[must_use]
pub fn card(file: &CardFile<'_>, evaluation: Option<&Evaluation>) -> String {
    let mut out = front_matter(file, evaluation);
    let header = file.header;
    let about = &header.provenance;
    let _ = writeln!(
        out,
        "# {}\n\nReads the English description of a vulnerability and gives a distribution over the CWE sets that \
         records were assigned; CAPEC and ATT&CK follow from the set through the chain CWE ▸ ancestors ▸ CAPEC ▸ \
         ATT&CK.\n",
        header.name
    );
    let fitted = match about.split.as_str() {
        "all" => "all parts, with the settings that validation chose",
        other => other,
    };
    let rows = [
        ("revision", file.revision.to_owned()),
        ("size", format!("{:.2} MB", file.bytes as f64 / 1e6)),
        ("features", format!("{} n-grams ({})", file.features, header.features)),
        ("hidden units", header.dimensions.to_string()),
        ("CWE sets", header.sets.len().to_string()),
        ("years told apart", format!("{} to {}", header.oldest_year, header.newest_year)),
        ("temperature", format!("{:.2}", header.temperature)),
        ("fitted on", format!("{fitted}: {} texts, {} of them labelled", about.texts, about.labelled_texts)),
        ("data", format!("{} (sha256 {})", about.data, about.data_sha256)),
        (
            "taxonomies",
            format!(
                "CWE {}, CAPEC {}, ATT&CK {}",
                header.taxonomies.cwe, header.taxonomies.capec, header.taxonomies.attack
            ),
        ),
        ("seed", about.seed.to_string()),
        ("thresholds and temperature", about.decisions_from.clone()),
        ("tool", format!("vulnlens {}", about.tool_version)),
    ];
    let _ = writeln!(out, "| | |\n|---|---|");
    for (name, value) in rows {
        let _ = writeln!(out, "| {name} | {value} |");
    }
    let settings: Vec<String> =
        about.settings.iter().map(|(name, value)| format!("`{name}={value}`")).collect();
    let _ = writeln!(out, "\nSettings: {}.\n", settings.join(", "));
    rules(&mut out, header);
    if let Some(evaluation) = evaluation {
        figures(&mut out, file, evaluation);
    }
    limits(&mut out, header);
    out
}

fn front_matter(file: &CardFile<'_>, evaluation: Option<&Evaluation>) -> String {
    let mut out = String::from(
        "---\nlanguage: en\nlicense: other\nlibrary_name: vulnlens\npipeline_tag: text-classification\ntags: \
         [cve, cwe, capec, mitre-attack]\n",
    );
    if let Some(evaluation) = evaluation {
        let _ = writeln!(out, "model-index:\n- name: {}\n  results:", file.header.name);
        let first_of = |split: &str| {
            let ours = |run: &&crate::evaluation::EvaluationRun| {
                run.system == file.header.name && run.split == split
            };
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

fn rules(out: &mut String, header: &ModelHeader) {
    let _ = writeln!(
        out,
        "## What is answered\n\nThe most probable whole label list is answered when it reaches the first bound; else \
         every label that reaches the second. Both were chosen on validation: the highest subset accuracy among the \
         rules whose micro-F1 is within 0.0005 of the best.\n\n| label space | whole list | label |\n|---|--:|--:|"
    );
    for kind in SpaceKind::ALL {
        if let Some(rule) = header.decisions.get(&kind) {
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

fn limits(out: &mut String, header: &ModelHeader) {
    let _ = writeln!(
        out,
        "## Limits\n\n- Assignment habits drift: the temporal split, not the random one, tells what to expect of new \
         records. A text without a year is asked as of {}.\n- CAPEC and ATT&CK labels here are what MITRE's catalogues \
         link to a weakness. They are not what an analyst would assign to an incident; some common techniques (T1190, \
         T1059, T1203, T1068) cannot be reached at all.\n- The temperature was fitted once ({}); on records of later \
         years probabilities are too sure.\n- Only English descriptions were seen.",
        header.newest_year, header.provenance.decisions_from
    );
}
