//! Opening an input: what it is, judged by its first bytes, and the bytes themselves, unpacked.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::CorpusError;
use crate::gzip::Unpacked;
use crate::limits::Limits;

/// Bytes read ahead of the line or record in hand.
const BUFFER: usize = 256 << 10;
/// Bytes of a file that are looked at to tell what it is.
pub(crate) const HEAD: usize = 4 << 10;

/// Where records are read from: a file, or a stream such as standard input.
pub struct Input {
    name: Arc<str>,
    bytes: Bytes,
}

enum Bytes {
    File(PathBuf),
    Stream(Box<dyn Read + Send>),
}

impl Input {
    /// The file at `path`; messages show the path as it is given.
    #[must_use]
    pub fn path(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { name: path.display().to_string().into(), bytes: Bytes::File(path) }
    }

    /// A stream that messages call `name`.
    #[must_use]
    pub fn stream(name: &str, reader: impl Read + Send + 'static) -> Self {
        Self { name: name.into(), bytes: Bytes::Stream(Box::new(reader)) }
    }

    /// What messages call the input.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// An opened input.
pub(crate) struct Opened {
    pub(crate) name: Arc<str>,
    pub(crate) content: Content,
}

pub(crate) enum Content {
    /// Text, unpacked and without its byte order mark; `head` is how it begins.
    Text {
        head: Vec<u8>,
        reader: Box<dyn BufRead + Send>,
    },
    Parquet(File),
    Zip(File),
}

/// Opens `input` and unpacks gzip. A Parquet or zip stream, which needs seeking, goes through an unnamed
/// file in the system's folder for temporary files.
pub(crate) fn open(input: Input, limits: &Limits) -> Result<Opened, CorpusError> {
    // A person may be typing into a stream: no more is waited for than tells the formats apart.
    let head = if matches!(input.bytes, Bytes::File(_)) { HEAD } else { 4 };
    open_with_head(input, limits, head)
}

/// Whether a file that begins with `head` is no text: a program, a document, a picture or an archive by its magic
/// number, or more than a tenth of NUL and of what is not UTF-8. A few odd bytes are those of a text.
pub(crate) fn is_binary(head: &[u8]) -> bool {
    const MAGIC: [&[u8]; 5] = [b"\x7FELF", b"%PDF-", b"\x89PNG", b"PK\x03\x04", b"PK\x05\x06"];
    const FEW: usize = 3;
    let head = head.get(..HEAD).unwrap_or(head);
    let nul = memchr::memchr_iter(0, head).count();
    let invalid = head.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count();
    let odd = nul.saturating_add(invalid);
    MAGIC.iter().any(|magic| head.starts_with(magic))
        || (head.starts_with(b"MZ") && nul > 0)
        || (odd > FEW && odd > head.len() / 10)
}

/// Like [`open`], with the first `head` bytes looked at, unpacked, or all if there are fewer.
pub(crate) fn open_with_head(input: Input, limits: &Limits, head: usize) -> Result<Opened, CorpusError> {
    let name = Arc::clone(&input.name);
    let content = content(input, limits, head)
        .map_err(|source| CorpusError::Open { file: name.as_ref().to_owned(), source })?;
    if let Content::Text { head, .. } = &content
        && (head.starts_with(&[0xFF, 0xFE]) || head.starts_with(&[0xFE, 0xFF]))
    {
        let problem = "is UTF-16 text; convert it to UTF-8".to_owned();
        return Err(CorpusError::Format { file: name.as_ref().to_owned(), problem });
    }
    Ok(Opened { name, content })
}

fn content(input: Input, limits: &Limits, want: usize) -> io::Result<Content> {
    let (mut file, reader): (_, Box<dyn Read + Send>) = match input.bytes {
        Bytes::File(path) => {
            let file = File::open(path)?;
            (Some(file.try_clone()?), Box::new(file))
        }
        Bytes::Stream(reader) => (None, reader),
    };
    let (head, mut reader) = peek(reader, want)?;
    if head.starts_with(b"PAR1") || head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        let mut file = match file.take() {
            Some(file) => file,
            None => spool(&mut reader, limits)?,
        };
        file.seek(SeekFrom::Start(0))?;
        return Ok(if head.starts_with(b"PAR1") { Content::Parquet(file) } else { Content::Zip(file) });
    }
    if !head.starts_with(&[0x1F, 0x8B]) {
        return Ok(text(head, reader));
    }
    let (head, reader) = match peek(Box::new(Unpacked::new(reader, limits)), want) {
        Ok(peeked) => peeked,
        // Nothing at all could be unpacked: the reader of the records tells it in its place.
        Err(error) => (Vec::new(), Box::new(Failing(Some(error))) as Box<dyn Read + Send>),
    };
    Ok(text(head, reader))
}

fn text(mut head: Vec<u8>, mut reader: Box<dyn Read + Send>) -> Content {
    if head.starts_with(b"\xEF\xBB\xBF") {
        head.drain(..3);
        // `reader` begins with these three bytes, held in memory: skipping them cannot fail.
        let _ = reader.read_exact(&mut [0; 3]);
    }
    Content::Text { head, reader: Box::new(BufReader::with_capacity(BUFFER, reader)) }
}

/// The first bytes of `reader`, at least `want` unless it is shorter, and a reader that still has them.
fn peek(mut reader: Box<dyn Read + Send>, want: usize) -> io::Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut head = Vec::new();
    let mut part = [0; HEAD];
    while head.len() < want {
        match reader.read(&mut part) {
            Ok(0) => break,
            Ok(length) => head.extend_from_slice(part.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if head.is_empty() => return Err(error),
            Err(error) => {
                let rest = Failing(Some(error));
                return Ok((head.clone(), Box::new(Cursor::new(head).chain(rest))));
            }
        }
    }
    Ok((head.clone(), Box::new(Cursor::new(head).chain(reader))))
}

/// Copies a stream that must be sought in to an unnamed temporary file.
fn spool(reader: &mut dyn Read, limits: &Limits) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    copy_bounded(reader, &mut file, limits.unpacked_bytes)?;
    Ok(file)
}

/// Copies at most `limit` bytes; more is an error.
pub(crate) fn copy_bounded(reader: &mut dyn Read, file: &mut File, limit: u64) -> io::Result<()> {
    let copied = io::copy(&mut reader.take(limit.saturating_add(1)), file)?;
    if copied > limit {
        return Err(crate::limits::TooMuch { limit: format!("{limit} bytes") }.into());
    }
    file.seek(SeekFrom::Start(0)).map(drop)
}

/// Whether `path` ends in `.extension` or `.extension.gz`, whatever the case.
pub(crate) fn has_extension(name: &str, extension: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let plain = lower.strip_suffix(".gz").unwrap_or(&lower);
    Path::new(plain).extension().is_some_and(|found| found == extension)
}

/// Gives the failure that came while the first bytes were looked at, in its turn.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(self.0.take().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into()))
    }
}
