//! A fitted head: its description, and its scores.

use std::collections::BTreeMap;

use vulnlens_taxonomy::{CweId, TechniqueId};

use super::method::rules;
use super::outputs::{CuratedOutputs, MAX_PROJECTS, NEWEST_YEAR, OLDEST_YEAR};
use super::tensors::CuratedTensors;
use crate::header::Head;
use crate::ngram::vocabulary::{Entry, Vocabulary};
use crate::wide::{Wide, wide};

/// The mark of a place that rules hold by.
const HAS_RULES: u16 = 1 << 15;
/// The least share of a project.
const LEAST_SHARE: f32 = 0.01;

/// A fitted head of curated techniques.
#[derive(Debug, Clone)]
pub struct CuratedHead {
    outputs: CuratedOutputs,
    /// The place of each rule's weaknesses among those that are read.
    rule_cwes: Vec<Vec<usize>>,
    /// The score from which each technique is answered.
    thresholds: Vec<f32>,
    /// One more than the place of each row of the vocabulary among the features that are read, with [`HAS_RULES`] where
    /// rules hold by it; 0 for the others.
    places: Vec<u16>,
    /// The rules that a feature's presence makes hold, for the features that have any.
    rules_of: BTreeMap<u16, Vec<u16>>,
    tensors: CuratedTensors,
}

/// A text as the head reads it before the network has answered: sums over its features, and the rules that its words make
/// hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct CuratedText {
    /// Features that are read, with the factors of their codes.
    rows: Vec<(usize, f32)>,
    sums: Vec<f32>,
    holds: Vec<bool>,
    year: u16,
}

/// A technique's score and what it became.
#[derive(Debug, Clone, Default)]
pub(crate) struct CuratedScores {
    /// Probabilities, by technique.
    pub(crate) probabilities: Vec<f32>,
    /// True for the techniques that are answered.
    pub(crate) answered: Vec<bool>,
    dense: Vec<f32>,
    /// Scores of techniques, then those of projects.
    pub(super) sums: Vec<f32>,
}

impl CuratedHead {
    /// A head of a description and numbers, for texts cut by `vocabulary`; `None` if these do not fit each other.
    pub(crate) fn new(head: &Head, tensors: CuratedTensors, vocabulary: &Vocabulary) -> Option<Self> {
        let outputs = head.curated()?.clone();
        let rules = rules();
        let most = usize::from(HAS_RULES) - 1 - rules.iter().map(|rule| rule.words.len()).sum::<usize>();
        let fits = tensors.rows.len() <= most
            && tensors.fits(outputs.width(), outputs.dense(rules.len()), outputs.projects.len())
            && tensors.rows.is_sorted_by(|a, b| a < b)
            && tensors.rows.last().is_none_or(|last| (*last as usize) < vocabulary.len());
        if !fits {
            return None;
        }
        let mut places = vec![0; vocabulary.len()];
        for (place, row) in tensors.rows.iter().enumerate() {
            *places.get_mut(*row as usize)? = u16::try_from(place + 1).ok()?;
        }
        let mut rules_of: BTreeMap<u16, Vec<u16>> = BTreeMap::new();
        // Words of rules that are no features of the text have places behind these.
        let mut next = tensors.rows.len();
        for (number, rule) in rules.iter().enumerate() {
            for row in rule.keys().into_iter().filter_map(|key| vocabulary.row(key)) {
                let place = places.get_mut(row as usize)?;
                if *place == 0 {
                    next += 1;
                    *place = u16::try_from(next).ok()?;
                }
                *place |= HAS_RULES;
                rules_of.entry(*place).or_default().push(u16::try_from(number).ok()?);
            }
        }
        let place = |id: &CweId| outputs.cwes.binary_search(id).ok();
        let rule_cwes = rules.iter().map(|rule| rule.cwes.iter().filter_map(place).collect()).collect();
        let threshold = |id: &TechniqueId| head.thresholds.get(&id.to_string()).copied().unwrap_or(1.0);
        let thresholds = outputs.techniques.iter().map(threshold).collect();
        Some(Self { outputs, rule_cwes, thresholds, places, rules_of, tensors })
    }

    /// The description of the head.
    #[must_use]
    pub fn outputs(&self) -> &CuratedOutputs {
        &self.outputs
    }

    /// Reads the features of a text.
    pub(crate) fn read(&self, entries: &[Entry], year: Option<u16>, text: &mut CuratedText) {
        let width = self.outputs.width();
        text.sums.clear();
        text.sums.resize(width, 0.0);
        text.holds.clear();
        text.holds.resize(self.rule_cwes.len(), false);
        text.year = year_read(year);
        text.rows.clear();
        for entry in entries {
            let place = self.places.get(entry.row as usize).copied().unwrap_or(0);
            if place == 0 {
                continue;
            }
            let at = usize::from(place & !HAS_RULES) - 1;
            if let Some(scale) = self.tensors.text_scales.get(at) {
                text.rows.push((at, entry.value * scale));
            }
            if place & HAS_RULES != 0 {
                for rule in self.rules_of.get(&place).into_iter().flatten() {
                    text.holds[usize::from(*rule)] = true;
                }
            }
        }
        wide(TextSums { rows: &text.rows, codes: &self.tensors.text, sums: &mut text.sums });
    }

