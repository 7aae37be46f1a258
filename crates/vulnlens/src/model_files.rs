//! The files of a model, and the question of whether they have changed.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::open::{FAST, ModelKind};

/// Folders within folders that are looked into: a hierarchy has one level of them.
const DEPTH: usize = 3;

/// The files of a model on this machine, as they were when they were last taken for the model's.
#[derive(Debug)]
pub struct ModelFiles {
    path: PathBuf,
    taken: Vec<FileState>,
    /// The files at the last look.
    seen: Vec<FileState>,
}

/// The facts about a file that differ where it was written or replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileState {
    path: PathBuf,
    length: u64,
    modified: Option<SystemTime>,
    number: u64,
}

impl ModelFiles {
    /// The files of the model called `name`; `None` for one that is embedded or on the hub, whose files never change.
    ///
    /// A change between this call and the opening of the model is noticed later, so ask before opening.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        if name == FAST {
            return None;
        }
        let path = Path::new(name);
        let path = match ModelKind::of(name) {
            ModelKind::Folder if path.is_file() => path.parent()?.to_owned(),
            ModelKind::Folder | ModelKind::Ngram | ModelKind::Package => path.to_owned(),
            ModelKind::Accurate | ModelKind::Hub => return None,
        };
        if !path.exists() {
            return None;
        }
        let taken = states(&path);
        Some(Self { path, seen: taken.clone(), taken })
    }

    /// Tests whether the files are others than those that were taken, and have not changed since the last look: a file
    /// that is being written is not ready. True once for each change, with which the files count as taken.
    pub fn have_changed(&mut self) -> bool {
        let now = states(&self.path);
        let are_at_rest = now == self.seen;
        self.seen = now;
        let have_changed = are_at_rest && self.seen != self.taken;
        if have_changed {
            self.taken.clone_from(&self.seen);
        }
        have_changed
    }
}

/// The states of a file, or of those in a folder, in a fixed order. One that is not there has none.
fn states(path: &Path) -> Vec<FileState> {
    let mut states = Vec::new();
    add(path, DEPTH, &mut states);
    states.sort_by(|a, b| a.path.cmp(&b.path));
    states
}

fn add(path: &Path, depth: usize, states: &mut Vec<FileState>) {
    // Through links, as a reader goes.
    let Ok(metadata) = fs::metadata(path) else { return };
    if metadata.is_dir() {
        let inner = fs::read_dir(path).into_iter().flatten().flatten().filter(|_| depth > 0);
        inner.for_each(|entry| add(&entry.path(), depth - 1, states));
        return;
    }
    states.push(FileState {
        path: path.to_owned(),
        length: metadata.len(),
        modified: metadata.modified().ok(),
        number: number(&metadata),
    });
}

/// The file's number in its file system, where systems tell it: another file of the same name has another.
#[cfg(unix)]
fn number(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn number(_: &Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_once_when_the_files_are_at_rest() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("model.bin");
        fs::write(&file, "one").unwrap();
        for path in [&file, folder.path()] {
            let mut files = ModelFiles::of(path.to_str().unwrap()).unwrap();
            assert!(!files.have_changed(), "nothing happened to {}", path.display());
            fs::write(folder.path().join("new"), path.to_str().unwrap()).unwrap();
            fs::rename(folder.path().join("new"), &file).unwrap();
            assert!(!files.have_changed(), "it may still be written");
            assert!(files.have_changed());
            assert!(!files.have_changed(), "once");
        }
        let mut files = ModelFiles::of(file.to_str().unwrap()).unwrap();
        fs::remove_file(&file).unwrap();
        assert!(!files.have_changed() && files.have_changed(), "one that is gone is a change");
    }

    #[test]
    fn a_file_under_writing_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("model.bin");
        fs::write(&file, "").unwrap();
        let mut files = ModelFiles::of(file.to_str().unwrap()).unwrap();
        for length in 1..4 {
            fs::write(&file, "x".repeat(length)).unwrap();
            assert!(!files.have_changed());
        }
        assert!(files.have_changed());
    }

    #[test]
    fn what_is_not_on_this_machine_has_no_files() {
        assert!(
            ["fast", "accurate", "ORG/NAME", "no-such-file"]
                .iter()
                .all(|name| ModelFiles::of(name).is_none())
        );
    }
}
