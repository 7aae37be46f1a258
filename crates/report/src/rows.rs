//! Rows of a prediction, one for each label: CSV and Parquet hold the same.

use vulnlens_model::severity::Severity;
use vulnlens_model::{LabelSource, Prediction, Task, Tasks, Via};
use vulnlens_taxonomy::{KnowledgeBase, Role};

use crate::column::{Column, each_column};
use crate::label::{Label, OTHER, SEVERITY, name_of_other};
use crate::mark::Mark;

/// The name in the row that stands for a task of which nothing is listed, in CSV and Parquet.
pub const NONE_OF_THEM: &str = "none of them";

/// The taxonomy in the row of a family, in CSV and Parquet.
pub(crate) const FAMILY: &str = "cwe-family";

/// The probability, name and label of the row of a severity: of its band, the band with the score, and the vector.
fn severity_row(severity: Option<&Severity>, prediction: &Prediction) -> (f32, String, String) {
    match severity {
        Some(severity) => {
            let name = format!("{} {:.1}", severity.band(), severity.score());
            (severity.confidence, name, severity.vector.to_string())
        }
        None => (prediction.no_vulnerability(), NONE_OF_THEM.to_owned(), String::new()),
    }
}

/// The text between the entries of the column `via`.
pub(crate) const BETWEEN_ENTRIES: &str = " > ";

/// One row.
pub(crate) struct Row<'a> {
    /// The texts of the columns `taxonomy`, `label` and `name`.
    pub(crate) texts: [&'a str; 3],
    pub(crate) score: f32,
    pub(crate) predicted: bool,
    /// The columns that rows of a checkpoint have more.
    pub(crate) more: Option<More>,
    /// The columns `via` and `distance`.
    pub(crate) via: Option<Via>,
    /// The column `outcome`: the answer to the record in a word, the same in all its rows.
    pub(crate) outcome: Option<&'static str>,
    /// The column `role` of a technique that analysts assign.
    pub(crate) role: Option<&'static str>,
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
/// an empty label, the name [`NONE_OF_THEM`] and the probability of that as its score, so that no record is lost. The
/// row of a family follows those of the weaknesses; that of a severity that was asked for is the last.
pub(crate) fn each_row(
    prediction: &Prediction,
    kb: &KnowledgeBase,
    derived: Option<Tasks>,
    mut put: impl FnMut(Row<'_>),
) {
    let outcome = prediction.said.map(|said| said.name());
    each_column!(C => {
        column_rows::<C>(prediction, kb, derived, &mut put);
        if C::TASK == Task::Cwe && C::of(prediction).is_some() && let Some(family) = &prediction.family {
            put(Row {
                texts: [FAMILY, &family.label.to_string(), &family.label.name(kb)],
                score: family.score,
                predicted: false,
                more: derived.map(|_| More { mark: None, derived: false }),
                via: None,
                outcome,
                role: None,
            });
        }
    });
    for scored in &prediction.other {
        put(Row {
            texts: [OTHER, &scored.label, name_of_other(&scored.label, kb)],
            score: scored.score,
            predicted: scored.predicted,
            more: derived.map(|_| More { mark: None, derived: false }),
            via: None,
            outcome,
            role: None,
        });
    }
    if let Some(severity) = &prediction.severity {
        let (score, name, label) = severity_row(severity.as_ref(), prediction);
        put(Row {
            texts: [SEVERITY, &label, &name],
            score,
            predicted: severity.is_some(),
            more: derived.map(|_| More { mark: None, derived: false }),
            via: None,
            outcome,
            role: None,
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
    let outcome = prediction.said.map(|said| said.name());
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
            via: scored.via,
            outcome,
            role: scored.role.map(Role::name),
        });
    }
    if labels.labels.is_empty() {
        let texts = [C::TASK.key(), "", NONE_OF_THEM];
        let (score, more) = (labels.none, more(&|| None));
        put(Row { texts, score, predicted: false, more, via: None, outcome, role: None });
    }
}
