//! What is refused, under which name, and that nothing else suffers from it.

use vulnlens_metrics::{
    Accumulator, LabelList, MetricsError, RowView, ScoredRow, best_global_threshold, best_label_thresholds,
    calibrate, evaluate, top_1,
};

const GOOD: RowView<'_> = RowView { scores: &[0.5, 0.2, 0.1], gold: &[0, 2], predicted: &[0] };

struct Case {
    row: RowView<'static>,
    message: &'static str,
}

fn cases() -> Vec<Case> {
    let case = |row, message| Case { row, message };
    vec![
        case(RowView { scores: &[0.5], ..GOOD }, "row 1: 1 scores, expected one for each of the 3 labels"),
        case(
            RowView { scores: &[0.5, f32::NAN, 0.1], ..GOOD },
            "row 1: the score of label 1 is NaN; scores must be finite",
        ),
        case(
            RowView { scores: &[0.5, 0.1, f32::NEG_INFINITY], ..GOOD },
            "row 1: the score of label 2 is -inf; scores must be finite",
        ),
        case(RowView { gold: &[0, 3], ..GOOD }, "row 1: gold label 3 is out of range; there are 3 labels"),
        case(
            RowView { predicted: &[u32::MAX], ..GOOD },
            "row 1: predicted label 4294967295 is out of range; there are 3 labels",
        ),
        case(
            RowView { gold: &[2, 1], ..GOOD },
            "row 1: gold label 1 stands after a label not below it; sort the list and drop repeats",
        ),
        case(
            RowView { predicted: &[1, 1], ..GOOD },
            "row 1: predicted label 1 stands after a label not below it; sort the list and drop repeats",
        ),
    ]
}

#[test]
fn a_bad_row_is_named_and_leaves_the_figures_as_they_were() {
    for case in cases() {
        let mut figures = Accumulator::new(3);
        figures.add(GOOD).unwrap();
        let before = figures.finish();
        assert_eq!(figures.add(case.row).unwrap_err().to_string(), case.message);
        assert_eq!(figures.finish(), before, "{}", case.message);
    }
}

#[test]
fn evaluate_names_the_first_bad_row_whichever_thread_meets_it() {
    let bad = RowView { gold: &[7], ..GOOD };
    for first_bad in [0, 511, 512, 1_700, 4_999] {
        let found = evaluate(3, 5_000, |row| if row >= first_bad { bad } else { GOOD });
        let expected =
            MetricsError::LabelOutOfRange { row: first_bad, list: LabelList::Gold, label: 7, labels: 3 };
        assert_eq!(found.unwrap_err(), expected);
    }
}

#[test]
fn threshold_search_names_the_first_bad_row() {
    let row = |row| ScoredRow { scores: if row == 2 { &[f32::INFINITY] } else { &[0.5] }, gold: &[0] };
    let expected = MetricsError::NonFiniteScore { row: 2, label: 0, score: f32::INFINITY };
    assert_eq!(best_global_threshold(1, 4, row).unwrap_err(), expected);
    assert_eq!(best_label_thresholds(1, 4, row).unwrap_err(), expected);
}

#[test]
fn accumulators_of_other_label_counts_do_not_merge() {
    let error = Accumulator::new(3).merge(&Accumulator::new(4)).unwrap_err();
    assert_eq!(error.to_string(), "cannot merge figures over 4 labels into figures over 3 labels");
}

#[test]
fn calibration_refuses_what_is_no_probability() {
    for value in [-0.1, 1.1, f32::NAN, f32::INFINITY] {
        let error = calibrate(10, [(0.5, true), (value, false)]).unwrap_err();
        assert_eq!(error.row(), Some(1), "{error}");
    }
    assert_eq!(calibrate(0, []).unwrap_err(), MetricsError::NoBins);
}

#[test]
fn nothing_to_evaluate_is_no_error_and_all_zero() {
    let table = evaluate(2, 0, |_| GOOD).unwrap();
    assert_eq!((table.rows, table.labels, table.per_label.len()), (0, 2, 2));
    assert_eq!((table.lrap, table.mrr, table.macro_f1, table.hamming_loss), (0.0, 0.0, 0.0, 0.0));
    assert_eq!(best_global_threshold(0, 0, |_| ScoredRow { scores: &[], gold: &[] }), Ok(None));
    assert_eq!(calibrate(3, []).unwrap().bins.len(), 3);
    assert_eq!(Accumulator::new(0).finish().labels, 0);
}

#[test]
fn top_1_takes_the_first_of_equal_scores() {
    assert_eq!(top_1(&[0.2, 0.4, 0.4], &[2]), Some((0.4, false)));
    assert_eq!(top_1(&[0.2, 0.4, 0.4], &[0, 1]), Some((0.4, true)));
    assert_eq!(top_1(&[], &[]), None);
}
