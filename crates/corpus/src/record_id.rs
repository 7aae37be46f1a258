//! Ids of records, of any kind.

use std::fmt;

use vulnlens_taxonomy::CveId;

/// An id of a record, kept exactly as it was given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(String);

/// The kinds of id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdKind {
    /// A CVE id.
    Cve(CveId),
    /// An id of the GitHub Advisory Database.
    Ghsa,
    /// An id of any other kind.
    Other,
}

impl RecordId {
    /// The id that `text` is.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The beginning of a text that is not the id it should be: a hostile one may be megabytes long.
    pub(crate) fn beginning(text: &str) -> Self {
        Self(text.chars().take(40).collect())
    }

    /// The id as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The kind of the id.
    #[must_use]
    pub fn kind(&self) -> IdKind {
        match self.0.parse() {
            Ok(cve) => IdKind::Cve(cve),
            Err(_) if is_ghsa(&self.0) => IdKind::Ghsa,
            Err(_) => IdKind::Other,
        }
    }

    /// The CVE id, if the id is one.
    #[must_use]
    pub fn cve(&self) -> Option<CveId> {
        self.0.parse().ok()
    }
}

/// Tests for `GHSA-xxxx-xxxx-xxxx`, in any case.
fn is_ghsa(text: &str) -> bool {
    let mut parts = text.split('-');
    let is_first = parts.next().is_some_and(|part| part.eq_ignore_ascii_case("GHSA"));
    let is_block = |part: &str| part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_first && parts.clone().count() == 3 && parts.all(is_block)
}

/// The CVE ids and ids of the GitHub Advisory Database that stand in a text, such as an address or the name of a rule.
pub(crate) fn named(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter_map(|word| {
        // What follows behind a dash is no part of the id: `CVE-2021-44228-log4j`.
        let end =
            word.match_indices('-').map(|(at, _)| at).chain([word.len()]).nth(count_of_dashes(word)?)?;
        let id = word.get(..end)?;
        (id.parse::<CveId>().is_ok() || is_ghsa(id)).then_some(id)
    })
}

/// The dashes of an id that begins as `word` does.
fn count_of_dashes(word: &str) -> Option<usize> {
    let is = |start: &str| word.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
    if is("CVE-") { Some(2) } else { is("GHSA-").then_some(3) }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_their_text_and_know_their_kind() {
        for (text, kind) in [
            ("CVE-2021-44228", IdKind::Cve(CveId::new(2021, 44228))),
            ("GHSA-2222-3c3c-4444", IdKind::Ghsa),
            ("ghsa-jfh8-c2jp-5v3q", IdKind::Ghsa),
            ("GHSA-2222-3333", IdKind::Other),
            ("GHSA-2222-3333-44445", IdKind::Other),
            ("PYSEC-2021-1", IdKind::Other),
            ("12345678901234567890123", IdKind::Other),
            ("", IdKind::Other),
        ] {
            let id = RecordId::new(text);
            assert_eq!((id.kind(), id.to_string().as_str()), (kind, text));
        }
    }

    #[test]
    fn ids_are_found_in_names_and_addresses() {
        for (text, ids) in [
            ("https://github.com/advisories/GHSA-2222-3c3c-4444", &["GHSA-2222-3c3c-4444"][..]),
            ("CVE-2021-44228-log4j-core", &["CVE-2021-44228"]),
            ("CVE-2021-44228", &["CVE-2021-44228"]),
            ("a (CVE-2021-1234, ghsa-2222-3333-4444-x)", &["CVE-2021-1234", "ghsa-2222-3333-4444"]),
            ("js/xss CVE-2021 GHSA-2222 XCVE-2021-1234 cve-", &[]),
        ] {
            assert_eq!(named(text).collect::<Vec<_>>(), ids, "{text}");
        }
    }
}
