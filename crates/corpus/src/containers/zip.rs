//! The files of a zip archive, each unpacked within limits.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::SpooledData;
use zip::ZipArchive;
use zip::result::ZipError;

use super::members::Member;
use crate::error::CorpusError;
use crate::input::{BytesRead, Input};
use crate::limits::Limits;
use crate::problem::Problem;

/// A file that unpacks to more goes through an unnamed file, so that memory stays bounded.
const HELD: usize = 1 << 20;
/// Bytes unpacked at once.
const STEP: usize = 64 << 10;

/// The files of a zip archive, in its order.
pub(crate) struct Zip {
    archive: ZipArchive<BufReader<File>>,
    packed: u64,
    unpacked: u64,
    next: usize,
    limits: Limits,
    spool: Option<PathBuf>,
    /// Counts the packed bytes of the files passed.
    read: Option<BytesRead>,
    part: Vec<u8>,
}

impl Zip {
    /// Opens the archive. Its larger files are unpacked to unnamed ones in the folder `spool`, or the
    /// system's for temporary files.
    pub(crate) fn open(
        name: &Arc<str>,
        file: File,
        limits: &Limits,
        spool: Option<&Path>,
        read: Option<&BytesRead>,
    ) -> Result<Self, CorpusError> {
        let failed = |problem: String| CorpusError::Format { file: name.as_ref().to_owned(), problem };
        let packed = file.metadata().map_err(|error| failed(Problem::from(error).to_string()))?.len();
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| {
            failed(format!("is not a readable zip archive: {error}; fetch the file again"))
        })?;
        if ["[Content_Types].xml", "mimetype"].iter().any(|name| archive.index_for_name(name).is_some()) {
            return Err(failed("is an Office document; save it as CSV or as text".to_owned()));
        }
        Ok(Self {
            archive,
            packed,
            unpacked: 0,
            next: 0,
            limits: *limits,
            spool: spool.map(Path::to_owned),
            read: read.cloned(),
            part: vec![0; STEP],
        })
    }

    /// Unpacks the file number `at`; none where it is a folder.
    fn unpack(&mut self, at: usize, name: &str) -> Result<Option<Input>, Problem> {
        let mut entry = self.archive.by_index(at).map_err(|error| problem(&error))?;
        if entry.is_dir() {
            return Ok(None);
        }
        if let Some(read) = &self.read {
            read.add(entry.compressed_size());
        }
        let mut file = match &self.spool {
            Some(folder) => tempfile::spooled_tempfile_in(HELD, folder),
            None => tempfile::spooled_tempfile(HELD),
        };
        let mut length = 0u64;
        loop {
            let read = entry.read(&mut self.part)?;
            length = length.saturating_add(read as u64);
            self.unpacked = self.unpacked.saturating_add(read as u64);
            self.limits.unpacking().check(self.packed, self.unpacked)?;
            if length > self.limits.entry_bytes {
                return Err(Problem::TooLong(self.limits.entry_bytes));
            }
            if read == 0 {
                break;
            }
            file.write_all(self.part.get(..read).unwrap_or_default())?;
        }
        file.seek(SeekFrom::Start(0))?;
        Ok(Some(match file.into_inner() {
            SpooledData::InMemory(bytes) => Input::stream(name, bytes),
            SpooledData::OnDisk(file) => Input::file(name, file),
        }))
    }
}

impl Iterator for Zip {
    type Item = Member;

    fn next(&mut self) -> Option<Member> {
        loop {
            let at = self.next;
            self.next = at.checked_add(1)?;
            let name: Arc<str> = match self.archive.name_for_index(at)? {
                Ok(name) => name.into(),
                Err(error) => {
                    let name = Some(format!("entry {at}").into());
                    return Some(Member { name, input: Err(problem(&error)) });
                }
            };
            match self.unpack(at, &name) {
                Ok(None) => {}
                Ok(Some(input)) => return Some(Member { name: Some(name), input: Ok(input) }),
                Err(bomb @ Problem::Bomb(_)) => {
                    self.next = usize::MAX;
                    return Some(Member { name: None, input: Err(bomb) });
                }
                Err(problem) => return Some(Member { name: Some(name), input: Err(problem) }),
            }
        }
    }
}

fn problem(error: &ZipError) -> Problem {
    Problem::Damaged(error.to_string())
}
