//! The recorded answers of other systems.

use std::collections::BTreeMap;
use std::io::BufRead;

use serde::Deserialize;
use vulnlens_files::{Classified, ErrorKind};
use vulnlens_model::Room;
use vulnlens_taxonomy::{CveId, CweId};

use crate::example::Example;
use crate::scores::SetScores;

/// The recorded answers of another system: for each record its most probable CWE sets.
#[derive(Debug, Clone)]
pub struct PeerScores {
    sets: Vec<Vec<CweId>>,
    rows: BTreeMap<CveId, Vec<(u32, f32)>>,
}

/// Why recorded answers cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "{file}:{line}: {problem}; expected lines like {{\"id\": \"CVE-2021-44228\", \"sets\": {{\"CWE-502\": 0.9, \"CWE-20+CWE-502\": 0.1}}}}"
)]
pub struct PeerScoresError {
    file: String,
    line: usize,
    problem: String,
}

impl Classified for PeerScoresError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unavailable
    }
}

/// What a set gets that a record's line does not mention.
const UNMENTIONED: f32 = 1e-9;

#[derive(Deserialize)]
struct Line {
    id: CveId,
    sets: BTreeMap<String, f32>,
}

impl PeerScores {
    /// Reads JSON Lines, one object a record: its id, and the probabilities of CWE sets, a set being
    /// written as its ids joined by `+`.
    ///
    /// # Errors
    /// When a line cannot be read, with its number.
    pub fn read(reader: impl BufRead, file: &str) -> Result<Self, PeerScoresError> {
        let mut numbers: BTreeMap<Vec<CweId>, u32> = BTreeMap::new();
        let mut rows = BTreeMap::new();
        for (index, line) in reader.lines().enumerate() {
            let wrong = |problem: String| PeerScoresError { file: file.to_owned(), line: index + 1, problem };
            let line = line.map_err(|e| wrong(e.to_string()))?;
            let line: Line = serde_json::from_str(&line).map_err(|e| wrong(e.to_string()))?;
            let mut row = vec![];
            for (set, probability) in line.sets {
                if !(0.0..=1.001).contains(&probability) {
                    return Err(wrong(format!("the probability of {set} is {probability}")));
                }
                let mut ids = set
                    .split('+')
                    .map(str::parse)
                    .collect::<Result<Vec<CweId>, _>>()
                    .map_err(|e| wrong(e.to_string()))?;
                ids.sort_unstable();
                let next = numbers.len() as u32;
                row.push((*numbers.entry(ids).or_insert(next), probability));
            }
            rows.insert(line.id, row);
        }
        if numbers.is_empty() {
            let problem = "there is no answer in the file".to_owned();
            return Err(PeerScoresError { file: file.to_owned(), line: 1, problem });
        }
        let mut sets = vec![vec![]; numbers.len()];
        for (ids, number) in numbers {
            sets[number as usize] = ids;
        }
        Ok(Self { sets, rows })
    }

    /// True when the record was answered.
    #[must_use]
    pub fn answers(&self, record: &Example) -> bool {
        record.cve.is_some_and(|cve| self.rows.contains_key(&cve))
    }
}

impl SetScores for PeerScores {
    fn sets(&self) -> &[Vec<CweId>] {
        &self.sets
    }

    fn logits(&self, examples: &[&Example], _: &mut Room, out: &mut Vec<f32>) {
        out.clear();
        out.resize(examples.len() * self.sets.len(), UNMENTIONED.ln());
        for (example, row) in examples.iter().zip(out.chunks_exact_mut(self.sets.len())) {
            let answer = example.cve.and_then(|cve| self.rows.get(&cve));
            for &(set, probability) in answer.map_or(&[][..], Vec::as_slice) {
                row[set as usize] = probability.max(UNMENTIONED).ln();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sets_and_names_the_line_that_it_cannot_read() {
        let good = "{\"id\":\"CVE-2020-0001\",\"sets\":{\"CWE-89+CWE-74\":0.75,\"CWE-79\":0.25}}\n";
        let scores = PeerScores::read(good.as_bytes(), "peer.jsonl").unwrap();
        assert!(scores.sets().contains(&vec![CweId(74), CweId(89)]));
        let record = |number| {
            let cve = CveId::new(2020, number);
            Example::record(cve, String::new(), 2020, vec![], vulnlens_corpus::Part::Test)
        };
        assert!(scores.answers(&record(1)) && !scores.answers(&record(2)));
        for bad in ["{}", "{\"id\":\"CVE-2020-0001\",\"sets\":{\"CWE-79\":7}}", "{\"id\":\"x\",\"sets\":{}}"]
        {
            let error = PeerScores::read(format!("{good}{bad}\n").as_bytes(), "peer.jsonl").unwrap_err();
            assert!(error.to_string().starts_with("peer.jsonl:2: "), "{error}");
        }
        for empty in ["", "{\"id\":\"CVE-2020-0001\",\"sets\":{}}\n"] {
            assert!(PeerScores::read(empty.as_bytes(), "peer.jsonl").is_err());
        }
    }
}
