//! What the sources give: a vulnerability record, and a text to classify.

use vulnlens_taxonomy::{CveId, CweId};

use crate::date::Date;

/// A text to classify, as it stands in an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputRecord {
    /// The record's id, of whatever form; a CVE id where the input holds CVE records.
    pub id: Option<String>,
    /// The description; never blank.
    pub text: String,
    /// The day of publication; `None` where the input has none, a year alone, or what cannot be read as a date.
    pub published: Option<Date>,
    /// The year whose habits of assignment apply: that of the publication, else that of a CVE id.
    pub year: Option<u16>,
    /// Line (JSON Lines, plain text, CSV: of its first line) or row (Parquet) in the input, from 1.
    pub line: u64,
}

/// Who assigned a weakness to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LabelSource {
    /// The analysts of the National Vulnerability Database.
    Nvd,
    /// The CVE numbering authority that published the record.
    Cna,
    /// An authorised data publisher, in practice CISA's Vulnrichment.
    Adp,
    /// A plain table, which does not say who.
    Given,
}

impl LabelSource {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 4] = [Self::Nvd, Self::Cna, Self::Adp, Self::Given];

    /// The name in the data set's column `cwe_sources`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nvd => "nvd",
            Self::Cna => "cna",
            Self::Adp => "adp",
            Self::Given => "given",
        }
    }
}

/// One weakness that a record was assigned, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// Who assigned it.
    pub source: LabelSource,
    /// The weakness or category, as assigned: no ancestors.
    pub cwe: CweId,
}

/// A CVE record as one source tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRecord {
    /// The record's id.
    pub id: CveId,
    /// Whether the record was withdrawn; its other fields mean nothing then.
    pub rejected: bool,
    /// The day of publication; `None` also where a source has what cannot be read as a date.
    pub published: Option<Date>,
    /// The day of the last change; `None` likewise.
    pub modified: Option<Date>,
    /// The English description; never blank.
    pub text: Option<String>,
    /// The weaknesses assigned, in the source's order, without repetition.
    pub labels: Vec<Label>,
    /// What stands where a weakness's id should and is none (`NVD-CWE-noinfo`, which says so, is left out).
    pub unreadable_labels: Vec<String>,
}

impl SourceRecord {
    pub(crate) fn new(id: CveId) -> Self {
        Self {
            id,
            rejected: false,
            published: None,
            modified: None,
            text: None,
            labels: Vec::new(),
            unreadable_labels: Vec::new(),
        }
    }

    /// Takes in the description, and whether it says that the record is rejected.
    pub(crate) fn describe(&mut self, text: &str) {
        if self.text.is_none() && !text.trim().is_empty() {
            self.rejected |= says_rejected(text);
            self.text = Some(clean(text));
        }
    }

    /// Takes in what stands where a weakness's id should.
    pub(crate) fn label(&mut self, source: LabelSource, text: &str) {
        // NVD's two ways to say that it assigns none, and what CNAs write for the same.
        const NONE: [&str; 3] = ["NVD-CWE-noinfo", "NVD-CWE-Other", "n/a"];
        let text = text.trim();
        match text.parse() {
            Ok(cwe) => {
                self.labels.extend(Some(Label { source, cwe }).filter(|label| !self.labels.contains(label)))
            }
            Err(_) if text.is_empty() || NONE.iter().any(|none| none.eq_ignore_ascii_case(text)) => {}
            Err(_) => self.unreadable_labels.push(text.chars().take(40).collect()),
        }
    }
}

/// `text` as it is kept: NUL, which column stores and terminals choke on, becomes a space.
pub(crate) fn clean(text: &str) -> String {
    text.replace('\0', " ")
}

/// Whether a description is the notice that the feeds put in the place of a withdrawn record's text.
fn says_rejected(text: &str) -> bool {
    let text = text.trim_start();
    ["** REJECT **", "Rejected reason:"]
        .iter()
        .any(|notice| text.get(..notice.len()).is_some_and(|head| head.eq_ignore_ascii_case(notice)))
}

/// Whether a language tag (`en`, `en-US`, `eng`) means English.
pub(crate) fn is_english(tag: &str) -> bool {
    let primary = tag.split(['-', '_']).next().unwrap_or_default();
    primary.eq_ignore_ascii_case("en") || primary.eq_ignore_ascii_case("eng")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_weakness_is_told_from_what_is_unreadable() {
        let mut record = SourceRecord::new(CveId::new(2020, 1));
        for text in ["CWE-79", "NVD-CWE-noinfo", "NVD-CWE-Other", "", "CWE-79", "CWE-XX", "CWE-20"] {
            record.label(LabelSource::Nvd, text);
        }
        let numbers: Vec<_> = record.labels.iter().map(|label| label.cwe.0).collect();
        assert_eq!(numbers, [79, 20]);
        assert_eq!(record.unreadable_labels, ["CWE-XX"]);
    }

    #[test]
    fn a_rejection_notice_is_known_at_the_start_alone() {
        for (text, rejected) in [
            ("** REJECT ** DO NOT USE THIS CANDIDATE NUMBER.", true),
            (" Rejected reason: duplicate", true),
            ("The server answers Rejected reason: x to everybody", false),
        ] {
            let mut record = SourceRecord::new(CveId::new(2020, 1));
            record.describe(text);
            assert_eq!(record.rejected, rejected, "{text}");
        }
    }

    #[test]
    fn english_is_english_in_every_country() {
        for (tag, english) in [
            ("en", true),
            ("en-US", true),
            ("EN_gb", true),
            ("eng", true),
            ("de", false),
            ("", false),
            ("ena", false),
        ] {
            assert_eq!(is_english(tag), english, "{tag}");
        }
    }
}
