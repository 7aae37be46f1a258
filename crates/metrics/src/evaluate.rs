//! The table of many rows at once, on all threads.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::{Accumulator, MetricsError, RowView, Table};

/// Rows that one task counts: enough to make its accumulator cheap beside them, and few enough to
/// spread some tens of thousands of rows over many threads.
const CHUNK_ROWS: usize = 512;

/// The table over `rows` rows of `n_labels` labels; `row` gives the row of each number below
/// `rows`, and is called once for each, from any thread.
///
/// The result is the same to the last bit whatever the number of threads, and the same as that of
/// one [`Accumulator`] over all rows.
///
/// # Errors
/// That of the first bad row, as [`Accumulator::add`] describes it.
pub fn evaluate<'a>(
    n_labels: usize,
    rows: usize,
    row: impl Fn(usize) -> RowView<'a> + Sync,
) -> Result<Table, MetricsError> {
    let count_chunk = |chunk: usize| {
        let first = chunk * CHUNK_ROWS;
        let mut figures = Accumulator::starting_at(n_labels, first);
        (first..rows.min(first + CHUNK_ROWS)).try_for_each(|number| figures.add(row(number)))?;
        Ok(figures)
    };
    let figures = (0..rows.div_ceil(CHUNK_ROWS))
        .into_par_iter()
        .map(count_chunk)
        .reduce(|| Ok(Accumulator::new(n_labels)), merge)?;
    Ok(figures.finish())
}

/// Merges two results; of two errors, that of the earlier row stays.
fn merge(
    left: Result<Accumulator, MetricsError>,
    right: Result<Accumulator, MetricsError>,
) -> Result<Accumulator, MetricsError> {
    match (left, right) {
        (Ok(mut left), Ok(right)) => left.merge(&right).map(|()| left),
        (Err(left), Err(right)) => Err(if right.row() < left.row() { right } else { left }),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}
