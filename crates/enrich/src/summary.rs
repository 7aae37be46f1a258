//! The number of findings by what became of them.

use serde::Serialize;

/// The number of findings by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EnrichSummary {
    /// Findings that got weaknesses.
    pub filled: u64,
    /// Findings that have a weakness, which stays as it is.
    pub had: u64,
    /// Findings whose asserted weaknesses have scores below the bound, or are ones that CWE discourages.
    pub left: u64,
    /// Findings whose text tells no single weakness.
    pub unsure: u64,
    /// Findings whose text does not describe a vulnerability.
    pub no_vulnerability: u64,
    /// Findings without a text.
    pub without_text: u64,
    /// Findings that were withdrawn.
    pub withdrawn: u64,
    /// Findings that cannot be read, or have no room for a weakness.
    pub bad: u64,
}

impl EnrichSummary {
    /// The number of all findings.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.parts().iter().map(|(count, _)| count).sum()
    }

    /// The counts in a line, for people.
    #[must_use]
    pub fn line(&self) -> String {
        let parts = self.parts();
        let told = parts.iter().filter(|(count, name)| *count > 0 || *name == FILLED);
        told.map(|(count, name)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
    }

    fn parts(&self) -> [(u64, &'static str); 8] {
        [
            (self.filled, FILLED),
            (self.had, "had a weakness"),
            (self.left, "left (below the bound, or discouraged by CWE)"),
            (self.unsure, "unsure"),
            (self.no_vulnerability, "without a vulnerability"),
            (self.without_text, "without a text"),
            (self.withdrawn, "withdrawn"),
            (self.bad, "bad"),
        ]
    }
}

/// The first part of the line, which is never left out.
const FILLED: &str = "filled";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_what_there_is() {
        let summary = EnrichSummary { had: 2, bad: 1, ..EnrichSummary::default() };
        assert_eq!((summary.line().as_str(), summary.total()), ("0 filled, 2 had a weakness, 1 bad", 3));
    }
}
