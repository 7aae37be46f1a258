//! A fitted head: its description, and its scores.

use vulnlens_taxonomy::{CweId, TechniqueId};

use super::mapped::MappedCves;
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
    /// The rules that a feature's presence makes hold, by its place.
    rules_of: Vec<Vec<u16>>,
    /// Outputs of a row of weights, as many as make whole vectors.
    stride: usize,
    /// Weights of the text and of dense features with rows of `stride`.
    tensors: CuratedTensors,
}

/// Outputs that are added up at once.
const LANES: usize = 8;

/// The rows of a matrix with as many zeros behind each as fill `stride`.
fn padded<T: Copy + Default>(rows: &[T], width: usize, stride: usize) -> Vec<T> {
    let mut out = Vec::with_capacity(rows.len() / width.max(1) * stride);
    for row in rows.chunks_exact(width.max(1)) {
        out.extend_from_slice(row);
        out.resize(out.len() + stride - width, T::default());
    }
    out
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
    /// The similarity to each description, where it is asked for.
    pub(crate) similarities: Vec<f32>,
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

impl CuratedScores {
    /// The dense features of the text that was scored last.
    pub(super) fn dense(&self) -> &[f32] {
        &self.dense
    }

    /// The score of an output, before it becomes a probability.
    pub(super) fn sum(&self, output: usize) -> f32 {
        self.sums.get(output).copied().unwrap_or(0.0)
    }
}

impl CuratedHead {
    /// A head of a description and numbers, for texts cut by `vocabulary`; `None` if these do not fit each other.
    pub(crate) fn new(head: &Head, mut tensors: CuratedTensors, vocabulary: &Vocabulary) -> Option<Self> {
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
        let mut places = places_of_rows(&tensors.rows, vocabulary)?;
        let mut rules_of: Vec<Vec<u16>> = vec![vec![]; tensors.rows.len() + 1];
        // Words of rules that are no features of the text have places behind these.
        let mut next = tensors.rows.len();
        for (number, rule) in rules.iter().enumerate() {
            for row in rule.keys().into_iter().filter_map(|key| vocabulary.row(key)) {
                let place = places.get_mut(row as usize)?;
                if *place == 0 {
                    next += 1;
                    *place = u16::try_from(next).ok()?;
                    rules_of.push(vec![]);
                }
                rules_of.get_mut(usize::from(*place & !HAS_RULES))?.push(u16::try_from(number).ok()?);
                *place |= HAS_RULES;
            }
        }
        let place = |id: &CweId| outputs.cwes.binary_search(id).ok();
        let rule_cwes = rules.iter().map(|rule| rule.cwes.iter().filter_map(place).collect()).collect();
        let threshold = |id: &TechniqueId| head.thresholds.get(&id.to_string()).copied().unwrap_or(1.0);
        let thresholds = outputs.techniques.iter().map(threshold).collect();
        let width = outputs.width();
        let stride = width.next_multiple_of(LANES);
        tensors.text = padded(&tensors.text, width, stride);
        tensors.dense = padded(&tensors.dense, width, stride);
        Some(Self { outputs, rule_cwes, thresholds, places, rules_of, stride, tensors })
    }

    /// The description of the head.
    #[must_use]
    pub fn outputs(&self) -> &CuratedOutputs {
        &self.outputs
    }

    /// Reads the features of a text.
    pub(crate) fn read(&self, entries: &[Entry], year: Option<u16>, text: &mut CuratedText) {
        text.sums.clear();
        text.sums.resize(self.stride, 0.0);
        text.holds.clear();
        text.holds.resize(self.rule_cwes.len(), false);
        text.year = year_read(year);
        text.rows.clear();
        for entry in entries {
            let place = self.places.get(entry.row as usize).copied().unwrap_or(0);
            if place == 0 {
                continue;
            }
            let number = usize::from(place & !HAS_RULES);
            if let Some(scale) = self.tensors.text_scales.get(number - 1) {
                text.rows.push((number - 1, entry.value * scale));
            }
            if place & HAS_RULES != 0 {
                for rule in self.rules_of.get(number).into_iter().flatten() {
                    text.holds[usize::from(*rule)] = true;
                }
            }
        }
        text.similarities.clear();
        wide(TextSums { rows: &text.rows, codes: &self.tensors.text, sums: &mut text.sums });
    }

    /// Scores a text that was read, given the probabilities of the weaknesses that the head reads.
    pub(crate) fn score(&self, text: &CuratedText, cwes: &[f32], scores: &mut CuratedScores) {
        let (techniques, projects) = (self.outputs.techniques.len(), self.outputs.projects.len());
        dense_features(&self.rule_cwes, &text.holds, cwes, text.year, &mut scores.dense);
        let dense = scores.dense.len();
        scores.sums.clear();
        scores.sums.extend_from_slice(&text.sums);
        let block = dense * self.stride;
        let shared = self.tensors.dense.get(..block).unwrap_or_default();
        add(&scores.dense, shared, 1.0, &mut scores.sums);
        let shares = self.shares(&scores.sums);
        for (project, share) in shares.iter().take(projects).enumerate() {
            let own = &self.tensors.dense[(project + 1) * block..][..block];
            add(&scores.dense, own, *share, &mut scores.sums);
            let sums = scores.sums.iter_mut().take(techniques);
            sums.zip(self.bias(project)).for_each(|(sum, bias)| *sum += share * bias);
        }
        let CuratedScores { probabilities, answered, sums, .. } = scores;
        let raw = sums.iter().take(techniques);
        answered.clear();
        answered.extend(raw.clone().zip(&self.thresholds).map(|(score, threshold)| score >= threshold));
        probabilities.clear();
        probabilities.extend(raw.map(|score| calibrated(*score, self.outputs.calibration)));
    }

    fn bias(&self, project: usize) -> &[f32] {
        let width = self.outputs.width();
        &self.tensors.bias[project * width..][..width]
    }

    /// The share of each project in a text. They do not depend on the project: its indicators have no weights of a
    /// project's own.
    fn shares(&self, sums: &[f32]) -> [f32; MAX_PROJECTS] {
        let (techniques, projects) = (self.outputs.techniques.len(), self.outputs.projects.len());
        let mut shares = [0.0f32; MAX_PROJECTS];
        for (project, share) in shares.iter_mut().take(projects).enumerate() {
            let indicator = techniques + project;
            *share = (sums[indicator] + self.bias(project)[indicator]).max(LEAST_SHARE);
        }
        let total: f32 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= total);
        shares
    }

    /// Compares a text that was read with the descriptions of techniques.
    pub(crate) fn compare(&self, entries: &[Entry], text: &mut CuratedText) {
        text.similarities = self.tensors.described.cosines(entries);
    }

    /// The mapped CVEs, for evidence.
    #[must_use]
    pub fn mapped(&self) -> &MappedCves {
        &self.tensors.mapped
    }

    /// The addition of each feature of a text to an output, by the row of the vocabulary.
    pub(super) fn word_gains(&self, text: &CuratedText, output: usize) -> impl Iterator<Item = (u32, f32)> {
        let (tensors, stride) = (&self.tensors, self.stride);
        text.rows.iter().filter_map(move |(place, factor)| {
            let code = tensors.text.get(place * stride + output)?;
            Some((*tensors.rows.get(*place)?, factor * f32::from(*code)))
        })
    }

    /// The weight of each dense feature for an output, the projects' own weights by their shares.
    pub(super) fn dense_weights(&self, scores: &CuratedScores, output: usize) -> impl Fn(usize) -> f32 {
        let (stride, dense, projects) = (self.stride, scores.dense.len(), self.outputs.projects.len());
        let shares = self.shares(&scores.sums);
        move |feature| {
            let of = |block: usize| {
                self.tensors.dense.get((block * dense + feature) * stride + output).copied().unwrap_or(0.0)
            };
            let own = shares.iter().take(projects).enumerate();
            of(0) + own.map(|(project, share)| share * of(project + 1)).sum::<f32>()
        }
    }

    /// The score of an output before anything of a text is read.
    pub(super) fn base(&self, scores: &CuratedScores, output: usize) -> f32 {
        let shares = self.shares(&scores.sums);
        let projects = shares.iter().take(self.outputs.projects.len()).enumerate();
        projects.map(|(project, share)| share * self.bias(project).get(output).copied().unwrap_or(0.0)).sum()
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
        let stride = self.sums.len();
        for (at, factor) in self.rows {
            let row = self.codes.get(at * stride..).and_then(|rest| rest.get(..stride)).unwrap_or_default();
            // Bytes are widened fastest in a loop over all of them.
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
        let stride = sums.len().max(1);
        let (sums, last) = sums.as_chunks_mut::<LANES>();
        for (feature, row) in features.iter().zip(weights.chunks_exact(stride)) {
            if *feature == 0.0 {
                continue;
            }
            let factor = factor * feature;
            let (row, rest) = row.as_chunks::<LANES>();
            for (sums, weights) in sums.iter_mut().zip(row) {
                for lane in 0..LANES {
                    sums[lane] += factor * weights[lane];
                }
            }
            last.iter_mut().zip(rest).for_each(|(sum, weight)| *sum += factor * weight);
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
    push_cwe_features(cwes, features);
    features.extend((OLDEST_YEAR..=NEWEST_YEAR).map(|of| {
        let distance = f32::from(year) - f32::from(of);
        NEARNESS * (-distance * distance).exp()
    }));
}

/// Appends the features of weaknesses: under a root, so that their squares are the probabilities, and scaled to norm 1.
pub(crate) fn push_cwe_features(cwes: &[f32], features: &mut Vec<f32>) {
    let total: f32 = cwes.iter().sum();
    let scale = if total > 0.0 { 1.0 / total.sqrt() } else { 0.0 };
    features.extend(cwes.iter().map(|p| p.sqrt() * scale));
}

/// One more than the place of each row of a vocabulary among `rows`, and 0 for the others; `None` if a row is not one of
/// the vocabulary, or there are more than 16 bits count.
pub(crate) fn places_of_rows(rows: &[u32], vocabulary: &Vocabulary) -> Option<Vec<u16>> {
    let mut places = vec![0; vocabulary.len()];
    for (place, row) in rows.iter().enumerate() {
        *places.get_mut(*row as usize)? = u16::try_from(place + 1).ok()?;
    }
    Some(places)
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
