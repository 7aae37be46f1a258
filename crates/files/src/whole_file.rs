//! Files that appear when they are whole: a full disk, a crash or a signal leaves what stood there before.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::FileError;
use crate::unfinished::{UNFINISHED_PREFIX, Unfinished};

/// Most symbolic links from one to the next; the system has about the same limit.
const MOST_LINKS: usize = 40;

/// A file that is written aside, in the folder of its target, and takes its place when it is finished.
///
/// - An existing file keeps its permissions; a new one gets those that the process gives new files.
/// - A symbolic link stays: the file that it names is written, also where that does not exist yet.
/// - A device, a pipe or a socket is written to directly, for it must not be replaced.
/// - Whatever is not finished is removed, by dropping it or by [`remove_unfinished`](crate::remove_unfinished).
/// - Errors name the path that was asked for.
///
/// Bytes go straight through: write much at a time.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    sink: Sink,
}

#[derive(Debug)]
enum Sink {
    Aside(Aside),
    /// A device, a pipe, a socket or an open file of a process.
    Special(File),
}

/// The fields are dropped in this order: a file stays registered until it is removed.
#[derive(Debug)]
struct Aside {
    file: NamedTempFile,
    target: PathBuf,
    registration: Unfinished,
}

impl WholeFile {
    /// Begins the file that is to stand at `path`.
    ///
    /// # Errors
    /// There is no such folder, or nothing can be created in it; `path` is a folder.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        Self::begin(path, None)
    }

    /// As [`WholeFile::create`], written aside in the folder `aside`, which is on the same file system.
    ///
    /// # Errors
    /// As [`WholeFile::create`].
    pub fn create_in(aside: &Path, path: &Path) -> Result<Self, FileError> {
        Self::begin(path, Some(aside))
    }

    /// Writes a whole file at once.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<(), FileError> {
        let mut file = Self::create(path)?;
        file.write_all(bytes.as_ref()).map_err(FileError::write(path))?;
        file.finish()
    }

    fn begin(path: &Path, aside: Option<&Path>) -> Result<Self, FileError> {
        let sink = open(path, aside).map_err(FileError::write(path))?;
        Ok(Self { path: path.to_owned(), sink })
    }

    /// The path that was asked for.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends the file, waits until it is on the disk, and gives it its name.
    ///
    /// # Errors
    /// The disk is full, or the file cannot be renamed.
    pub fn finish(self) -> Result<(), FileError> {
        if let Sink::Aside(aside) = &self.sink {
            aside.file.as_file().sync_all().map_err(FileError::write(&self.path))?;
        }
        self.finish_soon()
    }

    /// Ends the file and gives it its name, without waiting for the disk: for one of very many files. Should the machine
    /// lose its power, the file may be lost.
    ///
    /// # Errors
    /// The file cannot be renamed.
    pub fn finish_soon(self) -> Result<(), FileError> {
        let finished = match self.sink {
            Sink::Special(mut file) => file.flush(),
            Sink::Aside(aside) => aside.finish(),
        };
        finished.map_err(FileError::write(&self.path))
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sink.file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.file().flush()
    }
}

impl Sink {
    fn file(&mut self) -> &mut File {
        match self {
            Self::Aside(aside) => aside.file.as_file_mut(),
            Self::Special(file) => file,
        }
    }
}

impl Aside {
    fn create(target: PathBuf, folder: Option<&Path>) -> io::Result<Self> {
        let folder = folder.unwrap_or_else(|| folder_of(&target));
        let existing = fs::metadata(&target).ok();
        let (file, registration) = Unfinished::register(|| {
            let file = temporary(folder, existing.is_some())?;
            let path = file.path().to_owned();
            Ok((file, path))
        })?;
        if let Some(existing) = existing {
            file.as_file().set_permissions(existing.permissions())?;
        }
        Ok(Self { file, target, registration })
    }

    fn finish(self) -> io::Result<()> {
        let Self { file, target, registration } = self;
        file.persist(target).map_err(|error| error.error)?;
        drop(registration);
        Ok(())
    }
}

/// An empty file in `folder`, for its owner alone where it is to get the permissions of another one.
fn temporary(folder: &Path, is_private: bool) -> io::Result<NamedTempFile> {
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // Those of a new file are what any program asks for; the process's umask is applied.
        options.mode(if is_private { 0o600 } else { 0o666 });
    }
    #[cfg(not(unix))]
    let _ = is_private;
    // Not `tempfile_in`, whose errors name the temporary file.
    tempfile::Builder::new().prefix(UNFINISHED_PREFIX).make_in(folder, |path| options.open(path))
}

fn open(path: &Path, aside: Option<&Path>) -> io::Result<Sink> {
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Ok(Sink::Special(File::options().write(true).open(path)?));
    }
    match target(path)? {
        // What is already open is not replaced under whoever opened it, and keeps what was written to it.
        Target::OpenFile => Ok(Sink::Special(File::options().append(true).open(path)?)),
        Target::Path(target) => Ok(Sink::Aside(Aside::create(target, aside)?)),
    }
}

