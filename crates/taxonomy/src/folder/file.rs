//! One official file, plain or packed, or a folder of them, into a catalogue.

use std::io::{self, BufRead};
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;
use vulnlens_files::{FileError, UnpackLimits, each_entry, entry_names, read_at_most, unpacked};

use super::error::FolderError;
use crate::cwe;
use crate::error::{ParseError, ParseIssue, Position, excerpt};

/// Bounds on what a file may unpack to: the largest official one has about 50 million bytes, and a packed byte of them
/// comes to about 20.
const LIMITS: UnpackLimits = UnpackLimits { bytes: 256 << 20, ratio: 200, ratio_from: 16 << 20 };
/// Depth to which a folder is searched for the files of a catalogue.
const DEPTH: usize = 2;
/// The file of CWE's catalogue, for those who give another thing.
pub(super) const CWE_WANTED: &str = "the file cwec_*.xml or .xml.zip of https://cwe.mitre.org, or a folder of the JSON that CWE's REST API answers";
/// The file of CAPEC's catalogue.
pub(super) const CAPEC_WANTED: &str = "the bundle stix-capec.json, which https://github.com/mitre/cti keeps in capec/2.1, or the file \
                            capec_latest.xml of https://capec.mitre.org/data/xml";
/// The file of one of ATT&CK's matrices.
pub(super) const ATTACK_WANTED: &str = "the bundle, which https://github.com/mitre/cti keeps in enterprise-attack/enterprise-attack.json, \
                             and those of Mobile and ICS likewise";

/// The file of ATLAS.
pub(super) const ATLAS_WANTED: &str =
    "the file ATLAS.yaml, which https://github.com/mitre-atlas/atlas-data keeps in dist";
/// The file of D3FEND.
pub(super) const D3FEND_WANTED: &str =
    "the ontology in Turtle, d3fend.ttl of https://d3fend.mitre.org/ontologies";

/// CWE's catalogue in any of its forms.
pub(super) fn parse_cwe(path: &Path) -> Result<cwe::CweCatalog, FolderError> {
    let mut answers = cwe::ApiAnswers::new();
    if !each_answer(path, |name, bytes| answers.add(name, bytes))? {
        return parse_file(path, CWE_WANTED, |reader, name| cwe::parse(reader, name));
    }
    if path.is_dir() && answers.is_empty() {
        return Err(FolderError::Folder { path: path.to_owned(), wanted: CWE_WANTED });
    }
    Ok(answers.finish(&path.display().to_string())?)
}

/// Hands the documents of CWE's REST API in a folder or an archive to `each`, by their names; false where the file is
/// the catalogue in XML.
pub(super) fn each_answer(path: &Path, each: impl FnMut(&str, &[u8])) -> Result<bool, FolderError> {
    if path.is_dir() {
        each_file(path, is_json, each)?;
        return Ok(true);
    }
    // A pipe can be read only once.
    let names = if path.is_file() { entry_names(path).map_err(FileError::read(path))? } else { vec![] };
    // An archive of XML is the catalogue as it is downloaded, and one of JSON holds answers of the API.
    if !names.iter().any(|name| is_json(name)) || names.iter().any(|name| is_xml(name)) {
        return Ok(false);
    }
    each_entry(path, LIMITS, is_json, each).map_err(FileError::read(path))?;
    Ok(true)
}

/// Hands the JSON files of a folder and of its folders to `each`, by their paths within it and their bytes: those of
/// which `is_wanted` accepts the names, in the order of the names.
fn each_file(
    root: &Path,
    is_wanted: fn(&str) -> bool,
    mut each: impl FnMut(&str, &[u8]),
) -> Result<(), FolderError> {
    let mut folders = vec![(root.to_owned(), 0)];
    let mut left = LIMITS.bytes;
    while let Some((folder, depth)) = folders.pop() {
        let entries = folder.read_dir().and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut paths: Vec<_> =
            entries.map_err(FileError::read(&folder))?.into_iter().map(|entry| entry.path()).collect();
        paths.sort_unstable();
        for path in paths {
            if path.is_dir() && depth < DEPTH {
                folders.push((path, depth.saturating_add(1)));
            } else if path.is_file() && is_wanted(&path.file_name().unwrap_or_default().to_string_lossy()) {
                let bytes = read_at_most(&path, left)?;
                left = left.saturating_sub(bytes.len() as u64);
                let name = path.strip_prefix(root).unwrap_or(&path);
                each(&name.display().to_string(), &bytes);
            }
        }
    }
    Ok(())
}

/// A STIX bundle, of which the objects alone matter.
#[derive(Deserialize)]
struct Bundle {
    objects: Vec<Box<RawValue>>,
}

/// Reads a STIX catalogue by `parse`: a file, or a folder with a file for each object, as in MITRE's repository. Files of
/// such a folder that cannot be read are left out, with the reasons.
pub(super) fn parse_stix<T>(
    path: &Path,
    wanted: &'static str,
    parse: impl FnOnce(&mut dyn BufRead, &str) -> Result<T, ParseError>,
) -> Result<(T, Vec<ParseIssue>), FolderError> {
    if !path.is_dir() {
        return Ok((parse_file(path, wanted, parse)?, vec![]));
    }
    let (mut objects, mut issues, mut files) = (vec![], vec![], 0usize);
    each_file(path, is_object_file, |name, bytes| {
        files = files.saturating_add(1);
        match serde_json::from_slice::<Bundle>(bytes) {
            Ok(bundle) => objects.extend(bundle.objects.iter().map(|object| object.get().to_owned())),
            Err(error) => issues.push(ParseIssue {
                position: Position::Entry(files),
                id: Some(excerpt(name)),
                field: "JSON",
                problem: format!("{}; file left out", excerpt(&error.to_string())),
            }),
        }
    })?;
    if files == 0 {
        return Err(FolderError::Folder { path: path.to_owned(), wanted });
    }
    let bundle = format!("{{\"type\":\"bundle\",\"objects\":[{}]}}", objects.join(","));
    let parsed = parse(&mut bundle.as_bytes(), &path.display().to_string())?;
    Ok((parsed, issues))
}

/// True for the name of a file of one STIX object, which is its id: `attack-pattern--….json`.
fn is_object_file(name: &str) -> bool {
    name.contains("--") && is_json(name)
}

/// Opens and unpacks a file for `parse`; a folder is refused in favour of the file that is `wanted`.
pub(super) fn parse_file<T>(
    path: &Path,
    wanted: &'static str,
    parse: impl FnOnce(&mut dyn BufRead, &str) -> Result<T, ParseError>,
) -> Result<T, FolderError> {
    if path.is_dir() {
        return Err(FolderError::Folder { path: path.to_owned(), wanted });
    }
    let name = path.display().to_string();
    let parsed = unpacked(path, LIMITS, (".xml and no .json", is_catalogue), |content| parse(content, &name));
    parsed.map_err(FileError::read(path))?.map_err(|error| match error {
        ParseError::Read { source, .. } => FileError::read(path)(source).into(),
        other => other.into(),
    })
}

/// True when an entry of an archive looks like a catalogue, by its name.
fn is_catalogue(name: &str) -> bool {
    is_xml(name) || is_json(name)
}

fn is_xml(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".xml")
}

fn is_json(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".json")
}
