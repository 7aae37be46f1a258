//! Checks of a model's description, which may come from a stranger.

use std::collections::BTreeMap;

use crate::curated::{CuratedOutputs, MAX_PROJECTS};
use crate::decode::{DecisionRule, SpaceKind};
use vulnlens_text::NORMALISER;

use crate::severity::SeverityOutputs;

use crate::header::{FEATURES, Head, HeadOutputs, Header, HeaderError, Partner};

/// Most CWE sets that a model may tell apart: a bound that keeps a hostile description from asking for absurd memory;
/// the corpus has some 2,000.
pub const MAX_SETS: usize = 1 << 13;
const MAX_SET_SIZE: usize = 64;
/// Most techniques that a curated head may score, and most weaknesses that it or a head of severities may read.
const MAX_CURATED: usize = 1024;
/// Widest hidden layer, for the same reason.
const MAX_DIMENSIONS: usize = 4096;

impl Header {
    /// Checks that the description makes sense and is harmless to show.
    ///
    /// # Errors
    /// The first field that does not.
    pub fn check(&self) -> Result<(), HeaderError> {
        let years = self.years.is_none_or(|years| years.span().is_some());
        let shape = self.ngram.as_ref().is_none_or(|shape| {
            (2..=MAX_DIMENSIONS).contains(&shape.dimensions) && shape.dimensions.is_multiple_of(2)
        });
        let features = self.ngram.as_ref().is_none_or(|shape| shape.features == FEATURES);
        first_wrong(&[
            ("name", self.is_plain(), "must be, like the provenance, free of control characters"),
            ("heads", !self.heads.is_empty(), "must be one at least"),
            ("years", years, "the newest must be at most 199 after the oldest"),
            (
                "normaliser",
                self.normaliser.is_none_or(|version| version == NORMALISER),
                "is not a version that this version of vulnlens has: use the one that the model was made with",
            ),
            ("features", features, "is not a scheme that this version has"),
            ("dimensions", shape, "must be even, 2 to 4096"),
        ])?;
        self.heads.iter().try_for_each(Head::check)?;
        self.combined_with.iter().try_for_each(Partner::check)
    }

    /// True when no string that people are shown could command their terminals: the file may be a stranger's.
    fn is_plain(&self) -> bool {
        let about = &self.provenance;
        let mut words = vec![
            self.name.as_str(),
            &self.taxonomies.cwe,
            &self.taxonomies.capec,
            &self.taxonomies.attack,
            &about.data,
            &about.data_sha256,
            &about.split,
            &about.tool_version,
        ];
        words.extend(about.start.as_deref());
        for head in &self.heads {
            words.push(&head.fitted_on);
            words.extend(head.thresholds.keys().map(String::as_str));
            match &head.outputs {
                HeadOutputs::Labels { space } => words.push(space),
                HeadOutputs::Curated(outputs) => words.extend(outputs.projects.iter().map(String::as_str)),
                HeadOutputs::Severity(_) | HeadOutputs::CweSets { .. } => {}
            }
        }
        words.extend(self.combined_with.iter().flat_map(|p| [p.name.as_str(), &p.revision, &p.fitted_on]));
        words.iter().all(|word| is_plain(word))
            && about.settings.iter().all(|(name, value)| is_plain(name) && is_plain_value(value))
    }
}

fn is_plain(word: &str) -> bool {
    !word.chars().any(char::is_control)
}

fn is_plain_value(value: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Object, String};
    match value {
        String(word) => is_plain(word),
        Array(values) => values.iter().all(is_plain_value),
        Object(entries) => entries.iter().all(|(name, value)| is_plain(name) && is_plain_value(value)),
        _ => true,
    }
}

