//! The one recogniser of weaknesses' ids in what stands in the place of an id.

use vulnlens_taxonomy::CweId;

/// Marks between `CWE` and its number.
const MOST_MARKS: usize = 3;
/// Digits of the longest id.
const MOST_DIGITS: usize = 6;

/// The weaknesses that `item` names, in its order: `CWE-79` in any spelling (`CWE 79`, `cwe:79`, `(CWE-79)`, any dash)
/// anywhere in it; or bare numbers, if it is nothing but one or a list of them. The other numbers of a prose mean
/// nothing: `CVSS 9.8, rank 20` names none.
pub(crate) fn read(item: &str) -> Vec<CweId> {
    let named = named(item);
    if named.is_empty() { bare(item) } else { named }
}

/// The weaknesses that a prose names as `CWE-79`, in any spelling.
pub(crate) fn named(text: &str) -> Vec<CweId> {
    let mut ids = Vec::new();
    let mut rest = text;
    let mut before: Option<char> = None;
    while let Some(next) = rest.chars().next() {
        let is_word = before.is_some_and(char::is_alphanumeric);
        match rest
            .get(..3)
            .filter(|head| !is_word && head.eq_ignore_ascii_case("cwe"))
            .and_then(|_| rest.get(3..))
        {
            Some(behind) => {
                ids.extend(number_behind(behind));
                (before, rest) = (Some('e'), behind);
            }
            None => (before, rest) = (Some(next), rest.get(next.len_utf8()..).unwrap_or_default()),
        }
    }
    ids
}

/// The number behind `CWE`, past a few marks and perhaps the word `ID`.
fn number_behind(text: &str) -> Option<CweId> {
    let text = without_marks(text);
    let text = match text.get(..2) {
        Some(word) if word.eq_ignore_ascii_case("id") => without_marks(text.get(2..)?),
        _ => text,
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    number(text.get(..digits)?)
}

fn without_marks(text: &str) -> &str {
    let is_mark = |c: char| matches!(c, ' ' | '\t' | '_' | ':' | '#' | '\u{a0}') || is_dash(c);
    let marks = text.chars().take(MOST_MARKS).take_while(|c| is_mark(*c));
    text.get(marks.map(char::len_utf8).sum()..).unwrap_or_default()
}

/// Tests for a hyphen, dash or minus sign of any kind.
fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}')
}

/// The numbers of an item that is nothing else.
fn bare(item: &str) -> Vec<CweId> {
    let is_between = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '[' | ']' | '"' | '\'');
    let parts = item.split(is_between).filter(|part| !part.is_empty());
    // Tools that read a column with gaps write its numbers as 79.0.
    parts
        .map(|part| number(part.strip_suffix(".0").unwrap_or(part)))
        .collect::<Option<_>>()
        .unwrap_or_default()
}

fn number(digits: &str) -> Option<CweId> {
    let is_number = digits.len() <= MOST_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number).map(CweId)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(item: &str) -> Vec<u32> {
        read(item).into_iter().map(|id| id.0).collect()
    }

    #[test]
    fn every_spelling_is_known_and_other_numbers_are_not() {
        for (item, want) in [
            ("CWE-79", &[79][..]),
            ("CWE 78 OS Command Injection", &[78]),
            ("Permissive Regular Expression (CWE-625)", &[625]),
            ("CWE-416, CWE-366", &[416, 366]),
            ("CWE:79", &[79]),
            ("CWE: 79", &[79]),
            ("CWE\u{2011}79", &[79]),
            ("[cwe-79]", &[79]),
            ("CWE79", &[79]),
            ("CWE_79", &[79]),
            ("CWE-ID 79", &[79]),
            ("CWE-79: name, then CWE-89", &[79, 89]),
            ("CWE-79 (CVSS 9.8, rank 20)", &[79]),
            ("79", &[79]),
            (" 79 ", &[79]),
            ("79.0", &[79]),
            ("79;89", &[79, 89]),
            ("[79, \"89\"]", &[79, 89]),
            ("CVSS 9.8, rank 20", &[]),
            ("(type 2)", &[]),
            ("OWASP 2021", &[]),
            ("OWASP 2021 A3", &[]),
            ("9.8", &[]),
            ("NVD-CWE-noinfo", &[]),
            ("NVD-CWE-Other", &[]),
            ("MACWE-79", &[]),
            ("CWE-", &[]),
            ("CWE-99999999999", &[]),
            ("", &[]),
        ] {
            assert_eq!(numbers(item), want, "{item}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[CWEcwe0-9 ,;:é\u{2011}-]{0,30}") {
            let _ = read(&text);
        }
    }
}
