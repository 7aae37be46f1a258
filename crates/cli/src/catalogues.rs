//! The official files of MITRE on disk, plain or packed, into a knowledge base.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use vulnlens::KnowledgeBase;
use vulnlens::taxonomy::{BuildError, KnowledgeBaseBuilder, ParseError, ParseIssue, attack, capec, cwe};
use zip::ZipArchive;

use crate::failure::{Failure, Kind};
use crate::terminal::Terminal;

/// Most bytes that one file may unpack to; the largest official one has about 50 million.
const UNPACKED: u64 = 256 << 20;
/// Most bytes that a byte of a file may unpack to, beyond [`UNSUSPECTED`]; the official files come to about 20.
const RATIO: u64 = 200;
/// The unpacked size that every file may have, however small it is.
const UNSUSPECTED: u64 = 16 << 20;
/// The depth to which a folder is searched for the files.
const DEPTH: usize = 2;
/// The name of ATT&CK's release where a folder of files does not state it.
const UNSTATED: &str = "unstated";

/// The files of the three catalogues.
#[derive(Debug, Default)]
pub(crate) struct CatalogueFiles {
    pub(crate) cwe: Vec<PathBuf>,
    pub(crate) capec: Vec<PathBuf>,
    pub(crate) attack: Vec<PathBuf>,
}

/// Builds a knowledge base of the official files in a folder, told apart by their names; ATT&CK's release is
/// `attack_version` if given, else what its bundles say.
pub(crate) fn from_folder(
    folder: &Path,
    attack_version: Option<&str>,
    terminal: &Terminal,
) -> Result<KnowledgeBase, Failure> {
    let files = find(folder, terminal)?;
    let mut builder = parse(&files, terminal)?;
    if let Some(version) = attack_version {
        builder = builder.attack_version(version);
    }
    let built = match builder.clone().build() {
        Err(BuildError::MissingVersion("ATT&CK")) => {
            terminal.warn(&format!(
                "{}: ATT&CK's bundles do not say their release; answers call it {UNSTATED:?} (name it by \
                 --attack-version)",
                folder.display()
            ));
            builder.attack_version(UNSTATED).build()
        }
        built => built,
    };
    built.map_err(|error| {
        Failure::new(Kind::Input, format!("{}: {error}", folder.display())).hint(
            "the folder needs CWE's XML (cwec_*.xml or .xml.zip), CAPEC's STIX bundle (*capec*.json or .json.gz) \
             and ATT&CK's (enterprise-attack.json …)",
        )
    })
}

/// Parses the files, saying on the terminal what had to be left out.
pub(crate) fn parse(files: &CatalogueFiles, terminal: &Terminal) -> Result<KnowledgeBaseBuilder, Failure> {
    let mut builder = KnowledgeBaseBuilder::new();
    for path in &files.cwe {
        let catalogue = parse_file(path, |reader, name| cwe::parse(reader, name))?;
        tell(path, &catalogue.issues, terminal);
        builder = builder.cwe(catalogue);
    }
    for path in &files.capec {
        let catalogue = parse_file(path, |reader, name| capec::parse(reader, name))?;
        tell(path, &catalogue.issues, terminal);
        builder = builder.capec(catalogue);
    }
    for path in &files.attack {
        let catalogue = parse_file(path, |reader, name| attack::parse(reader, name))?;
        tell(path, &catalogue.issues, terminal);
        builder = builder.attack(catalogue);
    }
    Ok(builder)
}

fn tell(path: &Path, issues: &[ParseIssue], terminal: &Terminal) {
    if !issues.is_empty() {
        let count = issues.len();
        terminal
            .warn(&format!("{}: {count} entries or fields were left out (-v lists them)", path.display()));
    }
    for issue in issues {
        terminal.detail(&format!("{}: {issue}", path.display()));
    }
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Kind::Input, format!("{}: cannot be read: {error}", path.display()))
}

/// Opens and unpacks a file for `parse`.
fn parse_file<T>(
    path: &Path,
    parse: impl FnOnce(&mut dyn BufRead, &str) -> Result<T, ParseError>,
) -> Result<T, Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let limit = UnpackedLimit::of(&file);
    let mut file = BufReader::new(file);
    let head = file.fill_buf().map_err(|error| unreadable(path, &error))?;
    let (is_gzip, is_zip) = (head.starts_with(&[0x1F, 0x8B]), head.starts_with(b"PK"));
    let name = path.display().to_string();
    let parsed = if is_zip {
        let mut archive = ZipArchive::new(file).map_err(|error| unreadable(path, &error))?;
        let entry = first_catalogue(&archive)
            .ok_or_else(|| unreadable(path, &"the archive holds no .xml and no .json"))?;
        let entry = archive.by_index(entry).map_err(|error| unreadable(path, &error))?;
        parse(&mut BufReader::new(Bounded::new(entry, limit)), &name)
    } else if is_gzip {
        parse(&mut BufReader::new(Bounded::new(MultiGzDecoder::new(file), limit)), &name)
    } else {
        parse(&mut BufReader::new(Bounded::new(file, limit)), &name)
    };
    parsed.map_err(|error| match &error {
        ParseError::Read { source, .. } => unreadable(path, source),
        _ => Failure::new(Kind::Input, error.to_string()),
    })
}

/// The number of the first entry that looks like a catalogue.
fn first_catalogue<R: Read + io::Seek>(archive: &ZipArchive<R>) -> Option<usize> {
    (0..archive.len()).find(|index| {
        archive.name_for_index(*index).and_then(Result::ok).is_some_and(|name| {
            let name = name.to_ascii_lowercase();
            name.ends_with(".xml") || name.ends_with(".json")
        })
    })
}

