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
const UNPACKED: u64 = 1 << 30;
/// How deep a folder is searched for the files.
const DEPTH: usize = 2;
/// What stands for ATT&CK's release where a folder of files does not say it.
const UNSTATED: &str = "unstated";

/// The files of the three catalogues.
#[derive(Debug, Default)]
pub(crate) struct CatalogueFiles {
    pub(crate) cwe: Vec<PathBuf>,
    pub(crate) capec: Vec<PathBuf>,
    pub(crate) attack: Vec<PathBuf>,
}

/// Builds a knowledge base of the official files in a folder, told apart by their names.
pub(crate) fn from_folder(folder: &Path, terminal: &Terminal) -> Result<KnowledgeBase, Failure> {
    let files = find(folder)?;
    let builder = parse(&files, terminal)?;
    let built = match builder.clone().build() {
        Err(BuildError::MissingVersion("ATT&CK")) => builder.attack_version(UNSTATED).build(),
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
    let mut file = BufReader::new(File::open(path).map_err(|error| unreadable(path, &error))?);
    let head = file.fill_buf().map_err(|error| unreadable(path, &error))?;
    let (is_gzip, is_zip) = (head.starts_with(&[0x1F, 0x8B]), head.starts_with(b"PK"));
    let name = path.display().to_string();
    let parsed = if is_zip {
        let mut archive = ZipArchive::new(file).map_err(|error| unreadable(path, &error))?;
        let entry = first_catalogue(&archive)
            .ok_or_else(|| unreadable(path, &"the archive holds no .xml and no .json"))?;
        let entry = archive.by_index(entry).map_err(|error| unreadable(path, &error))?;
        parse(&mut BufReader::new(Bounded::new(entry)), &name)
    } else if is_gzip {
        parse(&mut BufReader::new(Bounded::new(MultiGzDecoder::new(file))), &name)
    } else {
        parse(&mut BufReader::new(Bounded::new(file)), &name)
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

/// A reader that fails once it has given more than [`UNPACKED`] bytes.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R> Bounded<R> {
    fn new(inner: R) -> Self {
        Self { inner, left: UNPACKED }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        let Some(left) = self.left.checked_sub(length as u64) else {
            let problem = format!("unpacks to more than {UNPACKED} bytes, as a decompression bomb would");
            return Err(io::Error::other(problem));
        };
        self.left = left;
        Ok(length)
    }
}

/// The official files in a folder and its folders, in the order in which they are taken.
fn find(folder: &Path) -> Result<CatalogueFiles, Failure> {
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
        // The newest release stands last by its name, and replaces those before it.
        list.sort_unstable();
        list.drain(..list.len().saturating_sub(1));
    }
    files.attack.sort_unstable_by_key(|path| (matrix_rank(&name_of(path)), path.clone()));
    Ok(files)
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
    fn a_bomb_is_stopped() {
        let mut reader = Bounded { inner: io::repeat(0), left: 100 };
        let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("decompression bomb"), "{error}");
    }
}
