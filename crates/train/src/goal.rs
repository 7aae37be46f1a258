//! Goals: the figure of the validation part that chooses among evaluations of a run and among trials of a search.

use serde::{Deserialize, Serialize};
use vulnlens_metrics::Table;

/// The figure of the validation part that is to be great.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// Micro-F1: frequent labels count most.
    #[default]
    MicroF1,
    /// Macro-F1: rare labels count as much as frequent ones.
    MacroF1,
    /// Label-ranking average precision: the order of the labels, whatever the thresholds.
    Lrap,
}

impl Goal {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::MicroF1, Self::MacroF1, Self::Lrap];

    /// Its name in files and arguments.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MicroF1 => "micro-f1",
            Self::MacroF1 => "macro-f1",
            Self::Lrap => "lrap",
        }
    }

    /// Its description in the help of an argument.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::MicroF1 => "Micro-F1: frequent labels count most",
            Self::MacroF1 => "Macro-F1: rare labels count as much as frequent ones",
            Self::Lrap => "Label-ranking average precision: the order of the labels, whatever the thresholds",
        }
    }

    /// Its name in texts.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::MicroF1 => "micro-F1",
            Self::MacroF1 => "macro-F1",
            Self::Lrap => "LRAP",
        }
    }

    /// Its name in the log of a run.
    pub(crate) fn figure(self) -> &'static str {
        match self {
            Self::MicroF1 => "eval_micro_f1",
            Self::MacroF1 => "eval_macro_f1",
            Self::Lrap => "eval_lrap",
        }
    }

    /// The figure in a table.
    pub(crate) fn of(self, table: &Table) -> f64 {
        match self {
            Self::MicroF1 => table.micro_f1,
            Self::MacroF1 => table.macro_f1,
            Self::Lrap => table.lrap,
        }
    }
}
