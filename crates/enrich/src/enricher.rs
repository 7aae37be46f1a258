//! The door: any input, told by its first bytes, to the document filled.

use std::io::{self, BufReader, Cursor, Read, Write};
use std::path::Path;

use vulnlens_corpus::sources::is_table;
use vulnlens_corpus::{Limits, RecordError};
use vulnlens_files::{Packing, UnpackLimits};

use crate::documents::Documents;
use crate::error::EnrichError;
use crate::filling::Origin;
use crate::options::{EnrichOptions, Kind};
use crate::predictor::Predictor;
use crate::questions::Tell;
use crate::summary::EnrichSummary;
use crate::tables::{Csv, Parquet};

/// Bytes that are looked at to tell the format.
const HEAD: usize = 256 << 10;

/// Fills missing weaknesses into documents.
pub struct Enricher<P> {
    predictor: P,
    origin: Origin,
    options: EnrichOptions,
}

impl<P: Predictor> Enricher<P> {
    /// An enricher by the answers of `predictor`.
    #[must_use]
    pub fn new(predictor: P, options: EnrichOptions) -> Self {
        let origin = Origin::of(predictor.run());
        Self { predictor, origin, options }
    }

    /// Writes the document of `input`, which messages call `name`, filled to `out`. Each finding that cannot be read or has
    /// no room is told, and stays as it is. A packed input is unpacked.
    ///
    /// # Errors
    /// The input cannot be read or is in no format that is filled in, or the output cannot be written; what was written so
    /// far is not whole then.
    pub fn enrich(
        &mut self,
        name: &str,
        input: impl Read + Send,
        out: &mut (dyn Write + Send),
        tell: &mut dyn FnMut(&RecordError),
    ) -> Result<EnrichSummary, EnrichError> {
        let failed = |source| EnrichError::Read { file: name.to_owned(), source };
        let (head, rest) = look_ahead(input).map_err(failed)?;
        let Some(packing) = Packing::of(&head) else { return self.unpacked(name, head, rest, out, tell) };
        let limits = Limits::default();
        let limits = UnpackLimits {
            bytes: self.options.unpacked_bytes,
            ratio: limits.ratio,
            ratio_from: limits.ratio_from,
        };
        let unpacked = packing.unpack(Cursor::new(head).chain(rest), limits).map_err(failed)?;
        let (head, rest) = look_ahead(unpacked).map_err(failed)?;
        self.unpacked(name, head, rest, out, tell)
    }

    fn unpacked(
        &mut self,
        name: &str,
        head: Vec<u8>,
        rest: impl Read,
        out: &mut (dyn Write + Send),
        tell: Tell<'_>,
    ) -> Result<EnrichSummary, EnrichError> {
        let kind = kind(name, &head, &self.options);
        let kind = kind.map_err(|problem| EnrichError::Format { file: name.to_owned(), problem })?;
        let reader = BufReader::with_capacity(HEAD, Cursor::new(&head).chain(rest));
        let summary = EnrichSummary::default();
        let (origin, options, predictor) = (&self.origin, &self.options, &mut self.predictor);
        match kind {
            Found::Documents => {
                let mut documents = Documents { predictor, origin, options, file: name.into(), summary };
                documents.run(reader, &head, out, tell)?;
                Ok(documents.summary)
            }
            Found::Csv => {
                Csv { predictor, origin, options, file: name.into(), summary }.run(reader, out, tell)
            }
            Found::Parquet => {
                Parquet { predictor, origin, options, file: name.into(), summary }.run(reader, out, tell)
            }
        }
    }
}

/// The kind of an input.
enum Found {
    Documents,
    Csv,
    Parquet,
}

/// The kind of an input by its first bytes, its name and what was asked for.
fn kind(name: &str, head: &[u8], options: &EnrichOptions) -> Result<Found, String> {
    if head.starts_with(b"PAR1") {
        return Ok(Found::Parquet);
    }
    if head.starts_with(b"PK\x03\x04") {
        return Err("is an archive; unpack it, and give a file of it".to_owned());
    }
    if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
        return Err("is in UTF-16; convert it, as by `iconv -f UTF-16 -t UTF-8`".to_owned());
    }
    if head.get(..256.min(head.len())).is_some_and(|head| head.contains(&0)) {
        return Err(
            "is a binary, not a document; give an advisory, a report of a scanner, or records".to_owned()
        );
    }
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let begins_json = |text: &[u8]| {
        let text = text.trim_ascii_start();
        let text = text.strip_prefix(b"\x1E").unwrap_or(text).trim_ascii_start();
        // A bracket may begin the name of a column, too.
        text.starts_with(b"{") || (text.starts_with(b"[") && !is_table(text, &options.columns))
    };
    match options.format.map(|format| format.0) {
        Some(Kind::Objects(_)) => return Ok(Found::Documents),
        Some(Kind::Csv) => return Ok(Found::Csv),
        Some(Kind::Parquet) => return Err("is not a Parquet file; leave --format out".to_owned()),
        None => {}
    }
    let ending = Path::new(name).extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    let is_named_table = || ending.as_deref().is_some_and(|ending| ["csv", "tsv", "tab"].contains(&ending));
    if begins_json(text) {
        Ok(Found::Documents)
    } else if is_table(text, &options.columns) || is_named_table() {
        Ok(Found::Csv)
    } else if text.trim_ascii().is_empty() {
        Err("is empty; give an advisory, a report of a scanner, or records".to_owned())
    } else {
        Err("is neither JSON nor a table, so that there is no place for a weakness; docs/enrich.md lists the formats".to_owned())
    }
}

/// The first bytes of an input, up to the end of a line and as many as come with it, and the rest.
fn look_ahead<R: Read>(mut input: R) -> io::Result<(Vec<u8>, R)> {
    let (mut head, mut part) = (Vec::new(), vec![0; HEAD]);
    while head.len() < HEAD && !head.contains(&b'\n') {
        match input.read(&mut part) {
            Ok(0) => break,
            Ok(length) => head.extend_from_slice(part.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((head, input))
}
