//! Rows of a prediction, one for each label: CSV and Parquet hold the same.

use vulnlens_model::{LabelSource, Prediction, Tasks};
use vulnlens_taxonomy::KnowledgeBase;

use crate::column::{Column, each_column};
use crate::label::{Label, OTHER, name_of_other};
use crate::mark::Mark;

/// The name in the row that stands for a task of which nothing is listed, in CSV and Parquet.
pub const NONE_OF_THEM: &str = "none of them";

/// One row.
pub(crate) struct Row<'a> {
    /// The texts of the columns `taxonomy`, `label` and `name`.
    pub(crate) texts: [&'a str; 3],
    pub(crate) score: f32,
    pub(crate) predicted: bool,
    /// The columns that rows of a checkpoint have more.
    pub(crate) more: Option<More>,
}

/// The columns `status`, `replaced_by` and `derived`.
pub(crate) struct More {
    /// The mark of a label that is not in force.
    pub(crate) mark: Option<Mark>,
    /// Whether the label follows by the chain.
    pub(crate) derived: bool,
}

/// The tasks whose labels follow by the chain, where a checkpoint answers.
pub(crate) fn derived(source: LabelSource) -> Option<Tasks> {
    match source {
        LabelSource::Spaces(_) => None,
        LabelSource::Checkpoint { derived, .. } => Some(derived),
    }
}

/// Gives each row of `prediction` to `put`. A task that was asked for and of which nothing is listed has one row with
/// an empty label, the name [`NONE_OF_THEM`] and the probability of that as its score, so that no record is lost.
pub(crate) fn each_row(
    prediction: &Prediction,
    kb: &KnowledgeBase,
    derived: Option<Tasks>,
    mut put: impl FnMut(Row<'_>),
) {
    each_column!(C => column_rows::<C>(prediction, kb, derived, &mut put));
    for scored in &prediction.other {
        put(Row {
            texts: [OTHER, &scored.label, name_of_other(&scored.label, kb)],
            score: scored.score,
            predicted: scored.predicted,
            more: derived.map(|_| More { mark: None, derived: false }),
        });
    }
}

fn column_rows<C: Column>(
    prediction: &Prediction,
    kb: &KnowledgeBase,
    derived: Option<Tasks>,
    put: &mut impl FnMut(Row<'_>),
) {
    let Some(labels) = C::of(prediction) else { return };
    let more = |mark: &dyn Fn() -> Option<Mark>| {
        derived.map(|tasks| More { mark: mark(), derived: tasks.contains(C::TASK) })
    };
    for scored in &labels.labels {
        let (label, name) = (scored.label.to_string(), scored.label.name(kb));
        put(Row {
            texts: [C::TASK.key(), &label, &name],
            score: scored.score,
            predicted: scored.predicted,
            more: more(&|| Mark::of(scored.label.standing(kb))),
        });
    }
    if labels.labels.is_empty() {
        let texts = [C::TASK.key(), "", NONE_OF_THEM];
        put(Row { texts, score: labels.none, predicted: false, more: more(&|| None) });
    }
}
