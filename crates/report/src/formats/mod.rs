//! The table of all formats: one file a format.

use std::path::Path;

use crate::format::Format;

#[cfg(feature = "parquet")]
mod arrow;
mod csv;
mod jsonl;
mod mapping_report;
mod mappings;
mod markdown;
mod misp;
mod navigator;
mod ocsf;
#[cfg(feature = "parquet")]
mod parquet;
mod sarif;
mod stix;
mod table;

pub use csv::Csv;
pub(crate) use csv::push_text;
pub use jsonl::JsonLines;
#[cfg(feature = "parquet")]
pub use parquet::ParquetTable;
pub use table::Table;

impl Format {
    /// All formats.
    pub const ALL: &'static [Self] = &[
        table::FORMAT,
        jsonl::FORMAT,
        csv::FORMAT,
        #[cfg(feature = "parquet")]
        parquet::FORMAT,
        #[cfg(feature = "parquet")]
        arrow::FORMAT,
        navigator::FORMAT,
        stix::FORMAT,
        misp::FORMAT,
        sarif::FORMAT,
        ocsf::FORMAT,
        mappings::FORMAT,
        markdown::FORMAT,
        mapping_report::FORMAT,
    ];

    /// The usual format for people at a terminal.
    pub const TABLE: &'static Self = &table::FORMAT;

    /// The format of ATT&CK Navigator.
    pub(crate) const NAVIGATOR: &'static Self = &navigator::FORMAT;

    /// The usual format for programs.
    pub const JSON_LINES: &'static Self = &jsonl::FORMAT;

    /// The format of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|format| format.name() == name)
    }

    /// The format that a file's name asks for by its ending, in small or capital letters.
    #[must_use]
    pub fn of_file(path: &Path) -> Option<&'static Self> {
        let ending = path.extension()?.to_str()?;
        let is_named = |known: &&str| known.eq_ignore_ascii_case(ending);
        Self::ALL.iter().find(|format| format.file_endings().iter().any(is_named))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_endings_are_unique() {
        let names: BTreeSet<&str> = Format::ALL.iter().map(Format::name).collect();
        assert_eq!(names.len(), Format::ALL.len());
        let endings: Vec<&str> =
            Format::ALL.iter().flat_map(|format| format.file_endings()).copied().collect();
        assert_eq!(endings.iter().collect::<BTreeSet<_>>().len(), endings.len());
        for format in Format::ALL {
            assert_eq!(Format::named(format.name()), Some(format));
        }
        assert_eq!(Format::of_file("ANSWERS.CSV".as_ref()), Format::named("csv"));
        assert_eq!((Format::named("CSV"), Format::of_file("answers".as_ref())), (None, None));
    }
}
