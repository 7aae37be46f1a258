//! The schema of record output.

/// The JSON Schema of record output, version 1. Its file stands in `docs/schema/`; `assets/` links to it.
pub const RECORD_SCHEMA: &str = include_str!("../assets/record-v1.json");
