//! Ids in the text of one label.

use vulnlens_taxonomy::{CapecId, CweId, TacticId, TechniqueId};

/// The prefix of ATLAS's ids.
const ATLAS: &[u8] = b"AML";

/// An id as a label writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Id {
    Cwe(CweId),
    Capec(CapecId),
    Technique(TechniqueId),
    Tactic(TacticId),
}

/// A number, or two with a point between them, by itself: of which taxonomy, it does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bare {
    pub(super) number: u32,
    /// The number after the point.
    pub(super) sub: Option<u16>,
    /// The technique that it may mean: those have four digits, and three after the point.
    pub(super) technique: Option<TechniqueId>,
}

/// What a label's text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Id(Id),
    Bare(Bare),
    /// No id, or several different ones.
    Words,
}

impl Written {
    pub(super) fn of(label: &str) -> Self {
        let label = label.trim();
        if let Some(bare) = bare(label) {
            return Self::Bare(bare);
        }
        let mut ids = ids(label.as_bytes());
        match ids.next() {
            Some(first) if ids.all(|id| id == first) => Self::Id(first),
            _ => Self::Words,
        }
    }
}

fn bare(label: &str) -> Option<Bare> {
    let (number, sub) = match label.split_once('.') {
        None => (label, None),
        Some((number, sub)) => (number, Some(sub)),
    };
    let technique = label.as_bytes().first().filter(|first| first.is_ascii_digit()).and(label.parse().ok());
    if sub.is_some() && technique.is_none() {
        return None;
    }
    let (number, _) = digits(number.as_bytes()).filter(|(_, rest)| rest.is_empty())?;
    Some(Bare { number, sub: sub.and_then(|sub| sub.parse().ok()), technique })
}

/// The ids in `text`, from left to right: each stands between what is neither letter nor digit. `T0051` of
/// `AML.T0051` is a part of ATLAS's id, whose numbers mean something else in ATT&CK.
fn ids(text: &[u8]) -> impl Iterator<Item = Id> {
    let is_start = |at: &usize| {
        let before = text.get(..*at).unwrap_or_default();
        before.last().is_none_or(is_boundary) && !is_after_atlas(before)
    };
    (0..text.len()).filter(is_start).filter_map(|at| id_at(text.get(at..)?))
}

/// True for the text before a number of ATLAS: `AML.`, `AML_`, or the same after other words.
fn is_after_atlas(before: &[u8]) -> bool {
    let Some((separator, word)) = before.split_last() else { return false };
    let (head, word) = word.split_at(word.len().saturating_sub(ATLAS.len()));
    b"._/-: ".contains(separator) && word.eq_ignore_ascii_case(ATLAS) && head.last().is_none_or(is_boundary)
}

fn is_boundary(byte: &u8) -> bool {
    byte.is_ascii() && !byte.is_ascii_alphanumeric()
}

/// The id that `text` begins with.
fn id_at(text: &[u8]) -> Option<Id> {
    if let Some(rest) = after(text, b"CWE") {
        return whole_number(separated(rest)).map(|number| Id::Cwe(CweId(number)));
    }
    if let Some(rest) = after(text, b"CAPEC") {
        return whole_number(separated(rest)).map(|number| Id::Capec(CapecId(number)));
    }
    if let Some(rest) = after(text, b"TA") {
        let (number, rest) = exactly(4, rest)?;
        return ends(rest).then_some(Id::Tactic(TacticId(number)));
    }
    let (number, rest) = exactly(4, after(text, b"T")?)?;
    let sub = rest.split_first().filter(|(sign, _)| b"._/-".contains(sign));
    let sub = sub.and_then(|(_, rest)| exactly(3, rest)).filter(|(_, rest)| ends(rest));
    match sub {
        Some((sub, _)) => Some(Id::Technique(TechniqueId::sub_technique(number, sub))),
        None => ends(rest).then_some(Id::Technique(TechniqueId::technique(number))),
    }
}

fn after<'t>(text: &'t [u8], prefix: &[u8]) -> Option<&'t [u8]> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// `text` behind the sign that may stand between a taxonomy and a number: `CWE-79`, `cwe_79`, `CWE 79`.
fn separated(text: &[u8]) -> &[u8] {
    text.split_first().filter(|(sign, _)| b"-_: #".contains(sign)).map_or(text, |(_, rest)| rest)
}

