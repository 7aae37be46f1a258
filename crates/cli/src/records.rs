//! Records to answer: the door to files, folders and standard input, and the arguments about them.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use vulnlens::records::RECORD_BYTES;
use vulnlens_corpus::sources::{self, ColumnNames, SourceFormat};
use vulnlens_corpus::{CorpusError, Input, Limits, Records};

use crate::failure::Failure;

/// The value of `--input-format` that leaves the format to be told.
const AUTO: &str = "auto";
/// The format of lists of texts, and its former name.
const LINES: (&str, &str) = ("lines", "plain");

/// Arguments about the input records.
#[derive(Debug, Clone, Args)]
pub(crate) struct RecordArguments {
    /// The format of the records
    #[arg(long, value_name = "FORMAT", default_value = AUTO, value_parser = InputFormat::parser())]
    input_format: InputFormat,

    #[command(flatten)]
    columns: ColumnArguments,
}

/// Arguments that name columns of tables and keys of JSON objects.
#[derive(Debug, Clone, Args)]
pub(crate) struct ColumnArguments {
    /// The column, or JSON key, of the texts [default: description, text, details, summary, … in any spelling]
    #[arg(long, value_name = "NAME")]
    text_column: Option<String>,

    /// The column, or JSON key, of the ids [default: id, cve_id, cve, … in any spelling; a CVE id wins]
    #[arg(long, value_name = "NAME")]
    id_column: Option<String>,

    /// The column, or JSON key, of the dates of publication [default: published, date, … in any spelling]
    #[arg(long, value_name = "NAME")]
    date_column: Option<String>,
}

impl ColumnArguments {
    /// The columns by name.
    pub(crate) fn names(&self) -> ColumnNames {
        ColumnNames::new(self.text_column.clone(), self.id_column.clone(), self.date_column.clone())
    }
}

/// A format of input records; none to tell it by the structure.
#[derive(Debug, Clone, Copy)]
struct InputFormat(Option<SourceFormat>);

impl InputFormat {
    /// Parses `auto` or the name of a format.
    fn parser() -> impl TypedValueParser<Value = Self> {
        let auto = PossibleValue::new(AUTO).help("By the structure of the file");
        let named = |format: SourceFormat| {
            let value = PossibleValue::new(format.name()).help(format.about());
            if format.name() == LINES.0 { value.alias(LINES.1) } else { value }
        };
        let values: Vec<_> = [auto].into_iter().chain(sources::file_formats().map(named)).collect();
        PossibleValuesParser::new(values).map(|name| {
            let name = if name == LINES.1 { LINES.0 } else { name.as_str() };
            Self(sources::file_formats().find(|format| format.name() == name))
        })
    }
}

/// Streams the records of `input`.
pub(crate) fn open(input: Input, arguments: &RecordArguments) -> Result<Records, Failure> {
    let limits = Limits { record_bytes: RECORD_BYTES, ..Limits::default() };
    let (format, columns) = (arguments.input_format.0, arguments.columns.names());
    let options = sources::Options { format, columns, limits, ..sources::Options::default() };
    sources::open(input, &options).map_err(|error| {
        let is_column = matches!(error, CorpusError::MissingColumn { .. });
        let failure = Failure::from(error);
        if is_column {
            failure.hint("--text-column, --id-column and --date-column name columns")
        } else {
            failure
        }
    })
}
