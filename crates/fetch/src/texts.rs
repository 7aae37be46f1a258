//! The texts of CVEs in fetched folders: found by their ids, without reading more than the files that may hold them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use vulnlens_corpus::sources::{self, Options};
use vulnlens_corpus::{Date, Input, Record, When};
use vulnlens_files::{FileError, copy_at_most};
use vulnlens_taxonomy::CveId;
use zip::ZipArchive;

use crate::cvelist::Contents;
use crate::error::FetchError;
use crate::fetched::Fetched;
use crate::nvd_feeds::{FIRST_YEAR, file_name};
use crate::source::Source;

/// Most bytes of the archive within that of all records; it has five hundred million.
const MOST_INNER_BYTES: u64 = 16 << 30;
/// Most bytes of a record.
const MOST_RECORD_BYTES: u64 = 16 << 20;

/// The text of a CVE.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FetchedText {
    /// The English description.
    pub text: String,
    /// The day of publication.
    pub published: Option<Date>,
    /// The year whose habits of assignment apply: that of the publication, otherwise that of the CVE id.
    pub year: Option<u16>,
}

/// The texts of CVEs in a fetched folder, or in the fetched folders of a folder.
pub struct FetchedTexts(Mutex<Vec<Holder>>);

/// A file that holds records.
enum Holder {
    /// A file of JSON, which is read whole when a record of it is asked for.
    Whole { path: PathBuf, year: Option<u16>, records: Option<HashMap<CveId, Option<FetchedText>>> },
    /// An archive with a file for each record.
    Archive { path: PathBuf, archive: Option<Box<Archive>> },
}

/// An open archive, and the number of each record's file.
struct Archive {
    zip: ZipArchive<BufReader<File>>,
    files: HashMap<CveId, usize>,
}

impl FetchedTexts {
    /// Opens a folder that was fetched into, or one whose folders were; none where neither holds records of CVEs. A
    /// record is taken from NVD before the CVE list.
    ///
    /// # Errors
    /// A record of a fetch is damaged, or the folder cannot be read.
    pub fn open(folder: &Path) -> Result<Option<Self>, FetchError> {
        let mut found: Vec<(PathBuf, Fetched)> = Vec::new();
        if let Some(fetched) = Fetched::read(folder)? {
            found.push((folder.to_owned(), fetched));
        } else {
            let entries = folder.read_dir().and_then(Iterator::collect::<io::Result<Vec<_>>>);
            let entries = entries.map_err(FileError::read(folder))?;
            let mut folders: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
            folders.retain(|path| path.is_dir());
            folders.sort_unstable();
            for path in folders {
                found.extend(Fetched::read(&path)?.map(|fetched| (path, fetched)));
            }
        }
        found.sort_by_key(|(_, fetched)| fetched.source != Source::Nvd);
        let holders: Vec<Holder> =
            found.iter().flat_map(|(folder, fetched)| holders(folder, fetched)).collect();
        Ok((!holders.is_empty()).then(|| Self(Mutex::new(holders))))
    }

