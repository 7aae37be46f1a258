//! Files of curated pairs, told by their content: the CTID's table of CVEs, the documents of its Mappings Explorer, and
//! JSON Lines.

use std::borrow::Cow;
use std::io::BufRead;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use vulnlens_files::read_bounded;
use vulnlens_taxonomy::{CveId, Role};

use super::written;
use crate::curated::CuratedSource;
use crate::error::{CorpusError, RecordError};
use crate::input::Input;
use crate::limits::Limits;
use crate::lines::Lines;
use crate::place::Place;
use crate::problem::{BadRecord, Problem};
use crate::sources::csv::records::Records;
use crate::sources::json_text::{List, Text, or_default};

/// Bytes in which the first line of a table or of JSON Lines must end.
const LONGEST_FIRST_LINE: usize = 64 << 10;
/// The licence of both projects of the CTID, which their files do not name.
const CTID_LICENCE: &str = "Apache-2.0";

/// One entry of a file: the techniques that it gives to one CVE.
pub(super) struct Entry {
    pub(super) cve: CveId,
    pub(super) source: CuratedSource,
    /// Ids as they are written.
    pub(super) techniques: Vec<(Role, String)>,
    pub(super) reason: Option<String>,
}

/// Takes the entries of a file one after another.
type Take<'a> = dyn FnMut(Place, Result<Entry, BadRecord>) + 'a;

/// Reads the entries of the file at `path`.
pub(super) fn read(
    path: &Path,
    limits: &Limits,
    take: &mut dyn FnMut(Result<Entry, RecordError>),
) -> Result<(), CorpusError> {
    let (file, mut text) = Input::path(path).open(limits, None)?.into_text()?;
    text.look_ahead(LONGEST_FIRST_LINE, |head| memchr::memchr(b'\n', head).is_some());
    let head = text.head().trim_ascii_start();
    let first_line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let (is_json, is_table) = (head.starts_with(b"{"), header_has(first_line, CVE));
    let is_lines = is_json && has_key(first_line, "technique");
    let reader = text.into_reader();
    let mut take = |place, entry: Result<Entry, BadRecord>| take(entry.map_err(|bad| bad.at(&file, place)));
    if is_lines {
        read_lines(reader, limits, &mut take);
        Ok(())
    } else if is_json {
        read_mappings(&file, reader, limits, &mut take)
    } else if is_table {
        read_table(&file, reader, limits, &mut take)
    } else {
        let problem = "is not a file of curated pairs; give JSON Lines with cve, technique, source, kind and licence, \
                       a document of the Mappings Explorer, or a table with the column CVE ID";
        Err(CorpusError::Format { file: file.to_string(), problem: problem.to_owned() })
    }
}

fn has_key(line: &[u8], key: &str) -> bool {
    memchr::memmem::find(line, format!("\"{key}\"").as_bytes()).is_some()
}

fn ctid(framework: &str) -> CuratedSource {
    let (name, kind) = (format!("ctid-{framework}"), "mapping".to_owned());
    CuratedSource { name, kind, licence: CTID_LICENCE.to_owned() }
}

fn cve(field: &'static str, text: &str) -> Result<CveId, BadRecord> {
    text.parse().map_err(|_| BadRecord::not_a_cve(field, text))
}

fn reason(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The column of the CTID's table with the CVE.
const CVE: &str = "CVE ID";
/// Its column with the part of the work that a row was made in: what the parts assign differs as projects do.
const PHASE: &str = "Phase";
/// Its columns of techniques.
const ROLES: [(&str, Role); 4] = [
    ("Exploitation Technique", Role::Exploitation),
    ("Primary Impact", Role::PrimaryImpact),
    ("Secondary Impact", Role::SecondaryImpact),
    ("Uncategorized", Role::Uncategorised),
];

fn header_has(line: &[u8], name: &str) -> bool {
    let cells = String::from_utf8_lossy(line);
    cells.split(',').any(|cell| is_called(cell.trim_matches(|c: char| c.is_whitespace() || c == '"'), name))
}

fn is_called(cell: &str, name: &str) -> bool {
    cell.trim().eq_ignore_ascii_case(name)
}

/// Reads a table with a row for each CVE, whose cells hold several ids each.
fn read_table(
    file: &str,
    reader: impl BufRead,
    limits: &Limits,
    take: &mut Take<'_>,
) -> Result<(), CorpusError> {
    let mut records = Records::new(reader, b',', 1, limits.record_bytes);
    if let Some((_, Err(problem))) = records.advance() {
        let problem = format!("header line: {problem}");
        return Err(CorpusError::Format { file: file.to_owned(), problem });
    }
    let names: Vec<String> = (0..records.fields).map(|at| cell(&records, at).trim().to_owned()).collect();
    let position = |wanted: &str| names.iter().position(|name| is_called(name, wanted));
    let roles: Vec<(usize, Role)> =
        ROLES.iter().filter_map(|(name, role)| Some((position(name)?, *role))).collect();
    let phase_at = position(PHASE);
    let (Some(cve_at), false) = (position(CVE), roles.is_empty()) else {
        let column = ROLES.map(|(name, _)| name).join(", ");
        return Err(CorpusError::MissingColumn { file: file.to_owned(), column, columns: names });
    };
    while let Some((line, read)) = records.advance() {
        let whole = read.and_then(|()| records.whole(line, names.len()));
        let entry = whole.map_err(BadRecord::from).and_then(|()| {
            let cells = roles.iter().map(|(at, role)| (*role, cell(&records, *at)));
            let techniques = cells.flat_map(|(role, cell)| {
                written::ids(&cell).map(|id| (role, id.to_owned())).collect::<Vec<_>>()
            });
            let techniques = techniques.collect();
            Ok(Entry {
                cve: cve(CVE, &cell(&records, cve_at))?,
                source: ctid(&phase_at.map_or("cve".into(), |at| phase(&cell(&records, at)))),
                techniques,
                reason: None,
            })
        });
        take(Place::Line(line), entry);
    }
    Ok(())
}

/// The name of a part of the table's work: `Phase 1` is `cve-phase-1`.
fn phase(cell: &str) -> String {
    let words = cell.split_whitespace().map(str::to_ascii_lowercase);
    std::iter::once("cve".to_owned()).chain(words).collect::<Vec<_>>().join("-")
}

fn cell<R: BufRead>(records: &Records<R>, at: usize) -> Cow<'_, str> {
    String::from_utf8_lossy(records.field(at).unwrap_or_default())
}

