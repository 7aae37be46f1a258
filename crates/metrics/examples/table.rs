//! The table of a case in a binary file, as JSON, with the time it took to compute.
//!
//! `table FILE [THREADS]` reads what `benches/metrics_vs_sklearn.py` writes, all
//! little-endian: the numbers of rows and labels as `u32`, then row-major the scores as `f32`, the
//! gold labels as bytes 0 or 1, and the predicted labels as bytes 0 or 1.
//!
//! Two times are printed: `table_ms` for the metrics alone, and `from_matrices_ms` with the label
//! lists made first from the 0/1 matrices, which are what scikit-learn is given.
#![expect(clippy::print_stdout, reason = "an example program answers on standard output")]

use std::error::Error;
use std::time::Instant;

use serde::Serialize;
use vulnlens_metrics::{MetricsError, RowView, Table, evaluate};

#[derive(Serialize)]
struct Answer {
    table: Table,
    table_ms: f64,
    from_matrices_ms: f64,
}

struct Matrices {
    rows: usize,
    labels: usize,
    scores: Vec<f32>,
    gold: Vec<u8>,
    predicted: Vec<u8>,
}

/// The columns of each row's ones: those of row `r` are `columns[starts[r]..starts[r + 1]]`.
struct LabelLists {
    starts: Vec<usize>,
    columns: Vec<u32>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: table FILE [THREADS]")?;
    let threads = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let matrices = Matrices::parse(&std::fs::read(file)?).ok_or("the file is cut short")?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;

    let start = Instant::now();
    let gold = LabelLists::of(&matrices.gold, matrices.labels);
    let predicted = LabelLists::of(&matrices.predicted, matrices.labels);
    let listed = Instant::now();
    let table = pool.install(|| matrices.table(&gold, &predicted))?;
    let (table_ms, from_matrices_ms) = (milliseconds_since(listed), milliseconds_since(start));
    println!("{}", serde_json::to_string(&Answer { table, table_ms, from_matrices_ms })?);
    Ok(())
}

fn milliseconds_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

impl Matrices {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (rows, bytes) = bytes.split_first_chunk::<4>()?;
        let (labels, bytes) = bytes.split_first_chunk::<4>()?;
        let (rows, labels) = (u32::from_le_bytes(*rows) as usize, u32::from_le_bytes(*labels) as usize);
        let cells = rows.checked_mul(labels)?;
        let (scores, bytes) = bytes.split_at_checked(cells.checked_mul(4)?)?;
        let (gold, predicted) = bytes.split_at_checked(cells)?;
        let scores = scores.as_chunks::<4>().0.iter().map(|&score| f32::from_le_bytes(score)).collect();
        let predicted = predicted.get(..cells)?.to_vec();
        Some(Self { rows, labels, scores, gold: gold.to_vec(), predicted })
    }

    fn table(&self, gold: &LabelLists, predicted: &LabelLists) -> Result<Table, MetricsError> {
        let row = |row: usize| RowView {
            scores: &self.scores[row * self.labels..][..self.labels],
            gold: gold.row(row),
            predicted: predicted.row(row),
        };
        evaluate(self.labels, self.rows, row)
    }
}

impl LabelLists {
    fn of(matrix: &[u8], labels: usize) -> Self {
        let mut lists = Self { starts: vec![0], columns: Vec::new() };
        for row in matrix.chunks_exact(labels) {
            lists
                .columns
                .extend(row.iter().zip(0..).filter_map(|(&cell, label)| (cell != 0).then_some(label)));
            lists.starts.push(lists.columns.len());
        }
        lists
    }

    fn row(&self, row: usize) -> &[u32] {
        &self.columns[self.starts[row]..self.starts[row + 1]]
    }
}
