//! One download of a file at a time, over all processes that share the cache.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

use crate::error::{Disk, HubError};

/// A held lock; released when dropped. Empty where the file system has no locks, as in huggingface_hub.
pub(crate) struct Lock {
    _file: Option<File>,
}

/// Waits for the lock at `path`, which huggingface_hub takes for the same file; calls `waiting` once if
/// somebody else holds it.
pub(crate) fn acquire(path: &Path, waiting: impl FnOnce()) -> Result<Lock, HubError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Disk::new("create the folder", folder, error))?;
    }
    let open = OpenOptions::new().create(true).write(true).truncate(false).open(path);
    let file = open.map_err(|error| Disk::new("create the lock file", path, error))?;
    let locked = match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            waiting();
            file.lock()
        }
        Err(TryLockError::Error(error)) => Err(error),
    };
    match locked {
        Ok(()) => Ok(Lock { _file: Some(file) }),
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(Lock { _file: None }),
        Err(error) => Err(Disk::new("lock", path, error).into()),
    }
}
