//! A folder that is fetched into: one process at a time, its record kept with its files.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use vulnlens_files::{FileError, UNFINISHED_PREFIX};

use crate::error::FetchError;
use crate::fetched::{Fetched, FetchedFile};
use crate::precedence::precedence;
use crate::source::Source;
use crate::wanted::{PART, Wanted};

/// The file that is locked while a process works in the folder.
const LOCK: &str = ".fetch.lock";

/// A folder that is fetched into. The lock on it ends with this value, or with the process.
pub(crate) struct Store {
    folder: PathBuf,
    fetched: Fetched,
    /// None where the file system has no locks.
    _lock: Option<File>,
}

impl Store {
    /// Opens the folder, which is made if it is not there, for `source`.
    pub(crate) fn open(folder: &Path, source: Source) -> Result<Self, FetchError> {
        fs::create_dir_all(folder).map_err(FileError::write(folder))?;
        let lock = lock(folder)?;
        sweep_unfinished(folder)?;
        let fetched = Fetched::read(folder)?.unwrap_or_else(|| Fetched::new(source));
        if fetched.source != source {
            let (found, asked) = (fetched.source.name().to_owned(), source.name().to_owned());
            return Err(FetchError::OtherSource { folder: folder.to_owned(), found, asked });
        }
        Ok(Self { folder: folder.to_owned(), fetched, _lock: lock })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn fetched(&self) -> &Fetched {
        &self.fetched
    }

    /// The file called `name`, if it lies in the folder as it was fetched.
    pub(crate) fn intact(&self, name: &str) -> Result<Option<&FetchedFile>, FetchError> {
        let Some(file) = self.fetched.files.iter().find(|file| file.name == name) else { return Ok(None) };
        Ok(file.is_intact(&self.folder)?.then_some(file))
    }

    /// Records a file that has come, and takes those that `is_superseded` names out of the folder.
    pub(crate) fn put(
        &mut self,
        file: FetchedFile,
        is_superseded: impl Fn(&str, &Fetched) -> bool,
    ) -> Result<(), FetchError> {
        self.fetched.files.retain(|other| other.name != file.name);
        self.fetched.files.push(file);
        self.fetched.files.sort_by_cached_key(|file| precedence(&file.name));
        let all = self.fetched.clone();
        self.take_out(|name| is_superseded(name, &all))
    }

    /// Takes the files that `is_gone` names out of the folder.
    pub(crate) fn take_out(&mut self, is_gone: impl Fn(&str) -> bool) -> Result<(), FetchError> {
        let (gone, kept) =
            std::mem::take(&mut self.fetched.files).into_iter().partition(|file| is_gone(&file.name));
        let gone: Vec<FetchedFile> = gone;
        self.fetched.files = kept;
        self.fetched.write(&self.folder)?;
        // After the record, so that it never names a file that is gone.
        gone.iter().try_for_each(|file| remove(&self.folder.join(&file.name)))
    }

    /// Records the time up to which NVD's API has been read.
    pub(crate) fn put_api_through(&mut self, time: String) -> Result<(), FetchError> {
        self.fetched.api_through = Some(time);
        self.fetched.write(&self.folder)
    }

    /// Removes what an end in the middle of a fetch left and nobody will take up: files that `is_ours` names and the
    /// record does not, and parts of files that are not `wanted` any more.
    pub(crate) fn sweep(&self, wanted: &[Wanted], is_ours: impl Fn(&str) -> bool) -> Result<(), FetchError> {
        for name in names(&self.folder)? {
            let part = name.strip_prefix('.').and_then(|name| name.split_once(PART)).map(|(whole, _)| whole);
            let is_left = match part {
                Some(whole) => is_ours(whole) && !wanted.iter().any(|wanted| wanted.name == whole),
                None => is_ours(&name) && !self.fetched.files.iter().any(|file| file.name == name),
            };
            if is_left {
                remove(&self.folder.join(name))?;
            }
        }
        Ok(())
    }
}

/// Removes files that another process was writing when it was killed: the folder is locked, nobody writes them now.
fn sweep_unfinished(folder: &Path) -> Result<(), FetchError> {
    let names = names(folder)?.into_iter().filter(|name| name.starts_with(UNFINISHED_PREFIX));
    names.into_iter().try_for_each(|name| remove(&folder.join(name)))
}

/// The names of the files in a folder.
fn names(folder: &Path) -> Result<Vec<String>, FetchError> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(FileError::read(folder))?;
    Ok(entries.into_iter().filter_map(|entry| entry.file_name().into_string().ok()).collect())
}

/// Removes a file, which need not be there.
pub(crate) fn remove(path: &Path) -> Result<(), FetchError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::write(path)(error).into()),
        _ => Ok(()),
    }
}

/// Takes the lock of a folder; none where the file system has no locks.
fn lock(folder: &Path) -> Result<Option<File>, FetchError> {
    let path = folder.join(LOCK);
    let open = OpenOptions::new().create(true).write(true).truncate(false).open(&path);
    let file = open.map_err(FileError::write(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(FetchError::Locked { folder: folder.to_owned() }),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
        Err(TryLockError::Error(error)) => Err(FileError::write(&path)(error).into()),
    }
}
