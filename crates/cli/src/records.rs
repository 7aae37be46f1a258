//! Records to answer: the door to files, folders and standard input, and `--input-format`.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use vulnlens::TextRecord;
use vulnlens::report::RecordKey;
use vulnlens_corpus::sources::{self, SourceFormat};
use vulnlens_corpus::{Input, Limits, Place, Record, RecordError, RecordId};

use crate::failure::Failure;

/// Longest record that is taken in; a longer one is reported, so that memory stays bounded.
const RECORD_BYTES: usize = 16 << 20;
/// The name of the format of texts without any structure.
pub(crate) const PLAIN: &str = "plain";
/// The value of `--input-format` that leaves the format to be told.
pub(crate) const AUTO: &str = "auto";

/// A format of input records; none to tell it by the name, or by the first bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct InputFormat(Option<SourceFormat>);

impl InputFormat {
    /// Parses `auto` or the name of a format.
    pub(crate) fn parser() -> impl TypedValueParser<Value = Self> {
        let auto = PossibleValue::new(AUTO).help("By the name, or by the first bytes");
        let named = |format: SourceFormat| PossibleValue::new(format.name()).help(format.about());
        let values: Vec<_> = [auto].into_iter().chain(sources::file_formats().map(named)).collect();
        PossibleValuesParser::new(values)
            .map(|name| Self(sources::file_formats().find(|format| format.name() == name)))
    }
}

impl InputFormat {
    /// True where the format is to be told.
    pub(crate) fn is_auto(self) -> bool {
        self.0.is_none()
    }
}

/// Streams the records of `input` that have a text.
pub(crate) fn open(
    input: Input,
    format: InputFormat,
) -> Result<impl Iterator<Item = Result<Record, RecordError>> + Send + 'static, Failure> {
    let limits = Limits { record_bytes: RECORD_BYTES, ..Limits::default() };
    let options = sources::Options { format: format.0, limits, ..sources::Options::default() };
    Ok(sources::open(input, &options)?.with_text())
}

/// A record as it is answered.
pub(crate) fn text_record(record: Record) -> TextRecord<Place> {
    let key = RecordKey { id: record.id.as_ref().map(RecordId::to_string), line: record.line() };
    let year = record.year();
    TextRecord::new(record.text.unwrap_or_default(), record.place).key(key).year(year)
}
