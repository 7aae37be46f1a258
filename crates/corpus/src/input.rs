//! Inputs: opening them, telling texts from packed and binary files by their first bytes, unpacking and decoding them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use vulnlens_files::{Packing, copy_at_most};

use crate::encoding;
use crate::error::CorpusError;
use crate::limits::Limits;
use crate::magic;

/// Bytes read ahead of the line or record in hand.
const BUFFER: usize = 256 << 10;
/// Bytes of a file that are looked at to tell its format.
pub(crate) const HEAD: usize = 4 << 10;

/// An input that records are read from: a file, a folder, or a stream such as standard input.
pub struct Input {
    name: Arc<str>,
    bytes: Bytes,
    depth: u8,
}

enum Bytes {
    Path(PathBuf),
    /// An unnamed file.
    File(File),
    Stream(Box<dyn Read + Send>),
}

impl Input {
    /// The file or folder at `path`; messages show the path as it is given.
    #[must_use]
    pub fn path(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { name: path.display().to_string().into(), bytes: Bytes::Path(path), depth: 0 }
    }

    /// A stream that messages call `name`.
    #[must_use]
    pub fn stream(name: &str, reader: impl Read + Send + 'static) -> Self {
        Self { name: name.into(), bytes: Bytes::Stream(Box::new(reader)), depth: 0 }
    }

    /// An open file that messages call `name`.
    #[must_use]
    pub fn file(name: &str, file: File) -> Self {
        Self { name: name.into(), bytes: Bytes::File(file), depth: 0 }
    }

    /// The same input as a file of a folder or archive that lies within `depth - 1` others.
    pub(crate) fn at_depth(self, depth: u8) -> Self {
        Self { depth, ..self }
    }

    /// The number of folders and archives that the input lies in.
    pub(crate) fn depth(&self) -> u8 {
        self.depth
    }

    /// The name of the input in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tests for a file or folder by its path, rather than a stream or what an archive unpacked.
    pub(crate) fn is_path(&self) -> bool {
        matches!(self.bytes, Bytes::Path(_))
    }

    /// The path, if the input is a folder.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match &self.bytes {
            Bytes::Path(path) if path.is_dir() => Some(path),
            _ => None,
        }
    }

    /// Opens the input, unpacks it, and decodes UTF-16. A Parquet or zip stream, which needs seeking, goes through an
    /// unnamed file in the system's folder for temporary files.
    ///
    /// `read` counts the bytes that are read of a file.
    pub(crate) fn open(self, limits: &Limits, read: Option<&BytesRead>) -> Result<Opened, CorpusError> {
        let (name, is_member) = (Arc::clone(&self.name), self.depth > 0);
        let mut notes = Vec::new();
        let content = content(self.bytes, is_member, limits, read, &mut notes)
            .map_err(|source| CorpusError::Open { file: name.as_ref().to_owned(), source })?;
        Ok(Opened { name, is_member, content, notes })
    }
}

/// The number of bytes read so far, for progress; clones count together.
#[derive(Debug, Clone, Default)]
pub struct BytesRead(Arc<AtomicU64>);

impl BytesRead {
    /// The number.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Counts what is read.
struct Counting {
    reader: Box<dyn Read + Send>,
    read: BytesRead,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.read.add(length as u64);
        Ok(length)
    }
}

/// An opened input.
pub(crate) struct Opened {
    pub(crate) name: Arc<str>,
    /// Set for a file of a folder or archive.
    pub(crate) is_member: bool,
    pub(crate) content: Content,
    /// Notes on how it was opened, such as its encoding.
    pub(crate) notes: Vec<String>,
}

/// The contents of an input, by their kind.
pub(crate) enum Content {
    Text(Text),
    Arrow(Text),
    Parquet(File),
    Zip(File),
}

impl Opened {
    /// Tests for `.extension`, packed or not, at the end of the name, whatever the case.
    pub(crate) fn is_named(&self, extensions: &[&str]) -> bool {
        extensions.iter().any(|extension| has_extension(&self.name, extension))
    }

    /// The first bytes of a text; none of any other file.
    pub(crate) fn head(&self) -> &[u8] {
        if let Content::Text(text) = &self.content { &text.head } else { &[] }
    }

    /// The text and its name.
    ///
    /// # Errors
    /// A Parquet file, which another format was asked for.
    pub(crate) fn into_text(self) -> Result<(Arc<str>, Text), CorpusError> {
        match self.content {
            Content::Text(text) => Ok((self.name, text)),
            _ => {
                Err(self
                    .wrong("is not a text; leave out --input-format, so that the format is told by the file"))
            }
        }
    }

    /// A [`CorpusError::Format`] of this input.
    pub(crate) fn wrong(&self, problem: &str) -> CorpusError {
        CorpusError::Format { file: self.name.as_ref().to_owned(), problem: problem.to_owned() }
    }
}

/// A text, unpacked and without its byte order mark.
pub(crate) struct Text {
    /// Its first bytes.
    head: Vec<u8>,
    /// The bytes after the first ones.
    rest: Box<dyn Read + Send>,
    /// Set when `rest` has no more.
    at_end: bool,
    /// The failure that ended the look at the first bytes; the reader of the records tells it in its place.
    error: Option<io::Error>,
    /// Set where somebody may still be writing.
    is_stream: bool,
}

