//! The ids of the field as types: a wrong id is refused where it enters, not where it hurts.
//!
//! Every id parses leniently (`79`, `CWE-79`, `cwe-79`), prints canonically (`CWE-79`), orders by
//! its numbers and serialises as its canonical string (as numbers in compact formats).

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::{Serialize, Serializer};
use vulnlens_files::{Classified, ErrorKind};

/// A text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {kind} id; expected the form {form}")]
pub struct ParseIdError {
    kind: &'static str,
    form: &'static str,
    text: String,
}

impl Classified for ParseIdError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Arguments
    }
}

impl ParseIdError {
    fn new(kind: &'static str, form: &'static str, text: &str) -> Self {
        // A hostile "id" may be megabytes long; the message needs only its beginning.
        let text = text.chars().take(40).collect();
        Self { kind, form, text }
    }
}

/// A CVE record, `CVE-2021-44228`: the year of its reservation and its number in that year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CveId {
    year: u16,
    number: u32,
}

/// A weakness or category of the Common Weakness Enumeration, `CWE-79`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CweId(pub u32);

/// An attack pattern of the Common Attack Pattern Enumeration, `CAPEC-63`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CapecId(pub u32);

/// An ATT&CK technique `T1027` or sub-technique `T1562.003`, of any domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TechniqueId {
    number: u16,
    sub: Option<u16>,
}

/// An ATT&CK tactic, `TA0005`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TacticId(pub u16);

impl CveId {
    /// The record `CVE-{year}-{number}`.
    #[must_use]
    pub fn new(year: u16, number: u32) -> Self {
        Self { year, number }
    }

    /// The year in the id: that of the reservation, not always that of the publication.
    #[must_use]
    pub fn year(self) -> u16 {
        self.year
    }

    /// The number within the year, without the padding that the printed form has.
    #[must_use]
    pub fn number(self) -> u32 {
        self.number
    }

    /// The record's page.
    #[must_use]
    pub fn url(self) -> String {
        format!("https://www.cve.org/CVERecord?id={self}")
    }
}

impl CweId {
    /// The weakness's page at MITRE.
    #[must_use]
    pub fn url(self) -> String {
        format!("https://cwe.mitre.org/data/definitions/{}.html", self.0)
    }
}

impl CapecId {
    /// The pattern's page at MITRE.
    #[must_use]
    pub fn url(self) -> String {
        format!("https://capec.mitre.org/data/definitions/{}.html", self.0)
    }
}

impl TechniqueId {
    /// The technique `T{number}`.
    #[must_use]
    pub fn technique(number: u16) -> Self {
        Self { number, sub: None }
    }

    /// The sub-technique `T{number}.{sub}`.
    #[must_use]
    pub fn sub_technique(number: u16, sub: u16) -> Self {
        Self { number, sub: Some(sub) }
    }

    /// The four-digit number of the technique, without the sub-technique.
    #[must_use]
    pub fn number(self) -> u16 {
        self.number
    }

    /// The number after the point, for a sub-technique.
    #[must_use]
    pub fn sub(self) -> Option<u16> {
        self.sub
    }

    /// True for a sub-technique.
    #[must_use]
    pub fn is_sub_technique(self) -> bool {
        self.sub.is_some()
    }

    /// The technique that a sub-technique's id stands under; a technique is its own.
    #[must_use]
    pub fn parent(self) -> Self {
        Self::technique(self.number)
    }

    /// The technique's page at MITRE.
    #[must_use]
    pub fn url(self) -> String {
        match self.sub {
            None => format!("https://attack.mitre.org/techniques/T{:04}", self.number),
            Some(sub) => format!("https://attack.mitre.org/techniques/T{:04}/{sub:03}", self.number),
        }
    }
}

impl TacticId {
    /// The tactic's page at MITRE.
    #[must_use]
    pub fn url(self) -> String {
        format!("https://attack.mitre.org/tactics/{self}")
    }
}

