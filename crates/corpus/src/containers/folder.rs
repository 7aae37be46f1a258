//! The files of a folder and its subfolders, in the order of their names.

use std::io;
use std::path::{Path, PathBuf};

use super::members::Member;
use crate::error::CorpusError;
use crate::input::Input;
use crate::problem::Problem;

/// The files of a folder. Hidden ones are left out, and links to folders are not followed: they may lead in circles.
pub(crate) struct Folder {
    root: PathBuf,
    /// Files and folders still to be visited, the next one last.
    ahead: Vec<PathBuf>,
}

impl Folder {
    /// The files of the folder at `root`.
    pub(crate) fn open(root: &Path) -> Result<Self, CorpusError> {
        let file = || root.display().to_string();
        let entries = read_folder(root).map_err(|source| CorpusError::Open { file: file(), source })?;
        Ok(Self { root: root.to_owned(), ahead: entries.into_iter().rev().collect() })
    }
}

impl Iterator for Folder {
    type Item = Member;

    fn next(&mut self) -> Option<Member> {
        loop {
            let path = self.ahead.pop()?;
            let name = path.strip_prefix(&self.root).unwrap_or(&path).display().to_string();
            let member = |input| Some(Member { name: Some(name.as_str().into()), input });
            match path.symlink_metadata() {
                Err(error) => return member(Err(error.into())),
                Ok(metadata) if metadata.is_dir() => match read_folder(&path) {
                    Ok(entries) => self.ahead.extend(entries.into_iter().rev()),
                    Err(error) => return member(Err(error.into())),
                },
                Ok(_) if path.is_file() => return member(Ok(Input::path(&path))),
                Ok(_) => return member(Err(Problem::NotASource)),
            }
        }
    }
}

/// The files and folders of a folder that are not hidden, by rising name.
///
/// # Errors
/// A folder that cannot be read, or has nothing in it.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    let file = || folder.display().to_string();
    let entries = read_folder(folder).map_err(|source| CorpusError::Open { file: file(), source })?;
    if entries.is_empty() {
        let problem = "this folder has no file in it; give the folder that the sources are in".to_owned();
        return Err(CorpusError::Format { file: file(), problem });
    }
    Ok(entries)
}

fn read_folder(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let paths = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let is_hidden =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let mut entries = paths.collect::<io::Result<Vec<_>>>()?;
    entries.retain(|path| !is_hidden(path));
    entries.sort_unstable();
    Ok(entries)
}
