//! The description of a head of curated techniques, as a model's file states it.

use serde::{Deserialize, Serialize};
use vulnlens_taxonomy::{CweId, KnowledgeBase, Role, TechniqueId};

/// Most projects that a head may tell apart.
pub const MAX_PROJECTS: usize = 8;
/// The years that the mappings of analysts are about.
pub(super) const OLDEST_YEAR: u16 = 2006;
pub(super) const NEWEST_YEAR: u16 = 2024;
const YEARS: usize = (NEWEST_YEAR - OLDEST_YEAR) as usize + 1;

/// Description of a head of curated techniques.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CuratedOutputs {
    /// The techniques and sub-techniques that it scores, rising.
    pub techniques: Vec<TechniqueId>,
    /// The role that analysts give to each most often.
    pub roles: Vec<Role>,
    /// The projects whose mappings it was fitted to.
    pub projects: Vec<String>,
    /// The weaknesses whose probabilities it reads, rising.
    pub cwes: Vec<CweId>,
    /// The slope and the offset by which log-odds of scores become log-odds of probabilities.
    pub calibration: [f32; 2],
    /// The techniques that are known by their descriptions alone.
    #[serde(default, skip_serializing_if = "DescribedTechniques::is_empty")]
    pub described: DescribedTechniques,
}

/// Techniques with too few mapped texts to learn from, which are found by how similar a text is to their descriptions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DescribedTechniques {
    /// The techniques, rising.
    pub techniques: Vec<TechniqueId>,
    /// The slope and the offset by which similarities become log-odds of probabilities.
    pub calibration: [f32; 2],
}

impl DescribedTechniques {
    /// True when there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.techniques.is_empty()
    }
}

impl CuratedOutputs {
    /// The number of outputs: techniques, and the projects' indicators behind them.
    #[must_use]
    pub fn width(&self) -> usize {
        self.techniques.len() + self.projects.len()
    }

    /// The number of dense features, given that of rules.
    #[must_use]
    pub fn dense(&self, rules: usize) -> usize {
        rules + self.cwes.len() + YEARS
    }

    /// The places of the weaknesses that are read among which each of a network's CWE sets lies: those of the set and
    /// their ancestors.
    #[must_use]
    pub fn places(&self, sets: &[Vec<CweId>], kb: &KnowledgeBase) -> Vec<Vec<u16>> {
        places_of(&self.cwes, sets, kb)
    }
}

/// The places among `cwes` of each set: of its weaknesses and their ancestors.
pub(crate) fn places_of(cwes: &[CweId], sets: &[Vec<CweId>], kb: &KnowledgeBase) -> Vec<Vec<u16>> {
    let of_set = |set: &Vec<CweId>| {
        let ids = set.iter().flat_map(|id| kb.ancestors(*id).iter().chain([id]));
        let places = ids.filter_map(|id| cwes.binary_search(id).ok());
        let mut places: Vec<u16> = places.filter_map(|place| u16::try_from(place).ok()).collect();
        places.sort_unstable();
        places.dedup();
        places
    };
    sets.iter().map(of_set).collect()
}