impl Text {
    fn new(head: Vec<u8>, rest: Box<dyn Read + Send>) -> Self {
        Self { head, rest, at_end: false, error: None, is_stream: false }
    }

    /// The first bytes.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Tests for a text that somebody may still be writing.
    pub(crate) fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// Reads on until the first bytes are `enough`, or all that there are, or `most`. A person may be typing: no more
    /// is waited for.
    pub(crate) fn look_ahead(&mut self, most: usize, mut enough: impl FnMut(&[u8]) -> bool) {
        let mut part = vec![0; HEAD];
        while !self.at_end && self.head.len() < most && !enough(&self.head) {
            match self.rest.read(&mut part) {
                Ok(0) => self.at_end = true,
                Ok(length) => self.head.extend_from_slice(part.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.error = Some(error);
                    self.at_end = true;
                }
            }
        }
    }

    /// The whole text.
    pub(crate) fn into_reader(self) -> Box<dyn BufRead + Send> {
        let head = Cursor::new(self.head);
        match self.error {
            None => Box::new(BufReader::with_capacity(BUFFER, head.chain(self.rest))),
            error => Box::new(BufReader::with_capacity(BUFFER, head.chain(Failing(error)))),
        }
    }
}

fn content(
    bytes: Bytes,
    is_member: bool,
    limits: &Limits,
    read: Option<&BytesRead>,
    notes: &mut Vec<String>,
) -> io::Result<Content> {
    // What an archive unpacks is counted by the archive.
    let read = if matches!(bytes, Bytes::Path(_)) { read } else { None };
    let (mut file, reader): (_, Box<dyn Read + Send>) = match bytes {
        Bytes::Path(path) => opened(File::open(path)?)?,
        Bytes::File(file) => opened(file)?,
        Bytes::Stream(reader) => (None, reader),
    };
    let is_stream = file.is_none() && !is_member;
    let reader: Box<dyn Read + Send> = match read {
        Some(read) => Box::new(Counting { reader, read: read.clone() }),
        None => reader,
    };
    let look = |text: &mut Text| text.look_ahead(HEAD, |head| is_stream && tells_format(head));
    let mut text = Text::new(Vec::new(), reader);
    look(&mut text);
    let mut is_packed = false;
    while let Some(packing) = Packing::of(text.head()).filter(|_| !is_packed) {
        let unpacked = packing.unpack(text.into_reader(), limits.unpacking())?;
        (text, file, is_packed) = (Text::new(Vec::new(), unpacked), None, true);
        look(&mut text);
    }
    if !is_packed
        && text.head.is_empty()
        && let Some(error) = text.error.take()
    {
        return Err(error);
    }
    let head = text.head();
    let is_parquet = head.starts_with(b"PAR1");
    if is_parquet || head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        let mut file = match file.take() {
            Some(file) => file,
            None => spool(&mut text.into_reader(), limits)?,
        };
        file.seek(SeekFrom::Start(0))?;
        if let Some(read) = read.filter(|_| is_parquet) {
            // Read here and there: counted as a whole.
            read.add(file.metadata()?.len());
        }
        return Ok(if is_parquet { Content::Parquet(file) } else { Content::Zip(file) });
    }
    if magic::is_arrow(head) {
        return Ok(Content::Arrow(text));
    }
    if let Some(encoding) = encoding::utf16(head) {
        notes.push(format!("is in {} and was read as such", encoding.name()));
        text = Text::new(Vec::new(), encoding::decoded(text.into_reader(), encoding));
        look(&mut text);
    }
    if text.head.starts_with(b"\xEF\xBB\xBF") {
        text.head.drain(..3);
    }
    text.is_stream = is_stream;
    Ok(Content::Text(text))
}

/// Tests whether the first bytes of a stream tell its format: no more is waited for. An object does at once; a bracket
/// alone may begin a sentence or an array of objects, and a line may be the header of a table.
fn tells_format(head: &[u8]) -> bool {
    const MAGIC: usize = 8;
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    let is_object = text.starts_with(b"{")
        || text.strip_prefix(b"[").is_some_and(|rest| rest.trim_ascii_start().starts_with(b"{"));
    head.len() >= MAGIC && (is_object || memchr::memchr2(b'\n', 0, text).is_some() || !text.is_ascii())
}

fn opened(file: File) -> io::Result<(Option<File>, Box<dyn Read + Send>)> {
    Ok((Some(file.try_clone()?), Box::new(file)))
}

/// Copies a stream that must be sought in to an unnamed temporary file.
pub(crate) fn spool(reader: &mut dyn Read, limits: &Limits) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    copy_at_most(reader, &mut file, limits.unpacked_bytes)?;
    Ok(file)
}

/// Tests for `.extension`, packed or not, at the end of `name`, whatever the case.
fn has_extension(name: &str, extension: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let plain = [".gz", ".xz", ".zst"].iter().find_map(|packed| lower.strip_suffix(packed)).unwrap_or(&lower);
    Path::new(plain).extension().is_some_and(|found| found == extension)
}

/// Gives a failure that came while the first bytes were looked at, in its turn.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(self.0.take().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into()))
    }
}
