//! The answer in a word, and in a sentence.

use std::fmt;

/// The answer to a text in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Said {
    /// It tells a weakness, or several.
    Weaknesses,
    /// It tells the family of its weakness, and not which of it.
    Family,
    /// It may tell a weakness; none is sure.
    Unsure,
    /// It describes a vulnerability and does not tell the weakness.
    NotTold,
    /// It does not describe a vulnerability.
    NotAVulnerability,
    /// It is not in English, or in words that the model does not know.
    UnknownWords,
    /// It is the notice of a record that was withdrawn or is reserved.
    Withdrawn,
    /// It has no words besides links, identifiers, scores and dates.
    NoText,
}

impl Said {
    /// Everything that can be said.
    pub const ALL: [Self; 8] = [
        Self::Weaknesses,
        Self::Family,
        Self::Unsure,
        Self::NotTold,
        Self::NotAVulnerability,
        Self::UnknownWords,
        Self::Withdrawn,
        Self::NoText,
    ];

    /// Its name in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Weaknesses => "weaknesses",
            Self::Family => "family",
            Self::Unsure => "unsure",
            Self::NotTold => "not-told",
            Self::NotAVulnerability => "not-a-vulnerability",
            Self::UnknownWords => "unknown-words",
            Self::Withdrawn => "withdrawn",
            Self::NoText => "no-text",
        }
    }

    /// True where nothing that an attacker does follows from the text.
    #[must_use]
    pub const fn rules_out_techniques(self) -> bool {
        matches!(self, Self::NotAVulnerability | Self::UnknownWords | Self::Withdrawn | Self::NoText)
    }

    /// The sentence for people.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Weaknesses => "The text tells its weakness.",
            Self::Family => "The text tells the family of its weakness, not which one of it.",
            Self::Unsure => "The text may tell a weakness, but no single one is sure.",
            Self::NotTold => "The text speaks of a vulnerability without telling its weakness.",
            Self::NotAVulnerability => "The text does not describe a vulnerability.",
            Self::UnknownWords => {
                "The text is not in English, or in words that the model does not know: it was not classified."
            }
            Self::Withdrawn => "The text is the notice of a record that was withdrawn or is reserved.",
            Self::NoText => {
                "The text has no words besides links, identifiers, scores and dates: nothing to classify."
            }
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
