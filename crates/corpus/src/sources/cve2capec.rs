//! CVE2CAPEC's own output, JSON Lines of `{"CVE-…": {"CWE": […], "CAPEC": […], "TECHNIQUES": […]}}`.
//!
//! It is not a source of records: it has no texts. Its labels are what the chain's are checked against.

use std::collections::{BTreeMap, VecDeque};
use std::io::BufRead;
use std::str::FromStr;
use std::sync::Arc;

use serde::Deserialize;
use vulnlens_taxonomy::{ChainLabels, CveId};

use super::json_text::IdList;
use super::object::Object;
use crate::error::{CorpusError, RecordError};
use crate::input::{Content, Input};
use crate::limits::Limits;
use crate::lines::Lines;
use crate::place::Place;
use crate::problem::{BadRecord, Problem};
use crate::record_id::RecordId;

/// CVE2CAPEC's labels of one CVE: weaknesses with all their ancestors, attack patterns and techniques, each sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cve2CapecRecord {
    /// The CVE.
    pub id: CveId,
    /// Its labels.
    pub labels: ChainLabels,
}

/// The records of a CVE2CAPEC file.
pub struct Cve2Capec {
    file: Arc<str>,
    lines: Lines<Box<dyn BufRead + Send>>,
    /// Records of the line in hand that are still to be given.
    ready: VecDeque<Result<Cve2CapecRecord, RecordError>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Labels<'a> {
    #[serde(borrow, default, rename = "CWE")]
    cwe: IdList<'a>,
    #[serde(borrow, default, rename = "CAPEC")]
    capec: IdList<'a>,
    #[serde(borrow, default, rename = "TECHNIQUES")]
    techniques: IdList<'a>,
}

/// Streams the records of a CVE2CAPEC file, plain or with gzip.
///
/// # Errors
/// An input that cannot be opened or is no text.
pub fn open_cve2capec(input: Input, limits: &Limits) -> Result<Cve2Capec, CorpusError> {
    let opened = input.open(limits, None)?;
    let Content::Text(text) = opened.content else {
        return Err(opened.wrong("is not CVE2CAPEC's JSON Lines"));
    };
    let lines = Lines::new(text.into_reader(), limits.record_bytes).skip_blank();
    Ok(Cve2Capec { file: opened.name, lines, ready: VecDeque::new() })
}

impl Iterator for Cve2Capec {
    type Item = Result<Cve2CapecRecord, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            let (number, line) = self.lines.next_line()?;
            let records = match line.and_then(parse) {
                Ok(records) => records,
                Err(problem) => vec![Err(problem.into())],
            };
            let file = &self.file;
            let place = |bad: BadRecord| bad.at(file, Place::Line(number));
            self.ready.extend(records.into_iter().map(|record| record.map_err(place)));
        }
        self.ready.pop_front()
    }
}

/// Tests for an object of CVE2CAPEC's: the labels of a CVE under its id.
pub(super) fn is_line(object: &Object<'_>) -> bool {
    object.entries().next().is_some_and(|(key, value)| {
        let is_cve = std::str::from_utf8(key).is_ok_and(|key| key.parse::<CveId>().is_ok());
        is_cve && Object::new(value).has_any(&["CWE", "CAPEC", "TECHNIQUES"])
    })
}

type Parsed = Result<Cve2CapecRecord, BadRecord>;

fn parse(line: &[u8]) -> Result<Vec<Parsed>, Problem> {
    let records: BTreeMap<String, Labels<'_>> =
        serde_json::from_slice(line).map_err(|error| Problem::json(line, &error))?;
    Ok(records
        .into_iter()
        .map(|(id, labels)| {
            let bad = |problem| BadRecord { id: Some(RecordId::beginning(&id)), problem };
            record(&id, &labels).map_err(bad)
        })
        .collect())
}

fn record(id: &str, labels: &Labels<'_>) -> Result<Cve2CapecRecord, Problem> {
    let cve = id.parse().map_err(|_| Problem::bad_field("id", id, "a CVE id such as CVE-2021-44228"))?;
    let labels = ChainLabels {
        cwe: ids("CWE", &labels.cwe)?,
        capec: ids("CAPEC", &labels.capec)?,
        techniques: ids("TECHNIQUES", &labels.techniques)?,
    };
    Ok(Cve2CapecRecord { id: cve, labels })
}

fn ids<T: FromStr + Ord>(field: &'static str, list: &IdList<'_>) -> Result<Vec<T>, Problem> {
    let parse =
        |id: &std::borrow::Cow<'_, str>| id.parse().map_err(|_| Problem::bad_field(field, id, "an id"));
    let mut ids = list.0.iter().map(parse).collect::<Result<Vec<T>, _>>()?;
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}