/// The size that a file may unpack to.
#[derive(Clone, Copy)]
enum UnpackedLimit {
    /// So many bytes, whatever the file's size.
    Bytes(u64),
    /// So many bytes, for the file's size.
    Ratio(u64),
}

impl UnpackedLimit {
    /// The limit for `file`; a pipe's size is not known.
    fn of(file: &File) -> Self {
        let size = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
        let by_ratio = size.map_or(UNPACKED, |size| size.saturating_mul(RATIO).max(UNSUSPECTED));
        if by_ratio < UNPACKED { Self::Ratio(by_ratio) } else { Self::Bytes(UNPACKED) }
    }

    fn bytes(self) -> u64 {
        let (Self::Bytes(bytes) | Self::Ratio(bytes)) = self;
        bytes
    }

    fn problem(self) -> String {
        match self {
            Self::Bytes(bytes) => {
                format!("unpacks to more than {} MiB, as a decompression bomb would", bytes >> 20)
            }
            Self::Ratio(bytes) => format!(
                "unpacks to more than {} MiB and more than {RATIO} times its size, as a decompression bomb would",
                bytes >> 20
            ),
        }
    }
}

/// A reader that fails once it has given more than its limit.
struct Bounded<R> {
    inner: R,
    limit: UnpackedLimit,
    left: u64,
}

impl<R> Bounded<R> {
    fn new(inner: R, limit: UnpackedLimit) -> Self {
        Self { inner, limit, left: limit.bytes() }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        let left = self.left.checked_sub(length as u64);
        self.left = left.ok_or_else(|| io::Error::other(self.limit.problem()))?;
        Ok(length)
    }
}

/// The official files in a folder and its folders, in the order in which they are taken.
fn find(folder: &Path, terminal: &Terminal) -> Result<CatalogueFiles, Failure> {
    let mut files = CatalogueFiles::default();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in folder.read_dir().map_err(|error| unreadable(&folder, &error))? {
            let path = entry.map_err(|error| unreadable(&folder, &error))?.path();
            if path.is_dir() && depth < DEPTH {
                folders.push((path, depth + 1));
            } else if path.is_file() {
                files.sort_in(path);
            }
        }
    }
    for list in [&mut files.cwe, &mut files.capec] {
        keep_newest(list, terminal);
    }
    files.attack.sort_unstable_by_key(|path| (matrix_rank(&name_of(path)), path.clone()));
    Ok(files)
}

/// Keeps the newest release by its name.
fn keep_newest(files: &mut Vec<PathBuf>, terminal: &Terminal) {
    files.sort_by_cached_key(|path| (release(&name_of(path)), path.clone()));
    let older = files.len().saturating_sub(1);
    files.drain(..older);
    if let (Some(newest), 1..) = (files.first(), older) {
        terminal.note(&format!("{}: taken, {older} other releases in the folder are not", newest.display()));
    }
}

/// The numbers in a file's name, to compare releases by: 4.18 is newer than 4.9. A name without any is older.
fn release(name: &str) -> Vec<u64> {
    let digits = name.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    digits.map(|digits| digits.parse().unwrap_or(u64::MAX)).collect()
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase()
}

/// Enterprise first: an object that several matrices share is taken from the first file.
fn matrix_rank(name: &str) -> usize {
    let matrices = ["enterprise", "mobile", "ics"];
    matrices.iter().position(|matrix| name.starts_with(matrix)).unwrap_or(matrices.len())
}

impl CatalogueFiles {
    fn sort_in(&mut self, path: PathBuf) {
        let name = name_of(&path);
        let plain = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zip")).unwrap_or(&name);
        let (stem, extension) = plain.rsplit_once('.').unwrap_or((plain, ""));
        match extension {
            "xml" if stem.starts_with("cwe") => self.cwe.push(path),
            "json" if stem.contains("capec") => self.capec.push(path),
            "json" if matrix_rank(stem) < 3 && stem.contains("attack") => {
                self.attack.push(path);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_their_names() {
        let mut files = CatalogueFiles::default();
        for name in [
            "cwec_v4.18.xml.zip",
            "stix-capec.json.gz",
            "enterprise-attack.json",
            "ics-attack-18.1.json.gz",
            "kev-attack-enterprise.json",
            "README.md",
            "capec.xml",
        ] {
            files.sort_in(PathBuf::from(name));
        }
        assert_eq!(files.cwe, [PathBuf::from("cwec_v4.18.xml.zip")]);
        assert_eq!(files.capec, [PathBuf::from("stix-capec.json.gz")]);
        let attack = ["enterprise-attack.json", "ics-attack-18.1.json.gz"].map(PathBuf::from);
        assert_eq!(files.attack, attack);
    }

    #[test]
    fn releases_are_compared_by_number() {
        let mut names = ["cwec_v4.18.xml.zip", "cwec_v4.9.xml", "cwec.xml", "cwec_v3.4.1.xml", "cwec_v4.xml"];
        names.sort_by_key(|name| release(name));
        let want = ["cwec.xml", "cwec_v3.4.1.xml", "cwec_v4.xml", "cwec_v4.9.xml", "cwec_v4.18.xml.zip"];
        assert_eq!(names, want);
    }

    #[test]
    fn a_bomb_is_stopped() {
        for (limit, words) in [
            (UnpackedLimit::Bytes(256 << 20), "more than 256 MiB, as a decompression bomb"),
            (UnpackedLimit::Ratio(16 << 20), "more than 16 MiB and more than 200 times its size"),
        ] {
            let mut reader = Bounded { left: 100, ..Bounded::new(io::repeat(0), limit) };
            let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
