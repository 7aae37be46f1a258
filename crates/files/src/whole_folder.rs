//! Folders that appear when they are whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::FileError;
use crate::unfinished::{UNFINISHED_PREFIX, Unfinished};

/// A new folder that is filled aside and takes its name when it is finished; it is removed otherwise.
///
/// The fields are dropped in this order: a folder stays registered until it is removed.
#[derive(Debug)]
pub struct WholeFolder {
    aside: Aside,
    path: PathBuf,
    registration: Unfinished,
}

/// The folder that is filled; removed when dropped.
#[derive(Debug)]
struct Aside(PathBuf);

impl Drop for Aside {
    fn drop(&mut self) {
        // It is gone already if it was given its name; an error that matters came first.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl WholeFolder {
    /// Begins the folder that is to stand at `path`, where nothing is yet.
    ///
    /// # Errors
    /// Something stands at `path`, or nothing can be created beside it.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        let begun = Unfinished::register(|| {
            let aside = create_aside(path)?;
            Ok((Aside(aside.clone()), aside))
        });
        let (aside, registration) = begun.map_err(FileError::write(path))?;
        Ok(Self { aside, path: path.to_owned(), registration })
    }

    /// The folder to fill.
    #[must_use]
    pub fn aside(&self) -> &Path {
        &self.aside.0
    }

    /// Waits until the folder is on the disk, and gives it its name.
    ///
    /// # Errors
    /// The disk is full, or something else has taken the name.
    pub fn finish(self) -> Result<(), FileError> {
        let Self { aside, path, registration } = self;
        sync(&aside.0).and_then(|()| fs::rename(&aside.0, &path)).map_err(FileError::write(&path))?;
        drop(registration);
        Ok(())
    }
}

fn create_aside(path: &Path) -> io::Result<PathBuf> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "exists already"));
    }
    // A path such as `model/` names the folder, too.
    let whole = std::path::absolute(path)?;
    let folder = whole.parent().unwrap_or(Path::new("/"));
    let mut number = 0_u32;
    loop {
        let aside = folder.join(format!("{UNFINISHED_PREFIX}{}-{number}", std::process::id()));
        match fs::create_dir(&aside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number = number.saturating_add(1),
            created => return created.map(|()| aside),
        }
    }
}

/// Waits until all files in a folder are on the disk.
fn sync(folder: &Path) -> io::Result<()> {
    for entry in folder.read_dir()? {
        let path = entry?.path();
        if path.is_dir() { sync(&path)? } else { File::open(&path)?.sync_all()? }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_appears_when_it_is_whole() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("out");
        let folder = WholeFolder::create(&path).unwrap();
        fs::write(folder.aside().join("a"), "a").unwrap();
        drop(folder);
        assert_eq!(place.path().read_dir().unwrap().count(), 0, "nothing is left behind");
        let folder = WholeFolder::create(&path).unwrap();
        fs::create_dir(folder.aside().join("b")).unwrap();
        fs::write(folder.aside().join("b/c"), "c").unwrap();
        assert!(!path.exists());
        folder.finish().unwrap();
        assert_eq!(fs::read(path.join("b/c")).unwrap(), b"c");
        assert_eq!(place.path().read_dir().unwrap().count(), 1);
        let error = WholeFolder::create(&path).unwrap_err().to_string();
        assert_eq!(error, format!("{}: cannot be written: exists already", path.display()));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_has_the_permissions_of_any_new_one() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = tempfile::tempdir().unwrap();
        let (path, plain) = (place.path().join("out"), place.path().join("plain"));
        WholeFolder::create(&path).unwrap().finish().unwrap();
        fs::create_dir(&plain).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&plain));
    }
}
