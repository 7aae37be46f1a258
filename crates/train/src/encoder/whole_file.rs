//! Files that appear when they are whole: a full disk or a crash leaves what stood there before.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use safetensors::{Dtype, View};
use vulnlens_files::WholeFile;

/// Writes a file in the folder `aside`, and lets it take its place when it is on the disk.
pub(crate) fn write_whole(
    aside: &Path,
    path: &Path,
    write: impl FnOnce(&mut WholeFile) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = WholeFile::create_in(aside, path).map_err(|error| error.source)?;
    write(&mut file)?;
    file.finish().map_err(|error| error.source)
}

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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_fails_leaves_the_file_of_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_whole(folder.path(), &path, |file| file.write_all(b"first")).unwrap();
        let full = |file: &mut WholeFile| {
            file.write_all(b"sec")?;
            Err(io::ErrorKind::StorageFull.into())
        };
        assert_eq!(write_whole(folder.path(), &path, full).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1, "nothing is left behind");
    }
}
