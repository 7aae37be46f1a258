//! The verdicts on a record's mapping.

/// The verdict on a record's mapping: the weaknesses that it carries, seen from those that the model suggests.
///
/// A suggestion is *asserted* where the model answers with it (`predicted`), and is listed by the threshold. The
/// verdicts are tried in the order of [`Verdict::ALL`], and the first that applies is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// A mapped id is not one to map to: CWE discourages or prohibits it, it is deprecated, a category or a view, or
    /// the knowledge base does not know it.
    Discouraged,
    /// An asserted suggestion is mapped; or the best one is, of a text that may tell its weakness.
    Agree,
    /// The model asserts no weakness, or the text does not tell it.
    Unsure,
    /// An asserted suggestion is a descendant of a mapped weakness.
    MoreSpecific,
    /// An asserted suggestion is an ancestor of a mapped weakness.
    LessSpecific,
    /// An asserted suggestion shares a parent in view 1000 or a nearest class with a mapped weakness.
    Sibling,
    /// The asserted suggestions are none of these.
    Differs,
}

impl Verdict {
    /// All verdicts, in the order in which they are tried.
    pub const ALL: [Self; 7] = [
        Self::Discouraged,
        Self::Agree,
        Self::Unsure,
        Self::MoreSpecific,
        Self::LessSpecific,
        Self::Sibling,
        Self::Differs,
    ];

    /// The name in outputs and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Discouraged => "discouraged",
            Self::Agree => "agree",
            Self::Unsure => "unsure",
            Self::MoreSpecific => "more-specific",
            Self::LessSpecific => "less-specific",
            Self::Sibling => "sibling",
            Self::Differs => "differs",
        }
    }

    /// The verdict in one line, for people.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::Discouraged => {
                "A mapped id is discouraged, prohibited, deprecated, a category, a view or unknown"
            }
            Self::Agree => "A suggested weakness is mapped",
            Self::Unsure => "The model asserts no weakness, or the text does not tell it",
            Self::MoreSpecific => "A suggested weakness is below a mapped one",
            Self::LessSpecific => "A suggested weakness is above a mapped one",
            Self::Sibling => "A suggested weakness shares a parent or a class with a mapped one",
            Self::Differs => "The suggested weaknesses are others",
        }
    }

    /// True for verdicts that a person should look at: all but [`Self::Agree`] and [`Self::Unsure`].
    #[must_use]
    pub const fn is_disagreement(self) -> bool {
        !matches!(self, Self::Agree | Self::Unsure)
    }
}
