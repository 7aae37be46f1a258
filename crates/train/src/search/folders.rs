//! The folders of a search: what is kept of its trials, and its best model.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use vulnlens_files::UNFINISHED_PREFIX;

use super::trial::{Trial, TrialState};
use crate::error::TrainError;

/// The file of an n-gram model in the folder of its trial.
pub(crate) const NGRAM: &str = "ngram.safetensors";
/// The folder of the best model.
const BEST: &str = "best";
/// The ending of files with parameters.
const PARAMETERS: &str = "safetensors";
/// The folder of a run's checkpoints.
const CHECKPOINTS: &str = "run";
/// What makes a folder a finished model.
const CONFIGURATION: &str = "config.json";

/// Lets a run begin, or go on, in a folder whose trial has not ended: one that was killed before the journal had it is
/// made again, to the same bits.
pub(crate) fn reopen(folder: &Path) -> Result<(), TrainError> {
    remove(&folder.join(CONFIGURATION), |path| fs::remove_file(path))
}

/// Removes the parameters of all trials that ended but the best, and the checkpoints of those that were ended early.
pub(crate) fn keep_only(out: &Path, ended: &[Trial], best: Option<usize>) -> Result<(), TrainError> {
    for trial in ended {
        let folder = out.join(Trial::folder(trial.number));
        let networks = entries(&folder)?.into_iter().filter(|path| path.is_dir() && !is_checkpoints(path));
        for folder in networks.chain([folder.clone()]) {
            if trial.state != TrialState::Finished {
                remove(&folder.join(CHECKPOINTS), |path| fs::remove_dir_all(path))?;
            }
            if best != Some(trial.number) {
                let mut parameters = entries(&folder)?.into_iter().filter(|path| has_parameters(path));
                parameters.try_for_each(|path| remove(&path, |path| fs::remove_file(path)))?;
            }
        }
    }
    Ok(())
}

/// Makes `best` the same as the folder of a trial; its parameters are not written twice where the file system can link
/// them.
pub(crate) fn publish(out: &Path, number: usize) -> Result<(), TrainError> {
    let (from, to) = (out.join(Trial::folder(number)), out.join(BEST));
    let aside = out.join(format!("{UNFINISHED_PREFIX}{BEST}"));
    remove(&aside, |path| fs::remove_dir_all(path))?;
    copy(&from, &aside)?;
    remove(&to, |path| fs::remove_dir_all(path))?;
    fs::rename(&aside, &to).map_err(TrainError::io(&to))
}

/// Copies a folder with the networks below it, checkpoints left out.
fn copy(from: &Path, to: &Path) -> Result<(), TrainError> {
    fs::create_dir(to).map_err(TrainError::io(to))?;
    for path in entries(from)? {
        let copied = to.join(path.file_name().unwrap_or_default());
        let is_linked = has_parameters(&path) && fs::hard_link(&path, &copied).is_ok();
        if path.is_dir() && !is_checkpoints(&path) {
            copy(&path, &copied)?;
        } else if path.is_file() && !is_linked {
            fs::copy(&path, &copied).map_err(TrainError::io(&copied))?;
        }
    }
    Ok(())
}

fn has_parameters(path: &Path) -> bool {
    path.extension() == Some(OsStr::new(PARAMETERS))
}

fn is_checkpoints(path: &Path) -> bool {
    path.file_name() == Some(OsStr::new(CHECKPOINTS))
}

/// The entries of a folder, by name; none where it does not exist.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, TrainError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        entries => entries.map_err(TrainError::io(folder))?,
    };
    let paths = entries.map(|entry| Ok(entry.map_err(TrainError::io(folder))?.path()));
    let mut paths = paths.collect::<Result<Vec<PathBuf>, TrainError>>()?;
    paths.sort_unstable();
    Ok(paths)
}

fn remove(path: &Path, remove: impl Fn(&Path) -> io::Result<()>) -> Result<(), TrainError> {
    match remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(TrainError::io(path)(error)),
        _ => Ok(()),
    }
}
