//! A cascade: a checkpoint for the parents and one for the labels of each, in folders of their own.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde_json::json;
use vulnlens_encoder::{Checkpoint, LoadOptions};
use vulnlens_evaluation::{Example, ThresholdRule, thresholds};
use vulnlens_metrics::ScoredRow;
use vulnlens_model::{Header, TaxonomyVersions};
use vulnlens_taxonomy::KnowledgeBase;

use super::card::card;
use super::settings::{HierarchyEnding, HierarchySettings};
use super::tree::{Parent, Tree};
use crate::description::Description;
use crate::encoder::classifier::{self, ClassifierTask, TrainingParts};
use crate::encoder::folder::{HIERARCHY_FILE, HierarchyFile, Making, Start, StartingPoint};
use crate::encoder::objective::FittedDecisions;
use crate::encoder::output_space::OutputSpace;
use crate::encoder::run::{Control, Ending, FolderLock, Identity, RUN, identity, merged};
use crate::encoder::texts::text;
use crate::encoder::whole_file::write_whole;
use crate::error::TrainError;
use crate::years::newest_year;

/// A cascade to be trained.
pub(crate) struct Cascade<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) examples: TrainingParts<'a>,
    pub(crate) kb: &'a KnowledgeBase,
    pub(crate) settings: &'a HierarchySettings,
    pub(crate) about: &'a Description,
    pub(crate) start: &'a Start,
}

