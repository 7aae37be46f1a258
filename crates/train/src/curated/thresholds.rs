//! Decisions: the score from which a technique is answered, and the probability of a score; both fitted on texts that
//! the regression has not seen.

use std::collections::BTreeSet;

use vulnlens_model::curated::log_odds;
use vulnlens_taxonomy::TechniqueId;

use super::kernel::Blocks;
use super::prepared::Prepared;
use super::ridge::solve;
use crate::random::Random;

/// Folds by which thresholds and calibration are fitted.
const FOLDS: usize = 4;

/// Scores of texts by regressions that have not seen them, with what is true of them.
pub(super) struct Scored {
    /// `texts × techniques`.
    pub(super) scores: Vec<Vec<f64>>,
    pub(super) truth: Vec<Vec<bool>>,
    /// True for techniques that count in the rule: the others are parts of these.
    pub(super) is_parent: Vec<bool>,
}

impl Scored {
    /// The share of texts with each technique.
    pub(super) fn priors(&self) -> Vec<f64> {
        let texts = self.truth.len().max(1) as f64;
        let count = |at: usize| self.truth.iter().filter(|row| row[at]).count() as f64;
        (0..self.is_parent.len()).map(|at| count(at) / texts).collect()
    }
}

/// The techniques of a text: true where it has them, by technique of the space.
pub(super) fn truth(prepared: &Prepared, text: usize, space: &[TechniqueId]) -> Vec<bool> {
    let techniques: BTreeSet<TechniqueId> = prepared.techniques(text, None);
    space.iter().map(|id| techniques.contains(id)).collect()
}

/// Scores each text by a regression of the others' folds. Texts that are nearly equal stand in one fold.
pub(super) fn folds(
    prepared: &Prepared,
    texts: &[usize],
    space: &[TechniqueId],
    blocks: Blocks,
    seed: u64,
) -> Scored {
    let mut groups: Vec<usize> = texts.iter().map(|text| prepared.group(*text)).collect();
    groups.sort_unstable();
    groups.dedup();
    Random::new(seed, 7).shuffle(&mut groups);
    let fold_of = |text: usize| {
        let group = prepared.group(text);
        groups.iter().position(|known| *known == group).unwrap_or(0) % FOLDS
    };
    let mut scored = Scored {
        scores: vec![],
        truth: vec![],
        is_parent: space.iter().map(|id| id.parent() == *id).collect(),
    };
    for fold in 0..FOLDS {
        let (left_out, fitted): (Vec<usize>, Vec<usize>) =
            texts.iter().partition(|text| fold_of(**text) == fold);
        let solved = solve(prepared, &fitted, space, blocks);
        for text in left_out.into_iter().filter(|text| prepared.examples[*text].is_mapped()) {
            scored.scores.push(solved.scores(prepared, text));
            scored.truth.push(truth(prepared, text, space));
        }
    }
    scored
}

/// The rule by which techniques are answered: from a score that rises with a power of how frequent the technique is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rule {
    factor: f64,
    power: f64,
    /// The least score that is answered.
    least: f64,
}

/// The least score that a head answers: rare techniques would be on less, which helps the mean over techniques and
/// misleads whoever reads one answer.
pub(super) const LEAST: f64 = 0.12;

impl Rule {
    /// The rule of the highest macro-F1, of those that answer from a least score on.
    pub(super) fn fit(scored: &Scored, least: f64) -> Self {
        let priors = scored.priors();
        let mut best = (f64::MIN, Self { factor: 0.5, power: 0.5, least });
        for power in [0.0, 0.25, 0.5, 0.75, 1.0] {
            for step in 0..60 {
                let factor = 0.03 * (8.0f64 / 0.03).powf(f64::from(step) / 59.0);
                let rule = Self { factor, power, least };
                let f1 = macro_f1(scored, &rule.thresholds(&priors));
                if f1 > best.0 {
                    best = (f1, rule);
                }
            }
        }
        best.1
    }

    /// The least score of each technique.
    pub(super) fn thresholds(self, priors: &[f64]) -> Vec<f32> {
        let threshold = |prior: &f64| (self.factor * prior.powf(self.power)).max(self.least) as f32;
        priors.iter().map(threshold).collect()
    }
}

/// The mean over techniques of F1 = 2 TP / (predicted + true); 0 where there is nothing of both.
pub(super) fn macro_f1(scored: &Scored, thresholds: &[f32]) -> f64 {
    let (mut sum, mut techniques) = (0.0, 0);
    for (at, threshold) in thresholds.iter().enumerate().filter(|(at, _)| scored.is_parent[*at]) {
        let (mut right, mut all) = (0usize, 0usize);
        for (scores, truth) in scored.scores.iter().zip(&scored.truth) {
            let predicted = scores[at] as f32 >= *threshold;
            right += usize::from(predicted && truth[at]);
            all += usize::from(predicted) + usize::from(truth[at]);
        }
        sum += if all > 0 { 2.0 * right as f64 / all as f64 } else { 0.0 };
        techniques += 1;
    }
    sum / f64::from(techniques.max(1))
}

/// The slope and offset of a logistic regression of truth on log-odds of scores.
pub(super) fn calibration(scored: &Scored) -> [f32; 2] {
    let rows = scored.scores.iter().zip(&scored.truth);
    let points = rows.flat_map(|(scores, truth)| scores.iter().zip(truth));
    logistic(&points.map(|(score, truth)| (f64::from(log_odds(*score as f32)), *truth)).collect::<Vec<_>>())
}

/// The slope and offset of a logistic regression of truth on one number, by Newton's method.
pub(super) fn logistic(points: &[(f64, bool)]) -> [f32; 2] {
    let (mut slope, mut offset) = (1.0, 0.0);
    for _ in 0..25 {
        let (mut g, mut h) = ([0.0; 2], [1e-6, 0.0, 1e-6]);
        for (x, is_true) in points {
            let p = 1.0 / (1.0 + (-(slope * x + offset)).exp());
            let y = f64::from(u8::from(*is_true));
            let w = p * (1.0 - p);
            g = [g[0] + (p - y) * x, g[1] + (p - y)];
            h = [h[0] + w * x * x, h[1] + w * x, h[2] + w];
        }
        let determinant = h[0] * h[2] - h[1] * h[1];
        if determinant.abs() < 1e-12 {
            break;
        }
        slope -= (h[2] * g[0] - h[1] * g[1]) / determinant;
        offset -= (h[0] * g[1] - h[1] * g[0]) / determinant;
    }
    [slope as f32, offset as f32]
}
