//! Files and folders that are being written, so that they can be removed when the process is told to end.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The beginning of the name of every file that is being written.
pub const UNFINISHED_PREFIX: &str = ".vulnlens-";

static REGISTRY: Mutex<Registry> = Mutex::new(Registry { paths: Vec::new(), is_closed: false });

struct Registry {
    paths: Vec<PathBuf>,
    /// Whether nothing more may be begun: the process ends.
    is_closed: bool,
}

fn registry() -> MutexGuard<'static, Registry> {
    // The list is whole after each statement, whoever panicked.
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes every file and folder that a [`WholeFile`](crate::WholeFile) or [`WholeFolder`](crate::WholeFolder) has begun
/// and not finished, and refuses those that are begun later: for a process that is about to end.
///
/// Call it from a thread, not from within a signal handler: it takes a lock.
pub fn remove_unfinished() {
    let mut registry = registry();
    registry.is_closed = true;
    // What cannot be removed is not there any more, or nobody can help.
    registry.paths.drain(..).for_each(|path| drop(remove(&path)));
}

fn remove(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

/// The registration of a path, which ends with this value.
#[derive(Debug)]
pub(crate) struct Unfinished(PathBuf);

impl Unfinished {
    /// Registers the path of what `create` creates, which no removal can come between.
    pub(crate) fn register<T>(create: impl FnOnce() -> io::Result<(T, PathBuf)>) -> io::Result<(T, Self)> {
        let mut registry = registry();
        if registry.is_closed {
            return Err(io::Error::other("the program is about to end"));
        }
        let (created, path) = create()?;
        registry.paths.push(path.clone());
        Ok((created, Self(path)))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        registry().paths.retain(|path| *path != self.0);
    }
}
