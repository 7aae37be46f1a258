//! Logits that are computed once and looked at many times.

use std::borrow::Cow;
use std::collections::BTreeMap;

use vulnlens_model::Room;
use vulnlens_taxonomy::CweId;

use crate::example::Example;
use crate::scores::{NetworkScores, SetScores};

/// Logits of CWE sets by record.
#[derive(Debug, Clone)]
pub struct RecordedLogits<'a> {
    sets: Cow<'a, [Vec<CweId>]>,
    rows: BTreeMap<String, usize>,
    logits: Cow<'a, [f32]>,
}

impl RecordedLogits<'static> {
    /// The logits of a network for each of the records, before its temperature.
    #[must_use]
    pub fn of(scores: NetworkScores<'_>, records: &[&Example]) -> Self {
        let (mut logits, mut room, mut block) = (vec![], Room::default(), vec![]);
        for records in records.chunks(scores.network().texts_at_once().max(1)) {
            scores.logits(records, &mut room, &mut block);
            logits.extend_from_slice(&block);
        }
        Self::owned(scores.outputs().sets.clone(), rows(records.iter().copied()), logits)
    }

    pub(crate) fn owned(sets: Vec<Vec<CweId>>, rows: BTreeMap<String, usize>, logits: Vec<f32>) -> Self {
        Self { sets: Cow::Owned(sets), rows, logits: Cow::Owned(logits) }
    }
}

impl<'a> RecordedLogits<'a> {
    /// The logits of these records, `records × sets`, row by row.
    #[must_use]
    pub fn new(sets: &'a [Vec<CweId>], records: &[Example], logits: &'a [f32]) -> Self {
        Self { sets: Cow::Borrowed(sets), rows: rows(records), logits: Cow::Borrowed(logits) }
    }

    /// The numbers of the records' rows, by name.
    pub(crate) fn rows(&self) -> &BTreeMap<String, usize> {
        &self.rows
    }

    /// A record's logits.
    pub(crate) fn row(&self, name: &str) -> Option<&[f32]> {
        let width = self.sets.len();
        self.rows.get(name).and_then(|row| self.logits.get(row * width..(row + 1) * width))
    }
}

fn rows<'e>(records: impl IntoIterator<Item = &'e Example>) -> BTreeMap<String, usize> {
    records.into_iter().map(|record| record.name.clone()).zip(0..).collect()
}

impl SetScores for RecordedLogits<'_> {
    fn sets(&self) -> &[Vec<CweId>] {
        &self.sets
    }

    fn logits(&self, examples: &[&Example], _: &mut Room, out: &mut Vec<f32>) {
        out.clear();
        for example in examples {
            match self.row(&example.name) {
                Some(row) => out.extend_from_slice(row),
                None => out.resize(out.len() + self.sets.len(), 0.0),
            }
        }
    }
}
