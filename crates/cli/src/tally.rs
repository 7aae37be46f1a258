//! The outcome of a stream of records, told and counted.

use vulnlens_corpus::{Place, Problem, RecordError};

use crate::failure::{Failure, Kind};
use crate::terminal::{self, Terminal};

/// Bad records that are told of one by one, unless `--verbose`.
const ERRORS_TOLD: u64 = 20;

/// Notes about the input that are told one by one, unless `--verbose`.
const NOTES_TOLD: u64 = 5;

/// The outcome of the records.
pub(crate) struct Tally<'a> {
    terminal: &'a Terminal,
    answered: u64,
    failed: u64,
    repeated: u64,
    cut: u64,
    withdrawn: u64,
    passed_over: u64,
    notes: u64,
    ended_by: Option<RecordError>,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(terminal: &'a Terminal) -> Self {
        Self {
            terminal,
            answered: 0,
            failed: 0,
            repeated: 0,
            cut: 0,
            withdrawn: 0,
            passed_over: 0,
            notes: 0,
            ended_by: None,
        }
    }

    pub(crate) fn add_answered(&mut self, count: u64) {
        self.answered = self.answered.saturating_add(count);
    }

    pub(crate) fn add_error(&mut self, error: &RecordError) {
        if error.is_note() {
            self.notes = self.notes.saturating_add(1);
            let is_told = self.notes <= NOTES_TOLD;
            return if is_told {
                self.terminal.note(&error.to_string())
            } else {
                self.terminal.detail(&error.to_string())
            };
        }
        if error.is_passed_over() {
            let is_withdrawn = error.problem == Problem::Withdrawn;
            let count = if is_withdrawn { &mut self.withdrawn } else { &mut self.passed_over };
            *count = count.saturating_add(1);
            return self.terminal.detail(&error.to_string());
        }
        self.add_failure(&error.to_string());
        if error.ends_input() {
            self.ended_by = Some(error.clone());
        }
    }

    /// Counts a record that failed, and tells why.
    pub(crate) fn add_failure(&mut self, text: &str) {
        self.failed = self.failed.saturating_add(1);
        if self.failed <= ERRORS_TOLD || self.terminal.is_verbose() {
            terminal::error(text);
        } else if self.failed == ERRORS_TOLD.saturating_add(1) {
            terminal::error("more bad records follow; they are only counted (-v tells of each)");
        }
    }

    pub(crate) fn add_repeated(&mut self, id: &str, place: &Place) {
        self.repeated = self.repeated.saturating_add(1);
        let place = place.number().map_or_else(|| place.to_string(), |number| number.to_string());
        let place = place.trim_start_matches([':', ' ']);
        let text =
            format!("id {id:?} at {place} stood in the input before; each record is answered by itself");
        if self.repeated == 1 { self.terminal.warn(&text) } else { self.terminal.detail(&text) }
    }

    /// Counts texts that were longer than the model reads.
    pub(crate) fn add_cut(&mut self, count: u64) {
        self.cut = self.cut.saturating_add(count);
    }

    /// Checks that anything was answered at all; without that there is no output.
    pub(crate) fn check_answered(&self, name: &str) -> Result<(), Failure> {
        let failed = self.failed;
        match &self.ended_by {
            _ if self.answered > 0 => Ok(()),
            Some(error) => Err(Failure::new(Kind::Input, error.to_string())),
            None if failed > 0 => {
                let message = format!("{name}: none of its records was answered, all {failed} failed");
                Err(Failure::new(Kind::Input, message)
                    .hint("docs/inputs.md lists what is read; --input-format overrides what an input is taken for"))
            }
            None if self.withdrawn > 0 => {
                let message = format!("{name}: all of its {} records were withdrawn", self.withdrawn);
                Err(Failure::new(Kind::Input, message))
            }
            // The notes have said why.
            None if self.notes > 0 => Err(Failure::new(Kind::Input, format!("{name}: holds no records"))),
            None => Err(Failure::new(Kind::Input, format!("{name}: holds no records"))
                .hint("give a text, or records with a description: JSON, CSV, Parquet, an advisory or a report of a scanner")),
        }
    }

    /// The failure that bad records are.
    pub(crate) fn result(&self, name: &str) -> Result<(), Failure> {
        let Self { answered, failed, repeated, .. } = self;
        if *repeated > 1 {
            self.terminal.warn(&format!("{repeated} ids stood in the input more than once"));
        }
        tell_cut(self.cut, self.terminal);
        let counts = [
            (self.withdrawn, "withdrawn record was passed over", "withdrawn records were passed over"),
            (self.passed_over, "file is not a source of records", "files are not sources of records"),
        ];
        for (count, one, many) in counts.into_iter().filter(|(count, ..)| *count > 0) {
            self.terminal.note(&format!("{count} {}", if count == 1 { one } else { many }));
        }
        if *failed == 0 {
            self.terminal.detail(&format!("{answered} records answered"));
            return Ok(());
        }
        let ended = if self.ended_by.is_some() { ", and the rest could not be read" } else { "" };
        let message = format!("{name}: {failed} records failed, {answered} were answered{ended}");
        Err(Failure::new(Kind::SomeRecords, message))
    }
}

/// Says how many texts were longer than the model reads.
pub(crate) fn tell_cut(count: u64, terminal: &Terminal) {
    if count > 0 {
        let texts = if count == 1 { "1 text was" } else { &format!("{count} texts were") };
        terminal.warn(&format!(
            "{texts} cut off where the model stops reading; --window-overlap lets it read all of a text"
        ));
    }
}
