//! `trials.jsonl`: what a search is of, in the first line, and each trial, in a line of its own.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use vulnlens_files::WholeFile;

use serde::{Deserialize, Serialize};

use super::kinds::SearchKind;
use super::trial::{Trial, TrialState};
use crate::encoder::write_whole;
use crate::error::TrainError;
use crate::goal::Goal;

/// Its name in the folder of a search.
pub(crate) const JOURNAL: &str = "trials.jsonl";

/// What a search is of: its journal is no other search's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SearchIdentity {
    /// Version of the journal's form, and of the tool.
    pub(crate) tool: String,
    /// The kind of model; journals of before there were several are of encoders.
    #[serde(default)]
    pub(crate) kind: SearchKind,
    /// The figure that trials are compared by.
    #[serde(default)]
    pub(crate) goal: Goal,
    /// The seed that all trials share.
    #[serde(default)]
    pub(crate) seed: u64,
    /// How trials are chosen and ended.
    pub(crate) search: String,
    /// As they were written.
    pub(crate) ranges: Vec<String>,
    /// What all trials share, as JSON.
    pub(crate) settings: String,
    /// SHA-256 of the data set, and its split.
    pub(crate) data: String,
    /// SHA-256 of the checkpoint or tokenizer to begin with.
    pub(crate) start: String,
}

impl SearchIdentity {
    /// What differs, in words.
    fn difference(&self, other: &Self) -> Option<&'static str> {
        [
            (self.tool != other.tool, "version of vulnlens"),
            (self.kind != other.kind, "kind of model"),
            (self.goal != other.goal, "goal"),
            (self.search != other.search, "sampler, seed or pruning"),
            (self.ranges != other.ranges, "ranges"),
            (self.settings != other.settings, "settings"),
            (self.data != other.data, "data"),
            (self.start != other.start, "beginning"),
        ]
        .into_iter()
        .find(|(differs, _)| *differs)
        .map(|(_, what)| what)
    }
}

/// The trials so far, as the file has them.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    identity: SearchIdentity,
    trials: Vec<Trial>,
}

impl Journal {
    /// The folder's journal, or a new one. `resume`: there may be one already.
    pub(crate) fn open(folder: &Path, identity: SearchIdentity, resume: bool) -> Result<Self, TrainError> {
        let path = folder.join(JOURNAL);
        if !path.exists() {
            let journal = Self { folder: folder.to_owned(), identity, trials: Vec::new() };
            journal.write()?;
            return Ok(journal);
        }
        if !resume {
            return Err(TrainError::taken(folder, "holds a search", "resume it, or give another folder"));
        }
        let (found, trials) = Self::read(folder)?;
        if let Some(what) = identity.difference(&found) {
            let problem = format!("is of a search with another {what}");
            return Err(TrainError::taken(&path, problem, "resume with the same, or give another folder"));
        }
        Ok(Self { folder: folder.to_owned(), identity, trials })
    }

    /// The identity and the trials in the journal of a folder.
    pub(crate) fn read(folder: &Path) -> Result<(SearchIdentity, Vec<Trial>), TrainError> {
        let path = folder.join(JOURNAL);
        let text = fs::read_to_string(&path).map_err(TrainError::io(&path))?;
        read(&text).map_err(|line| {
            let problem = format!("line {line} is not of a search");
            TrainError::refused(&path, problem, "mend it, or give another folder")
        })
    }

    /// The trials that have ended, in their order.
    pub(crate) fn ended(&self) -> &[Trial] {
        match self.trials.split_last() {
            Some((last, before)) if last.state == TrialState::Stopped => before,
            _ => &self.trials,
        }
    }

    /// The trial that a stopped search was at.
    pub(crate) fn under_way(&self) -> Option<&Trial> {
        self.trials.last().filter(|trial| trial.state == TrialState::Stopped)
    }

