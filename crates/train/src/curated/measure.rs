//! Measuring heads of curated techniques on texts that they have not seen.

use std::collections::BTreeSet;

use rayon::prelude::*;
use serde::Serialize;
use vulnlens_model::NgramModel;
use vulnlens_taxonomy::{KnowledgeBase, Role, TechniqueId};

use super::Descriptions;
use super::described::Described;
use super::kernel::Blocks;
use super::prepared::{CuratedExample, MAPPING, Prepared};
use super::ridge::{Solved, solve};
use super::thresholds::{LEAST, Rule, Scored, folds, macro_f1, truth};
use crate::error::TrainError;
use crate::random::Random;

/// The share of texts that a split tests on.
const TESTED: f64 = 0.1;
/// The project whose texts have figures of their own: CISA's known exploited vulnerabilities.
const KEV: &str = "ctid-kev";

/// A mean over splits with its standard deviation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation, by n − 1.
    pub deviation: f64,
}

/// The figures of a system, over parent techniques.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CuratedFigures<T = Spread> {
    /// Share of a text's techniques among the first five, mean over texts.
    pub recall_at_5: T,
    /// The same among the first three.
    pub recall_at_3: T,
    /// Mean reciprocal rank of the first technique that is right.
    pub mrr: T,
    /// F1 of the techniques that are answered, mean over techniques; those without a test text count 0.
    pub macro_f1: T,
    /// The same by the rule that is best for it, which answers rare techniques on little.
    pub best_macro_f1: T,
    /// Recall among the first five of the texts and techniques of CISA's known exploited vulnerabilities.
    pub kev_recall_at_5: T,
    /// Share of a text's exploitation techniques among the first three.
    pub exploitation_recall_at_3: T,
}

impl<T: Copy> CuratedFigures<T> {
    /// The figures by name, in order.
    pub fn named(&self) -> [(&'static str, T); 7] {
        [
            ("R@5", self.recall_at_5),
            ("R@3", self.recall_at_3),
            ("MRR", self.mrr),
            ("macro-F1", self.macro_f1),
            ("best macro-F1", self.best_macro_f1),
            ("KEV R@5", self.kev_recall_at_5),
            ("exploitation R@3", self.exploitation_recall_at_3),
        ]
    }
}

/// A system with its figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SystemFigures {
    /// The system's name.
    pub system: &'static str,
    /// Mean and standard deviation over the splits.
    pub figures: CuratedFigures,
    /// The head's figures less this system's, split by split.
    pub head_less_this: CuratedFigures,
}

/// The measurement of a head of curated techniques.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CuratedReport {
    /// Texts with techniques of a project, and of other sources alone.
    pub texts: [usize; 2],
    /// Texts of each project.
    pub projects: Vec<(String, usize)>,
    /// Splits, each by its own seed.
    pub splits: u64,
    /// The share of texts that a split tests on.
    pub tested: f64,
    /// Parent techniques with enough training texts, mean over the splits.
    pub techniques: f64,
    /// The systems; the last is the head.
    pub systems: Vec<SystemFigures>,
    /// Agreement of projects on the texts that two of them mapped: the number of texts, the mean Jaccard index of both sets, and the mean share of one's
    /// techniques that the other has, too.
    pub between_projects: (usize, f64, f64),
    /// Fitted on CVEs to a year, tested on later ones: the year, the texts tested, and the figures of popularity and of
    /// the head.
    pub later: (u16, usize, CuratedFigures<f64>, CuratedFigures<f64>),
    /// The techniques that are known by their descriptions alone, if descriptions were given.
    pub described: Option<DescribedFigures>,
}

/// The figures of techniques that are ranked by how similar a text is to their descriptions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DescribedFigures {
    /// The techniques that are ranked.
    pub techniques: usize,
    /// The pairs of a text and one of its techniques among these.
    pub pairs: usize,
    /// The share of pairs whose technique stands among the text's first five.
    pub recall_at_5: f64,
    /// The same among the first twenty.
    pub recall_at_20: f64,
    /// The median rank of a pair's technique.
    pub median_rank: usize,
}