/// A technique `AML.T0051` or sub-technique `AML.T0051.001` of MITRE ATLAS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AtlasTechniqueId {
    number: u16,
    sub: Option<u16>,
}

/// A tactic of MITRE ATLAS, `AML.TA0002`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AtlasTacticId(pub u16);

/// A mitigation of MITRE ATLAS, `AML.M0001`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AtlasMitigationId(pub u16);

/// A countermeasure of MITRE D3FEND, `D3-FA`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountermeasureId {
    /// The letters behind `D3-`, with zeros behind them.
    letters: [u8; MOST_LETTERS],
}

/// Most letters of a countermeasure's id; the longest of today has seven.
const MOST_LETTERS: usize = 12;

impl AtlasTechniqueId {
    /// True for a sub-technique.
    #[must_use]
    pub fn is_sub_technique(self) -> bool {
        self.sub.is_some()
    }

    /// The technique that a sub-technique's id stands under; a technique is its own.
    #[must_use]
    pub fn parent(self) -> Self {
        Self { sub: None, ..self }
    }

    /// The technique's page at MITRE.
    #[must_use]
    pub fn url(self) -> String {
        format!("https://atlas.mitre.org/techniques/{self}")
    }
}

impl AtlasTacticId {
    /// The tactic's page at MITRE.
    #[must_use]
    pub fn url(self) -> String {
        format!("https://atlas.mitre.org/tactics/{self}")
    }
}

impl AtlasMitigationId {
    /// The mitigation's page at MITRE.
    #[must_use]
    pub fn url(self) -> String {
        format!("https://atlas.mitre.org/mitigations/{self}")
    }
}

impl CountermeasureId {
    /// The letters behind `D3-`.
    fn letters(&self) -> &str {
        let written = self.letters.split(|letter| *letter == 0).next().unwrap_or_default();
        std::str::from_utf8(written).unwrap_or_default()
    }
}

/// `text` without `prefix`, whatever the case of its letters.
fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// A number written in decimal digits alone (no sign, no space), of at most `max_digits`.
fn digits<T: FromStr>(text: &str, max_digits: usize) -> Option<T> {
    let plain = !text.is_empty() && text.len() <= max_digits && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

impl FromStr for CveId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let parse = || {
            let (year, number) = strip_prefix_ignore_case(text.trim(), "CVE-")?.split_once('-')?;
            (year.len() == 4 && number.len() >= 4).then_some(())?;
            Some(Self::new(digits(year, 4)?, digits(number, 9)?))
        };
        parse().ok_or_else(|| ParseIdError::new("CVE", "CVE-2021-44228", text))
    }
}

impl FromStr for CweId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let rest = text.trim();
        let rest = strip_prefix_ignore_case(rest, "CWE-").unwrap_or(rest);
        digits(rest, 6).map(Self).ok_or_else(|| ParseIdError::new("CWE", "CWE-79", text))
    }
}

impl FromStr for CapecId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let rest = text.trim();
        let rest = strip_prefix_ignore_case(rest, "CAPEC-").unwrap_or(rest);
        digits(rest, 6).map(Self).ok_or_else(|| ParseIdError::new("CAPEC", "CAPEC-63", text))
    }
}

impl FromStr for TechniqueId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let parse = || {
            let rest = text.trim();
            let rest = strip_prefix_ignore_case(rest, "T").unwrap_or(rest);
            let (number, sub) = match rest.split_once('.') {
                None => (rest, None),
                Some((number, sub)) => ((number), Some(sub)),
            };
            (number.len() == 4 && sub.is_none_or(|sub| sub.len() == 3)).then_some(())?;
            let sub = match sub {
                None => None,
                Some(sub) => Some(digits(sub, 3)?),
            };
            Some(Self { number: digits(number, 4)?, sub })
        };
        parse().ok_or_else(|| ParseIdError::new("ATT&CK technique", "T1027 or T1562.003", text))
    }
}

impl FromStr for TacticId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        strip_prefix_ignore_case(text.trim(), "TA")
            .and_then(|rest| digits(rest, 4))
            .map(Self)
            .ok_or_else(|| ParseIdError::new("ATT&CK tactic", "TA0005", text))
    }
}

