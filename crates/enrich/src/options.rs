//! The options of filling, and the formats by name.

use vulnlens_corpus::Limits;
use vulnlens_corpus::sources::{ColumnNames, SourceFormat, object_formats};

use crate::filling::MIN_SCORE;
use crate::formats;

/// A format that is filled in, for those who ask for one by name.
#[derive(Debug, Clone, Copy)]
pub struct EnrichFormat(pub(crate) Kind);

/// The kind of a format.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Objects(SourceFormat),
    Csv,
    Parquet,
}

impl EnrichFormat {
    /// All formats.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let is_filled = |format: &SourceFormat| formats::names().any(|name| name == format.name());
        let objects = object_formats().filter(is_filled).map(Kind::Objects);
        objects.chain([Kind::Csv, Kind::Parquet]).map(Self).collect()
    }

    /// The format of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|format| format.name() == name)
    }

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Objects(format) => format.name(),
            Kind::Csv => "csv",
            Kind::Parquet => "parquet",
        }
    }

    /// The format in a few words.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self.0 {
            Kind::Objects(format) => format.about(),
            Kind::Csv => "tables with a header, separated by commas, semicolons or tabs",
            Kind::Parquet => "Parquet files",
        }
    }

    pub(crate) fn source(self) -> Option<SourceFormat> {
        if let Kind::Objects(format) = self.0 { Some(format) } else { None }
    }
}

/// The options of filling.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EnrichOptions {
    /// The least score of a label that is filled in.
    pub min_score: f32,
    /// The format of the input; none to tell it by the first bytes.
    pub format: Option<EnrichFormat>,
    /// Columns and keys by name.
    pub columns: ColumnNames,
    /// Most bytes that a packed input may unpack to.
    pub unpacked_bytes: u64,
    /// True to write, of each CVE record that is filled, only the container, for those who paste it themselves.
    pub container: bool,
}

impl Default for EnrichOptions {
    fn default() -> Self {
        let unpacked_bytes = Limits::default().unpacked_bytes;
        Self {
            min_score: MIN_SCORE,
            format: None,
            columns: ColumnNames::default(),
            unpacked_bytes,
            container: false,
        }
    }
}

impl EnrichOptions {
    /// The options with this least score.
    #[must_use]
    pub fn min_score(self, min_score: f32) -> Self {
        Self { min_score, ..self }
    }

    /// The options with this format of the input.
    #[must_use]
    pub fn format(self, format: Option<EnrichFormat>) -> Self {
        Self { format, ..self }
    }

    /// The options with these columns.
    #[must_use]
    pub fn columns(self, columns: ColumnNames) -> Self {
        Self { columns, ..self }
    }

    /// The options with this bound on what a packed input unpacks to.
    #[must_use]
    pub fn unpacked_bytes(self, unpacked_bytes: u64) -> Self {
        Self { unpacked_bytes, ..self }
    }

    /// The options that write containers alone, or documents.
    #[must_use]
    pub fn container(self, container: bool) -> Self {
        Self { container, ..self }
    }
}
