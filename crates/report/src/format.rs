//! Formats of records: their names, their files, and the way to make them ready.

use std::sync::Arc;

use crate::answer::Answer;
use crate::rendering::{Document, FormatError, Records, Setup};
use crate::writer::{Renderer, Writer};

/// A format of records.
///
/// ```
/// use vulnlens_report::Format;
///
/// let format = Format::named("csv").unwrap();
/// assert_eq!(format.file_endings(), ["csv"]);
/// assert_eq!(Format::of_file("answers.jsonl".as_ref()), Format::named("jsonl"));
/// ```
#[derive(Clone, Copy)]
pub struct Format {
    name: &'static str,
    help: &'static str,
    endings: &'static [&'static str],
    own_ending: &'static str,
    media_type: &'static str,
    make: Make,
    is_for_people: bool,
    is_binary: bool,
    needs_text: bool,
    needs_techniques: bool,
}

/// The way to make a format ready.
#[derive(Clone, Copy)]
enum Make {
    Records(fn(&Setup) -> Box<dyn Records>),
    Document(fn(&Setup) -> Result<Box<dyn Document>, FormatError>),
}

impl Format {
    /// A format that streams.
    pub(crate) const fn records(
        name: &'static str,
        help: &'static str,
        make: fn(&Setup) -> Box<dyn Records>,
    ) -> Self {
        Self::new(name, help, Make::Records(make))
    }

    /// A format of documents.
    pub(crate) const fn document(
        name: &'static str,
        help: &'static str,
        make: fn(&Setup) -> Result<Box<dyn Document>, FormatError>,
    ) -> Self {
        Self::new(name, help, Make::Document(make))
    }

    const fn new(name: &'static str, help: &'static str, make: Make) -> Self {
        Self {
            name,
            help,
            endings: &[],
            own_ending: name,
            media_type: "text/plain; charset=utf-8",
            make,
            is_for_people: false,
            is_binary: false,
            needs_text: false,
            needs_techniques: false,
        }
    }

    /// The format that names of files with these endings ask for.
    pub(crate) const fn endings(self, endings: &'static [&'static str]) -> Self {
        Self { endings, ..self }
    }

    /// The format whose files, where it names them itself, end so.
    pub(crate) const fn own_ending(self, own_ending: &'static str) -> Self {
        Self { own_ending, ..self }
    }

    /// The format of this media type.
    pub(crate) const fn media(self, media_type: &'static str) -> Self {
        Self { media_type, ..self }
    }

    /// The format that holds the texts of records.
    pub(crate) const fn with_texts(self) -> Self {
        Self { needs_text: true, ..self }
    }

    /// The format that holds techniques of ATT&CK and has no place for tactics alone.
    pub(crate) const fn of_techniques(self) -> Self {
        Self { needs_techniques: true, ..self }
    }

    /// The format as text for people.
    pub(crate) const fn for_people(self) -> Self {
        Self { is_for_people: true, ..self }
    }

    /// The format as bytes that are not text.
    #[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "only Arrow and Parquet are not text"))]
    pub(crate) const fn binary(self) -> Self {
        Self { is_binary: true, ..self }
    }

    /// The format's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The format in one line, for people.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        self.help
    }

    /// The endings of file names that ask for the format, without their dot.
    #[must_use]
    pub const fn file_endings(&self) -> &'static [&'static str] {
        self.endings
    }

    /// The ending of files that are named after their records, without its dot.
    #[must_use]
    pub const fn own_file_ending(&self) -> &'static str {
        self.own_ending
    }

    /// The media type of outputs, for HTTP.
    #[must_use]
    pub const fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// True if the format reads [`Answer::text`].
    #[must_use]
    pub const fn needs_text(&self) -> bool {
        self.needs_text
    }

    /// True if the format has no place for tactics in place of techniques.
    #[must_use]
    pub const fn needs_techniques(&self) -> bool {
        self.needs_techniques
    }

    /// True for text for people, with ANSI styles. Such a format shows the number of labels that it leaves out, so that
    /// predictions must contain them all.
    #[must_use]
    pub const fn is_for_people(&self) -> bool {
        self.is_for_people
    }

    /// True if the format reads [`Answer::assigned`].
    #[must_use]
    pub const fn needs_assigned(&self) -> bool {
        self.is_for_people
    }

    /// True for bytes that are not text.
    #[must_use]
    pub const fn is_binary(&self) -> bool {
        self.is_binary
    }

    /// Makes the format ready for a run, and appends the bytes before the first record: a renderer that threads share,
    /// and a writer that puts its pieces together.
    ///
    /// # Errors
    /// A document cannot be begun.
    pub fn open(&self, setup: &Setup, out: &mut Vec<u8>) -> Result<(Renderer, Writer), FormatError> {
        match self.make {
            Make::Records(make) => {
                let records: Arc<dyn Records> = make(setup).into();
                records.head(out);
                Ok((Renderer::of(Arc::clone(&records)), Writer::of_records(records)))
            }
            Make::Document(make) => Ok((Renderer::default(), Writer::of(make(setup)?))),
        }
    }

    /// Renders a few answers, from the first byte of an output to the last.
    ///
    /// # Errors
    /// An answer cannot be encoded.
    pub fn render(&self, setup: &Setup, answers: Vec<Answer>) -> Result<Vec<u8>, FormatError> {
        let mut out = Vec::new();
        let (renderer, mut writer) = self.open(setup, &mut out)?;
        writer.write(renderer.render(answers), &mut out)?;
        writer.finish(&mut out)?;
        Ok(out)
    }
}

/// Formats are told apart by their names.
impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Format {}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Format").field(&self.name).finish()
    }
}
