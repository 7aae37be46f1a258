//! The lock of a run's folder.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::TrainError;

/// The folder of what only an unfinished run needs.
pub(crate) const RUN: &str = "run";

/// A folder that no other run can use until this is dropped.
#[derive(Debug)]
pub(crate) struct FolderLock {
    /// The folder of what only an unfinished run needs.
    pub(crate) run: PathBuf,
    /// Locked by the system as long as it is open: a crash unlocks it.
    _lock: File,
}

impl FolderLock {
    /// Takes a folder, unless another run has it.
    pub(crate) fn take(folder: &Path) -> Result<Self, TrainError> {
        let run = folder.join(RUN);
        fs::create_dir_all(&run).map_err(TrainError::io(&run))?;
        let path = run.join("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(TrainError::io(&path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { run, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(TrainError::Locked { folder: folder.to_owned() }),
            Err(TryLockError::Error(error)) => Err(TrainError::io(&path)(error)),
        }
    }

    /// Gives the folder back, without what only an unfinished run needs.
    pub(crate) fn release(self) -> Result<(), TrainError> {
        fs::remove_dir_all(&self.run).map_err(TrainError::io(&self.run))
    }
}
