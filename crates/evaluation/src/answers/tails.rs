//! Tails: ends of a text that say nothing about the weakness, as records, advisories and reports have them.

use serde::{Deserialize, Serialize};

/// A kind of text that is put behind a description, in one of several written forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tail {
    /// A vector of CVSS 3.1 and its base score.
    Cvss,
    /// Two references.
    Links,
    /// Thanks to who found it.
    Credit,
    /// A product's name in CPE 2.3.
    Cpe,
    /// The version with the fix.
    Fix,
}

impl Tail {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Cvss, Self::Links, Self::Credit, Self::Cpe, Self::Fix];

    /// Its description in a table.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Cvss => "a CVSS vector",
            Self::Links => "two links",
            Self::Credit => "a credit line",
            Self::Cpe => "a CPE name",
            Self::Fix => "the fixed version",
        }
    }

    /// The form for the record with this number.
    pub(super) fn written(self, number: usize) -> &'static str {
        let forms = self.forms();
        forms.get(number % forms.len()).copied().unwrap_or_default()
    }

    fn forms(self) -> &'static [&'static str] {
        match self {
            Self::Cvss => &[
                "\nCVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\nBase score: 9.8",
                " CVSS v3.1 base score 7.5 (CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H).",
                "\n\nSeverity: MEDIUM\nCVSS 3.1 Base Score: 5.4\nVector: CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N",
            ],
            Self::Links => &[
                "\n\nReferences:\nhttps://example.com/advisories/2024-0117\nhttps://example.org/commit/4f1d2c3",
                " See https://example.com/security/117 and https://example.org/issues/2381 for details.",
                "\n[1] https://example.net/blog/disclosure\n[2] https://example.com/releases/4.2.1",
            ],
            Self::Credit => &[
                "\nCredit: Alex Doe of Example Labs",
                " We would like to thank Alex Doe for reporting this issue.",
                "\n\nAcknowledgements\nThis issue was discovered by A. Doe (@adoe) and reported on 3 March.",
            ],
            Self::Cpe => &[
                "\ncpe:2.3:a:example:product:4.2.0:*:*:*:*:*:*:*",
                " Affected configurations: cpe:2.3:o:example:device_firmware:1.0.3:*:*:*:*:*:*:*.",
                "\n\nCPE: cpe:2.3:a:example:suite:*:*:*:*:enterprise:*:*:*",
            ],
            Self::Fix => &[
                " Fixed in version 4.2.1.",
                "\nFixed in: 4.2.1",
                " This issue has been resolved in version 4.2.1; users are advised to upgrade.",
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tail_has_several_forms_that_do_not_touch_the_text() {
        for tail in Tail::ALL {
            assert!(tail.forms().len() >= 3);
            assert!(tail.forms().iter().all(|form| form.starts_with([' ', '\n'])), "{tail:?}");
            assert_ne!(tail.written(0), tail.written(1));
            assert_eq!(tail.written(0), tail.written(tail.forms().len()));
        }
    }
}
