//! MITRE ATLAS as it is published: the file `ATLAS.yaml`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Read};
use std::str::FromStr;

use crate::entries::{Atlas, AtlasMitigation, AtlasTactic, AtlasTechnique};
use crate::error::{BadField, ParseError, ParseIssue, Position, excerpt};
use crate::ids::{AtlasMitigationId, AtlasTacticId, AtlasTechniqueId, ParseIdError};
use crate::yaml::{self, Value};

/// Most bytes of a file; the release 5.6.0 has half a million.
const LARGEST: u64 = 64 << 20;
/// The catalogue, for messages.
const EXPECTED: &str = "ATLAS.yaml of MITRE ATLAS";
/// The key of a corresponding entry of ATT&CK.
const REFERENCE: &str = "ATT&CK-reference";

/// The contents of `ATLAS.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AtlasCatalog {
    /// Tactics, techniques and mitigations, each list in id order.
    pub atlas: Atlas,
    /// The descriptions of the techniques that have one.
    pub descriptions: BTreeMap<AtlasTechniqueId, String>,
    /// Entries and references that were left out, with the reasons, in the order of the file.
    pub issues: Vec<ParseIssue>,
}

/// Reads `ATLAS.yaml`; `file` names it in messages. Aliases of YAML are not followed. Case studies are passed over. An
/// unreadable entry is left out and a reference to something that the file lacks dropped; both stand in
/// [`AtlasCatalog::issues`].
///
/// # Errors
/// The reader's, malformed YAML, a file that is too long, or one without a technique of ATLAS.
pub fn parse(reader: impl BufRead, file: &str) -> Result<AtlasCatalog, ParseError> {
    let mut bytes = Vec::new();
    reader.take(LARGEST.saturating_add(1)).read_to_end(&mut bytes).map_err(ParseError::read(file))?;
    if bytes.len() as u64 > LARGEST {
        return Err(ParseError::not_catalogue(file, EXPECTED, format!("it has more than {LARGEST} bytes")));
    }
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let detail = format!("byte {} is not UTF-8", error.valid_up_to());
        ParseError::not_catalogue(file, EXPECTED, detail)
    })?;
    let root = yaml::parse(text.trim_start_matches('\u{feff}'), file)?;
    let matrices = root.get("matrices").and_then(Value::list).unwrap_or_default();
    let mut draft = Draft::default();
    for matrix in matrices {
        draft.add_all(matrix, "tactics", Draft::add_tactic);
        draft.add_all(matrix, "techniques", Draft::add_technique);
        draft.add_all(matrix, "mitigations", Draft::add_mitigation);
    }
    if draft.techniques.is_empty() {
        let detail = "it has no readable technique under \"matrices\"";
        return Err(ParseError::not_catalogue(file, EXPECTED, detail));
    }
    Ok(draft.finish(root.get("version").and_then(Value::text).map(str::to_owned)))
}

#[derive(Default)]
struct Draft {
    tactics: BTreeMap<AtlasTacticId, AtlasTactic>,
    /// Techniques with their lines.
    techniques: BTreeMap<AtlasTechniqueId, (AtlasTechnique, usize)>,
    mitigations: BTreeMap<AtlasMitigationId, (AtlasMitigation, usize)>,
    descriptions: BTreeMap<AtlasTechniqueId, String>,
    newest: Option<String>,
    issues: Vec<ParseIssue>,
}

impl Draft {
    /// Adds the entries of a list of a matrix, each by `add`; those that cannot be read are left out.
    fn add_all(
        &mut self,
        matrix: &Value,
        list: &'static str,
        add: fn(&mut Self, &Value) -> Result<(), BadField>,
    ) {
        let entries = matrix.items(list).unwrap_or_else(|BadField { field, problem }| {
            self.note(matrix, None, field, format!("{problem}; list left out"));
            &[]
        });
        for entry in entries {
            if let Err(BadField { field, problem }) = add(self, entry) {
                let id = entry.get("id").and_then(Value::text).map(excerpt);
                self.note(entry, id, field, format!("{problem}; entry left out"));
            }
            // Months and days have two digits: the greatest text is the newest day.
            let changed = ["modified_date", "created_date"].into_iter();
            let changed = changed.filter_map(|key| entry.get(key)?.text()).find(|date| is_date(date));
            self.newest = self.newest.take().max(changed.map(str::to_owned));
        }
    }

    fn note(&mut self, at: &Value, id: Option<String>, field: &'static str, problem: String) {
        self.issues.push(ParseIssue { position: Position::Line(at.line), id, field, problem });
    }

    fn add_tactic(&mut self, entry: &Value) -> Result<(), BadField> {
        let id: AtlasTacticId = own_id(entry)?;
        let name = entry.required("name")?.to_owned();
        let attack = self.reference(entry);
        known_once(self.tactics.contains_key(&id))?;
        self.tactics.insert(id, AtlasTactic { id, name, attack });
        Ok(())
    }

