//! What is published is what was measured: the README and the card against the evaluation file.

use vulnlens_train::{Detail, Evaluation, tables};

const EVALUATION: &str = include_str!("../../../assets/models/fast.evaluation.json");

#[test]
fn the_readme_has_the_tables_of_the_evaluation() {
    let evaluation: Evaluation = serde_json::from_str(EVALUATION).unwrap();
    let readme = include_str!("../../../README.md");
    let tables = tables(&evaluation, Detail::Headline);
    assert!(readme.contains(tables.trim()), "run tools/render_readme.py");
}

#[test]
fn the_card_has_the_whole_tables() {
    let evaluation: Evaluation = serde_json::from_str(EVALUATION).unwrap();
    let card = include_str!("../../../assets/models/fast.md");
    let tables = tables(&evaluation, Detail::Full);
    assert!(card.contains(tables.trim()), "run tools/render_readme.py");
}

/// The published figures are of models that had not seen the rows they are measured on.
#[test]
fn nothing_published_was_measured_on_training_rows() {
    let evaluation: Evaluation = serde_json::from_str(EVALUATION).unwrap();
    for run in evaluation.runs {
        assert!(!run.seen_in_training, "{} on the {} split", run.system, run.split);
        assert_eq!(run.part, "test");
    }
}
