//! The evaluation of hierarchies, with the parents that apply and with those that they predict.

use std::fs;
use std::path::Path;

use vulnlens_evaluation::{EvaluationError, Example, LEAST_THRESHOLD, Part, answered, labelled_part};
use vulnlens_metrics::{Accumulator, RowView, ScoredRow, Table, best_global_threshold};
use vulnlens_model::Header;
use vulnlens_taxonomy::KnowledgeBase;

use super::figures::{HierarchyEvaluation, HierarchyFigures, Parents};
use super::routing::{Network, Networks};
use super::settings::HierarchySettings;
use super::tree::Tree;
use crate::description::Description;
use crate::encoder::classifier::TrainingParts;
use crate::encoder::texts::text;
use crate::error::TrainError;
use crate::years::newest_year;

/// Evaluates the hierarchy that [`train_hierarchy`](super::train_hierarchy) wrote into `folder` with the same examples
/// and settings, and a flat classifier of the same labels if there is one, on the validation or the test part.
///
/// Only labels that are not parents count, and only texts that have one of them; labels that no training text has are
/// left out. Thresholds are fitted on the validation part: one for each system and
/// kind of parents, that of the best micro-F1.
///
/// # Errors
/// [`TrainError`]: the folder holds another hierarchy, or a part has no labelled text.
pub fn evaluate_hierarchy(
    examples: &[Example],
    kb: &KnowledgeBase,
    settings: &HierarchySettings,
    about: &Description,
    (folder, flat): (&Path, Option<&Path>),
    part: Part,
) -> Result<HierarchyEvaluation, TrainError> {
    let TrainingParts { training, validation } = TrainingParts::of(examples, about)?;
    let judging = labelled_part(examples, part);
    let others: Vec<&Example> = validation.iter().chain(&judging).copied().collect();
    let tree = Tree::new(settings, kb, &training, &others)?;
    let (fitting, judging) = (Judged::new(&tree, &validation), Judged::new(&tree, &judging));
    if fitting.records.is_empty() || judging.records.is_empty() {
        return Err(EvaluationError::NoValidationTexts.into());
    }
    let mut systems = vec![];
    if let Some(flat) = flat {
        systems.push(of_flat(flat, &tree, (&fitting, &judging))?);
    }
    let networks = Networks::open(folder, &tree, settings.form)?;
    let newest = settings.classifier.year.then(|| newest_year(&training));
    let score = |judged: &Judged<'_>| networks.score(&as_slices(&judged.texts(newest)));
    let (fitting_scores, scores) = (score(&fitting), score(&judging));
    for parents in [Parents::Gold, Parents::Predicted, Parents::Weighed] {
        let of = |judged: &Judged<'_>, scored| networks.routed(scored, &judged.applying, parents);
        let scores = (of(&fitting, &fitting_scores), of(&judging, &scores));
        let table = table((&fitting, &scores.0), (&judging, &scores.1))?;
        let size = (networks.count(), networks.parameters());
        systems.push(figures(settings.form.name(), size, parents, &table));
    }
    let (said, apply) = networks.parents(&scores, &judging.applying);
    Ok(HierarchyEvaluation {
        format_version: 1,
        data: about.data.clone(),
        data_sha256: about.data_sha256.clone(),
        split: about.split.clone(),
        part: part.name(),
        texts: judging.records.len(),
        label_space: tree.flat.labels.name(),
        labels: tree.leaves().len(),
        parents: tree.parents.len(),
        refined_parents: tree.refined().count(),
        parents_micro_f1: micro_f1(&said, &apply),
        threshold_from: format!("{} texts of the validation part", fitting.records.len()),
        systems,
    })
}

/// Texts of one part, and the labels that apply to them.
struct Judged<'a> {
    records: Vec<&'a Example>,
    /// Labels of the flat space.
    applying: Vec<&'a [u32]>,
    /// Leaves, by their places among the leaves.
    gold: Vec<Vec<u32>>,
    labels: usize,
}

impl<'a> Judged<'a> {
    fn new(tree: &'a Tree, records: &[&'a Example]) -> Self {
        let leaves = tree.leaves();
        let place = |label: &u32| leaves.binary_search(label).ok().map(|place| place as u32);
        let mut judged = Self { records: vec![], applying: vec![], gold: vec![], labels: leaves.len() };
        for &record in records {
            let applying = tree.flat.outputs(record).unwrap_or_default();
            let gold: Vec<u32> = applying.iter().filter_map(place).collect();
            if !gold.is_empty() {
                judged.records.push(record);
                judged.applying.push(applying);
                judged.gold.push(gold);
            }
        }
        judged
    }

    /// The texts as networks read them, after their years or without.
    fn texts(&self, newest_year: Option<u16>) -> Vec<String> {
        self.records.iter().map(|record| text(record, newest_year)).collect()
    }

    fn rows<'s>(&'s self, scores: &'s [f32]) -> Vec<ScoredRow<'s>> {
        let rows = scores.chunks_exact(self.labels.max(1)).zip(&self.gold);
        rows.map(|(scores, gold)| ScoredRow { scores, gold }).collect()
    }
}

fn as_slices(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// The figures of texts by one threshold that is fitted to others: with one for each label, rare labels would decide by
/// chance which system is better.
fn table(
    (fitting, fitting_scores): (&Judged<'_>, &[f32]),
    (judging, scores): (&Judged<'_>, &[f32]),
) -> Result<Table, TrainError> {
    let rows = fitting.rows(fitting_scores);
    let best = best_global_threshold(fitting.labels, rows.len(), |row| rows[row])?;
    let thresholds = vec![best.map_or(0.5, |best| best.threshold).max(LEAST_THRESHOLD); judging.labels];
    let mut accumulator = Accumulator::new(judging.labels);
    for row in judging.rows(scores) {
        let predicted = answered(row.scores, &thresholds);
        accumulator.add(RowView { scores: row.scores, gold: row.gold, predicted: &predicted })?;
    }
    Ok(accumulator.finish())
}

fn of_flat(
    folder: &Path,
    tree: &Tree,
    (fitting, judging): (&Judged<'_>, &Judged<'_>),
) -> Result<HierarchyFigures, TrainError> {
    let network = Network::open(folder)?;
    let columns = network.columns(&tree.names(&tree.leaves()), folder)?;
    let header = fs::read(folder.join(Header::FILE)).ok().and_then(|json| Header::read(&json).ok());
    let newest = header.and_then(|header| header.years).map(|years| years.newest);
    let scores = |judged: &Judged<'_>| network.scores(&as_slices(&judged.texts(newest)), &columns);
    let table = table((fitting, &scores(fitting)), (judging, &scores(judging)))?;
    Ok(figures("flat", (1, network.parameters), Parents::None, &table))
}

fn figures(
    system: &'static str,
    (networks, parameters): (usize, u64),
    parents: Parents,
    table: &Table,
) -> HierarchyFigures {
    HierarchyFigures {
        system,
        networks,
        parameters,
        parents,
        micro_f1: table.micro_f1,
        macro_f1: table.macro_f1,
        lrap: table.lrap,
        subset_accuracy: table.subset_accuracy,
    }
}

fn micro_f1(said: &[Vec<u32>], apply: &[Vec<u32>]) -> f64 {
    let both =
        said.iter().zip(apply).map(|(said, apply)| said.iter().filter(|one| apply.contains(one)).count());
    let all: usize = said.iter().chain(apply).map(Vec::len).sum();
    2.0 * both.sum::<usize>() as f64 / all.max(1) as f64
}