/// The systems: what each uses.
const SYSTEMS: [(&str, Option<Blocks>); 6] = {
    let none = Blocks { text: false, rules: false, cwes: false, years: false, projects: false };
    let text = Blocks { text: true, ..none };
    let cwes = Blocks { cwes: true, ..text };
    let rules = Blocks { rules: true, ..cwes };
    [
        ("popularity", None),
        ("method alone", Some(Blocks { rules: true, ..none })),
        ("text", Some(text)),
        ("text, CWE model", Some(cwes)),
        ("text, CWE model, method", Some(rules)),
        ("the head: with projects and years", Some(Blocks { years: true, projects: true, ..rules })),
    ]
};

/// Measures the head, and what its parts bring, on `splits` splits of the examples; and on CVEs after `year`.
///
/// # Errors
/// There is no project's mapping among the examples.
pub fn measure(
    model: &NgramModel,
    kb: &KnowledgeBase,
    examples: &[CuratedExample],
    descriptions: &Descriptions,
    splits: u64,
    year: u16,
) -> Result<CuratedReport, TrainError> {
    let prepared = Prepared::new(examples, model, kb)?;
    let all: Vec<usize> = (0..prepared.examples.len()).collect();
    let is_mapped = |at: &&usize| prepared.examples[**at].is_mapped();
    let mapped: Vec<usize> = all.iter().filter(is_mapped).copied().collect();
    let by_split: Vec<(usize, Vec<CuratedFigures<f64>>)> = (1..=splits)
        .into_par_iter()
        .map(|seed| {
            let tested = tested(&prepared, &mapped, seed);
            let (test, train): (Vec<usize>, Vec<usize>) =
                all.iter().partition(|at| tested.contains(&prepared.group(**at)));
            let test: Vec<usize> = test.into_iter().filter(|at| prepared.examples[*at].is_mapped()).collect();
            let space = parents(&prepared, &train);
            let figures =
                SYSTEMS.iter().map(|(_, blocks)| run(&prepared, &train, &test, &space, *blocks, seed));
            (space.len(), figures.collect())
        })
        .collect();
    let head = SYSTEMS.len() - 1;
    let system = |(at, (name, _)): (usize, &(&'static str, _))| SystemFigures {
        system: name,
        figures: spread(&by_split.iter().map(|(_, f)| f[at]).collect::<Vec<_>>()),
        head_less_this: spread(&by_split.iter().map(|(_, f)| less(f[head], f[at])).collect::<Vec<_>>()),
    };
    let (train, later): (Vec<usize>, Vec<usize>) =
        all.iter().partition(|at| examples[**at].cve.year() <= year);
    let later: Vec<usize> = later.into_iter().filter(|at| examples[*at].is_mapped()).collect();
    let space = parents(&prepared, &train);
    let at = |blocks| run(&prepared, &train, &later, &space, blocks, 0);
    let of_project = |name: &String| {
        let has = |at: &&usize| !prepared.techniques(**at, Some(name)).is_empty();
        (name.clone(), mapped.iter().filter(has).count())
    };
    let described = Described::new(descriptions, &prepared.space(&mapped, |_| true), model, kb);
    Ok(CuratedReport {
        texts: [mapped.len(), all.len() - mapped.len()],
        projects: prepared.projects.iter().map(of_project).collect(),
        splits,
        tested: TESTED,
        techniques: by_split.iter().map(|(space, _)| *space as f64).sum::<f64>() / splits.max(1) as f64,
        systems: SYSTEMS.iter().enumerate().map(system).collect(),
        between_projects: between_projects(&prepared, &mapped),
        later: (year, later.len(), at(None), at(SYSTEMS[head].1)),
        described: described_figures(&prepared, &mapped, &described),
    })
}

/// The ranks of texts' techniques among those that are known by their descriptions.
fn described_figures(
    prepared: &Prepared,
    mapped: &[usize],
    described: &Described,
) -> Option<DescribedFigures> {
    let mut ranks: Vec<usize> = vec![];
    for row in described.compared(prepared, mapped) {
        let (scores, truth): (Vec<f64>, Vec<bool>) = row.into_iter().unzip();
        ranks.extend(
            order(&scores).into_iter().enumerate().filter(|(_, at)| truth[*at]).map(|(rank, _)| rank + 1),
        );
    }
    ranks.sort_unstable();
    let within =
        |first: usize| ranks.partition_point(|rank| *rank <= first) as f64 / ranks.len().max(1) as f64;
    Some(DescribedFigures {
        techniques: described.techniques.len(),
        pairs: ranks.len(),
        recall_at_5: within(5),
        recall_at_20: within(20),
        median_rank: *ranks.get(ranks.len() / 2)?,
    })
}

/// The groups of a split's test texts: groups in an order by the seed, until they have enough texts.
fn tested(prepared: &Prepared, mapped: &[usize], seed: u64) -> BTreeSet<usize> {
    let mut groups: Vec<usize> = mapped.iter().map(|at| prepared.group(*at)).collect();
    groups.sort_unstable();
    groups.dedup();
    Random::new(seed, 11).shuffle(&mut groups);
    let wanted = (TESTED * mapped.len() as f64).round() as usize;
    let mut taken = 0;
    let enough = |group: &usize| {
        let is_wanted = taken < wanted;
        taken += mapped.iter().filter(|at| prepared.group(**at) == *group).count();
        is_wanted
    };
    groups.into_iter().take_while(enough).collect()
}

fn parents(prepared: &Prepared, train: &[usize]) -> Vec<TechniqueId> {
    prepared.space(train, |id| id.parent() == id)
}

/// Fits a system and judges it on the test texts.
fn run(
    prepared: &Prepared,
    train: &[usize],
    test: &[usize],
    space: &[TechniqueId],
    blocks: Option<Blocks>,
    seed: u64,
) -> CuratedFigures<f64> {
    let (scores, [thresholds, best]): (Vec<Vec<f64>>, [Vec<f32>; 2]) = match blocks {
        None => {
            let known: Vec<usize> =
                train.iter().copied().filter(|at| prepared.examples[*at].is_mapped()).collect();
            let truths: Vec<Vec<bool>> = known.iter().map(|at| truth(prepared, *at, space)).collect();
            let all = Scored { scores: vec![], truth: truths, is_parent: vec![true; space.len()] };
            let priors = all.priors();
            // The techniques of at least half as many texts as there are of the most frequent one.
            let most = priors.iter().fold(0.0f64, |most, prior| most.max(*prior));
            let thresholds = vec![(most / 2.0) as f32; space.len()];
            (vec![priors; test.len()], [thresholds.clone(), thresholds])
        }
        Some(blocks) => {
            let solved: Solved = solve(prepared, train, space, blocks);
            let scored = folds(prepared, train, space, blocks, seed);
            let thresholds = [LEAST, 0.0].map(|least| Rule::fit(&scored, least).thresholds(&scored.priors()));
            (test.iter().map(|at| solved.scores(prepared, *at)).collect(), thresholds)
        }
    };
    let judged = Scored {
        truth: test.iter().map(|at| truth(prepared, *at, space)).collect(),
        scores,
        is_parent: vec![true; space.len()],
    };
    let kev = test.iter().map(|at| marked(&prepared.techniques(*at, Some(KEV)), space)).collect::<Vec<_>>();
    let exploitation = test.iter().map(|at| marked(&exploitation(prepared, *at), space)).collect::<Vec<_>>();
    CuratedFigures {
        recall_at_5: recall(&judged.scores, &judged.truth, 5),
        recall_at_3: recall(&judged.scores, &judged.truth, 3),
        mrr: mrr(&judged.scores, &judged.truth),
        macro_f1: macro_f1(&judged, &thresholds),
        best_macro_f1: macro_f1(&judged, &best),
        kev_recall_at_5: recall(&judged.scores, &kev, 5),
        exploitation_recall_at_3: recall(&judged.scores, &exploitation, 3),
    }
}

fn exploitation(prepared: &Prepared, text: usize) -> BTreeSet<TechniqueId> {
    let pairs = prepared.examples[text].pairs.iter();
    let of = pairs.filter(|pair| pair.role == Role::Exploitation && pair.source.kind == MAPPING);
    of.map(|pair| pair.technique.parent()).collect()
}

fn marked(techniques: &BTreeSet<TechniqueId>, space: &[TechniqueId]) -> Vec<bool> {
    space.iter().map(|id| techniques.contains(id)).collect()
}

/// The places of techniques by falling score; of equal scores the first technique first.
fn order(scores: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    order
}

/// The mean share of what is true that stands among the first `k`, over texts of which something is.
fn recall(scores: &[Vec<f64>], truth: &[Vec<bool>], k: usize) -> f64 {
    let share = |(scores, truth): (&Vec<f64>, &Vec<bool>)| {
        let all = truth.iter().filter(|is| **is).count();
        let found = order(scores).into_iter().take(k).filter(|at| truth[*at]).count();
        (all > 0).then(|| found as f64 / all as f64)
    };
    mean(scores.iter().zip(truth).filter_map(share))
}

fn mrr(scores: &[Vec<f64>], truth: &[Vec<bool>]) -> f64 {
    let rank = |(scores, truth): (&Vec<f64>, &Vec<bool>)| {
        let first = order(scores).into_iter().position(|at| truth[at])?;
        Some(1.0 / (first + 1) as f64)
    };
    mean(scores.iter().zip(truth).filter_map(rank))
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0usize), |(sum, count), value| (sum + value, count + 1));
    sum / count.max(1) as f64
}

