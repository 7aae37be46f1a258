//! What must hold of the figures for any rows.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use proptest::prelude::*;
use vulnlens_metrics::{Accumulator, RowView, Table, best_label_thresholds, evaluate};
use vulnlens_metrics::{ScoredRow, best_global_threshold};

#[derive(Debug, Clone)]
struct Row {
    scores: Vec<f32>,
    gold: Vec<u32>,
    predicted: Vec<u32>,
}

impl Row {
    fn view(&self) -> RowView<'_> {
        RowView { scores: &self.scores, gold: &self.gold, predicted: &self.predicted }
    }

    fn scored(&self) -> ScoredRow<'_> {
        ScoredRow { scores: &self.scores, gold: &self.gold }
    }

    /// The same row with label `l` renamed to `new_index[l]`.
    fn permuted(&self, new_index: &[u32]) -> Self {
        let mut scores = self.scores.clone();
        for (&to, &score) in new_index.iter().zip(&self.scores) {
            scores[to as usize] = score;
        }
        let rename = |labels: &[u32]| {
            let mut renamed: Vec<u32> = labels.iter().map(|&label| new_index[label as usize]).collect();
            renamed.sort_unstable();
            renamed
        };
        Self { scores, gold: rename(&self.gold), predicted: rename(&self.predicted) }
    }
}

/// Scores on few levels, so that ties are the rule.
fn tied_score() -> impl Strategy<Value = f32> {
    (0_u8..6).prop_map(|level| f32::from(level) / 5.0)
}

fn any_score() -> impl Strategy<Value = f32> {
    -1e6_f32..1e6
}

fn indices(flags: &[bool]) -> Vec<u32> {
    flags.iter().zip(0..).filter_map(|(&flag, index)| flag.then_some(index)).collect()
}

fn rows_of(
    labels: usize,
    score: impl Strategy<Value = f32> + Clone,
    count: std::ops::Range<usize>,
) -> impl Strategy<Value = Vec<Row>> {
    let flags = || prop::collection::vec(prop::bool::weighted(0.3), labels);
    let row =
        (prop::collection::vec(score, labels), flags(), flags()).prop_map(|(scores, gold, predicted)| Row {
            scores,
            gold: indices(&gold),
            predicted: indices(&predicted),
        });
    prop::collection::vec(row, count)
}

fn tied_rows() -> impl Strategy<Value = (usize, Vec<Row>)> {
    (1_usize..90).prop_flat_map(|labels| {
        let score = tied_score().boxed();
        rows_of(labels, score, 0..20).prop_map(move |rows| (labels, rows))
    })
}

/// Rows without ties, with a permutation of their labels.
fn distinct_rows_and_permutation() -> impl Strategy<Value = (Vec<Row>, Vec<u32>)> {
    (1_usize..30).prop_flat_map(|labels| {
        let order: Vec<u32> = (0..labels as u32).collect();
        let distinct = rows_of(labels, any_score().boxed(), 1..12).prop_map(|rows| {
            let distinct = |row: &Row| {
                let mut sorted = row.scores.clone();
                sorted.sort_by(f32::total_cmp);
                sorted.windows(2).all(|pair| pair[0] != pair[1])
            };
            rows.into_iter().filter(distinct).collect()
        });
        (distinct, Just(order).prop_shuffle())
    })
}

fn table(labels: usize, rows: &[Row]) -> Table {
    evaluate(labels, rows.len(), |row| rows[row].view()).unwrap()
}

fn averages(table: &Table) -> Vec<(String, f64)> {
    let serde_json::Value::Object(fields) = serde_json::to_value(table).unwrap() else { unreachable!() };
    fields.into_iter().filter_map(|(name, value)| Some((name, value.as_f64()?))).collect()
}