    fn add_technique(&mut self, entry: &Value) -> Result<(), BadField> {
        let id: AtlasTechniqueId = own_id(entry)?;
        let name = entry.required("name")?.to_owned();
        known_once(self.techniques.contains_key(&id))?;
        let parent = match entry.get("subtechnique-of") {
            None => None,
            Some(parent) => Some(read_id(parent, "subtechnique-of")?),
        };
        let mut tactics = vec![];
        for tactic in entry.items("tactics")? {
            match read_id(tactic, "tactics") {
                Ok(tactic) => tactics.push(tactic),
                Err(BadField { field, problem }) => {
                    self.note(tactic, Some(id.to_string()), field, format!("{problem}; tactic dropped"));
                }
            }
        }
        tactics.sort_unstable();
        tactics.dedup();
        let attack = self.reference(entry);
        if let Some(description) = entry.get("description").and_then(Value::text) {
            self.descriptions.insert(id, description.to_owned());
        }
        self.techniques.insert(id, (AtlasTechnique { id, name, tactics, parent, attack }, entry.line));
        Ok(())
    }

    fn add_mitigation(&mut self, entry: &Value) -> Result<(), BadField> {
        let id: AtlasMitigationId = own_id(entry)?;
        let name = entry.required("name")?.to_owned();
        known_once(self.mitigations.contains_key(&id))?;
        let mut techniques = vec![];
        for of in entry.items("techniques")? {
            // Newer releases have a map for each technique, with its use; older ones had the id alone.
            match read_id(of.get("id").unwrap_or(of), "techniques") {
                Ok(technique) => techniques.push(technique),
                Err(BadField { field, problem }) => {
                    self.note(of, Some(id.to_string()), field, format!("{problem}; technique dropped"));
                }
            }
        }
        techniques.sort_unstable();
        techniques.dedup();
        self.mitigations.insert(id, (AtlasMitigation { id, name, techniques }, entry.line));
        Ok(())
    }

    /// The entry of ATT&CK that corresponds to one; an unreadable reference is dropped.
    fn reference<Id: FromStr<Err = ParseIdError>>(&mut self, entry: &Value) -> Option<Id> {
        let reference = entry.get(REFERENCE)?;
        match reference.required("id").and_then(|id| id.parse().map_err(|error| bad_id(REFERENCE, &error))) {
            Ok(id) => Some(id),
            Err(BadField { problem, .. }) => {
                let id = entry.get("id").and_then(Value::text).map(excerpt);
                self.note(reference, id, REFERENCE, format!("{problem}; reference dropped"));
                None
            }
        }
    }

    /// Drops references to entries that the file lacks, now that all are known.
    fn finish(mut self, version: Option<String>) -> AtlasCatalog {
        let known: BTreeSet<AtlasTechniqueId> = self.techniques.keys().copied().collect();
        let mut issues = vec![];
        let mut lacks = |line, id: String, field, missing: String| {
            let problem = format!("{missing} is not in the file; reference dropped");
            issues.push(ParseIssue { position: Position::Line(line), id: Some(id), field, problem });
        };
        for (technique, line) in self.techniques.values_mut() {
            let id = technique.id;
            if let Some(parent) = technique.parent.take_if(|parent| !known.contains(parent)) {
                lacks(*line, id.to_string(), "subtechnique-of", parent.to_string());
            }
            technique.tactics.retain(|tactic| {
                let is_known = self.tactics.contains_key(tactic);
                if !is_known {
                    lacks(*line, id.to_string(), "tactics", tactic.to_string());
                }
                is_known
            });
        }
        for (mitigation, line) in self.mitigations.values_mut() {
            let id = mitigation.id;
            mitigation.techniques.retain(|technique| {
                let is_known = known.contains(technique);
                if !is_known {
                    lacks(*line, id.to_string(), "techniques", technique.to_string());
                }
                is_known
            });
        }
        self.issues.extend(issues);
        self.issues.sort_by_key(|issue| issue.position);
        AtlasCatalog {
            atlas: Atlas {
                version,
                date: self.newest,
                tactics: self.tactics.into_values().collect(),
                techniques: self.techniques.into_values().map(|(technique, _)| technique).collect(),
                mitigations: self.mitigations.into_values().map(|(mitigation, _)| mitigation).collect(),
            },
            descriptions: self.descriptions,
            issues: self.issues,
        }
    }
}

/// True for a day as `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    let is_kept =
        |(at, byte): (usize, u8)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() };
    text.len() == 10 && text.bytes().enumerate().all(is_kept)
}

fn own_id<Id: FromStr<Err = ParseIdError>>(entry: &Value) -> Result<Id, BadField> {
    entry.required("id")?.parse().map_err(|error| bad_id("id", &error))
}

fn read_id<Id: FromStr<Err = ParseIdError>>(value: &Value, field: &'static str) -> Result<Id, BadField> {
    let text = value.text().ok_or_else(|| BadField { field, problem: "is not a text".to_owned() })?;
    text.parse().map_err(|error| bad_id(field, &error))
}

fn bad_id(field: &'static str, error: &ParseIdError) -> BadField {
    BadField { field, problem: error.to_string() }
}

fn known_once(is_known: bool) -> Result<(), BadField> {
    let problem = || "is one that an earlier entry has".to_owned();
    if is_known { Err(BadField { field: "id", problem: problem() }) } else { Ok(()) }
}
