//! Records of vulnerabilities, and the weaknesses assigned to them.

use std::sync::Arc;

use vulnlens_taxonomy::{BaseVector, CveId, CweId, VectorError};
use vulnlens_text::is_withdrawal_notice;

use crate::date::{Date, When};
use crate::place::Place;
use crate::problem::Problem;
use crate::record_id::RecordId;
use crate::span::Span;
use crate::weakness_ids;

/// A record of a vulnerability, as one source has it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The id, as it was given.
    pub id: Option<RecordId>,
    /// Other ids of the same vulnerability.
    pub aliases: Vec<RecordId>,
    /// The English description, which is never blank, or the reason why there is none.
    pub text: Result<String, Problem>,
    /// The days of publication and change.
    pub dates: Dates,
    /// Set where the source says that the record was withdrawn; its other fields mean nothing then.
    pub withdrawn: bool,
    /// The weaknesses assigned, in the source's order, without repetition.
    pub labels: Vec<Label>,
    /// The organisations behind the assigners, as far as the source names them.
    pub organisations: Vec<Organisation>,
    /// Texts that stand in the place of a weakness's id and are not one (`NVD-CWE-Other`, which says that there is
    /// none, is left out).
    pub unreadable_labels: Vec<String>,
    /// Set where an analyst says that the text does not tell the weakness (`NVD-CWE-noinfo`).
    pub untold: bool,
    /// The base vectors of CVSS 3.x, in the source's order.
    pub ratings: Vec<Rating>,
    /// Name of the format that the record is written in.
    pub format: &'static str,
    /// Display name of the input.
    pub file: Arc<str>,
    /// The place in the input.
    pub place: Place,
    /// The bytes of the document that the record was read from, where it is one of JSON.
    pub span: Option<Span>,
}

/// The days of a record; one that cannot be read is unknown and loses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dates {
    /// The day or year of publication.
    pub published: When,
    /// The day of the last change.
    pub modified: Option<Date>,
}

/// Somebody who assigns weaknesses to records. Each source names its own.
///
/// A record counts the lists of all assigners that are [`Assigner::added`] and, of the others, only the list of the
/// first by rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Assigner {
    /// Place among all: the lower rank counts before the higher one, and is written before it.
    pub rank: u8,
    /// Name in the data set's column `cwe_sources`.
    pub name: &'static str,
    /// Set for one whose weaknesses are added to those of others.
    pub added: bool,
}

/// A weakness that a record was assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// Its assigner.
    pub assigner: Assigner,
    /// The weakness or category, as assigned: no ancestors.
    pub cwe: CweId,
}

/// The organisation that an assigner is in one record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Organisation {
    /// The assigner.
    pub assigner: Assigner,
    /// The short name of the organisation, like `GitHub_M`.
    pub name: String,
}

/// Characters of the name of an organisation that are kept: the CVE list allows 32.
const ORGANISATION: usize = 64;

/// A base vector that a record was rated with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rating {
    /// Its assigner.
    pub assigner: Assigner,
    /// The vector, or the beginning of a text in its place that is none.
    pub vector: Result<BaseVector, String>,
}

/// Weaknesses that one item may name: a cell that names more is not a record's.
const MOST_LABELS: usize = 1000;

impl Record {
    /// A record without anything in it; `text` says why there is none.
    pub(crate) fn new(id: Option<RecordId>, text: Problem) -> Self {
        Self {
            id,
            aliases: Vec::new(),
            text: Err(text),
            dates: Dates::default(),
            withdrawn: false,
            labels: Vec::new(),
            organisations: Vec::new(),
            unreadable_labels: Vec::new(),
            untold: false,
            ratings: Vec::new(),
            format: "",
            file: Arc::from(""),
            place: Place::Whole,
            span: None,
        }
    }

    /// The record's CVE id: its own id, else the first alias that is one.
    #[must_use]
    pub fn cve(&self) -> Option<CveId> {
        self.id.iter().chain(&self.aliases).find_map(RecordId::cve)
    }

    /// The year whose habits of assignment apply: that of the publication, else that of the CVE id.
    #[must_use]
    pub fn year(&self) -> Option<u16> {
        self.dates.published.year().or_else(|| self.cve().map(CveId::year))
    }

    /// The assigner with its organisation, where the source names one: `cna:GitHub_M`, `nvd`.
    #[must_use]
    pub fn named(&self, assigner: Assigner) -> String {
        let organisation = self.organisations.iter().find(|named| named.assigner == assigner);
        organisation
            .map_or_else(|| assigner.name.to_owned(), |named| format!("{}:{}", assigner.name, named.name))
    }

    /// The number of the record's line, row or place in its document.
    #[must_use]
    pub fn line(&self) -> Option<u64> {
        self.place.number()
    }

    /// Takes in the description, unless it is blank or the record has one; notes a notice of withdrawal.
    pub(crate) fn describe(&mut self, text: &str) {
        if self.text.is_ok() {
            return;
        }
        let text = clean(text);
        if !text.trim().is_empty() {
            self.withdrawn |= is_withdrawal_notice(&text);
            self.text = Ok(text);
        }
    }

