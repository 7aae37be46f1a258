//! Kinds of the data set's texts.

use std::fmt;

use serde::Serialize;

/// The kind of a text of the data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextKind {
    /// The description of a CVE record, merged over the sources.
    Record,
    /// A text about a vulnerability in another style than the records'.
    Style,
    /// A text without a vulnerability.
    Negative,
    /// A text of the catalogue of weaknesses.
    Catalogue,
}

impl TextKind {
    /// All kinds, in order.
    pub const ALL: [Self; 4] = [Self::Record, Self::Style, Self::Negative, Self::Catalogue];

    /// Its name in the data set.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Style => "style",
            Self::Negative => "negative",
            Self::Catalogue => "catalogue",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for TextKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
