//! Contents of inputs by their first bytes, unpacked.

use std::fs::File;
#[cfg(feature = "parquet")]
use std::io::Seek as _;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use vulnlens_files::{Packing, UnpackLimits};

use super::error::SavedProblem;

/// Bytes read ahead of the line in hand.
const BUFFER: usize = 256 << 10;
/// Bytes that tell what an input is.
const HEAD: u64 = 8;
/// Bounds on unpacking. Answers are much alike and pack well, and only one is held at a time: the bounds stop endless
/// inputs.
const LIMITS: UnpackLimits = UnpackLimits { bytes: 1 << 40, ratio: 4096, ratio_from: 1 << 30 };

/// The content of an input.
pub(super) enum Content {
    Lines(Box<dyn BufRead + Send>),
    #[cfg(feature = "parquet")]
    Parquet(File),
    #[cfg(feature = "parquet")]
    Arrow(Box<dyn BufRead + Send>),
}

/// The content of the file at `path`.
pub(super) fn content_of_file(path: &Path) -> Result<Content, SavedProblem> {
    #[cfg_attr(not(feature = "parquet"), expect(unused_mut, reason = "only a file of Parquet is sought in"))]
    let mut file = File::open(path)?;
    #[cfg(feature = "parquet")]
    if path.is_file() {
        let is_parquet = head(&file)?.starts_with(PARQUET);
        file.rewind()?;
        if is_parquet {
            return Ok(Content::Parquet(file));
        }
    }
    content_of_stream(Box::new(file))
}

/// The content of a stream.
pub(super) fn content_of_stream(reader: Box<dyn Read + Send>) -> Result<Content, SavedProblem> {
    let (head, reader) = looked_at(reader)?;
    let (head, reader) = match Packing::of(&head) {
        Some(packing) => looked_at(packing.unpack(reader, LIMITS)?)?,
        None => (head, reader),
    };
    match head.as_slice() {
        #[cfg(feature = "parquet")]
        head if head.starts_with(PARQUET) => Ok(Content::Parquet(spooled(reader)?)),
        #[cfg(not(feature = "parquet"))]
        head if head.starts_with(PARQUET) || head.starts_with(ARROW) => {
            Err(SavedProblem::NoAnswers("this build reads neither Parquet nor Arrow; give JSON Lines"))
        }
        #[cfg(feature = "parquet")]
        head if head.starts_with(ARROW) => Ok(Content::Arrow(buffered(reader))),
        head if head.starts_with(b"ARROW1") => Err(SavedProblem::NoAnswers(
            "it is a file of Arrow, and streams of Arrow are read; write it as Parquet",
        )),
        head if head.starts_with(b"PK\x03\x04") => {
            Err(SavedProblem::NoAnswers("it is a zip archive; unpack it and give the folder"))
        }
        _ => Ok(Content::Lines(buffered(reader))),
    }
}

/// The first bytes of Parquet.
const PARQUET: &[u8] = b"PAR1";
/// The first bytes of a stream of Arrow.
const ARROW: &[u8] = &[0xFF; 4];

fn buffered(reader: Box<dyn Read + Send>) -> Box<dyn BufRead + Send> {
    Box::new(BufReader::with_capacity(BUFFER, reader))
}

/// The first bytes of a reader.
fn head(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut head = vec![];
    reader.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

/// The first bytes, and a reader of all.
fn looked_at<'a>(mut reader: Box<dyn Read + Send + 'a>) -> io::Result<(Vec<u8>, Box<dyn Read + Send + 'a>)> {
    let head = head(&mut reader)?;
    Ok((head.clone(), Box::new(Cursor::new(head).chain(reader))))
}

/// The stream in an unnamed temporary file.
#[cfg(feature = "parquet")]
fn spooled(mut reader: Box<dyn Read + Send>) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    vulnlens_files::copy_at_most(&mut reader, &mut file, LIMITS.bytes)?;
    Ok(file)
}
