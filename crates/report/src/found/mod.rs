//! Finding in answers: the records that have some labels, or the labels of all records, counted.

mod counts;
mod find;
mod format;
mod items;
mod report;
mod table;

pub use counts::{LabelCount, LabelCounts};
pub use find::{AnswerLabel, Find, FoundLabel};
pub use format::FindFormat;
pub use report::{FindReport, FindSummary};