fn first_wrong(checks: &[(&'static str, bool, &str)]) -> Result<(), HeaderError> {
    match checks.iter().find(|(_, fine, _)| !fine) {
        Some((field, _, problem)) => Err(HeaderError::Field { field, problem: (*problem).to_owned() }),
        None => Ok(()),
    }
}

fn are_numbers(rules: &BTreeMap<SpaceKind, DecisionRule>) -> bool {
    rules.values().all(|rule| !rule.label.is_nan() && !rule.whole_list.is_nan())
}

fn divides(temperature: f32) -> bool {
    temperature.is_finite() && temperature >= 1e-3
}

impl Head {
    fn check(&self) -> Result<(), HeaderError> {
        let thresholds = self.thresholds.values().all(|threshold| (0.0..=1.0).contains(threshold));
        first_wrong(&[
            ("temperature", divides(self.temperature), "must be at least 0.001"),
            ("rules", are_numbers(&self.rules), "must be numbers"),
            ("thresholds", thresholds, "must be from 0 to 1"),
        ])?;
        if let HeadOutputs::Curated(outputs) = &self.outputs {
            let CuratedOutputs { techniques, roles, projects, cwes, calibration, described } = outputs;
            let known_twice = described.techniques.iter().any(|id| techniques.binary_search(id).is_ok());
            return first_wrong(&[
                ("techniques", techniques.is_sorted_by(|a, b| a < b), "must be in order, each once"),
                ("techniques", (1..=MAX_CURATED).contains(&techniques.len()), "must be 1 to 1024"),
                ("roles", roles.len() == techniques.len(), "must be as many as the techniques"),
                ("projects", (1..=MAX_PROJECTS).contains(&projects.len()), "must be 1 to 8"),
                ("cwes", cwes.is_sorted_by(|a, b| a < b), "must be in order, each once"),
                ("cwes", cwes.len() <= MAX_CURATED, "must be at most 1024"),
                ("described", described.techniques.is_sorted_by(|a, b| a < b), "must be in order, each once"),
                ("described", described.techniques.len() <= MAX_CURATED, "must be at most 1024"),
                ("described", !known_twice, "must not be among the techniques"),
                (
                    "calibration",
                    calibration.iter().chain(&described.calibration).all(|number| number.abs() <= 100.0),
                    "must be from -100 to 100",
                ),
            ]);
        }
        if let HeadOutputs::Severity(SeverityOutputs { cwes, years }) = &self.outputs {
            return first_wrong(&[
                ("cwes", cwes.is_sorted_by(|a, b| a < b), "must be in order, each once"),
                ("cwes", cwes.len() <= MAX_CURATED, "must be at most 1024"),
                (
                    "years",
                    (years.oldest..years.oldest.saturating_add(200)).contains(&years.newest),
                    "the newest must be at most 199 after the oldest",
                ),
            ]);
        }
        let HeadOutputs::CweSets { sets, outcomes, catalogue_only } = &self.outputs else { return Ok(()) };
        let distinct = outcomes.is_sorted_by(|a, b| a < b);
        first_wrong(&[
            ("outcomes", distinct, "must be in order, each once"),
            ("catalogue_only", catalogue_only.is_sorted_by(|a, b| a < b), "must be in order, each once"),
        ])?;
        let Some(sets) = sets else { return Ok(()) };
        let sorted = sets.is_sorted_by(|a, b| a < b) && sets.iter().all(|set| set.is_sorted_by(|a, b| a < b));
        first_wrong(&[
            ("sets", (1..=MAX_SETS).contains(&sets.len()), "must be 1 to 8192"),
            ("sets", sets.iter().all(|set| (1..=MAX_SET_SIZE).contains(&set.len())), "have 1 to 64 ids each"),
            ("sets", sorted, "must be in order, each once, with their ids in order, each once"),
        ])
    }
}

impl Partner {
    fn check(&self) -> Result<(), HeaderError> {
        let weight = (0.0..=1.0).contains(&self.combination.first);
        first_wrong(&[
            ("combined_with", weight, "has a weight outside 0 to 1"),
            ("combined_with", divides(self.temperature), "has a temperature below 0.001"),
            ("combined_with", are_numbers(&self.rules), "has rules that are not numbers"),
        ])
    }
}