impl FromStr for AtlasTechniqueId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let technique = strip_prefix_ignore_case(text.trim(), "AML.")
            .filter(|rest| rest.starts_with(['T', 't']))
            .and_then(|rest| rest.parse::<TechniqueId>().ok());
        let wrong = || ParseIdError::new("ATLAS technique", "AML.T0051 or AML.T0051.001", text);
        technique.map(|TechniqueId { number, sub }| Self { number, sub }).ok_or_else(wrong)
    }
}

impl FromStr for AtlasTacticId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        strip_prefix_ignore_case(text.trim(), "AML.TA")
            .and_then(|rest| (rest.len() == 4).then(|| digits(rest, 4))?)
            .map(Self)
            .ok_or_else(|| ParseIdError::new("ATLAS tactic", "AML.TA0002", text))
    }
}

impl FromStr for AtlasMitigationId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        strip_prefix_ignore_case(text.trim(), "AML.M")
            .and_then(|rest| (rest.len() == 4).then(|| digits(rest, 4))?)
            .map(Self)
            .ok_or_else(|| ParseIdError::new("ATLAS mitigation", "AML.M0001", text))
    }
}

impl FromStr for CountermeasureId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let parse = || {
            let rest = strip_prefix_ignore_case(text.trim(), "D3-")?.as_bytes();
            let plain = !rest.is_empty() && rest.iter().all(u8::is_ascii_alphanumeric);
            let mut letters = [0; MOST_LETTERS];
            letters.get_mut(..rest.len()).filter(|_| plain)?.copy_from_slice(&rest.to_ascii_uppercase());
            Some(Self { letters })
        };
        parse().ok_or_else(|| ParseIdError::new("D3FEND countermeasure", "D3-FA", text))
    }
}

impl fmt::Display for CveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CVE-{:04}-{:04}", self.year, self.number)
    }
}

impl fmt::Display for CweId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CWE-{}", self.0)
    }
}

impl fmt::Display for CapecId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CAPEC-{}", self.0)
    }
}

impl fmt::Display for TechniqueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sub {
            None => write!(f, "T{:04}", self.number),
            Some(sub) => write!(f, "T{:04}.{sub:03}", self.number),
        }
    }
}

impl fmt::Display for TacticId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TA{:04}", self.0)
    }
}

impl fmt::Display for AtlasTechniqueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AML.{}", TechniqueId { number: self.number, sub: self.sub })
    }
}

impl fmt::Display for AtlasTacticId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AML.TA{:04}", self.0)
    }
}

impl fmt::Display for AtlasMitigationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AML.M{:04}", self.0)
    }
}

impl fmt::Display for CountermeasureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "D3-{}", self.letters())
    }
}