    /// Scores a text that was read, given the probabilities of the weaknesses that the head reads.
    pub(crate) fn score(&self, text: &CuratedText, cwes: &[f32], scores: &mut CuratedScores) {
        let (techniques, projects) = (self.outputs.techniques.len(), self.outputs.projects.len());
        let width = self.outputs.width();
        dense_features(&self.rule_cwes, &text.holds, cwes, text.year, &mut scores.dense);
        let dense = scores.dense.len();
        scores.sums.clear();
        scores.sums.extend_from_slice(&text.sums);
        let shared = self.tensors.dense.get(..dense * width).unwrap_or_default();
        add(&scores.dense, shared, 1.0, &mut scores.sums);
        let bias = |project: usize| &self.tensors.bias[project * width..][..width];
        // The shares do not depend on the project: its indicators have no weights of a project's own.
        let mut shares = [0.0f32; MAX_PROJECTS];
        for (project, share) in shares.iter_mut().take(projects).enumerate() {
            *share =
                (scores.sums[techniques + project] + bias(project)[techniques + project]).max(LEAST_SHARE);
        }
        let total: f32 = shares.iter().sum();
        for (project, share) in shares.iter().take(projects).enumerate() {
            let own = &self.tensors.dense[(project + 1) * dense * width..][..dense * width];
            add(&scores.dense, own, share / total, &mut scores.sums);
            let sums = scores.sums.iter_mut().take(techniques);
            sums.zip(bias(project)).for_each(|(sum, bias)| *sum += share / total * bias);
        }
        let CuratedScores { probabilities, answered, sums, .. } = scores;
        let raw = sums.iter().take(techniques);
        answered.clear();
        answered.extend(raw.clone().zip(&self.thresholds).map(|(score, threshold)| score >= threshold));
        probabilities.clear();
        probabilities.extend(raw.map(|score| calibrated(*score, self.outputs.calibration)));
    }
}

/// Adds `factor ·` features times weights, of which each feature has a row.
fn add(features: &[f32], weights: &[f32], factor: f32, sums: &mut [f32]) {
    wide(DenseSums { features, weights, factor, sums });
}

/// The sums of rows of codes, each by its factor.
pub(crate) struct TextSums<'a> {
    pub(crate) rows: &'a [(usize, f32)],
    pub(crate) codes: &'a [i8],
    pub(crate) sums: &'a mut [f32],
}

impl Wide for TextSums<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let width = self.sums.len();
        for (at, factor) in self.rows {
            let row = self.codes.get(at * width..).and_then(|rest| rest.get(..width)).unwrap_or_default();
            for (sum, code) in self.sums.iter_mut().zip(row) {
                *sum += factor * f32::from(*code);
            }
        }
    }
}

/// The sums of rows of weights, each by its feature and one factor for all.
pub(crate) struct DenseSums<'a> {
    pub(crate) features: &'a [f32],
    pub(crate) weights: &'a [f32],
    pub(crate) factor: f32,
    pub(crate) sums: &'a mut [f32],
}

impl Wide for DenseSums<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { features, weights, factor, sums } = self;
        for (feature, row) in features.iter().zip(weights.chunks_exact(sums.len().max(1))) {
            if *feature != 0.0 {
                sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += factor * feature * weight);
            }
        }
    }
}

/// The dense features of a text: how far each rule holds, the probabilities of weaknesses under a root and scaled to norm
/// 1, and how near the year is to each of those that mappings are about.
pub(crate) fn dense_features(
    rule_cwes: &[Vec<usize>],
    holds: &[bool],
    cwes: &[f32],
    year: u16,
    features: &mut Vec<f32>,
) {
    features.clear();
    features.extend(rule_cwes.iter().zip(holds).map(|(places, holds)| {
        if *holds {
            return 1.0;
        }
        places.iter().filter_map(|place| cwes.get(*place)).copied().fold(0.0, f32::max)
    }));
    // Under a root, the squares of the features are the probabilities.
    let total: f32 = cwes.iter().sum();
    let scale = if total > 0.0 { 1.0 / total.sqrt() } else { 0.0 };
    features.extend(cwes.iter().map(|p| p.sqrt() * scale));
    features.extend((OLDEST_YEAR..=NEWEST_YEAR).map(|of| {
        let distance = f32::from(year) - f32::from(of);
        NEARNESS * (-distance * distance).exp()
    }));
}

/// A year as the head reads it.
pub(super) fn year_read(year: Option<u16>) -> u16 {
    year.unwrap_or(NEWEST_YEAR).clamp(OLDEST_YEAR, NEWEST_YEAR)
}

/// With it, the products of two years' features are those of a Gaussian kernel of width 1 year.
const NEARNESS: f32 = 0.893;

/// The probability of a score: log-odds of the score, cut off, by a slope and an offset.
pub(crate) fn calibrated(score: f32, [slope, offset]: [f32; 2]) -> f32 {
    1.0 / (1.0 + (-(slope * log_odds(score) + offset)).exp())
}

/// The log-odds of a score of about 0 to 1, which a regression may leave.
#[must_use]
pub fn log_odds(score: f32) -> f32 {
    let score = score.clamp(0.005, 0.995);
    (score / (1.0 - score)).ln()
}

/// The probabilities of weaknesses, with their descendants, by the probabilities of sets.
pub(crate) fn cwe_probabilities(places: &[Vec<u16>], sets: &[f32], cwes: usize, out: &mut Vec<f32>) {
    /// Sets below this change nothing that is seen.
    const LEAST: f32 = 2e-3;
    out.clear();
    out.resize(cwes, 0.0);
    for (places, p) in places.iter().zip(sets).filter(|(_, p)| **p >= LEAST) {
        for place in places {
            if let Some(sum) = out.get_mut(usize::from(*place)) {
                *sum += p;
            }
        }
    }
}
