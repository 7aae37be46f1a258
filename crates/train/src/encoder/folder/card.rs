//! The model card of a trained folder.

use std::fmt::Write as _;

use vulnlens_model::TaxonomyVersions;

use super::write::ModelFolder;
use crate::description::Description;

/// Renders the model card.
pub(crate) fn card(model: &ModelFolder<'_>) -> String {
    let mut out = front_matter(model);
    let purpose = match &model.classifier {
        None => "A masked-language model of vulnerability descriptions: to be fine-tuned.".to_owned(),
        Some(classifier) if !classifier.space.conditions.is_empty() => format!(
            "Reads the English description of a vulnerability and scores {} parents and labels ({}) in one pass. \
                 `hierarchy.json` says which labels lie below which parents: their scores are given that one of these \
                 applies. vulnlens multiplies them by the greatest score of a parent; transformers does not.",
            classifier.space.names.len(),
            classifier.space.labels.name(),
        ),
        Some(classifier) if classifier.space.sets.is_empty() => format!(
            "Reads the English description of a vulnerability and scores {} labels ({}), each for itself. It was \
                 trained on records that have such a label, so scores are given that there is one.",
            classifier.space.names.len(),
            classifier.space.labels.name(),
        ),
        Some(classifier) => format!(
            "Reads the English description of a vulnerability and gives a distribution over {} CWE sets; CAPEC and \
                 ATT&CK follow from the set through the chain CWE ▸ ancestors ▸ CAPEC ▸ ATT&CK.",
            classifier.space.names.len(),
        ),
    };
    let _ = writeln!(out, "# {}\n\n{purpose}\n\n| | |\n|---|---|", model.about.name);
    let mut rows = vec![
        ("began with", model.start.to_owned()),
        ("trained on", format!("{} texts, {} split", model.texts, model.about.split)),
        ("data", format!("{} (sha256 {})", model.about.data, model.about.data_sha256)),
        ("reads", format!("{} tokens of a text", model.max_tokens)),
    ];
    if let Some(classifier) = &model.classifier {
        let TaxonomyVersions { cwe, capec, attack } = &classifier.taxonomies;
        rows.push(("taxonomies", format!("CWE {cwe}, CAPEC {capec}, ATT&CK {attack}")));
        let year = classifier.newest_year.map_or("as it is".to_owned(), |newest| {
            format!("behind the record's year, as `{newest} …`; the newest year is {newest}")
        });
        rows.push(("text", year));
    }
    rows.push(("seed", model.seed.to_string()));
    rows.push(("tool", format!("vulnlens {}", model.about.tool_version)));
    for (name, value) in rows {
        let _ = writeln!(out, "| {name} | {value} |");
    }
    let settings = model.settings.as_object().into_iter().flatten();
    let settings: Vec<String> = settings
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| format!("`{name}={}`", value.as_str().map_or(value.to_string(), str::to_owned)))
        .collect();
    let _ = writeln!(out, "\nSettings: {}.", settings.join(", "));
    figures(model, &mut out);
    out
}

fn front_matter(model: &ModelFolder<'_>) -> String {
    let task = if model.classifier.is_some() { "text-classification" } else { "fill-mask" };
    let mut out = format!(
        "---\nlanguage: en\nlicense: other\nlibrary_name: transformers\npipeline_tag: {task}\ntags: [cve, cwe, \
             capec, mitre-attack, vulnlens]\n"
    );
    let known = [
        ("f1", "micro-F1", "eval_micro_f1"),
        ("f1", "macro-F1", "eval_macro_f1"),
        ("loss", "loss", "eval_loss"),
    ];
    let number = |name: &str| model.figures?.get(name)?.as_f64();
    let metrics: Vec<String> = known
        .into_iter()
        .filter_map(|(kind, title, name)| {
            Some(format!("    - {{type: {kind}, name: {title}, value: {:.4}}}\n", number(name)?))
        })
        .collect();
    if !metrics.is_empty() {
        let Description { name, data, split, .. } = model.about;
        let _ = write!(
            out,
            "model-index:\n- name: {name}\n  results:\n  - task: {{type: {task}}}\n    dataset: {{type: {data}, name: \
                 \"{data}, {split} split, validation part\"}}\n    metrics:\n{}",
            metrics.concat()
        );
    }
    out.push_str("---\n\n");
    out
}

fn figures(model: &ModelFolder<'_>, out: &mut String) {
    let Some(figures) = model.figures else { return };
    let _ = writeln!(
        out,
        "\n## Figures on the way\n\nOf the checkpoint that was kept, on texts of the validation part that chose it, with \
             rules fitted to the same texts: for comparing runs, not for publishing.\n\n| figure | value |\n|---|--:|"
    );
    for (name, value) in figures.iter().filter(|(name, _)| name.starts_with("eval_")) {
        if let Some(value) =
            value.as_f64().filter(|_| !name.contains("per_second") && !name.contains("runtime"))
        {
            let _ = writeln!(out, "| {} | {value:.4} |", name.trim_start_matches("eval_").replace('_', " "));
        }
    }
}
