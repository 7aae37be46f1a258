//! Fills missing weaknesses into the documents that people already have: advisories, reports of scanners, records, tables.
//!
//! [`Enricher`] reads a document, asks a [`Predictor`] about the findings that have a text and no weakness, and writes the
//! document with what is sure. Nothing that is there is changed: texts of JSON and CSV get insertions, and every other
//! byte stays as it is. Records, their texts, ids and dates are those of `vulnlens-corpus`, so that a finding gets the
//! answer that it gets from `classify`.
//!
//! Arrays, lines and tables stream; memory holds some thousand findings, or one document. The output depends on the input
//! and the model alone, not on the number of threads.
//!
//! ```
//! use vulnlens::Options;
//! use vulnlens_enrich::{EnrichOptions, Enricher, ThreadedPredictor};
//!
//! let classifier = vulnlens::embedded();
//! let predictor = ThreadedPredictor::new(&classifier, Options::default(), 1);
//! let record = r#"{"id": "X-1", "description": "SQL injection in login.php via the id parameter."}"#;
//! let mut out = Vec::new();
//! let mut enricher = Enricher::new(predictor, EnrichOptions::default());
//! let summary = enricher.enrich("in.json", record.as_bytes(), &mut out, &mut |error| panic!("{error}"))?;
//! assert_eq!(summary.filled, 1);
//! assert!(String::from_utf8_lossy(&out).starts_with(r#"{"id": "X-1", "description": "SQL injection in login.php via the id parameter.", "cwe": ["CWE-89"]"#));
//! # Ok::<(), vulnlens_enrich::EnrichError>(())
//! ```

mod documents;
mod enricher;
mod error;
mod filling;
mod formats;
mod json;
mod options;
mod pieces;
mod predictor;
mod questions;
mod summary;
mod tables;

pub use enricher::Enricher;
pub use error::EnrichError;
pub use filling::MIN_SCORE;
pub use options::{EnrichFormat, EnrichOptions};
pub use predictor::{Predictor, ThreadedPredictor};
pub use summary::EnrichSummary;
