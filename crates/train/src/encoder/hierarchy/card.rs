//! The model card of a cascade, with a row for each folder.

use std::fmt::Write as _;

use vulnlens_evaluation::Example;

use super::tree::Tree;
use crate::description::Description;
use crate::encoder::output_space::OutputSpace;

/// The card, in Markdown. Each folder has one of its own that says how it was trained.
pub(crate) fn card(tree: &Tree, training: &[&Example], about: &Description, start: &str) -> String {
    let Description { name, data, data_sha256, split, tool_version, .. } = about;
    let mut out = format!(
        "---\nlanguage: en\nlicense: other\npipeline_tag: text-classification\ntags: [cve, cwe, capec, mitre-attack, \
         vulnlens]\n---\n\n# {name}\n\nA hierarchy of classifiers of vulnerability descriptions: `{}` says which parents \
         apply, and a folder named after a parent which of what lies below it. Such a folder is asked where its parent's \
         score is above 0.5. {} labels ({}) that are not parents.\n\n| folder | outputs | training texts |\n|---|--:|--:|\n",
        tree.master_folder(),
        tree.leaves().len(),
        tree.flat.labels.name(),
    );
    let parts = tree.refined().map(|(at, parent)| (tree.folder(parent), tree.part(at, training)));
    for (folder, space) in [(tree.master_folder(), tree.master(training))].into_iter().chain(parts) {
        let OutputSpace { names, texts, .. } = space;
        let _ = writeln!(out, "| `{folder}` | {} | {texts} |", names.len());
    }
    let _ = writeln!(
        out,
        "\nTrained on the training part of the {split} split of {data} (sha256 {data_sha256}) by vulnlens {tool_version}, each \
         beginning with {start}. Thresholds (`vulnlens.json`) are fitted to the validation part, as the hierarchy is read."
    );
    out
}
