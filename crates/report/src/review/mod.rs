//! Review of mappings: the weaknesses that a record carries against those that the model suggests.
//!
//! [`Review::of`] judges one record, [`ReviewReport`] renders the reviews of any number of records and counts them.

mod document;
mod judge;
mod markdown;
mod objection;
mod report;
mod summary;
mod table;
mod verdict;

pub use judge::{MappedCwe, Review};
pub use objection::Objection;
pub use report::{ReviewFormat, ReviewReport};
pub use summary::{ReviewSummary, VerdictCounts};
pub use verdict::Verdict;
