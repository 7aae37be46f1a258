//! The formats that records are read from: JSON objects, wherever they stand, and files as a whole.

use std::fmt;

use crate::error::CorpusError;
use crate::input::Opened;
use crate::limits::Limits;
use crate::problem::BadRecord;
use crate::record::Record;
use crate::records::Records;
use crate::sources::object::Object;

/// A format of records.
#[derive(Clone, Copy)]
pub struct SourceFormat(Kind);

#[derive(Clone, Copy)]
enum Kind {
    Object(&'static dyn ObjectFormat),
    File(&'static dyn FileFormat),
}

impl fmt::Debug for SourceFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl SourceFormat {
    /// A format whose records are JSON objects.
    pub(super) const fn object(format: &'static dyn ObjectFormat) -> Self {
        Self(Kind::Object(format))
    }

    /// A format of a whole file.
    pub(super) const fn file(format: &'static dyn FileFormat) -> Self {
        Self(Kind::File(format))
    }

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Object(format) => format.name(),
            Kind::File(format) => format.name(),
        }
    }

    /// The format in a few words.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self.0 {
            Kind::Object(format) => format.about(),
            Kind::File(format) => format.about(),
        }
    }

    /// Tests for a format whose records have ids, rather than a layout of JSON or texts.
    pub(super) fn is_of_records(self) -> bool {
        !matches!(self.name(), "jsonl" | "text" | "lines" | "unsupported")
    }

    /// The format, if its records are JSON objects.
    pub(super) fn as_object(self) -> Option<&'static dyn ObjectFormat> {
        if let Kind::Object(format) = self.0 { Some(format) } else { None }
    }

    /// The format, if it is one of whole files.
    pub(super) fn as_file(self) -> Option<&'static dyn FileFormat> {
        if let Kind::File(format) = self.0 { Some(format) } else { None }
    }
}

/// A format whose records are JSON objects.
///
/// The objects are found wherever they stand: alone, one a line, in an array, in an array of a larger document, in a
/// file of any folder or archive.
pub(crate) trait ObjectFormat: Sync {
    /// The name, as records carry it.
    fn name(&self) -> &'static str;

    /// The format in a few words, for messages.
    fn about(&self) -> &'static str;

    /// Keys of the arrays whose members are such objects, in documents that are too long to be read whole.
    fn arrays(&self) -> &'static [&'static str] {
        &[]
    }

    /// Tests the object's keys.
    fn recognises(&self, object: &Object<'_>) -> bool;

    /// Reads the records of one object: mostly one.
    fn read(&self, object: &[u8], settings: &Settings) -> Vec<Parsed>;

    /// Tests whether a folder with an entry of that name is one source, rather than one for each file in it.
    fn is_folder_entry(&self, _name: &str) -> bool {
        false
    }
}

/// A record, or what is wrong with it.
pub(crate) type Parsed = Result<Record, BadRecord>;

/// A format of a whole file.
pub(crate) trait FileFormat: Sync {
    /// The name, as `--input-format` takes it.
    fn name(&self) -> &'static str;

    /// The format in a few words, for messages and help.
    fn about(&self) -> &'static str;

    /// Tests the file's first bytes and its name.
    fn recognises(&self, file: &Opened, settings: &Settings) -> bool;

    /// Opens the file.
    ///
    /// # Errors
    /// A file that is not in the format, or lacks what is needed.
    fn open(&self, file: Opened, context: &Context) -> Result<Records, CorpusError>;
}

/// Requirements on each record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// A CVE id. A table must have a column for it; records of sources with ids of their own may lack one.
    pub cve: bool,
}

/// Columns of a table, or keys of JSON objects, that the caller names; each wins over the usual names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ColumnNames {
    /// The column of the texts.
    pub text: Option<String>,
    /// The column of the ids.
    pub id: Option<String>,
    /// The column of the dates of publication.
    pub date: Option<String>,
}

impl ColumnNames {
    /// These names.
    #[must_use]
    pub fn new(text: Option<String>, id: Option<String>, date: Option<String>) -> Self {
        Self { text, id, date }
    }
}

/// The settings of the readers of records.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) needs: Needs,
    pub(crate) columns: ColumnNames,
}

/// The settings that a format is opened with.
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) limits: Limits,
    /// Set where the caller asked for the format.
    pub(crate) is_forced: bool,
    /// The formats of JSON objects, in the order in which they are asked.
    pub(crate) objects: Vec<&'static dyn ObjectFormat>,
}