impl Serialize for CountermeasureId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CountermeasureId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Serialises an id as its canonical string in formats that people read, and as its numbers (a
/// tuple of what the id holds) in compact ones. Both ways back refuse numbers no id can have.
macro_rules! serde_by_format {
    ($($id:ty as $numbers:ty, $pack:expr, $unpack:expr);+ $(;)?) => {$(
        impl Serialize for $id {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    return serializer.collect_str(self);
                }
                let pack: fn(&$id) -> $numbers = $pack;
                pack(self).serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                    return text.parse().map_err(D::Error::custom);
                }
                let unpack: fn($numbers) -> Option<$id> = $unpack;
                unpack(<$numbers>::deserialize(deserializer)?)
                    .ok_or_else(|| D::Error::custom(concat!("number out of range for ", stringify!($id))))
            }
        }
    )+};
}
serde_by_format! {
    CveId as (u16, u32), |id| (id.year, id.number),
        |(year, number)| (year <= 9999 && number <= 999_999_999).then_some(Self { year, number });
    CweId as u32, |id| id.0, |number| (number <= 999_999).then_some(Self(number));
    CapecId as u32, |id| id.0, |number| (number <= 999_999).then_some(Self(number));
    TechniqueId as (u16, Option<u16>), |id| (id.number, id.sub),
        |(number, sub)| (number <= 9999 && sub.is_none_or(|sub| sub <= 999)).then_some(Self { number, sub });
    TacticId as u16, |id| id.0, |number| (number <= 9999).then_some(Self(number));
    AtlasTechniqueId as (u16, Option<u16>), |id| (id.number, id.sub),
        |(number, sub)| (number <= 9999 && sub.is_none_or(|sub| sub <= 999)).then_some(Self { number, sub });
    AtlasTacticId as u16, |id| id.0, |number| (number <= 9999).then_some(Self(number));
    AtlasMitigationId as u16, |id| id.0, |number| (number <= 9999).then_some(Self(number));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_written_form_and_prints_the_canonical_one() {
        for (text, canonical) in [("79", "CWE-79"), ("CWE-79", "CWE-79"), (" cwe-0079", "CWE-79")] {
            assert_eq!(text.parse::<CweId>().unwrap().to_string(), canonical);
        }
        for (text, canonical) in [("1562.003", "T1562.003"), ("t1027", "T1027"), ("T0803", "T0803")] {
            assert_eq!(text.parse::<TechniqueId>().unwrap().to_string(), canonical);
        }
        assert_eq!("cve-2014-0001".parse::<CveId>().unwrap().to_string(), "CVE-2014-0001");
        assert_eq!("CAPEC-63".parse::<CapecId>().unwrap(), CapecId(63));
        assert_eq!("TA0005".parse::<TacticId>().unwrap(), TacticId(5));
        for (text, canonical) in [("aml.t0051", "AML.T0051"), (" AML.T0051.001", "AML.T0051.001")] {
            assert_eq!(text.parse::<AtlasTechniqueId>().unwrap().to_string(), canonical);
        }
        assert_eq!("AML.TA0002".parse::<AtlasTacticId>().unwrap(), AtlasTacticId(2));
        assert_eq!("AML.M0001".parse::<AtlasMitigationId>().unwrap().to_string(), "AML.M0001");
        assert_eq!("d3-fa".parse::<CountermeasureId>().unwrap().to_string(), "D3-FA");
    }

    #[test]
    fn refuses_what_is_not_an_id() {
        for text in ["", "CWE-", "CWE-+1", "CWE-7 9", "NVD-CWE-Other", "CWE-9999999", "é79"] {
            assert!(text.parse::<CweId>().is_err(), "{text:?}");
        }
        for text in ["CVE-2014-1", "CVE-14-0001", "CVE-2014", "2014-0001", "CVE-2014-00000000001"] {
            assert!(text.parse::<CveId>().is_err(), "{text:?}");
        }
        for text in ["T0051", "AML.0051", "AML.TA0002", "AML.T51", "AML.T0051.1"] {
            assert!(text.parse::<AtlasTechniqueId>().is_err(), "{text:?}");
        }
        for text in ["AML.T0002", "AML.TA2", "TA0002"] {
            assert!(text.parse::<AtlasTacticId>().is_err(), "{text:?}");
        }
        for text in ["AML.M1", "M0001", "AML.T0001"] {
            assert!(text.parse::<AtlasMitigationId>().is_err(), "{text:?}");
        }
        for text in ["D3-", "D3A-AL", "FA", "D3-F A", "D3-ABCDEFGHIJKLM", "D3-É"] {
            assert!(text.parse::<CountermeasureId>().is_err(), "{text:?}");
        }
        for text in ["T10", "T1027.1", "T1027.", "TA0005", "T1562.00x"] {
            assert!(text.parse::<TechniqueId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn serde_goes_through_the_canonical_string() {
        let id = TechniqueId::sub_technique(1562, 3);
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"T1562.003\"");
        assert_eq!(serde_json::from_str::<TechniqueId>("\"1562.003\"").unwrap(), id);
        assert!(serde_json::from_str::<CweId>("\"NVD-CWE-noinfo\"").is_err());
    }
}
