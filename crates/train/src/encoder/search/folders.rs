//! The folders of a search: what is kept of its trials, and its best model.

use std::path::Path;
use std::{fs, io};

use vulnlens_files::UNFINISHED_PREFIX;

use super::trial::{Trial, TrialState};
use crate::error::TrainError;

/// The folder of the best model.
const BEST: &str = "best";
const PARAMETERS: &str = "model.safetensors";
/// What makes a folder a finished model.
const CONFIGURATION: &str = "config.json";

/// Lets a run begin, or go on, in a folder whose trial has not ended: one that was killed before the journal had it is made
/// again, to the same bits.
pub(crate) fn reopen(folder: &Path) -> Result<(), TrainError> {
    remove(&folder.join(CONFIGURATION), |path| fs::remove_file(path))
}

/// Removes the parameters of all trials that ended but the best, and the checkpoints of those that were ended early.
pub(crate) fn keep_only(out: &Path, ended: &[Trial], best: Option<usize>) -> Result<(), TrainError> {
    for trial in ended {
        let folder = out.join(Trial::folder(trial.number));
        if trial.state != TrialState::Finished {
            remove(&folder.join("run"), |path| fs::remove_dir_all(path))?;
        }
        if best != Some(trial.number) {
            remove(&folder.join(PARAMETERS), |path| fs::remove_file(path))?;
        }
    }
    Ok(())
}

/// Makes `best` the same as the folder of a trial; its parameters are not written twice where the file system can link them.
pub(crate) fn publish(out: &Path, number: usize) -> Result<(), TrainError> {
    let (from, to) = (out.join(Trial::folder(number)), out.join(BEST));
    let aside = out.join(format!("{UNFINISHED_PREFIX}{BEST}"));
    remove(&aside, |path| fs::remove_dir_all(path))?;
    fs::create_dir(&aside).map_err(TrainError::io(&aside))?;
    for entry in fs::read_dir(&from).map_err(TrainError::io(&from))? {
        let entry = entry.map_err(TrainError::io(&from))?;
        let (path, copy) = (entry.path(), aside.join(entry.file_name()));
        let is_linked = entry.file_name() == PARAMETERS && fs::hard_link(&path, &copy).is_ok();
        if path.is_file() && !is_linked {
            fs::copy(&path, &copy).map_err(TrainError::io(&copy))?;
        }
    }
    remove(&to, |path| fs::remove_dir_all(path))?;
    fs::rename(&aside, &to).map_err(TrainError::io(&to))
}

fn remove(path: &Path, remove: impl Fn(&Path) -> io::Result<()>) -> Result<(), TrainError> {
    match remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(TrainError::io(path)(error)),
        _ => Ok(()),
    }
}
