//! The layout of one repository in the hub cache.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Disk;
use crate::id::{Commit, RepoId, Revision};
use crate::metadata::Etag;

/// The folder of a repository, and the folder of its locks.
#[derive(Debug)]
pub(crate) struct RepoCache {
    folder: PathBuf,
    locks: PathBuf,
}

impl RepoCache {
    pub(crate) fn new(cache: &Path, repo: &RepoId) -> Self {
        let name = repo.folder_name();
        Self { folder: cache.join(&name), locks: cache.join(".locks").join(&name) }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn blob(&self, etag: &Etag) -> PathBuf {
        self.folder.join("blobs").join(etag.as_str())
    }

    pub(crate) fn lock(&self, etag: &Etag) -> PathBuf {
        self.locks.join(format!("{}.lock", etag.as_str()))
    }

    pub(crate) fn snapshot(&self, commit: &Commit) -> PathBuf {
        self.folder.join("snapshots").join(commit.as_str())
    }

    fn reference(&self, revision: &Revision) -> PathBuf {
        self.folder.join("refs").join(revision.as_str())
    }

    /// The commit that `revision` was at when it was last asked for.
    pub(crate) fn commit(&self, revision: &Revision) -> Option<Commit> {
        let recorded = || Commit::parse(std::fs::read_to_string(self.reference(revision)).ok()?.trim());
        revision.as_commit().or_else(recorded)
    }

    /// Records that `revision` is at `commit`. A revision that is a commit needs no record.
    pub(crate) fn record(&self, revision: &Revision, commit: &Commit) -> Result<(), Disk> {
        if self.commit(revision).as_ref() == Some(commit) {
            return Ok(());
        }
        let path = self.reference(revision);
        create_parent(&path)?;
        replace(&path, |aside| std::fs::write(aside, commit.as_str()))
    }

    /// Makes the blob `etag` the file `name` of the snapshot of `commit`: by a relative link, or where links are
    /// refused by a second name or a copy.
    pub(crate) fn link(&self, commit: &Commit, name: &str, etag: &Etag) -> Result<(), Disk> {
        let path = self.snapshot(commit).join(name);
        create_parent(&path)?;
        let blob = self.blob(etag);
        let up = "../".repeat(name.split('/').count() + 1);
        let relative = format!("{up}blobs/{}", etag.as_str());
        replace(&path, |aside| {
            symlink(Path::new(&relative), aside)
                .or_else(|_| std::fs::hard_link(&blob, aside))
                .or_else(|_| std::fs::copy(&blob, aside).map(drop))
        })
    }
}

/// Makes the folder that `path` is to lie in.
pub(crate) fn create_parent(path: &Path) -> Result<(), Disk> {
    let Some(folder) = path.parent() else { return Ok(()) };
    std::fs::create_dir_all(folder).map_err(|error| Disk::new("create the folder", folder, error))
}

/// Puts what `make` makes under a name aside in the place of `path`, at once.
fn replace(path: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), Disk> {
    /// Tells the threads of a process apart, of which two may fetch the same repository.
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".{}-{number}.new", std::process::id()));
    let aside = PathBuf::from(aside);
    // Left by a process of the same number that was killed; usually there is none.
    let _ = std::fs::remove_file(&aside);
    let made = make(&aside).and_then(|()| std::fs::rename(&aside, path));
    made.map_err(|error| {
        let _ = std::fs::remove_file(&aside);
        Disk::new("write", path, error)
    })
}

#[cfg(unix)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(windows)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    let target: PathBuf = target.components().collect();
    std::os::windows::fs::symlink_file(target, link)
}

#[cfg(not(any(unix, windows)))]
fn symlink(_target: &Path, _link: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
