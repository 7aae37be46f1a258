//! Files that appear when they are whole: a full disk or a crash leaves what stood there before.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use safetensors::{Dtype, View};

/// Writes a file in `aside`, and lets it take its place when it is on the disk.
pub(crate) fn write_whole(
    aside: &Path,
    path: &Path,
    write: impl FnOnce(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(ASIDE);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any program would create it; the process's umask is applied.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let aside = builder.tempfile_in(aside)?.into_temp_path();
    let permissions = fs::metadata(&aside)?.permissions();
    write(&aside)?;
    // Whoever wrote may have put another file in its place.
    fs::set_permissions(&aside, permissions)?;
    File::open(&aside)?.sync_all()?;
    aside.persist(path).map_err(|error| error.error)
}

/// What the names of files that are not whole begin with: ours, and those of the safetensors crate.
pub(crate) const ASIDE: &str = ".tmp";

/// Numbers that go into a safetensors file.
pub(crate) struct Numbers<'a> {
    pub(crate) shape: Vec<usize>,
    pub(crate) numbers: &'a [f32],
}

impl View for Numbers<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned(self.numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
    }

    fn data_len(&self) -> usize {
        4 * self.numbers.len()
    }
}

/// Writes tensors with one entry of metadata.
pub(crate) fn write_tensors(
    path: &Path,
    tensors: Vec<(String, Numbers<'_>)>,
    (key, value): (&str, String),
) -> io::Result<()> {
    let metadata = HashMap::from([(key.to_owned(), value)]);
    safetensors::serialize_to_file(tensors, Some(metadata), path).map_err(|error| match error {
        safetensors::SafeTensorError::IoError(error) => error,
        other => io::Error::other(other),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_fails_leaves_the_file_of_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_whole(folder.path(), &path, |aside| fs::write(aside, "first")).unwrap();
        let full = |aside: &Path| {
            File::create(aside)?.write_all(b"sec")?;
            Err(io::ErrorKind::StorageFull.into())
        };
        assert_eq!(write_whole(folder.path(), &path, full).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1, "nothing is left behind");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_disk_without_room_is_told() {
        let tensors = vec![("a".to_owned(), Numbers { shape: vec![2], numbers: &[1.0, 2.0] })];
        let error = write_tensors(Path::new("/proc/none.safetensors"), tensors, ("format", "pt".into()));
        assert!(error.is_err());
    }
}
