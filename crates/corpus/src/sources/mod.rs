//! The sources of CVE records, one file each, and telling which one a path is.

pub(crate) mod csv;
mod cve2capec;
mod cvelist;
mod cvelist_files;
mod items;
pub(crate) mod json_text;
pub(crate) mod jsonl;
mod nvd_api;
mod nvd_feed;
pub(crate) mod parquet;
pub(crate) mod plain;
pub(crate) mod rows;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use cve2capec::{Cve2Capec, Cve2CapecRecord, open_cve2capec};

use crate::error::{CorpusError, Place, RecordError};
use crate::input::{Content, HEAD, Input, Opened, has_extension, open_with_head};
use crate::inputs::{InputFormat, is_array, table};
use crate::limits::Limits;
use crate::record::SourceRecord;
use items::ItemRecords;
use rows::{InputRows, RecordRows};

/// What a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// A yearly feed of NVD, JSON schema 1.1.
    NvdFeed,
    /// A saved response page of NVD's API 2.0.
    NvdApi,
    /// The CVE list: the release zip, a folder, or one record's file.
    CveList,
    /// JSON Lines, CSV or Parquet with named columns; its labels say not who gave them.
    Table,
}

/// The records of a source, in its order.
pub type Records = Box<dyn Iterator<Item = Result<SourceRecord, RecordError>> + Send>;

/// A source that was told apart and opened.
pub struct Source {
    /// What it is.
    pub kind: SourceKind,
    /// Its records. A bad one is an item like the others; after one with [`RecordError::ends_input`] none follows.
    pub records: Records,
}

/// The sources that `path` stands for: itself, or, for a folder that is not the CVE list, the files in it by name.
///
/// # Errors
/// A folder that cannot be read, or has no file in it.
pub fn expand(path: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    if !path.is_dir() || is_cve_list(path) {
        return Ok(vec![path.to_owned()]);
    }
    let read = || -> std::io::Result<Vec<PathBuf>> {
        let paths = std::fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path()));
        let hidden =
            |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let mut files = paths.collect::<std::io::Result<Vec<_>>>()?;
        files.retain(|path| path.is_file() && !hidden(path));
        files.sort_unstable();
        Ok(files)
    };
    let files = read().map_err(|source| CorpusError::Open { file: path.display().to_string(), source })?;
    if files.is_empty() {
        return Err(empty_folder(path));
    }
    Ok(files)
}

fn empty_folder(path: &Path) -> CorpusError {
    let problem = "this folder has no file in it; give the folder that the sources are in".to_owned();
    CorpusError::Format { file: path.display().to_string(), problem }
}

/// Whether a folder is laid out as the CVE list: it holds `cves`, years, or records.
fn is_cve_list(folder: &Path) -> bool {
    let is_part = |name: &std::ffi::OsStr| {
        let name = name.to_string_lossy();
        let is_year = name.len() == 4 && name.bytes().all(|byte| byte.is_ascii_digit());
        name == "cves" || is_year || cvelist::is_record_name(&name)
    };
    std::fs::read_dir(folder)
        .is_ok_and(|mut entries| entries.any(|e| e.is_ok_and(|e| is_part(&e.file_name()))))
}

/// Opens the source at `path`, told apart by its first bytes and, for tables, its name. A zip within the release
/// zip is unpacked to an unnamed file in the folder `spool`.
///
/// # Errors
/// A path that cannot be read, is none of the sources, or is a table without `id` or `description` (or `text`).
pub fn open_source(path: &Path, limits: &Limits, spool: &Path) -> Result<Source, CorpusError> {
    if path.is_dir() {
        let name = path.display().to_string().into();
        let records = cvelist_files::FolderRecords::open(&name, path, limits)?;
        return Ok(Source { kind: SourceKind::CveList, records: Box::new(records) });
    }
    read_source(Input::path(path), limits, spool)
}

/// Like [`open_source`], for a file or a stream.
///
/// # Errors
/// As [`open_source`].
pub fn read_source(input: Input, limits: &Limits, spool: &Path) -> Result<Source, CorpusError> {
    let Opened { name, content } = open_with_head(input, limits, HEAD)?;
    let (head, reader) = match content {
        Content::Zip(file) => {
            let records = cvelist_files::ZipRecords::open(&name, file, limits, spool)?;
            return Ok(Source { kind: SourceKind::CveList, records: Box::new(records) });
        }
        Content::Parquet(_) => return open_table(Opened { name, content }, limits),
        Content::Text { head, reader } => (head, reader),
    };
    let has = |key: &str| memchr::memmem::find(&head, key.as_bytes()).is_some();
    let is_list = has_extension(&name, "jsonl") || has_extension(&name, "csv");
    let limit = limits.record_bytes;
    let (kind, records): (_, Records) = if is_list {
        return open_table(Opened { name, content: Content::Text { head, reader } }, limits);
    } else if has("\"CVE_data_type\"") || has("\"CVE_Items\"") {
        (SourceKind::NvdFeed, Box::new(ItemRecords::<_, nvd_feed::NvdFeed>::new(name, reader, limit)))
    } else if has("\"vulnerabilities\"") || has("\"resultsPerPage\"") {
        (SourceKind::NvdApi, Box::new(ItemRecords::<_, nvd_api::NvdApi>::new(name, reader, limit)))
    } else if has("\"cveMetadata\"") || has("\"CVE_RECORD\"") {
        (SourceKind::CveList, Box::new(std::iter::once(one_record(name, reader, limits))))
    } else {
        return open_table(Opened { name, content: Content::Text { head, reader } }, limits);
    };
    Ok(Source { kind, records })
}

fn one_record(
    name: Arc<str>,
    reader: Box<dyn std::io::BufRead + Send>,
    limits: &Limits,
) -> Result<SourceRecord, RecordError> {
    let mut bytes = Vec::new();
    let record = cvelist_files::read_bounded(reader, &mut bytes, limits.entry_bytes)
        .map_err(|problem| (None, problem));
    let record = record.and_then(|()| cvelist::parse(&bytes));
    record.map_err(|(id, problem)| RecordError { file: name, place: Place::Whole, id, problem })
}

fn open_table(opened: Opened, limits: &Limits) -> Result<Source, CorpusError> {
    let file = Arc::clone(&opened.name);
    if let Content::Text { head, .. } = &opened.content
        && is_array(head)
        && !has_extension(&file, "csv")
    {
        let problem = "this is a JSON array; give one object a line".to_owned();
        return Err(CorpusError::Format { file: file.as_ref().to_owned(), problem });
    }
    let head_is_plain =
        matches!(&opened.content, Content::Text { head, .. } if !head.trim_ascii_start().starts_with(b"{"));
    if head_is_plain && !has_extension(&file, "csv") && !has_extension(&file, "jsonl") {
        let problem = "is no source of CVE records; expected an NVD feed or API page, the CVE list, or a table \
                       (.jsonl, .csv, .parquet) with the columns id and description";
        return Err(CorpusError::Format { file: file.as_ref().to_owned(), problem: problem.to_owned() });
    }
    let table = table(opened, InputFormat::Auto, limits)?;
    if let Some(columns) = table.columns.filter(|columns| rows::ID.position(columns).is_none()) {
        return Err(CorpusError::MissingColumn {
            file: file.as_ref().to_owned(),
            column: "id".to_owned(),
            columns,
        });
    }
    let records = RecordRows(InputRows { file, rows: table.rows });
    Ok(Source { kind: SourceKind::Table, records: Box::new(records) })
}
