//! Formats of records and labels that are found.

use std::path::Path;

/// The formats of what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum FindFormat {
    /// Lines for people, with ANSI styles.
    #[default]
    Table,
    /// A JSON object for each record or label.
    JsonLines,
    /// A row for each label of each record, or for each label.
    Csv,
    /// A layer of ATT&CK Navigator over the records.
    Navigator,
    /// The id of each record.
    Ids,
}

impl FindFormat {
    /// All formats.
    pub const ALL: [Self; 5] = [Self::Table, Self::JsonLines, Self::Csv, Self::Navigator, Self::Ids];

    /// The format that the ending of a file's name asks for, be the file compressed or not.
    #[must_use]
    pub fn of_file(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
        match name.rsplit_once('.')?.1 {
            "jsonl" | "ndjson" | "json" => Some(Self::JsonLines),
            "csv" => Some(Self::Csv),
            "txt" => Some(Self::Table),
            _ => None,
        }
    }

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
            Self::Navigator => "navigator",
            Self::Ids => "ids",
        }
    }

    /// The format in one line, for people.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::Table => "A line for each label of each record, or for each label with its count",
            Self::JsonLines => "A JSON object for each record, or for each label",
            Self::Csv => "The lines of the table as CSV",
            Self::Navigator => {
                "An ATT&CK Navigator layer 4.5: the predicted techniques of the records that are found, or of all"
            }
            Self::Ids => "The id of each record that is found, one a line",
        }
    }
}