    /// The text of a CVE; none where the folder does not hold it, or it was withdrawn.
    ///
    /// # Errors
    /// A file of the folder cannot be read.
    pub fn find(&self, cve: CveId) -> Result<Option<FetchedText>, FetchError> {
        // A panic in between leaves a file that is not read yet.
        let mut holders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for holder in holders.iter_mut() {
            if let Some(found) = holder.find(cve)? {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

/// The files of a folder that hold records of CVEs.
fn holders(folder: &Path, fetched: &Fetched) -> Vec<Holder> {
    let whole = |path, year| Holder::Whole { path, year, records: None };
    let holder = |(name, path): (&str, PathBuf)| match fetched.source {
        Source::Nvd => {
            let year = name.strip_prefix("nvdcve-2.0-").and_then(|rest| rest.get(..4)?.parse().ok());
            let year = year.filter(|year: &u16| *year >= FIRST_YEAR && file_name(&year.to_string()) == name);
            Some(whole(path, year))
        }
        Source::CveList => Contents::of(name).map(|_| Holder::Archive { path, archive: None }),
        Source::Mitre | Source::Kev | Source::Atlas | Source::D3fend => None,
    };
    let files = fetched.files.iter().map(|file| file.name.as_str()).zip(fetched.paths(folder));
    files.filter_map(holder).collect()
}

impl Holder {
    /// The text of a CVE where the file holds it; the inner one is none where it was withdrawn.
    fn find(&mut self, cve: CveId) -> Result<Option<Option<FetchedText>>, FetchError> {
        match self {
            Self::Whole { year: Some(year), .. } if cve.year().max(FIRST_YEAR) != *year => Ok(None),
            Self::Whole { path, records, .. } => {
                let records = match records {
                    Some(records) => records,
                    None => records.insert(read(path)?),
                };
                Ok(records.get(&cve).cloned())
            }
            Self::Archive { path, archive } => {
                let archive = match archive {
                    Some(archive) => archive,
                    None => archive.insert(Box::new(Archive::open(path)?)),
                };
                archive.find(path, cve)
            }
        }
    }
}

/// The records of a file.
fn read(path: &Path) -> Result<HashMap<CveId, Option<FetchedText>>, FetchError> {
    let records = sources::open(Input::path(path), &Options::default())?;
    Ok(records.flatten().filter_map(|record| Some((record.cve()?, text_of(record)))).collect())
}

/// The text of a record; none of one that was withdrawn or has none.
fn text_of(record: Record) -> Option<FetchedText> {
    let (year, published) = (record.year(), record.dates.published);
    let published = if let When::Day(day) = published { Some(day) } else { None };
    record.text.ok().filter(|_| !record.withdrawn).map(|text| FetchedText { text, published, year })
}

impl Archive {
    /// Opens the archive at `path`, or the one within it.
    fn open(path: &Path) -> Result<Self, FetchError> {
        let mut zip = Self::zip(File::open(path), path)?;
        let inner = (0..zip.len()).find(|at| name(&zip, *at).is_some_and(|name| name.ends_with(".zip")));
        if let Some(inner) = inner {
            let mut unpack = || -> io::Result<File> {
                let mut file = tempfile::tempfile()?;
                copy_at_most(zip.by_index(inner)?, &mut file, MOST_INNER_BYTES)?;
                file.seek(SeekFrom::Start(0))?;
                Ok(file)
            };
            zip = Self::zip(unpack(), path)?;
        }
        let file_of = |at: usize| Some((cve_of(&name(&zip, at)?)?, at));
        let files = (0..zip.len()).filter_map(file_of).collect();
        Ok(Self { zip, files })
    }

    fn zip(file: io::Result<File>, path: &Path) -> Result<ZipArchive<BufReader<File>>, FetchError> {
        let unreadable = FileError::read(path);
        let zip = ZipArchive::new(BufReader::new(file.map_err(&unreadable)?));
        Ok(zip.map_err(|error| unreadable(error.into()))?)
    }

    fn find(&mut self, path: &Path, cve: CveId) -> Result<Option<Option<FetchedText>>, FetchError> {
        let Some(&at) = self.files.get(&cve) else { return Ok(None) };
        let unreadable = FileError::read(path);
        let entry = self.zip.by_index(at).map_err(|error| unreadable(error.into()))?;
        let mut bytes = Vec::new();
        entry.take(MOST_RECORD_BYTES).read_to_end(&mut bytes).map_err(&unreadable)?;
        let name = format!("{}: {cve}", path.display());
        let records = sources::open(Input::stream(&name, io::Cursor::new(bytes)), &Options::default())?;
        let record = records.flatten().find(|record| record.cve() == Some(cve));
        Ok(Some(record.and_then(text_of)))
    }
}

fn name(zip: &ZipArchive<BufReader<File>>, at: usize) -> Option<String> {
    zip.name_for_index(at)?.ok().map(|name| name.into_owned())
}

/// The CVE that a file like `cves/2021/44xxx/CVE-2021-44228.json` is about.
fn cve_of(name: &str) -> Option<CveId> {
    name.rsplit('/').next()?.strip_suffix(".json")?.parse().ok()
}
