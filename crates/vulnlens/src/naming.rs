//! Names of a checkpoint's labels: those of its `config.json`, or those that the caller gives.

use std::path::Path;

use vulnlens_model::{LabelMap, LabelOutputs, Network};

use crate::error::OpenError;
use crate::open::Open;

/// The fix for labels that are not names.
const NAME_THEM: &str = "give `--taxonomy-of-labels cwe|capec|attack` if the numbers are ids, or `--labels-file FILE` \
                         with the name of each output";

/// Gives outputs the names and the taxonomy that the caller knows; `file` is the one that names them otherwise.
pub(crate) fn named(outputs: LabelOutputs, open: &Open<'_>, file: &Path) -> Result<LabelOutputs, OpenError> {
    let given = rename(outputs, open, file)?;
    let outputs = LabelOutputs { numbers: open.taxonomy_of_labels, ..given.clone() };
    if outputs.numbers.is_some() && outputs.map() == given.map() {
        open.tell(&format!(
            "{}: no label needs a taxonomy: --taxonomy-of-labels changes nothing",
            file.display()
        ));
    }
    Ok(outputs)
}

fn rename(mut outputs: LabelOutputs, open: &Open<'_>, file: &Path) -> Result<LabelOutputs, OpenError> {
    let Some(names) = &open.label_names else { return Ok(outputs) };
    if names.len() != outputs.labels.len() {
        let problem = format!("has {} labels, and {} names are given", outputs.labels.len(), names.len());
        return Err(refusal(file, problem, "give one name for each, in the order of the outputs"));
    }
    let replaced = outputs.map();
    if replaced.unnamed() < names.len() && outputs.labels != *names {
        let count = outputs.labels.iter().zip(names).filter(|(old, new)| old != new).count();
        open.tell(&format!("{}: {count} labels have other names there than those given", file.display()));
    }
    outputs.labels.clone_from(names);
    Ok(outputs)
}

/// Refuses labels that are not names, and tells of those that belong to no taxonomy.
pub(crate) fn check(outputs: &LabelOutputs, open: &Open<'_>, file: &Path) -> Result<(), OpenError> {
    let map = outputs.map();
    let count = outputs.labels.len();
    match map.unnamed() {
        0 => {}
        unnamed if outputs.numbers.is_some() || !map.has_ids() => {
            return Err(refusal(file, unnamed_problem(outputs, unnamed), NAME_THEM));
        }
        _ => {}
    }
    let others = map.of_no_taxonomy();
    if others > 0 {
        let unnamed = match map.unnamed() {
            0 => String::new(),
            unnamed => format!("; {unnamed} of them are numbers or LABEL_n: {NAME_THEM}"),
        };
        open.tell(&format!(
            "{}: {others} of {count} labels belong to no taxonomy and are answered under `other`{unnamed}",
            file.display()
        ));
    }
    Ok(())
}

/// Tells the caller that a model has no labels to be named.
pub(crate) fn tell_unused(open: &Open<'_>, model: &dyn Network) {
    if open.names_labels() {
        let name = model.name();
        open.tell(&format!(
            "{name}: its outputs are not labels: options about labels and their scores change nothing"
        ));
    }
}

fn unnamed_problem(outputs: &LabelOutputs, unnamed: usize) -> String {
    let count = outputs.labels.len();
    let is_unnamed =
        |label: &&String| LabelMap::new(std::slice::from_ref(*label), outputs.numbers).unnamed() > 0;
    // Numbers that only count the outputs are unnamed all together.
    let example = outputs.labels.iter().find(is_unnamed).or(outputs.labels.first());
    let example = example.map_or("", String::as_str);
    let problem = match outputs.numbers {
        Some(taxonomy) => format!("are not ids of the taxonomy `{}`", taxonomy.key()),
        None => "do not say what they stand for".to_owned(),
    };
    format!("{unnamed} of {count} labels, such as {example:?}, {problem}")
}

fn refusal(file: &Path, problem: String, fix: &str) -> OpenError {
    OpenError::Labels { file: file.to_owned(), problem, fix: fix.to_owned() }
}
