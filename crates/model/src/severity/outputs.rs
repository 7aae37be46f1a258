//! The description of a head of severities, as a model's file states it.

use serde::{Deserialize, Serialize};
use vulnlens_taxonomy::{BASE_METRICS, CweId, KnowledgeBase};

use crate::curated::places_of;

/// The number of outputs: the values of all metrics.
pub const SEVERITY_WIDTH: usize = {
    let (mut width, mut metric) = (0, 0);
    while metric < BASE_METRICS.len() {
        width += BASE_METRICS[metric].values.len();
        metric += 1;
    }
    width
};

/// The years that a head of severities tells apart; others count as the nearest of them, and none as the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeverityYears {
    /// The oldest.
    pub oldest: u16,
    /// The newest.
    pub newest: u16,
}

/// Description of a head of severities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeverityOutputs {
    /// The weaknesses whose probabilities it reads, rising.
    pub cwes: Vec<CweId>,
    /// The years that it tells apart.
    pub years: SeverityYears,
}

impl SeverityOutputs {
    /// The number of dense features: weaknesses, then years.
    #[must_use]
    pub fn dense(&self) -> usize {
        self.cwes.len() + usize::from(self.years.newest.saturating_sub(self.years.oldest)) + 1
    }

    /// The place of a record's year among those that are told apart.
    #[must_use]
    pub fn year(&self, year: Option<u16>) -> usize {
        let SeverityYears { oldest, newest } = self.years;
        usize::from(year.unwrap_or(newest).min(newest).saturating_sub(oldest))
    }

    /// The places of the weaknesses that are read among which each of a network's CWE sets lies: those of the set and
    /// their ancestors.
    #[must_use]
    pub fn places(&self, sets: &[Vec<CweId>], kb: &KnowledgeBase) -> Vec<Vec<u16>> {
        places_of(&self.cwes, sets, kb)
    }
}