/// A document of the Mappings Explorer.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    metadata: Metadata,
    mapping_objects: List<Value>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default, deserialize_with = "or_default")]
    mapping_framework: String,
}

/// One of its mappings.
#[derive(Deserialize)]
struct Mapping<'a> {
    #[serde(borrow, default)]
    capability_id: Text<'a>,
    #[serde(borrow, default)]
    attack_object_id: Text<'a>,
    #[serde(borrow, default)]
    mapping_type: Text<'a>,
    #[serde(borrow, default)]
    comments: Text<'a>,
}

fn read_mappings(
    file: &str,
    mut reader: impl BufRead,
    limits: &Limits,
    take: &mut Take<'_>,
) -> Result<(), CorpusError> {
    let mut bytes = Vec::new();
    let read = read_bounded(&mut reader, &mut bytes, limits.document_bytes as u64);
    read.map_err(|source| CorpusError::Open { file: file.to_owned(), source })?;
    let document: Document = serde_json::from_slice(&bytes).map_err(|error| {
        let problem =
            format!("is neither a document of the Mappings Explorer nor JSON Lines with technique: {error}");
        CorpusError::Format { file: file.to_owned(), problem }
    })?;
    let source = ctid(&document.metadata.mapping_framework);
    for (number, object) in (1..).zip(&document.mapping_objects.0) {
        take(Place::Item(number), mapping(object, &source));
    }
    Ok(())
}

fn mapping(object: &Value, source: &CuratedSource) -> Result<Entry, BadRecord> {
    let mapping = Mapping::deserialize(object).map_err(|error| Problem::Json(error.to_string()))?;
    let cve = cve("capability_id", &mapping.capability_id.0)?;
    let role = match mapping.mapping_type.0.as_ref() {
        "exploitation_technique" => Role::Exploitation,
        "primary_impact" => Role::PrimaryImpact,
        "secondary_impact" => Role::SecondaryImpact,
        _ => Role::Uncategorised,
    };
    let techniques = written::ids(&mapping.attack_object_id.0).map(|id| (role, id.to_owned())).collect();
    Ok(Entry { cve, source: source.clone(), techniques, reason: reason(&mapping.comments.0) })
}

/// One line of a file of pairs.
#[derive(Deserialize)]
#[serde(expecting = "an object with cve, technique, source, kind and licence")]
struct Line<'a> {
    #[serde(borrow, default)]
    cve: Text<'a>,
    #[serde(borrow, default)]
    technique: Text<'a>,
    #[serde(borrow, default)]
    role: Text<'a>,
    #[serde(borrow, default)]
    source: Text<'a>,
    #[serde(borrow, default)]
    kind: Text<'a>,
    #[serde(borrow, default)]
    text: Text<'a>,
    #[serde(borrow, default)]
    licence: Text<'a>,
}

fn read_lines(reader: impl BufRead, limits: &Limits, take: &mut Take<'_>) {
    let mut lines = Lines::new(reader, limits.record_bytes).skip_blank();
    while let Some((number, line)) = lines.next_line() {
        take(Place::Line(number), line.map_err(BadRecord::from).and_then(pair));
    }
}

fn pair(line: &[u8]) -> Result<Entry, BadRecord> {
    let line: Line<'_> = serde_json::from_slice(line).map_err(|error| Problem::json(line, &error))?;
    let cve = cve("cve", &line.cve.0)?;
    let given = |field: &'static str, text: &Text<'_>| reason(&text.0).ok_or(Problem::MissingField(field));
    let role = match line.role.0.trim() {
        "" => Role::Uncategorised,
        name => {
            let expected = "exploitation, primary-impact, secondary-impact or uncategorised";
            Role::named(name).ok_or_else(|| Problem::bad_field("role", name, expected))?
        }
    };
    let source = CuratedSource {
        name: given("source", &line.source)?,
        kind: given("kind", &line.kind)?,
        licence: line.licence.0.trim().to_owned(),
    };
    let techniques = written::ids(&line.technique.0).map(|id| (role, id.to_owned())).collect();
    Ok(Entry { cve, source, techniques, reason: reason(&line.text.0) })
}