/// The file that a path leads to.
enum Target {
    Path(PathBuf),
    /// An open file of a process, such as `/dev/stdout`.
    OpenFile,
}

/// Follows symbolic links by hand: the last may name a file that does not exist yet.
fn target(path: &Path) -> io::Result<Target> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        if path.starts_with("/proc") {
            return Ok(Target::OpenFile);
        }
        if !path.is_symlink() {
            return Ok(Target::Path(path));
        }
        path = folder_of(&path).join(fs::read_link(&path)?);
    }
    Err(io::Error::other("too many symbolic links"))
}

/// The folder that `path` stands in.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> usize {
        folder.read_dir().unwrap().count()
    }

    #[test]
    fn a_file_appears_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut file = WholeFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(file);
        assert_eq!(names(folder.path()), 0, "nothing is left behind");
        WholeFile::write(&path, "first").unwrap();
        let mut file = WholeFile::create(&path).unwrap();
        file.write_all(b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"first");
        file.finish().unwrap();
        assert_eq!((fs::read(&path).unwrap(), names(folder.path())), (b"second".to_vec(), 1));
    }

    #[test]
    fn errors_name_the_path_that_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none/out");
        let error = WholeFile::create(&path).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: cannot be written: ", path.display())), "{error}");
        assert!(!error.contains(UNFINISHED_PREFIX), "{error}");
        assert!(WholeFile::create(folder.path()).is_err(), "a folder is not a file");
        let file = WholeFile::create(&folder.path().join("out")).unwrap();
        fs::create_dir(file.path()).unwrap();
        let error = file.finish().unwrap_err().to_string();
        assert!(!error.contains(UNFINISHED_PREFIX), "{error}");
        assert_eq!(names(folder.path()), 1);
    }

    #[test]
    fn a_file_may_be_written_aside_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let (run, path) = (folder.path().join("run"), folder.path().join("out"));
        fs::create_dir(&run).unwrap();
        let mut file = WholeFile::create_in(&run, &path).unwrap();
        assert_eq!((names(&run), names(folder.path())), (1, 1));
        file.write_all(b"whole").unwrap();
        file.finish().unwrap();
        assert_eq!((names(&run), fs::read(&path).unwrap()), (0, b"whole".to_vec()));
    }

    #[cfg(unix)]
    mod unix {
        use std::os::unix::fs::{PermissionsExt as _, symlink};

        use super::*;

        fn mode(path: &Path) -> u32 {
            fs::metadata(path).unwrap().permissions().mode() & 0o7777
        }

        #[test]
        fn permissions_are_kept() {
            let folder = tempfile::tempdir().unwrap();
            let (path, new) = (folder.path().join("out"), folder.path().join("new"));
            for kept in [0o600, 0o640, 0o666, 0o444] {
                fs::write(&new, "").unwrap();
                fs::set_permissions(&new, fs::Permissions::from_mode(kept)).unwrap();
                fs::rename(&new, &path).unwrap();
                WholeFile::write(&path, "secret").unwrap();
                assert_eq!((mode(&path), fs::read(&path).unwrap()), (kept, b"secret".to_vec()));
            }
            WholeFile::write(&new, "").unwrap();
            let plain = folder.path().join("plain");
            File::create(&plain).unwrap();
            assert_eq!(mode(&new), mode(&plain), "as any program would create it");
        }

        #[test]
        fn links_stay_links() {
            let folder = tempfile::tempdir().unwrap();
            let real = folder.path().join("real");
            fs::create_dir(&real).unwrap();
            let (link, hop) = (folder.path().join("link"), real.join("hop"));
            symlink("real/hop", &link).unwrap();
            symlink("target", &hop).unwrap();
            for content in ["dangling", "there"] {
                WholeFile::write(&link, content).unwrap();
                assert!(link.is_symlink() && hop.is_symlink());
                assert_eq!(fs::read_to_string(real.join("target")).unwrap(), content);
            }
            let ring = folder.path().join("ring");
            symlink("ring", &ring).unwrap();
            let error = WholeFile::write(&ring, "").unwrap_err().to_string();
            assert!(error.ends_with("too many symbolic links"), "{error}");
        }

        #[test]
        fn devices_are_written_to_and_stay() {
            use std::os::unix::fs::FileTypeExt as _;
            let null = Path::new("/dev/null");
            WholeFile::write(null, "gone").unwrap();
            assert!(fs::metadata(null).unwrap().file_type().is_char_device());
        }

        #[cfg(target_os = "linux")]
        #[test]
        fn a_full_disk_is_an_error_and_an_open_file_is_not_replaced() {
            use std::os::fd::AsRawFd as _;
            let error = WholeFile::write(Path::new("/dev/full"), "x").unwrap_err();
            assert_eq!(error.source.kind(), io::ErrorKind::StorageFull);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("open");
            let mut open = File::create(&path).unwrap();
            open.write_all(b"before ").unwrap();
            let link = folder.path().join("stdout");
            symlink(format!("/proc/self/fd/{}", open.as_raw_fd()), &link).unwrap();
            WholeFile::write(&link, "after").unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"before after");
            assert_eq!(open.metadata().unwrap().len(), 12, "still the same file");
        }
    }
}
