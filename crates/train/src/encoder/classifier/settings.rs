//! The settings of a classifier.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::encoder::label_table::LabelTable;
use crate::encoder::labels::{AuxiliaryLabels, LabelKind};
use crate::encoder::objective::{Distillation, MultiLabelLoss};
use crate::encoder::run::merged;
use crate::encoder::settings::FitSettings;
use crate::error::TrainError;
use crate::goal::Goal;

/// A classifier to be trained.
#[derive(Debug, Clone)]
pub struct ClassifierSettings {
    /// The kind of its labels.
    pub labels: LabelKind,
    /// The table of the labels, where they are of one.
    pub table: Option<Arc<LabelTable>>,
    /// The loss of labels that do not exclude each other.
    pub loss: MultiLabelLoss,
    /// Labels that CWE sets are to get right, too.
    pub auxiliary: Option<AuxiliaryLabels>,
    /// The answers of other models to the training texts; for CWE sets.
    pub distillation: Option<Distillation>,
    /// True when texts begin with their record's year.
    pub year: bool,
    /// The figure by which evaluations on the way are compared.
    pub goal: Goal,
    /// The settings of the run.
    pub fit: FitSettings,
}

impl ClassifierSettings {
    /// A classifier of these labels, with the defaults of everything else.
    #[must_use]
    pub fn new(labels: LabelKind) -> Self {
        Self {
            labels,
            table: None,
            loss: MultiLabelLoss::Plain,
            auxiliary: None,
            distillation: None,
            year: false,
            goal: Goal::default(),
            fit: FitSettings::default(),
        }
    }

    /// Names and values, as JSON: everything that decides the result, and nothing else.
    pub(crate) fn to_json(&self) -> Value {
        let words = json!({"labels": self.labels.name(), "loss": self.loss.name(), "year": self.year});
        let auxiliary = self.auxiliary.map_or_else(|| json!({}), |AuxiliaryLabels { labels, weight }| {
            json!({"beside": labels.name(), "beside_weight": weight.to_string()})
        });
        let distillation = self.distillation.as_ref().map_or_else(
            || json!({}),
            |from| json!({"teachers": from.teachers, "teachers_share": from.share.to_string()}),
        );
        let table = self.table.as_ref();
        let table = table.map_or_else(|| json!({}), |table| json!({"label_table": table.sha256()}));
        // Runs that began before there was a choice can be resumed.
        let goal = match self.goal {
            Goal::MicroF1 => json!({}),
            goal => json!({"goal": goal.name()}),
        };
        [auxiliary, distillation, table, goal, self.fit.to_json()].into_iter().fold(words, merged)
    }

    /// Refuses settings that exclude each other.
    pub(crate) fn check(&self) -> Result<(), TrainError> {
        let refused = |problem: &str| Err(TrainError::Setting(problem.to_owned()));
        if (self.labels == LabelKind::Own) != self.table.is_some() {
            return refused("labels of one's own need a table, and a table is of such");
        }
        if let Some(distillation) = &self.distillation {
            if self.labels != LabelKind::CweSets || self.auxiliary.is_some() {
                return refused("teachers need CWE sets as labels, and exclude labels beside them");
            }
            if !(0.0..=1.0).contains(&distillation.share) {
                return refused("the teachers' share must be from 0 to 1");
            }
        }
        let Some(AuxiliaryLabels { labels, weight }) = self.auxiliary else { return Ok(()) };
        if self.labels != LabelKind::CweSets || matches!(labels, LabelKind::CweSets | LabelKind::Own) {
            return refused("labels beside need CWE sets as labels, and must be of another kind");
        }
        if !(weight > 0.0 && weight.is_finite()) {
            return refused("the weight of labels beside must be above 0");
        }
        Ok(())
    }
}
