//! The files of the CVE list, out of a zip, a zip within a zip, or a folder.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zip::ZipArchive;

use super::cvelist;
use crate::error::{CorpusError, Place, Problem, RecordError};
use crate::input::copy_bounded;
use crate::limits::Limits;
use crate::record::SourceRecord;

type Item = Result<SourceRecord, RecordError>;

/// The records of a release zip.
pub(crate) struct ZipRecords {
    file: Arc<str>,
    archive: ZipArchive<BufReader<File>>,
    packed: u64,
    unpacked: u64,
    next: usize,
    limits: Limits,
    bytes: Vec<u8>,
}

impl ZipRecords {
    /// Opens the archive; one that holds a single zip is unpacked to an unnamed file in `spool` first.
    pub(crate) fn open(
        name: &Arc<str>,
        file: File,
        limits: &Limits,
        spool: &Path,
    ) -> Result<Self, CorpusError> {
        let failed = |problem: String| CorpusError::Format { file: name.as_ref().to_owned(), problem };
        let packed = file.metadata().map_err(|error| failed(Problem::from(error).to_string()))?.len();
        let mut archive = open_zip(name, file)?;
        if let Some(inner) = inner_zip(&archive) {
            let unpacked = unpack(&mut archive, inner, limits, spool);
            archive = open_zip(name, unpacked.map_err(|problem| failed(problem.to_string()))?)?;
        }
        let (file, limits) = (Arc::clone(name), *limits);
        Ok(Self { file, archive, packed, unpacked: 0, next: 0, limits, bytes: Vec::new() })
    }

    /// Reads the next entry that holds a record into `bytes`; gives its name.
    fn advance(&mut self) -> Option<(String, Result<(), Problem>)> {
        loop {
            let at = self.next;
            self.next = at.checked_add(1)?;
            let name = match self.archive.name_for_index(at)? {
                Ok(name) => name.into_owned(),
                Err(error) => return Some((format!("entry {at}"), Err(zip_problem(&error)))),
            };
            if cvelist::is_record_name(&name) {
                let read = self.read(at);
                return Some((name, read));
            }
        }
    }

    fn read(&mut self, at: usize) -> Result<(), Problem> {
        let entry = self.archive.by_index(at).map_err(|error| zip_problem(&error))?;
        let read = read_bounded(entry, &mut self.bytes, self.limits.entry_bytes);
        self.unpacked = self.unpacked.saturating_add(self.bytes.len() as u64);
        self.limits.check(self.packed, self.unpacked).map_err(|bomb| Problem::Bomb(bomb.limit))?;
        read
    }
}

impl Iterator for ZipRecords {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        let (name, read) = self.advance()?;
        if let Err(problem @ Problem::Bomb(_)) = read {
            self.next = usize::MAX;
            return Some(Err(RecordError {
                file: Arc::clone(&self.file),
                place: Place::Whole,
                id: None,
                problem,
            }));
        }
        Some(parse(&self.file, name, read.map(|()| self.bytes.as_slice())))
    }
}

fn open_zip(name: &Arc<str>, file: File) -> Result<ZipArchive<BufReader<File>>, CorpusError> {
    ZipArchive::new(BufReader::new(file)).map_err(|error| {
        let problem = format!("is not a readable zip: {error}; fetch the file again");
        CorpusError::Format { file: name.as_ref().to_owned(), problem }
    })
}

/// The zip that an archive without records of its own holds.
fn inner_zip(archive: &ZipArchive<BufReader<File>>) -> Option<usize> {
    let named = |at: usize| archive.name_for_index(at).and_then(Result::ok);
    let is_zip = |at: &usize| named(*at).is_some_and(|name| name.to_ascii_lowercase().ends_with(".zip"));
    let has_records =
        (0..archive.len()).any(|at| named(at).is_some_and(|name| cvelist::is_record_name(&name)));
    (0..archive.len()).find(is_zip).filter(|_| !has_records)
}

fn unpack(
    archive: &mut ZipArchive<BufReader<File>>,
    at: usize,
    limits: &Limits,
    spool: &Path,
) -> Result<File, Problem> {
    let mut entry = archive.by_index(at).map_err(|error| zip_problem(&error))?;
    let mut file = tempfile::tempfile_in(spool)?;
    copy_bounded(&mut entry, &mut file, limits.unpacked_bytes)?;
    Ok(file)
}

fn zip_problem(error: &zip::result::ZipError) -> Problem {
    Problem::Damaged(error.to_string())
}

/// Reads all of `reader` into `bytes`, unless it is longer than `limit`.
pub(super) fn read_bounded(reader: impl Read, bytes: &mut Vec<u8>, limit: u64) -> Result<(), Problem> {
    bytes.clear();
    reader.take(limit.saturating_add(1)).read_to_end(bytes)?;
    if bytes.len() as u64 > limit { Err(Problem::TooLong(limit)) } else { Ok(()) }
}

fn parse(file: &Arc<str>, name: String, read: Result<&[u8], Problem>) -> Item {
    let record = read
        .map_err(|problem| (None, problem))
        .and_then(|bytes| cvelist::parse(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)));
    record.map_err(|(id, problem)| RecordError {
        file: Arc::clone(file),
        place: Place::Entry(name),
        id,
        problem,
    })
}

/// The records of a folder, its subfolders in the order of their names; links are not followed.
pub(crate) struct FolderRecords {
    file: Arc<str>,
    root: PathBuf,
    limits: Limits,
    /// Files and folders still to be visited, the next one last.
    ahead: Vec<PathBuf>,
    bytes: Vec<u8>,
}

impl FolderRecords {
    pub(crate) fn open(name: &Arc<str>, root: &Path, limits: &Limits) -> Result<Self, CorpusError> {
        let ahead =
            entries(root).map_err(|source| CorpusError::Open { file: name.as_ref().to_owned(), source })?;
        if ahead.is_empty() {
            return Err(super::empty_folder(root));
        }
        Ok(Self { file: Arc::clone(name), root: root.to_owned(), limits: *limits, ahead, bytes: Vec::new() })
    }
}

impl Iterator for FolderRecords {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            let path = self.ahead.pop()?;
            let name = path.strip_prefix(&self.root).unwrap_or(&path).display().to_string();
            let kind = match path.symlink_metadata() {
                Ok(metadata) => metadata.file_type(),
                Err(error) => return Some(parse(&self.file, name, Err(error.into()))),
            };
            if kind.is_dir() {
                match entries(&path) {
                    Ok(entries) => self.ahead.extend(entries),
                    Err(error) => return Some(parse(&self.file, name, Err(error.into()))),
                }
            } else if kind.is_file() && cvelist::is_record_name(&name) {
                let read = File::open(&path).map_err(Problem::from);
                let read = read.and_then(|file| read_bounded(file, &mut self.bytes, self.limits.entry_bytes));
                return Some(parse(&self.file, name, read.map(|()| self.bytes.as_slice())));
            }
        }
    }
}

/// What a folder holds, by falling name: the caller takes from the end.
fn entries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut entries = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_unstable_by(|a, b| b.cmp(a));
    Ok(entries)
}
