//! The official files of MITRE on disk, plain or packed, into a knowledge base.

mod descriptions;
mod error;
mod file;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use vulnlens_files::{FileError, read_at_most};

pub use descriptions::CatalogueDescriptions;
pub use error::{FolderError, FolderNote};

use crate::attack::AttackCatalog;
use crate::attack_release::AttackRelease;
use crate::builder::{BuildError, KnowledgeBaseBuilder};
use crate::compiled::MAGIC;
use crate::cwe::CweCatalog;
use crate::error::ParseIssue;
use crate::ids::TechniqueId;
use crate::kb::KnowledgeBase;
use crate::{atlas, attack, capec, d3fend};
use error::UNSTATED;
use file::{ATLAS_WANTED, ATTACK_WANTED, CAPEC_WANTED, D3FEND_WANTED, parse_cwe, parse_file, parse_stix};

/// Depth to which a folder is searched for the files.
const DEPTH: usize = 2;
/// Most bytes of a compiled knowledge base that are read; ours has some hundred thousand.
const LARGEST: u64 = 1 << 30;

/// The files of the three catalogues that the chain needs, and of the two next to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogueFiles {
    /// CWE's XML, or an archive or a folder of the answers of its REST API.
    pub cwe: Vec<PathBuf>,
    /// Another of these, whose categories and views are taken, and whose mapping notes where the first has none.
    pub cwe_categories: Option<PathBuf>,
    /// CAPEC's STIX bundle or XML, or a folder with a file for each STIX object.
    pub capec: Vec<PathBuf>,
    /// ATT&CK's STIX bundles or folders of objects, Enterprise first: an object that several share is taken from the first.
    pub attack: Vec<PathBuf>,
    /// ATLAS, `ATLAS.yaml`; a knowledge base may do without.
    pub atlas: Vec<PathBuf>,
    /// D3FEND's ontology in Turtle; a knowledge base may do without.
    pub d3fend: Vec<PathBuf>,
}

/// Reads the descriptions of techniques from one of ATT&CK's bundles, plain or packed, or a folder with a file for each
/// object.
///
/// # Errors
/// The file cannot be read or is not a bundle of ATT&CK.
pub fn technique_descriptions(path: &Path) -> Result<BTreeMap<TechniqueId, String>, FolderError> {
    let (catalog, _) = parse_stix(path, ATTACK_WANTED, |reader, name| attack::parse(reader, name))?;
    Ok(catalog.descriptions)
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

impl AttackRelease {
    /// Reads a release of ATT&CK: a compiled knowledge base, one of MITRE's bundles, a folder of bundles, or one of a
    /// file for each object.
    ///
    /// # Errors
    /// A file cannot be read, or is none of these.
    pub fn read(path: &Path) -> Result<(Self, Vec<FolderNote>), FolderError> {
        // A pipe, which can be read only once, is a bundle.
        if path.is_file() && is_compiled(path)? {
            let kb = KnowledgeBase::from_bytes(&read_at_most(path, LARGEST)?);
            let kb = kb.map_err(|source| FolderError::Compiled { path: path.to_owned(), source })?;
            return Ok((Self::of(&kb), vec![]));
        }
        let mut files = CatalogueFiles::default();
        if path.is_dir() {
            (files, _) = CatalogueFiles::find(path)?;
        }
        if files.attack.is_empty() {
            files.attack.push(path.to_owned());
        }
        let (mut bundles, mut notes) = (vec![], vec![]);
        for path in &files.attack {
            bundles.push(read_attack(path, &mut notes)?);
        }
        let release = Self::new(bundles, UNSTATED);
        if release.version() == UNSTATED {
            notes.push(FolderNote::UnstatedAttackVersion { folder: path.to_owned() });
        }
        Ok((release, notes))
    }
}

/// True for a file that begins as a compiled knowledge base does.
fn is_compiled(path: &Path) -> Result<bool, FolderError> {
    let mut head = Vec::new();
    let file = File::open(path).map_err(FileError::read(path))?;
    file.take(MAGIC.len() as u64).read_to_end(&mut head).map_err(FileError::read(path))?;
    Ok(head == MAGIC)
}

/// Reads a bundle of ATT&CK.
fn read_attack(path: &Path, notes: &mut Vec<FolderNote>) -> Result<AttackCatalog, FolderError> {
    let (mut catalogue, issues) =
        parse_stix(path, ATTACK_WANTED, |reader, name| attack::parse(reader, name))?;
    catalogue.issues.extend(issues);
    note_left_out(path, &catalogue.issues, notes);
    Ok(catalogue)
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
        let notes = [&mut files.cwe, &mut files.capec, &mut files.atlas, &mut files.d3fend]
            .into_iter()
            .filter_map(keep_newest)
            .collect();
        files.attack.sort_unstable_by_key(|path| (matrix_rank(&name_of(path)), path.clone()));
        Ok((files, notes))
    }

    /// Parses the files; entries that cannot be read are left out and noted.
    ///
    /// # Errors
    /// A file cannot be read, or is not the catalogue that it should be.
    pub fn parse(&self) -> Result<(KnowledgeBaseBuilder, Vec<FolderNote>), FolderError> {
        let (mut builder, mut notes) = (KnowledgeBaseBuilder::new(), vec![]);
        for path in &self.cwe {
            builder = builder.cwe(read_cwe(path, &mut notes)?);
        }
        if let Some(path) = &self.cwe_categories {
            builder = builder.categories(read_cwe(path, &mut notes)?);
        }
        for path in &self.capec {
            let (mut catalogue, issues) =
                parse_stix(path, CAPEC_WANTED, |reader, name| capec::parse(reader, name))?;
            catalogue.issues.extend(issues);
            note_left_out(path, &catalogue.issues, &mut notes);
            builder = builder.capec(catalogue);
        }
        for path in &self.attack {
            builder = builder.attack(read_attack(path, &mut notes)?);
        }
        for path in &self.atlas {
            let catalogue = parse_file(path, ATLAS_WANTED, |reader, name| atlas::parse(reader, name))?;
            note_left_out(path, &catalogue.issues, &mut notes);
            builder = builder.atlas(catalogue);
        }
        for path in &self.d3fend {
            let catalogue = parse_file(path, D3FEND_WANTED, |reader, name| d3fend::parse(reader, name))?;
            note_left_out(path, &catalogue.issues, &mut notes);
            builder = builder.d3fend(catalogue);
        }
        Ok((builder, notes))
    }

    fn sort_in(&mut self, path: PathBuf) {
        let name = name_of(&path);
        let plain = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zip")).unwrap_or(&name);
        let (stem, extension) = plain.rsplit_once('.').unwrap_or((plain, ""));
        match extension {
            "xml" if stem.starts_with("cwe") => self.cwe.push(path),
            "json" | "xml" if stem.contains("capec") => self.capec.push(path),
            "yaml" | "yml" if stem.starts_with("atlas") => self.atlas.push(path),
            "ttl" if stem.starts_with("d3fend") => self.d3fend.push(path),
            "json" if matrix_rank(stem) < 3 && stem.contains("attack") => self.attack.push(path),
            _ if name.starts_with("cwe") && name.contains("api") && name.ends_with(".zip") => {
                self.cwe.push(path)
            }
            _ => {}
        }
    }
}