    /// All, also the one that was stopped.
    pub(crate) fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// Adds a trial, in place of what it was when it was stopped.
    pub(crate) fn add(&mut self, trial: Trial) -> Result<(), TrainError> {
        let ended = self.ended().len();
        self.trials.truncate(ended);
        self.trials.push(trial);
        self.write()
    }

    fn write(&self) -> Result<(), TrainError> {
        let path = self.folder.join(JOURNAL);
        let line = |value: Result<String, serde_json::Error>| Ok(value? + "\n");
        let lines = || -> Result<String, serde_json::Error> {
            let trials = self.trials.iter().map(|trial| line(serde_json::to_string(trial)));
            std::iter::once(line(serde_json::to_string(&self.identity))).chain(trials).collect()
        };
        let write = |file: &mut WholeFile| file.write_all(lines()?.as_bytes());
        write_whole(&self.folder, &path, write).map_err(TrainError::io(&path))
    }
}

/// Reads a journal; an error is the number of the line that is not of one.
fn read(text: &str) -> Result<(SearchIdentity, Vec<Trial>), usize> {
    let mut lines = text.lines();
    let first = lines.next().and_then(|line| serde_json::from_str(line).ok()).ok_or(1_usize)?;
    let mut trials: Vec<Trial> = Vec::new();
    for (number, line) in (2..).zip(lines) {
        let trial: Trial = serde_json::from_str(line).map_err(|_| number)?;
        let follows = trial.number == trials.len() + 1;
        let is_after_end = trials.last().is_none_or(|last| last.state != TrialState::Stopped);
        if !follows || !is_after_end {
            return Err(number);
        }
        trials.push(trial);
    }
    Ok((first, trials))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::setting::SettingValue;
    use super::*;

    fn identity() -> SearchIdentity {
        SearchIdentity {
            tool: "vulnlens 0".to_owned(),
            kind: SearchKind::Encoder,
            goal: Goal::MicroF1,
            seed: 1,
            search: "tpe".to_owned(),
            ranges: vec!["rate=1..2".to_owned()],
            settings: "{}".to_owned(),
            data: "0".to_owned(),
            start: "1".to_owned(),
        }
    }

    fn trial(number: usize, state: TrialState) -> Trial {
        let settings = BTreeMap::from([
            ("rate".to_owned(), SettingValue::Number(3.47e-4)),
            ("decay".to_owned(), SettingValue::Word("cosine".to_owned())),
        ]);
        let evaluations = vec![(1.0, 0.123_457), (2.0, 0.8)];
        Trial { score: Some(0.8), evaluations, ..Trial::began(number, settings) }.ended(state)
    }

    #[test]
    fn a_journal_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), identity(), false).unwrap();
        journal.add(trial(1, TrialState::Finished)).unwrap();
        journal.add(trial(2, TrialState::Stopped)).unwrap();
        let again = Journal::open(folder.path(), identity(), true).unwrap();
        assert_eq!(again.trials(), [trial(1, TrialState::Finished), trial(2, TrialState::Stopped)]);
        assert_eq!((again.ended().len(), again.under_way().unwrap().number), (1, 2));
        journal.add(trial(2, TrialState::Pruned)).unwrap();
        let again = Journal::open(folder.path(), identity(), true).unwrap();
        assert_eq!((again.ended().len(), again.under_way()), (2, None));
    }

    #[test]
    fn other_journals_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(JOURNAL);
        Journal::open(folder.path(), identity(), false).unwrap().add(trial(1, TrialState::Failed)).unwrap();
        let refusal =
            |identity, resume| Journal::open(folder.path(), identity, resume).unwrap_err().to_string();
        assert!(refusal(identity(), false).contains("holds a search; resume it"));
        let other = SearchIdentity { ranges: vec![], ..identity() };
        assert!(refusal(other, true).contains("of a search with another ranges"));
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{whole}{{}}\n")).unwrap();
        assert!(refusal(identity(), true).contains("line 3 is not of a search"));
        fs::write(&path, whole.replace("\"trial\":1", "\"trial\":7")).unwrap();
        assert!(refusal(identity(), true).contains("line 2"));
    }
}
