//! The evaluation of hierarchies, with the parents that apply and with those that they predict.

use std::fs;
use std::path::{Path, PathBuf};

use vulnlens_encoder::{Branch as EncoderBranch, Checkpoint, Encoder, LoadOptions, Weights};
use vulnlens_evaluation::{
    EvaluationError, Example, Part, ThresholdRule, answered, labelled_part, thresholds,
};
use vulnlens_metrics::{Accumulator, RowView, ScoredRow, Table};
use vulnlens_model::{Branch, Header, Routes};
use vulnlens_taxonomy::KnowledgeBase;

use super::figures::{HierarchyEvaluation, HierarchyFigures, Parents};
use super::settings::HierarchySettings;
use super::tree::Tree;
use crate::description::Description;
use crate::encoder::classifier::TrainingParts;
use crate::encoder::folder::HierarchyForm;
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
    let hierarchy = Routed::open(folder, &tree, settings.form)?;
    let newest = settings.classifier.year.then(|| newest_year(&training));
    let score = |judged: &Judged<'_>| hierarchy.checkpoint.branch_scores(&as_slices(&judged.texts(newest)));
    let (fitting_scores, scores) = (score(&fitting), score(&judging));
    for parents in [Parents::Gold, Parents::Predicted, Parents::Weighed] {
        let of = |judged: &Judged<'_>, scores| hierarchy.leaves(scores, judged, parents);
        let scores = (of(&fitting, &fitting_scores), of(&judging, &scores));
        let table = table((&fitting, &scores.0), (&judging, &scores.1))?;
        let size = (hierarchy.checkpoint.parts().count(), hierarchy.parameters);
        systems.push(figures(settings.form.name(), size, parents, &table));
    }
    let (said, apply) = hierarchy.parents(&scores, &judging);
    Ok(HierarchyEvaluation {
        format_version: 1,
        data: about.data.clone(),
        data_sha256: about.data_sha256.clone(),
        split: about.split.clone(),
        part: part.name(),
        texts: judging.records.len(),
        label_space: tree.flat.labels.name(),
        labels: tree.leaves().len(),
        levels: settings.levels,
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

/// A hierarchy under evaluation, with the places of the tree's labels in it.
struct Routed<'a> {
    tree: &'a Tree,
    checkpoint: Checkpoint,
    routes: Routes,
    /// Numbers in all networks.
    parameters: u64,
    /// The column of each label of the flat space, of those that it has.
    labels: Vec<Option<usize>>,
    /// The columns of the leaves.
    leaves: Vec<usize>,
    /// The columns of the parents.
    parents: Vec<usize>,
}

impl<'a> Routed<'a> {
    fn open(folder: &Path, tree: &'a Tree, form: HierarchyForm) -> Result<Self, TrainError> {
        let folders: Vec<PathBuf> = match form {
            HierarchyForm::Shared => vec![folder.to_owned()],
            HierarchyForm::Cascade => {
                let parts = tree.refined().map(|(_, parent)| tree.folder(parent));
                [tree.master_folder()].into_iter().chain(parts).map(|name| folder.join(name)).collect()
            }
        };
        let parameters = folders.iter().map(|folder| parameters(folder)).sum::<Result<_, TrainError>>()?;
        let checkpoint = Checkpoint::open(folder, &LoadOptions::default())?;
        let branches = checkpoint.branches().unwrap_or_default().into_iter();
        let branches = branches
            .map(|EncoderBranch { parent, labels, exclusive }| Branch { parent, labels, exclusive })
            .collect();
        let fix = "evaluate on the data that it was trained on";
        let routes = Routes::new(checkpoint.labels().len(), branches, checkpoint.multiplies());
        let routes = routes.filter(|routes| routes.scores() > 0);
        let routes = routes.ok_or_else(|| TrainError::refused(folder, "holds no hierarchy", fix))?;
        let column = |name: &String| checkpoint.labels().iter().position(|label| label == name);
        let columns = |names: &[String]| {
            let of = |name: &String| {
                let problem = || format!("has no label {name}, which the data have");
                column(name).ok_or_else(|| TrainError::refused(folder, problem(), fix))
            };
            names.iter().map(of).collect::<Result<Vec<usize>, TrainError>>()
        };
        let leaves = columns(&tree.names(&tree.leaves()))?;
        let parents = columns(&tree.parents.iter().map(|parent| parent.name.clone()).collect::<Vec<_>>())?;
        let labels = tree.flat.names.iter().map(column).collect();
        Ok(Self { tree, checkpoint, routes, parameters, labels, leaves, parents })
    }

    /// The scores of the leaves, one row a text; 0 is ruled out.
    fn leaves(&self, scores: &[f32], judged: &Judged<'_>, parents: Parents) -> Vec<f32> {
        let mut row = vec![];
        let of_text = |(scores, applying): (&[f32], &&[u32])| {
            let mut gold = vec![false; self.routes.labels()];
            let columns = applying.iter().filter_map(|&label| self.labels[label as usize]);
            columns.for_each(|column| gold[column] = true);
            let gold = self.routes.applying(gold);
            let parents = match parents {
                Parents::Gold => vulnlens_model::Parents::Gold(&gold),
                Parents::Predicted => vulnlens_model::Parents::Predicted,
                Parents::Weighed | Parents::None => vulnlens_model::Parents::Multiplied,
            };
            self.routes.route(scores, parents, &mut row);
            // NaN is ruled out: the other one is the greater.
            self.leaves.iter().map(|&leaf| row[leaf].max(0.0)).collect::<Vec<f32>>()
        };
        let rows = scores.chunks_exact(self.routes.scores()).zip(&judged.applying);
        rows.flat_map(of_text).collect()
    }

    /// The parents that are answered for each text, with scores above a half, and those that apply.
    fn parents(&self, scores: &[f32], judged: &Judged<'_>) -> (Vec<Vec<u32>>, Vec<Vec<u32>>) {
        let mut row = vec![];
        let of_text = |(scores, applying): (&[f32], &&[u32])| {
            self.routes.route(scores, vulnlens_model::Parents::Predicted, &mut row);
            let said = (0..).zip(&self.parents).filter(|(_, column)| row[**column] > 0.5);
            let apply = (0..).zip(&self.tree.parents).filter(|(_, parent)| parent.applies(applying));
            (said.map(|(at, _)| at).collect(), apply.map(|(at, _)| at).collect())
        };
        scores.chunks_exact(self.routes.scores()).zip(&judged.applying).map(of_text).unzip()
    }
}

/// The number of parameters of the checkpoint in a folder.
fn parameters(folder: &Path) -> Result<u64, TrainError> {
    let weights = Weights::open(folder)?;
    let shapes = weights.names().filter_map(|name| weights.shape(name));
    Ok(shapes.map(|shape| shape.iter().map(|&size| size as u64).product::<u64>()).sum())
}

/// The figures of texts by one threshold that is fitted to others: with one for each label, rare labels would decide by
/// chance which system is better.
fn table(
    (fitting, fitting_scores): (&Judged<'_>, &[f32]),
    (judging, scores): (&Judged<'_>, &[f32]),
) -> Result<Table, TrainError> {
    let thresholds = thresholds(fitting.labels, &fitting.rows(fitting_scores), ThresholdRule::One)?;
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
    let encoder = Encoder::open(folder, &LoadOptions::default())?;
    let labels = encoder.labels();
    let column = |name: &String| {
        labels.iter().position(|label| label == name).ok_or_else(|| {
            let problem = format!("has no label {name}, which the data have");
            TrainError::refused(folder, problem, "evaluate on the data that it was trained on")
        })
    };
    let columns = tree.names(&tree.leaves());
    let columns = columns.iter().map(column).collect::<Result<Vec<usize>, TrainError>>()?;
    let header = fs::read(folder.join(Header::FILE)).ok().and_then(|json| Header::read(&json).ok());
    let newest = header.and_then(|header| header.years).map(|years| years.newest);
    let scores = |judged: &Judged<'_>| {
        let scores = encoder.scores(&as_slices(&judged.texts(newest)));
        let rows = scores.chunks_exact(labels.len());
        rows.flat_map(|row| columns.iter().map(|&column| row[column])).collect::<Vec<f32>>()
    };
    let table = table((fitting, &scores(fitting)), (judging, &scores(judging)))?;
    Ok(figures("flat", (1, parameters(folder)?), Parents::None, &table))
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
