//! A file as its content: plain, packed, or one entry of a zip, told apart by the first bytes.

use std::borrow::Cow;
use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::Path;

use zip::ZipArchive;

use crate::bounded::{Bounded, PackedSize, UnpackLimits};
use crate::packing::Packing;

/// Opens the file at `path` and hands its unpacked content to `use_content`. Of a zip that is the first entry whose name
/// `is_wanted` accepts; an error calls such entries `wanted`.
///
/// # Errors
/// The file cannot be opened, or a zip is damaged or holds no such entry. Content that is damaged or more than `limits`
/// allow fails while it is read.
pub fn unpacked<T>(
    path: &Path,
    limits: UnpackLimits,
    (wanted, is_wanted): (&str, impl Fn(&str) -> bool),
    use_content: impl FnOnce(&mut dyn BufRead) -> T,
) -> io::Result<T> {
    let file = File::open(path)?;
    // The size of a pipe is not known.
    let size = file.metadata().ok().filter(Metadata::is_file).map(|metadata| metadata.len());
    let size = size.map_or(PackedSize::Unknown, PackedSize::Known);
    let mut file = BufReader::new(file);
    let head = file.fill_buf()?;
    if head.starts_with(b"PK") {
        let mut archive = ZipArchive::new(file)?;
        let none = || io::Error::new(io::ErrorKind::InvalidData, format!("the archive holds no {wanted}"));
        let entry = find_entry(&archive, is_wanted).ok_or_else(none)?;
        let entry = archive.by_index(entry)?;
        Ok(use_content(&mut BufReader::new(Bounded::new(entry, limits, size))))
    } else if let Some(packing) = Packing::of(head) {
        Ok(use_content(&mut BufReader::new(packing.unpack(file, limits)?)))
    } else {
        Ok(use_content(&mut BufReader::new(Bounded::new(file, limits, size))))
    }
}

/// The names of the entries of the zip at `path`, in its order; none of a file that is not a zip.
///
/// # Errors
/// The file cannot be read, or the zip is damaged.
pub fn entry_names(path: &Path) -> io::Result<Vec<String>> {
    let mut file = BufReader::new(File::open(path)?);
    if !file.fill_buf()?.starts_with(b"PK") {
        return Ok(vec![]);
    }
    let archive = ZipArchive::new(file)?;
    Ok(archive.file_names().map(|name| name.map(Cow::into_owned)).collect::<Result<_, _>>()?)
}

/// Hands each entry of the zip at `path` whose name `is_wanted` accepts to `each`, by its name and its bytes, in the order
/// of the zip. The limits are for all of them together.
///
/// # Errors
/// The file cannot be read, is not a zip or a damaged one, or unpacks to more than `limits` allow.
pub fn each_entry(
    path: &Path,
    limits: UnpackLimits,
    is_wanted: impl Fn(&str) -> bool,
    mut each: impl FnMut(&str, &[u8]),
) -> io::Result<()> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut archive = ZipArchive::new(BufReader::new(file))?;
    let (mut bytes, mut unpacked) = (Vec::new(), 0u64);
    for number in 0..archive.len() {
        let entry = archive.by_index(number)?;
        let name = entry.name()?.into_owned();
        if !is_wanted(&name) {
            continue;
        }
        let left = UnpackLimits { bytes: limits.bytes.saturating_sub(unpacked), ..limits };
        bytes.clear();
        unpacked = unpacked.saturating_add(
            Bounded::new(entry, left, PackedSize::Known(size)).read_to_end(&mut bytes)? as u64,
        );
        limits.check(size, unpacked)?;
        each(&name, &bytes);
    }
    Ok(())
}

/// The number of the first entry whose name `is_wanted` accepts.
fn find_entry<R: Read + Seek>(archive: &ZipArchive<R>, is_wanted: impl Fn(&str) -> bool) -> Option<usize> {
    let name = |at: usize| archive.name_for_index(at).and_then(Result::ok);
    (0..archive.len()).find(|at| name(*at).is_some_and(|name| is_wanted(&name)))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const LIMITS: UnpackLimits = UnpackLimits { bytes: 1 << 20, ratio: 100, ratio_from: 1 << 10 };

    fn zipped(name: &str, bytes: &[u8]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        for (name, bytes) in [("README", b"not this one".as_slice()), (name, bytes)] {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Writes `file` and reads its content.
    fn content(file: &[u8]) -> io::Result<Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, file).unwrap();
        let is_wanted = |name: &str| name.ends_with(".xml");
        let mut bytes = Vec::new();
        unpacked(&path, LIMITS, (".xml", is_wanted), |content| content.read_to_end(&mut bytes))??;
        Ok(bytes)
    }

    #[test]
    fn three_containers_give_the_same_content() {
        for file in [b"<x/>".to_vec(), gzipped(b"<x/>"), zipped("x.xml", b"<x/>")] {
            assert_eq!(content(&file).unwrap(), b"<x/>");
        }
        let error = content(&zipped("x.json", b"{}")).unwrap_err();
        assert_eq!(error.to_string(), "the archive holds no .xml");
        assert!(content(&zipped("x.xml", b"<x/>")[..40]).is_err());
    }

    #[test]
    fn a_bomb_is_stopped_in_either_container() {
        let zeros = vec![0; 1 << 19];
        for file in [gzipped(&zeros), zipped("x.xml", &zeros)] {
            let error = content(&file).unwrap_err().to_string();
            assert!(error.contains("100 times its size"), "{error}");
        }
    }

    /// Writes an archive and reads all its entries that end in `.json`.
    fn entries(archive: &[u8], limits: UnpackLimits) -> io::Result<Vec<(String, Vec<u8>)>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, archive).unwrap();
        let mut entries = vec![];
        each_entry(
            &path,
            limits,
            |name| name.ends_with(".json"),
            |name, bytes| {
                entries.push((name.to_owned(), bytes.to_vec()));
            },
        )?;
        assert_eq!(entry_names(&path).unwrap().len(), entries.len() + 1);
        Ok(entries)
    }

    #[test]
    fn every_wanted_entry_of_an_archive_is_handed_over_within_one_limit() {
        assert_eq!(
            entries(&zipped("x.json", b"{}"), LIMITS).unwrap(),
            [("x.json".to_owned(), b"{}".to_vec())]
        );
        let small = UnpackLimits { bytes: 1, ..LIMITS };
        assert!(entries(&zipped("x.json", b"{}"), small).is_err());
        assert!(entries(&zipped("x.json", &vec![0; 1 << 19]), LIMITS).is_err());
        assert!(entries(b"{}", LIMITS).is_err(), "not an archive");
    }

    #[test]
    fn what_is_not_an_archive_has_no_entries() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(entry_names(file.path()).unwrap(), Vec::<String>::new());
        assert!(entry_names(Path::new("missing")).is_err());
    }
}
