//! The temperature and the decision rules, chosen on the validation part.

use std::collections::BTreeMap;

use rayon::prelude::*;
use vulnlens_corpus::Part;
use vulnlens_model::decode::{MarginalBuffer, SpaceKind};
use vulnlens_model::softmax::softmax;
use vulnlens_model::{CweSets, DecisionRule, Head, Room};
use vulnlens_taxonomy::KnowledgeBase;

use crate::error::EvaluationError;
use crate::example::{Example, labelled_part, outcome_part};
use crate::scores::{SetScores, TargetIndex};
use crate::task_labels::TaskLabels;

/// Temperature and decision rules, chosen on validation.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Divides the logits.
    pub temperature: f32,
    /// The rule of each label space.
    pub decisions: BTreeMap<SpaceKind, DecisionRule>,
}

impl Calibration {
    /// The temperature and the rules of a network's file.
    #[must_use]
    pub fn of(outputs: &CweSets) -> Self {
        Self { temperature: outputs.temperature, decisions: outputs.rules.clone() }
    }

    /// Puts the temperature and the rules into the description of a model, with the data that they were fitted on.
    pub fn apply(self, head: &mut Head, fitted_on: String) {
        head.temperature = self.temperature;
        head.rules = self.decisions;
        head.fitted_on = fitted_on;
    }

    /// The rule of a label space; the default one where none was chosen.
    #[must_use]
    pub fn rule(&self, kind: SpaceKind) -> DecisionRule {
        self.decisions.get(&kind).copied().unwrap_or_default()
    }
}

/// Texts that a thread works on at once.
const BLOCK: usize = 256;
/// Temperatures from 0.70 to 1.90.
const TEMPERATURES: [f32; 25] = grid(0.70, 0.05);
/// Label thresholds from 0.200 to 0.600.
const THRESHOLDS: [f32; 17] = grid(0.2, 0.025);

const fn grid<const N: usize>(start: f32, step: f32) -> [f32; N] {
    let mut grid = [0.0; N];
    let mut i = 0;
    while i < N {
        grid[i] = start + step * i as f32;
        i += 1;
    }
    grid
}

/// Probabilities from which a whole list is answered; the last means never.
const WHOLE_LISTS: [f32; 9] = [0.25, 0.30, 0.35, 0.40, 0.45, 0.50, 0.60, 0.80, 2.0];
/// How much micro-F1 a rule may lose for subset accuracy.
const TOLERANCE: f64 = 0.0005;

/// Chooses the temperature that makes the validation labels most likely, then for each label space
/// the rule: of those whose micro-F1 is within 0.0005 of the best, the one with the highest subset
/// accuracy.
///
/// # Errors
/// When the validation part has no labelled text.
pub fn calibrate(
    scores: &dyn SetScores,
    kb: &KnowledgeBase,
    examples: &[Example],
) -> Result<Calibration, EvaluationError> {
    let rows = validation_rows(examples)?;
    let rows = with_outcomes(rows, scores, examples);
    Ok(rules_at(temperature(scores, &rows), scores, kb, &rows))
}

/// Chooses the rules alone, for probabilities that are taken as they are given.
///
/// # Errors
/// When the validation part has no labelled text.
pub fn calibrate_as_given(
    scores: &dyn SetScores,
    kb: &KnowledgeBase,
    examples: &[Example],
) -> Result<Calibration, EvaluationError> {
    let rows = with_outcomes(validation_rows(examples)?, scores, examples);
    Ok(rules_at(1.0, scores, kb, &rows))
}

fn validation_rows(examples: &[Example]) -> Result<Vec<&Example>, EvaluationError> {
    let rows = labelled_part(examples, Part::Validation);
    if rows.is_empty() { Err(EvaluationError::NoValidationTexts) } else { Ok(rows) }
}

/// The rows and, for a model that tells them, the validation texts of outcomes that are not weaknesses.
fn with_outcomes<'e>(
    mut rows: Vec<&'e Example>,
    scores: &dyn SetScores,
    examples: &'e [Example],
) -> Vec<&'e Example> {
    let others = outcome_part(examples, Part::Validation).into_iter();
    rows.extend(others.filter(|row| row.outcome.is_some_and(|outcome| scores.outcomes().contains(&outcome))));
    rows
}

fn rules_at(temperature: f32, scores: &dyn SetScores, kb: &KnowledgeBase, rows: &[&Example]) -> Calibration {
    let decide = |kind| (kind, rule(scores, kb, rows, kind, temperature));
    Calibration { temperature, decisions: SpaceKind::ALL.into_iter().map(decide).collect() }
}

