//! Hierarchies: a master network for the parents, and for each of them the labels below it, on two levels or three.
//!
//! Two forms. A **cascade** is a checkpoint for the parents and one for the labels of each parent, in folders `master`
//! and `slave_<parent>`, or `<labels>_level_<n>_…` where there are three levels, as hierarchical repositories are published. A **shared** hierarchy is one network with one output
//! for each parent and label, in which a label's loss counts only where one of its parents applies: a single pass scores
//! the whole tree.

mod card;
mod cascade;
mod evaluation;
mod figures;
mod settings;
mod tree;

use std::path::Path;

use vulnlens_evaluation::Example;
use vulnlens_taxonomy::KnowledgeBase;

pub use evaluation::evaluate_hierarchy;
pub use figures::{HierarchyEvaluation, HierarchyFigures, Parents};
pub use settings::{HierarchyEnding, HierarchySettings};

pub use super::folder::HierarchyForm;

use super::classifier::{self, ClassifierTask, TrainingParts};
use super::folder::Start;
use super::run::{Control, Ending};
use crate::description::Description;
use crate::error::TrainError;
use tree::Tree;

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
    let examples = TrainingParts::of(examples, about)?;
    let tree = Tree::new(settings, kb, &examples.training, &examples.validation)?;
    if settings.form == HierarchyForm::Cascade {
        let cascade = cascade::Cascade { tree: &tree, examples, kb, settings, about, start };
        return cascade.train(out, control);
    }
    let space = tree.whole(&examples.training);
    let task = ClassifierTask { space, examples, extra: settings.words() };
    Ok(match classifier::train(task, kb, &settings.classifier, about, (start, out), control)? {
        Ending::Finished { .. } => HierarchyEnding::Finished { networks: 1 },
        Ending::Stopped { step, steps } => HierarchyEnding::Stopped { network: String::new(), step, steps },
    })
}
