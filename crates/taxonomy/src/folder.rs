//! The official files of MITRE on disk, plain or packed, into a knowledge base.

use std::borrow::Cow;
use std::fmt;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use vulnlens_files::{Classified, ErrorKind, FileError, UnpackLimits, unpacked};

use crate::builder::{BuildError, KnowledgeBaseBuilder};
use crate::error::{ParseError, ParseIssue};
use crate::kb::KnowledgeBase;
use crate::{attack, capec, cwe};

/// Bounds on what a file may unpack to: the largest official one has about 50 million bytes, and a packed byte of them
/// comes to about 20.
const LIMITS: UnpackLimits = UnpackLimits { bytes: 256 << 20, ratio: 200, ratio_from: 16 << 20 };
/// Depth to which a folder is searched for the files.
const DEPTH: usize = 2;
/// The name of ATT&CK's release where a folder of files does not say it.
const UNSTATED: &str = "unstated";

/// The files of the three catalogues.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogueFiles {
    /// CWE's XML.
    pub cwe: Vec<PathBuf>,
    /// CAPEC's STIX bundle.
    pub capec: Vec<PathBuf>,
    /// ATT&CK's STIX bundles, Enterprise first: an object that several share is taken from the first.
    pub attack: Vec<PathBuf>,
}

/// A fact about files that their user should know.
#[derive(Debug)]
#[non_exhaustive]
pub enum FolderNote {
    /// Other releases of a catalogue are in the folder, too.
    OlderReleases {
        /// The newest, which is taken.
        taken: PathBuf,
        /// The number of the others.
        others: usize,
    },
    /// Entries or fields of a file were left out.
    LeftOut {
        /// The file.
        file: PathBuf,
        /// The reasons, one for each.
        issues: Vec<ParseIssue>,
    },
    /// ATT&CK's bundles do not say their release.
    UnstatedAttackVersion {
        /// The folder.
        folder: PathBuf,
    },
}

impl fmt::Display for FolderNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OlderReleases { taken, others } => {
                write!(f, "{}: taken, {others} other releases in the folder are not", taken.display())
            }
            Self::LeftOut { file, issues } => {
                write!(f, "{}: {} entries or fields were left out", file.display(), issues.len())
            }
            Self::UnstatedAttackVersion { folder } => write!(
                f,
                "{}: ATT&CK's bundles do not say their release; answers call it \"{UNSTATED}\"",
                folder.display()
            ),
        }
    }
}

/// A file or a folder that does not give a knowledge base.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// A file or the folder cannot be read.
    #[error(transparent)]
    Read(#[from] FileError),
    /// A file is not the catalogue that it should be.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The files do not make a knowledge base.
    #[error("{}: {source}", folder.display())]
    Build {
        /// The folder.
        folder: PathBuf,
        /// The reason.
        source: BuildError,
    },
}

impl Classified for FolderError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Input
    }

    fn hint(&self) -> Option<Cow<'_, str>> {
        let needed = "the folder needs CWE's XML (cwec_*.xml or .xml.zip), CAPEC's STIX bundle (*capec*.json or .json.gz) \
                      and ATT&CK's (enterprise-attack.json …)";
        matches!(self, Self::Build { .. }).then_some(needed.into())
    }
}

impl KnowledgeBase {
    /// Builds a knowledge base of the official files in a folder, told apart by their names; ATT&CK's release is
    /// `attack_version` if given, else what its bundles say.
    ///
    /// # Errors
    /// A file cannot be read or is not a catalogue, or one of the three catalogues is missing.
    pub fn from_folder(
        folder: &Path,
        attack_version: Option<&str>,
    ) -> Result<(Self, Vec<FolderNote>), FolderError> {
        let (files, mut notes) = CatalogueFiles::find(folder)?;
        let (mut builder, left_out) = files.parse()?;
        notes.extend(left_out);
        if let Some(version) = attack_version {
            builder = builder.attack_version(version);
        }
        let built = match builder.clone().build() {
            Err(BuildError::MissingVersion("ATT&CK")) => {
                notes.push(FolderNote::UnstatedAttackVersion { folder: folder.to_owned() });
                builder.attack_version(UNSTATED).build()
            }
            built => built,
        };
        let built = built.map_err(|source| FolderError::Build { folder: folder.to_owned(), source })?;
        Ok((built, notes))
    }
}