    /// Takes in what stands in the place of a weakness's id, or of several.
    pub(crate) fn label(&mut self, assigner: Assigner, text: &str) {
        /// NVD's word for a text that does not tell its weakness.
        const UNTOLD: &str = "NVD-CWE-noinfo";
        // What NVD writes where its list has no fitting weakness, and what CNAs write for none.
        const NONE: [&str; 6] = [UNTOLD, "NVD-CWE-Other", "n/a", "none", "unknown", "null"];
        let text = text.trim();
        self.untold |= text.eq_ignore_ascii_case(UNTOLD);
        let cwes = weakness_ids::read(text);
        let says_none = || text.is_empty() || NONE.iter().any(|none| none.eq_ignore_ascii_case(text));
        if cwes.is_empty() && !says_none() {
            self.unreadable_labels.push(text.chars().take(40).collect());
        }
        self.add_labels(assigner, cwes);
    }

    /// Takes in the name of the organisation that an assigner is; the first one stays.
    pub(crate) fn assigned_by(&mut self, assigner: Assigner, organisation: &str) {
        let name: String = clean(organisation).trim().chars().take(ORGANISATION).collect();
        let is_named = self.organisations.iter().any(|named| named.assigner == assigner);
        if !name.is_empty() && !is_named {
            self.organisations.push(Organisation { assigner, name });
        }
    }

    /// Takes in the weaknesses that a prose names: mostly it names none.
    pub(crate) fn label_named(&mut self, assigner: Assigner, prose: &str) {
        self.add_labels(assigner, weakness_ids::named(prose));
    }

    /// Takes in what stands in the place of a vector of CVSS 3.x; nothing and vectors of other versions are left out.
    pub(crate) fn rate(&mut self, assigner: Assigner, text: &str) {
        let text = text.trim();
        let vector = match text.parse() {
            Ok(vector) => Ok(vector),
            Err(VectorError::Version) if text.is_empty() || text.starts_with("CVSS:") => return,
            Err(_) => Err(text.chars().take(80).collect()),
        };
        self.ratings.push(Rating { assigner, vector });
    }

    fn add_labels(&mut self, assigner: Assigner, cwes: Vec<CweId>) {
        for cwe in cwes.into_iter().take(MOST_LABELS) {
            let label = Label { assigner, cwe };
            self.labels.extend(Some(label).filter(|label| !self.labels.contains(label)));
        }
    }
}

/// `text` as it is kept: NUL, which column stores and terminals choke on, becomes a space.
pub(crate) fn clean(text: &str) -> String {
    text.replace('\0', " ")
}

/// Tests whether a language tag (`en`, `en-US`, `eng`) means English.
pub(crate) fn is_english(tag: &str) -> bool {
    let primary = tag.split(['-', '_']).next().unwrap_or_default();
    primary.eq_ignore_ascii_case("en") || primary.eq_ignore_ascii_case("eng")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOMEBODY: Assigner = Assigner { rank: 1, name: "somebody", added: false };

    #[test]
    fn no_weakness_is_told_from_an_unreadable_one() {
        let mut record = Record::new(None, Problem::Blank);
        for text in ["CWE-79", "NVD-CWE-noinfo", "NVD-CWE-Other", "", "CWE-79", "CWE-XX", "CWE-20"] {
            record.label(SOMEBODY, text);
        }
        let numbers: Vec<_> = record.labels.iter().map(|label| label.cwe.0).collect();
        assert_eq!(numbers, [79, 20]);
        assert_eq!(record.unreadable_labels, ["CWE-XX"]);
        assert!(record.untold);
        let mut other = Record::new(None, Problem::Blank);
        other.label(SOMEBODY, "NVD-CWE-Other");
        assert!(!other.untold, "a weakness that the list lacks is told");
    }

    #[test]
    fn a_rejection_notice_is_known_at_the_start_alone() {
        let mut record = Record::new(None, Problem::Blank);
        record.describe("\0 \0");
        assert_eq!(record.text, Err(Problem::Blank), "what is left out leaves nothing");
        for (text, withdrawn) in [
            ("** REJECT ** DO NOT USE THIS CANDIDATE NUMBER.", true),
            (" Rejected reason: duplicate", true),
            ("** REJECTED ** duplicate", true),
            ("**REJECT** duplicate", true),
            ("** RESERVED ** This candidate has been reserved by an organization", true),
            ("This CVE ID has been rejected or withdrawn by its CVE Numbering Authority.", true),
            ("Reserved memory in the driver is freed twice", false),
            ("Rejected requests are logged with their passwords", false),
            ("** DISPUTED ** The server leaks", false),
            ("The server answers Rejected reason: x to everybody", false),
        ] {
            let mut record = Record::new(None, Problem::Blank);
            record.describe(text);
            assert_eq!(record.withdrawn, withdrawn, "{text}");
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

    #[test]
    fn the_cve_of_a_record_is_its_id_or_an_alias() {
        let mut record = Record::new(Some(RecordId::new("GHSA-2222-3333-4444")), Problem::Blank);
        assert_eq!((record.cve(), record.year()), (None, None));
        record.aliases = ["PYSEC-2021-1", "CVE-2021-0001", "CVE-2020-0002"].map(RecordId::new).to_vec();
        assert_eq!((record.cve(), record.year()), (Some(CveId::new(2021, 1)), Some(2021)));
        record.dates.published = When::Year(2023);
        assert_eq!(record.year(), Some(2023));
    }
}