impl Cascade<'_> {
    pub(crate) fn train(&self, out: &Path, control: Control<'_>) -> Result<HierarchyEnding, TrainError> {
        let start = StartingPoint::open(self.start)?;
        let (config, _) = start.classifier(&self.tree.flat.names, "multi_label_classification")?;
        let settings = merged(self.settings.classifier.to_json(), self.settings.words());
        let run = identity(&settings, self.about, start.hash(&config)?);
        let lock = FolderLock::take(out)?;
        self.check_folder(out, &self.file(run), control.resume)?;
        // The master comes last: without it the folder is no hierarchy yet, so that nobody reads half of one.
        let Self { tree, examples: TrainingParts { training, .. }, .. } = self;
        let parts = tree.refined().map(|(at, parent)| (tree.folder(parent), tree.part(at, training)));
        let parts: Vec<(String, OutputSpace)> =
            parts.chain([(tree.master_folder(), tree.master(training))]).collect();
        let networks = parts.len();
        for (number, (name, space)) in parts.into_iter().enumerate() {
            control.observer.network(&name, number + 1, networks);
            if let Ending::Stopped { step, steps } = self.part(&name, space, out, control)? {
                return Ok(HierarchyEnding::Stopped { network: name, step, steps });
            }
        }
        if !out.join(Header::FILE).exists() {
            self.finish(out, &start, &settings)?;
        }
        lock.release()?;
        Ok(HierarchyEnding::Finished { networks })
    }

    fn file(&self, run: Identity) -> HierarchyFile {
        let below = |(at, parent): (usize, &Parent)| (parent.name.clone(), self.tree.part_names(at));
        let children = self.tree.refined().map(below).collect();
        HierarchyFile::cascade(self.tree.flat.labels, children, run)
    }

    /// Writes what the folder is of, or refuses it where it is of something else.
    fn check_folder(&self, out: &Path, file: &HierarchyFile, resume: bool) -> Result<(), TrainError> {
        let refused = |problem: &str, fix: &'static str| Err(TrainError::taken(out, problem, fix));
        if out.join("config.json").exists() {
            return refused("holds a model", "give another folder");
        }
        let Some(found) = HierarchyFile::read(out)? else {
            return write(out, HIERARCHY_FILE, &file.written());
        };
        if !resume {
            return refused("holds a hierarchy already", "resume it, or give another folder");
        }
        let difference = match (&found.run, &file.run) {
            (Some(found), Some(run)) => found.difference(run),
            _ => Some("form"),
        };
        match difference.or((found != *file).then_some("tree")) {
            None => Ok(()),
            Some(what) => {
                let problem = format!("holds a hierarchy with another {what}");
                refused(&problem, "resume with the same, or give another folder")
            }
        }
    }

    /// Trains one network, unless that was done.
    fn part(
        &self,
        name: &str,
        space: OutputSpace,
        out: &Path,
        control: Control<'_>,
    ) -> Result<Ending, TrainError> {
        let folder = out.join(name);
        if folder.join("config.json").exists() {
            let remains = folder.join(RUN);
            if remains.exists() {
                fs::remove_dir_all(&remains).map_err(TrainError::io(&remains))?;
            }
            return Ok(Ending::Finished { steps: 0, best: None });
        }
        let words = merged(self.settings.words(), json!({"network": name}));
        let about = Description { name: format!("{}/{name}", self.about.name), ..self.about.clone() };
        let task = ClassifierTask { space, examples: self.examples.clone(), extra: words };
        classifier::train(task, self.kb, &self.settings.classifier, &about, (self.start, &folder), control)
    }

    /// Writes the files of the cascade as a whole: thresholds as it is read, card, and what its labels are.
    fn finish(
        &self,
        out: &Path,
        start: &StartingPoint,
        settings: &serde_json::Value,
    ) -> Result<(), TrainError> {
        let checkpoint = Checkpoint::open(out, &LoadOptions::default())?;
        let TrainingParts { training, validation } = &self.examples;
        let whole = self.tree.whole(training);
        let chosen = self.thresholds(&checkpoint, &whole, validation)?;
        let making = Making {
            about: self.about,
            start: &start.words,
            texts: whole.texts,
            seed: self.settings.classifier.fit.seed,
            settings,
            taxonomies: TaxonomyVersions::of(self.kb),
            newest_year: self.newest_year(),
        };
        let decisions = chosen.map_or(FittedDecisions::Nothing, FittedDecisions::Thresholds);
        let head = making.head(&whole, checkpoint.labels(), &decisions);
        let header = making.header(head);
        let card = card(self.tree, training, self.about, &start.words);
        write(out, "README.md", card.as_bytes())?;
        write(out, Header::FILE, format!("{:#}\n", json!(header)).as_bytes())
    }

    /// The newest year, where texts begin with theirs.
    fn newest_year(&self) -> Option<u16> {
        self.settings.classifier.year.then(|| newest_year(&self.examples.training))
    }

    /// A threshold for each label of the cascade, as it is read; none without validation texts.
    fn thresholds(
        &self,
        checkpoint: &Checkpoint,
        whole: &OutputSpace,
        validation: &[&Example],
    ) -> Result<Option<Vec<f32>>, TrainError> {
        let labels = checkpoint.labels();
        let place = |name: &String| (0..).zip(labels).find(|(_, label)| *label == name).map(|(at, _)| at);
        let places: Vec<Option<u32>> = whole.names.iter().map(place).collect();
        let newest = self.newest_year();
        let said = validation.iter().filter_map(|example| {
            let outputs = whole.outputs(example).filter(|outputs| !outputs.is_empty())?;
            let mut gold: Vec<u32> = outputs.iter().filter_map(|&output| places[output as usize]).collect();
            gold.sort_unstable();
            Some((text(example, newest), gold))
        });
        let (texts, gold): (Vec<String>, Vec<Vec<u32>>) = said.unzip();
        if texts.is_empty() {
            return Ok(None);
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let scores: Vec<f32> =
            checkpoint.scores(&texts).into_iter().map(|score| score.unwrap_or(0.0)).collect();
        let rows = scores.chunks_exact(labels.len()).zip(&gold);
        let rows: Vec<ScoredRow<'_>> = rows.map(|(scores, gold)| ScoredRow { scores, gold }).collect();
        Ok(Some(thresholds(labels.len(), &rows, ThresholdRule::Each)?))
    }
}

/// Writes a file of the cascade's folder.
fn write(out: &Path, name: &str, bytes: &[u8]) -> Result<(), TrainError> {
    let path = out.join(name);
    write_whole(out, &path, |file| file.write_all(bytes)).map_err(TrainError::io(&path))
}
