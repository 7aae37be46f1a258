//! Hierarchies: a master that says which parents apply, and for each of them the labels below it.
//!
//! Two forms. A **cascade** is a checkpoint for the parents and one for the labels of each parent, in folders `master`
//! and `slave_<parent>` as hierarchical repositories are published. A **shared** hierarchy is one network with one output
//! for each parent and label, in which a label's loss counts only where one of its parents applies: a single pass scores
//! the whole tree.

mod card;
mod cascade;
mod evaluation;
mod figures;
mod file;
mod scored;
mod tree;

use std::path::Path;

use serde_json::json;
use vulnlens_taxonomy::KnowledgeBase;

pub use evaluation::{HierarchyEvaluation, HierarchyFigures, evaluate_hierarchy};
pub use figures::Parents;
pub(crate) use file::{HierarchyFile, NAME};

use super::fine_tuning::{Lesson, labelled_texts, teach};
use super::fit::Control;
use super::start::Start;
use super::train::{ClassifierSettings, Ending};
use crate::error::TrainError;
use crate::ngram::Description;
use tree::Tree;
use vulnlens_evaluation::Example;

/// How a hierarchy is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HierarchyForm {
    /// A network for the parents, and one for each parent's labels.
    Cascade,
    /// One network for all.
    Shared,
}

impl HierarchyForm {
    /// Its name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cascade => "cascade",
            Self::Shared => "shared",
        }
    }
}

/// A hierarchy to be trained.
#[derive(Debug, Clone)]
pub struct HierarchySettings {
    /// How each network is trained, and the labels at the lowest level. [`Labels`](super::Labels) says which are under
    /// parents: ATT&CK's under tactics, CWE's under pillars, patterns under those without a parent.
    pub classifier: ClassifierSettings,
    /// How it is made.
    pub form: HierarchyForm,
    /// Training texts that a parent must have for a part of its own. The master scores the labels of other parents
    /// itself, as it does where a parent has one label only.
    pub fewest_texts: u64,
}

impl HierarchySettings {
    /// Training texts that a parent must have unless told otherwise.
    pub const FEWEST_TEXTS: u64 = 20;

    fn words(&self) -> serde_json::Value {
        json!({"hierarchy": self.form.name(), "fewest_texts": self.fewest_texts})
    }
}

/// How the training of a hierarchy ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HierarchyEnding {
    /// The folder holds the hierarchy.
    Finished {
        /// Networks that it has.
        networks: usize,
    },
    /// It was asked to stop and can be resumed.
    Stopped {
        /// The network under way: its folder's name, or nothing if there is but one.
        network: String,
        /// Its updates that were made.
        step: u64,
        /// Its updates in all.
        steps: u64,
    },
}

/// Trains a hierarchy on the training part, and writes it into `out`. [`Checkpoint::open`](vulnlens_encoder::Checkpoint)
/// reads either form.
///
/// Each network is trained as [`train_classifier`](super::train_classifier) does it, to the same bits however often the
/// run was stopped and resumed. A resumed run leaves finished networks as they are; where all are, nothing is done.
///
/// # Errors
/// See [`TrainError`]; what was reached before is kept.
pub fn train_hierarchy(
    examples: &[Example],
    kb: &KnowledgeBase,
    settings: &HierarchySettings,
    about: &Description,
    (start, out): (&Start, &Path),
    control: Control<'_>,
) -> Result<HierarchyEnding, TrainError> {
    settings.classifier.fit.check()?;
    let texts = labelled_texts(examples, about)?;
    let tree = Tree::new(settings, kb, &texts.0, &texts.1)?;
    if settings.form == HierarchyForm::Cascade {
        let cascade = cascade::Cascade { tree: &tree, texts, kb, settings, about, start };
        return cascade.train(out, control);
    }
    if control.resume && file::is_finished_shared(out, &tree, settings, about)? {
        return Ok(HierarchyEnding::Finished { networks: 1 });
    }
    let space = tree.whole(&texts.0);
    let lesson = Lesson { space, texts, words: settings.words() };
    Ok(match teach(lesson, kb, &settings.classifier, about, (start, out), control)? {
        Ending::Finished { .. } => HierarchyEnding::Finished { networks: 1 },
        Ending::Stopped { step, steps } => HierarchyEnding::Stopped { network: String::new(), step, steps },
    })
}

/// A text as the networks read it: behind its year, where that is asked for, or the newest that they know.
fn text(example: &Example, newest_year: Option<u16>) -> String {
    match newest_year {
        Some(newest) => format!("{} {}", example.year.min(newest), example.text),
        None => example.text.clone(),
    }
}
