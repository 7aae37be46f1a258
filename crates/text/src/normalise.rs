//! Normalising: taking out of a text what says nothing of its weakness.
//!
//! Scores, vectors, links, identifiers, dates, credits, advice to upgrade and marks of markup tell who wrote a text and
//! where it was published. A model that reads them learns the habits of authors, and changes its answer when a vector is
//! appended. CWE ids and names within a text are evidence, and stay.
//!
//! What is taken out is replaced by spaces, byte for byte, so that places in the normalised text are places in the text.

use std::borrow::Cow;
use std::ops::Range;

use crate::patterns::{may_match, pattern};

/// The version of the normaliser. A model's description names the version that it learnt with; another one would make
/// it read texts that it has not seen the like of.
pub const NORMALISER: u32 = 1;

/// `text` with everything that says nothing of a weakness replaced by spaces, byte for byte.
///
/// Doing it twice changes nothing more.
///
/// ```
/// let text = "XSS in search (CVE-2024-10001). CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N";
/// assert_eq!(vulnlens_text::normalise(text).trim_end(), "XSS in search (              ).");
/// ```
#[must_use]
pub fn normalise(text: &str) -> Cow<'_, str> {
    let mut normal = Cow::Borrowed(text);
    // Taking one thing out may bring another to the beginning of a sentence.
    for _ in 0..MOST_PASSES {
        let spans = spans(&normal);
        if spans.is_empty() {
            break;
        }
        normal = Cow::Owned(blanked(&normal, spans));
    }
    normal
}

/// Passes over one text; a third finds nothing in any text that people write.
const MOST_PASSES: usize = 3;

/// `text` with every run of white space one space, and none at the ends, for readers to whom places do not matter.
#[must_use]
pub fn collapsed(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    collapsed
}

/// The ranges of what is taken out, in no order.
fn spans(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let found = may_match(text).into_iter().enumerate();
    for pattern in found.filter_map(|(number, found)| found.then(|| pattern(number))?) {
        for captures in pattern.captures_iter(text) {
            // The group is what goes; what stands around it says only where.
            if let Some(span) = captures.get(1).filter(|span| span.as_str().contains(|c: char| c != ' ')) {
                spans.push(span.range());
            }
        }
    }
    spans
}

fn blanked(text: &str, spans: Vec<Range<usize>>) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for span in spans {
        if let Some(taken) = bytes.get_mut(span) {
            // A line break stays: it ends a sentence, and a heading stands on a line of its own.
            taken.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        }
    }
    // Spans begin and end at characters, so that whole characters are replaced.
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(text: &str) -> String {
        let normal = normalise(text);
        assert_eq!(normal.len(), text.len());
        assert_eq!(normalise(&normal), normal, "{text:?}");
        collapsed(&normal)
    }

    #[test]
    fn what_is_appended_to_a_text_goes() {
        let text = "The caption of a picture is printed without escaping it.";
        for appended in [
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "CVSS v3.1 Base Score: 9.8 (CRITICAL), Vector: AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
            "CVSSv2 7.5 (AV:N/AC:L/Au:N/C:P/I:P/A:P)",
            "(CVSS score: 9.8)",
            "Severity: CRITICAL",
            "Severity: High (8.1)",
            "Base score: 7.5 HIGH",
            "A CVSS v3 base score of 5.7 has been calculated; the CVSS vector string is (AV:A/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H).",
            "CVSS 3.1 Base Score 7.5 (Availability impacts). CVSS Vector: (CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H).",
            "SSVC: Exploitation: active, Automatable: yes, Technical Impact: total",
            "SSVCv2/E:A/A:Y/T:T/2024-06-01T12:00:00Z/",
            "https://example.com/advisories/2024-17",
            "See https://example.com/a for details.",
            "References: https://example.com/a?b=c#d https://www.example.org/x",
            "[1] https://lists.example.org/archive/3",
            "More information: www.example.com/security",
            "cpe:2.3:a:larkspur:shop:2.1:*:*:*:*:*:*:*",
            "CPE: cpe:/a:larkspur:shop:2.1",
            "Credit: Jane Doe of Example Security",
            "Credits to J. Doe (@jdoe).",
            "Reported by Jane Doe.",
            "Discovered by Jane Doe and John Roe from Example Labs.",
            "This vulnerability was discovered by Jane Doe of Example Labs.",
            "Thanks to Jane Doe for reporting this issue.",
            "We would like to thank Jane Doe for responsibly disclosing this.",
            "Fixed in version 4.2.1.",
            "This issue is fixed in version 4.2.1.",
            "This has been patched in 4.2.1 and 4.3.0.",
            "The vulnerability has been fixed in 2.0.",
            "Users are advised to upgrade to version 4.2.1 or later.",
            "Users are recommended to upgrade to version 4.2.1, which fixes this issue.",
            "Upgrade to 4.2.1 or later.",
            "Published: 2024-05-03",
            "2024-05-03T10:11:12Z",
            "Patched on March 3, 2024.",
            "CVSS 3.1 Base Score: 5.4\nVector: CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N",
            "See https://example.com/security/117 and https://example.org/issues/2381 for details.",
            "Acknowledgements\nThis issue was discovered by A. Doe (@adoe) and reported on 3 March.",
            "Jane Doe of Example Labs reported this vulnerability to CISA.",
            "Affected configurations: cpe:2.3:o:example:device_firmware:1.0.3:*:*:*:*:*:*:*.",
            "This issue has been resolved in version 4.2.1; users are advised to upgrade.",
            "CVE-2024-12345",
            "CVE-2024-12345 has been assigned to this vulnerability.",
            "GHSA-abcd-efgh-2345",
            "(ZDI-CAN-12345)",
            "3f786850e387550fdab836ed7e6dc881de23001b",
        ] {
            for between in [" ", "\n", "\n\n"] {
                let normal = normal(&format!("{text}{between}{appended}"));
                let rest = normal.strip_prefix(text).unwrap_or("(changed)");
                assert!(!rest.contains(char::is_alphanumeric), "{appended:?} leaves {rest:?}");
            }
        }
    }

    #[test]
    fn evidence_stays() {
        for text in [
            "SQL injection (CWE-89) in login.php before 2.3.1 allows attackers to read /etc/passwd.",
            "An attacker may inject <script>alert(1)</script> by the id parameter.",
            "The AV:N prefix is parsed twice.",
            "The server logs credentials in clear text.",
            "The upgrade of a user's session is not verified.",
            "Fixed passwords are used for the admin account.",
            "References to freed objects are kept.",
            "A link follows ../../etc/shadow.",
            "Hash collisions make lookups slow.",
            "An issue was discovered in Foo 1.2.",
            "The issue was addressed with improved memory handling.",
            "SQL injection via the id parameter to (1) update.php, (2) del.php, and (3) add.php.",
            "The severity of log messages is not checked.",
        ] {
            assert_eq!(normal(text), text);
        }
    }

    #[test]
    fn headings_and_markup_go_and_what_they_hold_stays() {
        let text = "### Impact\n<p>A <code>name</code> is **not** escaped.</p>\n\n## Patches\nUpgrade to 2.0.\n\n### References\n- https://example.com";
        assert_eq!(normal(text), "A name is not escaped. -");
    }

    proptest::proptest! {
        #[test]
        fn places_stay_what_they_are(text in "\\PC*") {
            let normal = normalise(&text);
            proptest::prop_assert_eq!(normal.len(), text.len());
            for (at, c) in normal.char_indices().filter(|(_, c)| *c != ' ') {
                proptest::prop_assert!(text.get(at..).is_some_and(|rest| rest.starts_with(c)));
            }
        }
    }
}
