//! The columns that a table gets.

use crate::filling::{BASIS, Filling, Label, Origin};
use crate::json::score_text;

/// A column that a table gets, unless it has one of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Weaknesses,
    Scores,
    Basis,
    Model,
    Version,
    Patterns,
    Techniques,
}

impl Column {
    /// All columns, in their order.
    const ALL: [Self; 7] = [
        Self::Weaknesses,
        Self::Scores,
        Self::Basis,
        Self::Model,
        Self::Version,
        Self::Patterns,
        Self::Techniques,
    ];

    /// The name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Weaknesses => "cwe",
            Self::Scores => "cwe_score",
            Self::Basis => "cwe_basis",
            Self::Model => "cwe_model",
            Self::Version => "cwe_version",
            Self::Patterns => "capec",
            Self::Techniques => "attack",
        }
    }

    /// The columns that a table with columns of these names gets; one of weaknesses only if it has none.
    pub(crate) fn new_ones(names: &[String], has_weaknesses: bool) -> Vec<Self> {
        let is_new = |column: &Self| match column {
            Self::Weaknesses => !has_weaknesses,
            other => !names.iter().any(|name| name.eq_ignore_ascii_case(other.name())),
        };
        Self::ALL.into_iter().filter(is_new).collect()
    }

    /// The cell of a row that is filled; empty where there is nothing to tell.
    pub(crate) fn cell(self, filling: &Filling, origin: &Origin) -> String {
        let joined = |labels: &[Label]| labels.iter().map(|label| &*label.id).collect::<Vec<_>>().join(" ");
        match self {
            Self::Weaknesses => joined(&filling.weaknesses),
            Self::Scores => {
                filling.weaknesses.iter().map(|label| score_text(label.score)).collect::<Vec<_>>().join(" ")
            }
            Self::Basis => BASIS.to_owned(),
            Self::Model => format!("{}@{}", origin.model, origin.revision),
            Self::Version => origin.versions.cwe.to_string(),
            Self::Patterns => joined(&filling.patterns),
            Self::Techniques => joined(&filling.techniques),
        }
    }
}