fn temperature(scores: &dyn SetScores, rows: &[&Example]) -> f32 {
    let index = TargetIndex::new(scores);
    let losses: Vec<[f64; TEMPERATURES.len()]> = rows
        .par_chunks(BLOCK)
        .map_init(<(Room, Vec<f32>)>::default, |(room, logits), block| {
            scores.logits(block, room, logits);
            let mut loss = [0.0; TEMPERATURES.len()];
            for (example, row) in block.iter().zip(logits.chunks_exact(scores.sets().len())) {
                // A set that was never seen is improbable at any temperature.
                let Some(set) = index.of_example(example) else { continue };
                for (loss, temperature) in loss.iter_mut().zip(TEMPERATURES) {
                    *loss += negative_log_likelihood(row, set, temperature);
                }
            }
            loss
        })
        .collect();
    let total = |t: usize| losses.iter().map(|loss| loss[t]).sum::<f64>();
    let best = (0..TEMPERATURES.len()).min_by(|&a, &b| total(a).total_cmp(&total(b)));
    best.map_or(1.0, |t| TEMPERATURES[t])
}

fn negative_log_likelihood(logits: &[f32], set: usize, temperature: f32) -> f64 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exp = |x: &f32| vulnlens_model::softmax::exp_non_positive((x - max) / temperature);
    let total: f32 = logits.iter().map(exp).sum();
    f64::from(total.ln()) - f64::from((logits[set] - max) / temperature)
}

/// What one way of answering got right, over all rows.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    hits: u64,
    answered: u64,
    exact: u64,
}

/// Counts for every pair of a whole-list bound and a label threshold.
type Grid = [[Counts; THRESHOLDS.len()]; WHOLE_LISTS.len()];

fn rule(
    scores: &dyn SetScores,
    kb: &KnowledgeBase,
    rows: &[&Example],
    kind: SpaceKind,
    temperature: f32,
) -> DecisionRule {
    let task = TaskLabels::new(kind, scores.sets(), kb);
    let parts: Vec<(Grid, u64)> = rows
        .par_chunks(BLOCK)
        .map_init(<(Room, Vec<f32>, MarginalBuffer)>::default, |(room, logits, buffer), block| {
            scores.logits(block, room, logits);
            let (mut grid, mut gold_total) = (Grid::default(), 0);
            for (example, row) in block.iter().zip(logits.chunks_exact_mut(scores.sets().len())) {
                let gold = task.gold(kb, &example.cwes);
                // A record without an allowed id does not say that none applies: only that its
                // analyst did not choose one.
                let decides = match example.outcome {
                    Some(_) => !kind.is_conditional(),
                    None => !kind.is_conditional() && kind != SpaceKind::RecommendedCwe && gold.unknown == 0,
                };
                if gold.known.is_empty() && !decides {
                    continue;
                }
                gold_total += gold.known.len() as u64;
                row.iter_mut().for_each(|logit| *logit /= temperature);
                softmax(row);
                let marginals = task.lists().marginals(row, buffer);
                count(&mut grid, &marginals, &gold.known);
            }
            (grid, gold_total)
        })
        .collect();
    best_rule(&parts)
}

fn count(grid: &mut Grid, marginals: &vulnlens_model::decode::Marginals<'_>, gold: &[u32]) {
    let mut by_label = [Counts::default(); THRESHOLDS.len()];
    for (label, &p) in marginals.labels.iter().enumerate() {
        if p >= THRESHOLDS[0] {
            let hit = u64::from(gold.binary_search(&(label as u32)).is_ok());
            for (counts, threshold) in by_label.iter_mut().zip(THRESHOLDS) {
                if p >= threshold {
                    counts.answered += 1;
                    counts.hits += hit;
                }
            }
        }
    }
    let is_exact = |c: &Counts| c.hits == c.answered && c.hits == gold.len() as u64;
    by_label.iter_mut().for_each(|counts| counts.exact = u64::from(is_exact(counts)));
    let (list, probability) = marginals.best_list().unwrap_or((0, 0.0));
    let list = marginals.space.list(list);
    let hits = list.iter().filter(|label| gold.binary_search(label).is_ok()).count() as u64;
    let whole = Counts { hits, answered: list.len() as u64, exact: u64::from(list == gold) };
    for (row, bound) in grid.iter_mut().zip(WHOLE_LISTS) {
        for (cell, by_label) in row.iter_mut().zip(by_label) {
            let counts = if probability >= bound { whole } else { by_label };
            cell.hits += counts.hits;
            cell.answered += counts.answered;
            cell.exact += counts.exact;
        }
    }
}

fn best_rule(parts: &[(Grid, u64)]) -> DecisionRule {
    let gold: u64 = parts.iter().map(|part| part.1).sum();
    let mut rules = vec![];
    for (i, whole_list) in WHOLE_LISTS.into_iter().enumerate() {
        for (j, label) in THRESHOLDS.into_iter().enumerate() {
            let sum = |of: &dyn Fn(&Counts) -> u64| parts.iter().map(|p| of(&p.0[i][j])).sum::<u64>();
            let denominator = sum(&|c| c.answered) + gold;
            let f1 = 2.0 * sum(&|c| c.hits) as f64 / denominator.max(1) as f64;
            rules.push((f1, sum(&|c| c.exact), DecisionRule { whole_list, label }));
        }
    }
    let best = rules.iter().map(|rule| rule.0).fold(0.0, f64::max);
    let good = rules.into_iter().filter(|rule| rule.0 >= best - TOLERANCE);
    good.max_by(|a, b| a.1.cmp(&b.1).then(a.0.total_cmp(&b.0))).map_or_else(DecisionRule::default, |r| r.2)
}