impl CatalogueFiles {
    /// Finds the official files in a folder and its folders.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub fn find(folder: &Path) -> Result<(Self, Vec<FolderNote>), FolderError> {
        let mut files = Self::default();
        let mut folders = vec![(folder.to_owned(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            for entry in folder.read_dir().map_err(FileError::read(&folder))? {
                let path = entry.map_err(FileError::read(&folder))?.path();
                if path.is_dir() && depth < DEPTH {
                    folders.push((path, depth + 1));
                } else if path.is_file() {
                    files.sort_in(path);
                }
            }
        }
        let notes = [&mut files.cwe, &mut files.capec].into_iter().filter_map(keep_newest).collect();
        files.attack.sort_unstable_by_key(|path| (matrix_rank(&name_of(path)), path.clone()));
        Ok((files, notes))
    }

    /// Parses the files; entries that cannot be read are left out and noted.
    ///
    /// # Errors
    /// A file cannot be read, or is not the catalogue that it should be.
    pub fn parse(&self) -> Result<(KnowledgeBaseBuilder, Vec<FolderNote>), FolderError> {
        let (mut builder, mut notes) = (KnowledgeBaseBuilder::new(), vec![]);
        let mut note = |file: &Path, issues: &[ParseIssue]| {
            if !issues.is_empty() {
                notes.push(FolderNote::LeftOut { file: file.to_owned(), issues: issues.to_vec() });
            }
        };
        for path in &self.cwe {
            let catalogue = parse_file(path, |reader, name| cwe::parse(reader, name))?;
            note(path, &catalogue.issues);
            builder = builder.cwe(catalogue);
        }
        for path in &self.capec {
            let catalogue = parse_file(path, |reader, name| capec::parse(reader, name))?;
            note(path, &catalogue.issues);
            builder = builder.capec(catalogue);
        }
        for path in &self.attack {
            let catalogue = parse_file(path, |reader, name| attack::parse(reader, name))?;
            note(path, &catalogue.issues);
            builder = builder.attack(catalogue);
        }
        Ok((builder, notes))
    }

    fn sort_in(&mut self, path: PathBuf) {
        let name = name_of(&path);
        let plain = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zip")).unwrap_or(&name);
        let (stem, extension) = plain.rsplit_once('.').unwrap_or((plain, ""));
        match extension {
            "xml" if stem.starts_with("cwe") => self.cwe.push(path),
            "json" if stem.contains("capec") => self.capec.push(path),
            "json" if matrix_rank(stem) < 3 && stem.contains("attack") => self.attack.push(path),
            _ => {}
        }
    }
}

/// Opens and unpacks a file for `parse`.
fn parse_file<T>(
    path: &Path,
    parse: impl FnOnce(&mut dyn BufRead, &str) -> Result<T, ParseError>,
) -> Result<T, FolderError> {
    let name = path.display().to_string();
    let parsed = unpacked(path, LIMITS, (".xml and no .json", is_catalogue), |content| parse(content, &name));
    parsed.map_err(FileError::read(path))?.map_err(|error| match error {
        ParseError::Read { source, .. } => FileError::read(path)(source).into(),
        other => other.into(),
    })
}

/// Whether an entry of an archive looks like a catalogue.
fn is_catalogue(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with(".xml") || name.ends_with(".json")
}

/// Keeps the newest release by its name.
fn keep_newest(files: &mut Vec<PathBuf>) -> Option<FolderNote> {
    files.sort_by_cached_key(|path| (release(&name_of(path)), path.clone()));
    let others = files.len().saturating_sub(1);
    files.drain(..others);
    let taken = files.first().filter(|_| others > 0)?.clone();
    Some(FolderNote::OlderReleases { taken, others })
}

/// The numbers in a file's name, to compare releases by: 4.18 is newer than 4.9. A name without any is older.
fn release(name: &str) -> Vec<u64> {
    let digits = name.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    digits.map(|digits| digits.parse().unwrap_or(u64::MAX)).collect()
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase()
}

/// Enterprise first.
fn matrix_rank(name: &str) -> usize {
    let matrices = ["enterprise", "mobile", "ics"];
    matrices.iter().position(|matrix| name.starts_with(matrix)).unwrap_or(matrices.len())
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
}