proptest! {
    #[test]
    fn a_perfect_prediction_reaches_the_best_value_of_every_figure(
        flags in prop::collection::vec(prop::collection::vec(any::<bool>(), 7), 1..20)
    ) {
        let mut rows: Vec<Row> = flags
            .iter()
            .map(|flags| Row {
                scores: flags.iter().map(|&flag| if flag { 0.9 } else { 0.1 }).collect(),
                gold: indices(flags),
                predicted: indices(flags),
            })
            .filter(|row| !row.gold.is_empty())
            .collect();
        // Every label needs support for the macro figures to reach 1.
        rows.push(Row { scores: vec![0.9; 7], gold: (0..7).collect(), predicted: (0..7).collect() });
        let table = table(7, &rows);
        let ones = [
            table.lrap, table.mrr, table.precision_at_1, table.micro_precision, table.micro_recall, table.micro_f1,
            table.macro_precision, table.macro_recall, table.macro_f1, table.weighted_f1, table.samples_f1,
            table.subset_accuracy,
        ];
        prop_assert_eq!(ones, [1.0; 12]);
        prop_assert_eq!((table.hamming_loss, table.label_ranking_loss), (0.0, 0.0));
        prop_assert_eq!(table.coverage_error, table.mean_labels_per_row);
    }

    #[test]
    fn renaming_labels_leaves_the_averages((rows, new_index) in distinct_rows_and_permutation()) {
        let renamed: Vec<Row> = rows.iter().map(|row| row.permuted(&new_index)).collect();
        let (table, renamed) = (table(new_index.len(), &rows), table(new_index.len(), &renamed));
        for ((name, figure), (_, other)) in averages(&table).iter().zip(averages(&renamed)) {
            prop_assert!((figure - other).abs() < 1e-12, "{}: {} and {}", name, figure, other);
        }
        for row in &table.per_label {
            let other = &renamed.per_label[new_index[row.label as usize] as usize];
            prop_assert_eq!((row.support, row.f1), (other.support, other.f1));
        }
    }

    #[test]
    fn any_split_and_merge_order_gives_the_same_bits(
        (labels, rows) in tied_rows(), cut in any::<prop::sample::Index>()
    ) {
        let accumulate = |rows: &[Row]| {
            let mut figures = Accumulator::new(labels);
            rows.iter().for_each(|row| figures.add(row.view()).unwrap());
            figures
        };
        let (left, right) = rows.split_at(cut.index(rows.len() + 1));
        let mut forwards = accumulate(left);
        forwards.merge(&accumulate(right)).unwrap();
        let mut backwards = accumulate(right);
        backwards.merge(&accumulate(left)).unwrap();
        let whole = accumulate(&rows).finish();
        prop_assert_eq!(&whole, &forwards.finish());
        prop_assert_eq!(&whole, &backwards.finish());
        prop_assert_eq!(&whole, &table(labels, &rows));
    }

    #[test]
    fn one_gold_label_a_row_makes_lrap_the_mean_reciprocal_rank((labels, mut rows) in tied_rows()) {
        for (number, row) in rows.iter_mut().enumerate() {
            row.gold = vec![(number % labels) as u32];
        }
        let table = table(labels, &rows);
        prop_assert_eq!(table.lrap, table.mrr);
    }

    #[test]
    fn figures_stay_in_their_ranges((labels, rows) in tied_rows()) {
        let table = table(labels, &rows);
        for (name, figure) in averages(&table) {
            let counts = ["rows", "rows_with_labels", "labels", "labels_with_support", "mean_labels_per_row",
                "mean_predicted_per_row", "coverage_error"];
            prop_assert!(figure >= 0.0 && (figure <= 1.0 || counts.contains(&name.as_str())), "{} {}", name, figure);
        }
        prop_assert!(table.coverage_error <= labels as f64);
        prop_assert!(table.coverage_error >= table.mean_labels_per_row);
    }

    #[test]
    fn deciding_at_the_thresholds_reaches_the_f1_they_promise((labels, rows) in tied_rows()) {
        let decide = |threshold: &dyn Fn(usize) -> Option<f32>| -> Table {
            let decided: Vec<Row> = rows.iter().map(|row| {
                let above = |(label, &score): (usize, &f32)| threshold(label).is_some_and(|t| score >= t);
                let flags: Vec<bool> = row.scores.iter().enumerate().map(above).collect();
                Row { predicted: indices(&flags), ..row.clone() }
            }).collect();
            table(labels, &decided)
        };
        let global = best_global_threshold(labels, rows.len(), |row| rows[row].scored()).unwrap();
        let expected = global.map_or(0.0, |found| found.f1);
        prop_assert_eq!(decide(&|_| global.map(|found| found.threshold)).micro_f1, expected);
        let each = best_label_thresholds(labels, rows.len(), |row| rows[row].scored()).unwrap();
        let decided = decide(&|label| each[label].map(|found| found.threshold));
        for (row, found) in decided.per_label.iter().zip(&each) {
            prop_assert_eq!(row.f1, found.map_or(0.0, |found| found.f1));
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let rows: Vec<Row> = (0..3_000_u32)
        .map(|row| Row {
            scores: (0..20).map(|label| ((row * 31 + label * 17) % 97) as f32 / 97.0).collect(),
            gold: (0..20).filter(|label| (row + label * label) % 7 == 0).collect(),
            predicted: (0..20).filter(|label| (row + label) % 6 == 0).collect(),
        })
        .collect();
    let on_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| table(20, &rows))
    };
    let one = on_threads(1);
    assert_eq!(one.rows, 3_000);
    for threads in [2, 3, 8] {
        assert_eq!(one, on_threads(threads), "{threads} threads");
    }
}
