//! Every figure against scikit-learn's, on the cases that `tools/reference_metrics.py` recorded.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use serde::Deserialize;
use serde_json::Value;
use vulnlens_metrics::{
    RowView, ScoredRow, Table, Threshold, best_global_threshold, best_label_thresholds, calibrate, evaluate,
};

const TOLERANCE: f64 = 1e-9;

#[derive(Deserialize)]
struct Reference {
    calibration: Vec<CalibrationCase>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    scores: Vec<Vec<f32>>,
    gold: Vec<Vec<u32>>,
    predicted: Vec<Vec<u32>>,
    table: Value,
    global_threshold: Option<Threshold>,
    label_thresholds: Vec<Option<Threshold>>,
}

#[derive(Deserialize)]
struct CalibrationCase {
    name: String,
    bins: usize,
    probabilities: Vec<f32>,
    outcomes: Vec<bool>,
    counts: Vec<u64>,
    mean_probability: Vec<f64>,
    observed_frequency: Vec<f64>,
    brier_score: f64,
    expected_calibration_error: f64,
}

impl Case {
    fn n_labels(&self) -> usize {
        self.scores[0].len()
    }

    fn row(&self, row: usize) -> RowView<'_> {
        RowView { scores: &self.scores[row], gold: &self.gold[row], predicted: &self.predicted[row] }
    }

    fn scored_row(&self, row: usize) -> ScoredRow<'_> {
        ScoredRow { scores: &self.scores[row], gold: &self.gold[row] }
    }

    fn found(&self) -> Table {
        evaluate(self.n_labels(), self.scores.len(), |row| self.row(row)).unwrap()
    }
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("data/reference.json")).unwrap()
}

#[track_caller]
fn assert_close(case: &str, figure: &str, expected: f64, found: f64) {
    let close = (expected - found).abs() <= TOLERANCE;
    assert!(close, "case {case:?}, {figure}: scikit-learn {expected}, here {found}");
}

#[test]
fn every_figure_of_the_table_agrees() {
    for case in reference().cases {
        let Value::Object(found) = serde_json::to_value(case.found()).unwrap() else { unreachable!() };
        for (figure, found) in found {
            if let Some(found) = found.as_f64() {
                let expected = case.table[&figure].as_f64();
                let expected = expected.unwrap_or_else(|| panic!("{}: {figure} was not recorded", case.name));
                assert_close(&case.name, &figure, expected, found);
            }
        }
    }
}

#[test]
fn every_figure_of_every_label_agrees() {
    for case in reference().cases {
        let table = case.found();
        assert_eq!(table.per_label.len(), case.n_labels(), "{}", case.name);
        for row in &table.per_label {
            let expected =
                |column: &str| case.table["per_label"][column][row.label as usize].as_f64().unwrap();
            let figures = [
                ("precision", row.precision),
                ("recall", row.recall),
                ("f1", row.f1),
                ("support", row.support as f64),
            ];
            for (figure, found) in figures {
                assert_close(&case.name, &format!("label {} {figure}", row.label), expected(figure), found);
            }
        }
    }
}

#[test]
fn the_best_global_threshold_is_the_one_found_by_trying_all() {
    for case in reference().cases {
        let found = best_global_threshold(case.n_labels(), case.scores.len(), |row| case.scored_row(row));
        assert_same_threshold(&case.name, case.global_threshold, found.unwrap());
    }
}

#[test]
fn the_best_label_thresholds_are_those_found_by_trying_all() {
    for case in reference().cases {
        let found = best_label_thresholds(case.n_labels(), case.scores.len(), |row| case.scored_row(row));
        let found = found.unwrap();
        assert_eq!(found.len(), case.label_thresholds.len(), "{}", case.name);
        for (label, (&expected, found)) in case.label_thresholds.iter().zip(found).enumerate() {
            assert_same_threshold(&format!("{}, label {label}", case.name), expected, found);
        }
    }
}

#[track_caller]
fn assert_same_threshold(case: &str, expected: Option<Threshold>, found: Option<Threshold>) {
    assert_eq!(expected.is_some(), found.is_some(), "case {case:?}: {expected:?}, here {found:?}");
    if let (Some(expected), Some(found)) = (expected, found) {
        assert_eq!(expected.threshold, found.threshold, "case {case:?}: {expected:?}, here {found:?}");
        assert_close(case, "f1", expected.f1, found.f1);
    }
}

#[test]
fn calibration_agrees() {
    for case in reference().calibration {
        let pairs = case.probabilities.iter().copied().zip(case.outcomes.iter().copied());
        let found = calibrate(case.bins, pairs).unwrap();
        assert_close(&case.name, "brier_score", case.brier_score, found.brier_score);
        let (expected, error) = (case.expected_calibration_error, found.expected_calibration_error);
        assert_close(&case.name, "expected_calibration_error", expected, error);
        let counts: Vec<u64> = found.bins.iter().map(|bin| bin.pairs).collect();
        assert_eq!(counts, case.counts, "{}", case.name);
        let filled = found.bins.iter().filter(|bin| bin.pairs > 0);
        for (bin, (&mean, &frequency)) in
            filled.zip(case.mean_probability.iter().zip(&case.observed_frequency))
        {
            assert_close(&case.name, "mean_probability", mean, bin.mean_probability);
            assert_close(&case.name, "observed_frequency", frequency, bin.observed_frequency);
        }
    }
}