/// Reads CWE's catalogue; its release is that of its name where it does not say one itself.
fn read_cwe(path: &Path, notes: &mut Vec<FolderNote>) -> Result<CweCatalog, FolderError> {
    let mut catalogue = parse_cwe(path)?;
    note_left_out(path, &catalogue.issues, notes);
    if catalogue.version.is_none()
        && let Some(release) = release_in(&name_of(path))
    {
        notes.push(FolderNote::ReleaseByName { file: path.to_owned(), release: release.clone() });
        catalogue.version = Some(release);
    }
    Ok(catalogue)
}

fn note_left_out(path: &Path, issues: &[ParseIssue], notes: &mut Vec<FolderNote>) {
    if !issues.is_empty() {
        notes.push(FolderNote::LeftOut { file: path.to_owned(), issues: issues.to_vec() });
    }
}

/// The release in the name of a file: the first numbers with points between them, like `4.19.1`.
fn release_in(name: &str) -> Option<String> {
    let numbers = name.split(|c: char| !c.is_ascii_digit() && c != '.').map(|part| part.trim_matches('.'));
    numbers.into_iter().find(|numbers| numbers.contains('.') && !numbers.contains("..")).map(str::to_owned)
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
            "cwe.md",
            "ATLAS.yaml",
            "d3fend-protege.ttl.gz",
            "attack.yaml",
        ] {
            files.sort_in(PathBuf::from(name));
        }
        assert_eq!(files.cwe, [PathBuf::from("cwec_v4.18.xml.zip")]);
        assert_eq!(files.capec, [PathBuf::from("stix-capec.json.gz")]);
        let attack = ["enterprise-attack.json", "ics-attack-18.1.json.gz"].map(PathBuf::from);
        assert_eq!(files.attack, attack);
        assert_eq!(files.atlas, [PathBuf::from("ATLAS.yaml")]);
        assert_eq!(files.d3fend, [PathBuf::from("d3fend-protege.ttl.gz")]);
        for name in ["cwe-4.19.1-api.zip", "cwe-list.zip", "capec_latest.xml"] {
            files.sort_in(PathBuf::from(name));
        }
        assert_eq!(files.cwe.last(), Some(&PathBuf::from("cwe-4.19.1-api.zip")));
        assert_eq!(files.capec.last(), Some(&PathBuf::from("capec_latest.xml")));
    }

    #[test]
    fn a_release_is_read_of_a_name_that_states_one() {
        for (name, release) in [
            ("cwe-4.19.1-api.zip", Some("4.19.1")),
            ("cwe_4.20.zip", Some("4.20")),
            ("cwe-api-2026.zip", None),
            ("cwe..api.zip", None),
        ] {
            assert_eq!(release_in(name).as_deref(), release, "{name}");
        }
    }

    #[test]
    fn releases_are_compared_by_number() {
        let mut names = ["cwec_v4.18.xml.zip", "cwec_v4.9.xml", "cwec.xml", "cwec_v3.4.1.xml", "cwec_v4.xml"];
        names.sort_by_key(|name| release(name));
        let want = ["cwec.xml", "cwec_v3.4.1.xml", "cwec_v4.xml", "cwec_v4.9.xml", "cwec_v4.18.xml.zip"];
        assert_eq!(names, want);
    }
}