fn ends(rest: &[u8]) -> bool {
    rest.first().is_none_or(is_boundary)
}

fn whole_number(text: &[u8]) -> Option<u32> {
    digits(text).filter(|(_, rest)| ends(rest)).map(|(number, _)| number)
}

/// The number of at most six digits that `text` begins with, and what follows it.
fn digits(text: &[u8]) -> Option<(u32, &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at_checked(count).filter(|_| (1..=6).contains(&count))?;
    Some((decimal(number), rest))
}

/// The number of `count` digits that `text` begins with, and what follows it.
fn exactly(count: usize, text: &[u8]) -> Option<(u16, &[u8])> {
    let (number, rest) = text.split_at_checked(count)?;
    let is_number = number.iter().all(u8::is_ascii_digit) && !rest.first().is_some_and(u8::is_ascii_digit);
    is_number.then(|| decimal(number)).and_then(|number| u16::try_from(number).ok()).map(|n| (n, rest))
}

/// At most six digits as a number.
fn decimal(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn technique(text: &str) -> Option<Id> {
        Some(Id::Technique(text.parse().unwrap()))
    }

    #[test]
    fn an_id_is_found_however_it_is_written() {
        let cwe = Some(Id::Cwe(CweId(79)));
        for (label, want) in [
            ("CWE-79", cwe),
            (" cwe_79 ", cwe),
            ("CWE79", cwe),
            ("CWE 079", cwe),
            ("LABEL_CWE-79", cwe),
            ("CWE-79: Improper Neutralization of Input (XSS)", cwe),
            ("Cross-site scripting (CWE-79)", cwe),
            ("CWE-79 / cwe79", cwe),
            ("CAPEC-63", Some(Id::Capec(CapecId(63)))),
            ("T1190", technique("T1190")),
            ("t1562.003", technique("T1562.003")),
            ("T1562_003", technique("T1562.003")),
            ("T1190: Exploit Public-Facing Application", technique("T1190")),
            ("T1190.", technique("T1190")),
            ("TA0005", Some(Id::Tactic(TacticId(5)))),
            ("AML.T0051", None),
            ("aml.t0051.001: Indirect", None),
            ("AML_T0051", None),
            ("LLM Prompt Injection (AML.T0051)", None),
            ("AML.TA0000", None),
            ("AML.T0051 (T1190)", technique("T1190")),
            ("XAML.T1190", technique("T1190")),
            ("CWE-79 in CWE-80", None),
            ("T1190 (TA0001)", None),
            ("LABEL_3", None),
            ("Other", None),
            ("NVD-CWE-noinfo", None),
            ("CWE-", None),
            ("CWE-1234567", None),
            ("SCWE-79", None),
            ("éT1190", None),
            ("T11901", None),
            ("T1190a", None),
            ("T119", None),
            ("", None),
        ] {
            let got = match Written::of(label) {
                Written::Id(id) => Some(id),
                Written::Words => None,
                Written::Bare(bare) => panic!("{label:?} is taken for {bare:?}"),
            };
            assert_eq!(got, want, "{label:?}");
        }
    }

    #[test]
    fn a_bare_number_is_left_open() {
        for (label, number, sub, is_technique) in [
            ("79", 79, None, false),
            ("1190", 1190, None, true),
            ("1190.001", 1190, Some(1), true),
            ("0079", 79, None, true),
        ] {
            let Written::Bare(bare) = Written::of(label) else { panic!("{label:?} is bare") };
            let got = (bare.number, bare.sub, bare.technique.is_some());
            assert_eq!(got, (number, sub, is_technique), "{label:?}");
        }
        for label in ["79.0", "1.5", "-1", "1 star", "1234567"] {
            assert_eq!(Written::of(label), Written::Words, "{label:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(label in "\\PC{0,40}") {
            Written::of(&label);
        }

        #[test]
        fn what_ids_print_is_read_back(number in 0u32..1_000_000, technique in 0u16..10_000, sub in 0u16..1000) {
            proptest::prop_assert_eq!(Written::of(&CweId(number).to_string()), Written::Id(Id::Cwe(CweId(number))));
            let sub = TechniqueId::sub_technique(technique, sub);
            proptest::prop_assert_eq!(Written::of(&sub.to_string()), Written::Id(Id::Technique(sub)));
        }
    }
}
