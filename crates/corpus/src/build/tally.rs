//! Counts of one source while it is read, and its first bad records.

use std::collections::BTreeMap;
use std::path::Path;

use crate::build_report::SourceReport;
use crate::date::When;
use crate::error::RecordError;
use crate::record::Record;

/// The counts of one source.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) report: SourceReport,
    pub(super) bad: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) unreadable: BTreeMap<String, u64>,
}

impl Tally {
    /// Distinct unreadable ids that are told apart.
    const KINDS: usize = 100;

    pub(super) fn of(path: &Path) -> Self {
        let mut tally = Self::default();
        tally.report.source = path.display().to_string();
        tally
    }

    pub(super) fn add(&mut self, record: &Record, again: bool) {
        let report = &mut self.report;
        let add = |count: &mut u64, applies: bool| *count = count.saturating_add(u64::from(applies));
        add(&mut report.records, true);
        add(&mut report.duplicates, again);
        add(&mut report.rejected, record.withdrawn);
        add(&mut report.unreadable_dates, record.dates.published == When::Unreadable);
        add(&mut report.without_description, record.text.is_err() && !record.withdrawn);
        record.unreadable_labels.iter().for_each(|label| self.add_unreadable(label));
    }

    /// Counts a text of a source without records.
    pub(super) fn add_text(&mut self) {
        self.report.records = self.report.records.saturating_add(1);
    }

    pub(super) fn add_without_cve(&mut self) {
        self.report.without_cve = self.report.without_cve.saturating_add(1);
    }

    /// Counts a bad record, or a file that was passed over, and keeps the message of one of the first.
    pub(super) fn add_error(&mut self, error: &RecordError, shown: usize) {
        if error.is_note() {
            self.notes.extend((self.notes.len() < shown).then(|| error.to_string()));
            return;
        }
        let report = &mut self.report;
        let is_passed_over = error.is_passed_over();
        let count = if is_passed_over { &mut report.passed_over } else { &mut report.bad_records };
        *count = count.saturating_add(1);
        if !is_passed_over && self.bad.len() < shown {
            self.bad.push(error.to_string());
        }
    }

    fn add_unreadable(&mut self, label: &str) {
        if self.unreadable.len() < Self::KINDS || self.unreadable.contains_key(label) {
            let count = self.unreadable.entry(label.to_owned()).or_default();
            *count = count.saturating_add(1);
        }
    }
}
