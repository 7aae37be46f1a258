//! Predictions as tables, JSON Lines, CSV and Parquet.
