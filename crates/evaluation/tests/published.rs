//! Published figures are measured ones: the documentation and the cards against the evaluation files.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use vulnlens_evaluation::{Detail, Evaluation, tables};

const README: &str = include_str!("../../../README.md");
const TABLES: &str = include_str!("../../../docs/evaluation.md");
/// Models with their evaluation files and cards.
const PUBLISHED: [(&str, &str, &str); 2] = [
    ("fast", include_str!("../../model-fast/fast.evaluation.json"), include_str!("../../model-fast/fast.md")),
    (
        "accurate",
        include_str!("../../model-accurate/accurate.evaluation.json"),
        include_str!("../../model-accurate/accurate.md"),
    ),
];

fn evaluations() -> impl Iterator<Item = (&'static str, Evaluation, &'static str)> {
    PUBLISHED.into_iter().map(|(name, json, card)| (name, serde_json::from_str(json).unwrap(), card))
}

#[test]
fn the_documentation_has_the_tables_of_the_evaluations() {
    for (name, evaluation, _) in evaluations() {
        let tables = tables(&evaluation, Detail::Headline);
        assert!(TABLES.contains(tables.trim()), "{name}: run tools/render_readme.py");
    }
}

/// A front door: longer texts belong in `docs/`.
#[test]
fn the_readme_is_short() {
    assert!(README.len() <= 8000 && README.lines().count() <= 150, "README.md: {} bytes", README.len());
}

#[test]
fn the_cards_have_the_whole_tables() {
    for (name, evaluation, card) in evaluations() {
        let tables = tables(&evaluation, Detail::Full);
        assert!(card.contains(tables.trim()), "{name}: run tools/render_readme.py");
    }
}

/// The published figures are of models that had not seen the rows they are measured on.
#[test]
fn nothing_published_was_measured_on_training_rows() {
    for run in evaluations().flat_map(|(_, evaluation, _)| evaluation.runs) {
        assert!(!run.seen_in_training, "{} on the {} split", run.system, run.split);
        assert_eq!(run.part, "test");
    }
}
