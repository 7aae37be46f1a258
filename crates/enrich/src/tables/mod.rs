//! Tables: new columns at the end of each row, and blank cells of a column of weaknesses.

mod columns;
mod csv;
mod parquet;

pub(crate) use csv::Csv;
pub(crate) use parquet::Parquet;