fn less(a: CuratedFigures<f64>, b: CuratedFigures<f64>) -> CuratedFigures<f64> {
    CuratedFigures {
        recall_at_5: a.recall_at_5 - b.recall_at_5,
        recall_at_3: a.recall_at_3 - b.recall_at_3,
        mrr: a.mrr - b.mrr,
        macro_f1: a.macro_f1 - b.macro_f1,
        best_macro_f1: a.best_macro_f1 - b.best_macro_f1,
        kev_recall_at_5: a.kev_recall_at_5 - b.kev_recall_at_5,
        exploitation_recall_at_3: a.exploitation_recall_at_3 - b.exploitation_recall_at_3,
    }
}

fn spread(of: &[CuratedFigures<f64>]) -> CuratedFigures {
    let of_field = |field: fn(&CuratedFigures<f64>) -> f64| {
        let values: Vec<f64> = of.iter().map(field).collect();
        let center = mean(values.iter().copied());
        let squares: f64 = values.iter().map(|value| (value - center).powi(2)).sum();
        let deviation = (squares / values.len().saturating_sub(1).max(1) as f64).sqrt();
        let rounded = |value: f64| (value * 1e4).round() / 1e4;
        Spread { mean: rounded(center), deviation: rounded(deviation) }
    };
    CuratedFigures {
        recall_at_5: of_field(|f| f.recall_at_5),
        recall_at_3: of_field(|f| f.recall_at_3),
        mrr: of_field(|f| f.mrr),
        macro_f1: of_field(|f| f.macro_f1),
        best_macro_f1: of_field(|f| f.best_macro_f1),
        kev_recall_at_5: of_field(|f| f.kev_recall_at_5),
        exploitation_recall_at_3: of_field(|f| f.exploitation_recall_at_3),
    }
}

/// The agreement of projects on the texts that two of them mapped.
fn between_projects(prepared: &Prepared, mapped: &[usize]) -> (usize, f64, f64) {
    let parents = |text: usize, name: &String| -> BTreeSet<TechniqueId> {
        prepared.techniques(text, Some(name)).into_iter().filter(|id| id.parent() == *id).collect()
    };
    let (mut jaccard, mut recalls) = (vec![], vec![]);
    for text in mapped {
        let sets: Vec<BTreeSet<TechniqueId>> =
            prepared.projects.iter().map(|name| parents(*text, name)).collect();
        let sets: Vec<&BTreeSet<TechniqueId>> = sets.iter().filter(|set| !set.is_empty()).collect();
        let [first, second, ..] = sets[..] else { continue };
        let common = first.intersection(second).count() as f64;
        jaccard.push(common / first.union(second).count() as f64);
        recalls.extend([common / first.len() as f64, common / second.len() as f64]);
    }
    (jaccard.len(), mean(jaccard.iter().copied()), mean(recalls.into_iter()))
}
