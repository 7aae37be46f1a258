//! The output of reviews: records one by one, counts at the end.

use std::path::Path;

use super::document::ReviewItem;
use super::judge::Review;
use super::summary::ReviewSummary;
use super::{markdown, table};
use crate::rendering::{FormatError, Setup};

/// Disagreements that a report in Markdown lists, so that it can be posted and memory stays bounded.
const LISTED: usize = 1000;

/// The formats of reviews.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ReviewFormat {
    /// A block for each disagreement and the counts, for people, with ANSI styles.
    #[default]
    Table,
    /// A JSON object for each record.
    JsonLines,
    /// A report that can be posted: the counts, then a table of the first thousand disagreements.
    Markdown,
}

impl ReviewFormat {
    /// All formats.
    pub const ALL: [Self; 3] = [Self::Table, Self::JsonLines, Self::Markdown];

    /// The format that the ending of a file's name asks for, be the file compressed or not.
    #[must_use]
    pub fn of_file(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
        match name.rsplit_once('.')?.1 {
            "md" | "markdown" => Some(Self::Markdown),
            "jsonl" | "ndjson" | "json" => Some(Self::JsonLines),
            "txt" => Some(Self::Table),
            _ => None,
        }
    }

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::JsonLines => "jsonl",
            Self::Markdown => "markdown",
        }
    }

    /// The format in one line, for people.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::Table => "A block for each disagreement, and the counts by verdict and assigner",
            Self::JsonLines => "A JSON object for each record that carries weaknesses",
            Self::Markdown => "A report to post: the counts by verdict and assigner, then the disagreements",
        }
    }
}

/// The output of reviews in their order: memory is bounded, whatever their number.
///
/// A server can keep one for each request, or use [`Review`] by itself.
#[derive(Debug)]
pub struct ReviewReport {
    format: ReviewFormat,
    setup: Setup,
    summary: ReviewSummary,
    rows: String,
    listed: usize,
    more: u64,
}

impl ReviewReport {
    /// A report without reviews.
    #[must_use]
    pub fn new(format: ReviewFormat, setup: Setup) -> Self {
        Self { format, setup, summary: ReviewSummary::default(), rows: String::new(), listed: 0, more: 0 }
    }

    /// Adds a review, and appends the bytes that are ready.
    ///
    /// # Errors
    /// None that a review can cause; serialisation as such is fallible.
    pub fn add(&mut self, review: &Review, out: &mut Vec<u8>) -> Result<(), FormatError> {
        self.summary.add(review);
        match self.format {
            ReviewFormat::JsonLines => {
                let item = ReviewItem::of(review, &self.setup.kb);
                serde_json::to_writer(&mut *out, &item)
                    .map_err(|error| FormatError::new(self.format.name(), &error))?;
                out.push(b'\n');
            }
            ReviewFormat::Table if review.verdict.is_disagreement() => {
                out.extend_from_slice(table::block(review, &self.setup).as_bytes());
            }
            ReviewFormat::Markdown if review.verdict.is_disagreement() && self.listed < LISTED => {
                self.listed = self.listed.saturating_add(1);
                self.rows += &markdown::row(review, &self.setup);
            }
            ReviewFormat::Markdown if review.verdict.is_disagreement() => {
                self.more = self.more.saturating_add(1)
            }
            ReviewFormat::Table | ReviewFormat::Markdown => {}
        }
        Ok(())
    }

    /// Counts a record without a weakness.
    pub fn add_unmapped(&mut self) {
        self.summary.add_unmapped();
    }

    /// The counts so far.
    #[must_use]
    pub fn summary(&self) -> &ReviewSummary {
        &self.summary
    }

    /// The rest of the bytes: the counts, and in Markdown all of the report.
    #[must_use]
    pub fn finish(&self) -> String {
        match self.format {
            ReviewFormat::Table => table::summary(&self.summary, &self.setup),
            ReviewFormat::JsonLines => String::new(),
            ReviewFormat::Markdown => markdown::report(&self.summary, &self.rows, self.more, &self.setup),
        }
    }
}
