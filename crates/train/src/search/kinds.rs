//! The kinds of models that a search makes trials of, and their settings.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::range::SettingRange;
use super::setting::{Searchable, SettingValue, row, rows, set_row};
use crate::encoder::{
    ClassifierSettings, FitSettings, HierarchyForm, HierarchySettings, LabelKind, MultiLabelLoss,
};
use crate::error::TrainError;
use crate::ngram;
use crate::setting::{Kind, Setting, Settings as _};

/// A kind of model that a search makes trials of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchKind {
    /// A classifier of [`train_classifier`](crate::encoder::train_classifier).
    #[default]
    Encoder,
    /// A hierarchy of [`train_hierarchy`](crate::encoder::train_hierarchy).
    Hierarchy,
    /// A model of [`ngram::train`](crate::ngram::train).
    Ngram,
}

impl SearchKind {
    /// Reads a range of a setting of this kind.
    pub(crate) fn range(self, text: &str) -> Result<SettingRange, TrainError> {
        match self {
            Self::Encoder => SettingRange::read::<ClassifierSettings>(text),
            Self::Hierarchy => SettingRange::read::<HierarchySettings>(text),
            Self::Ngram => SettingRange::read::<ngram::Settings>(text),
        }
    }
}

/// The argument of the loss, which is a setting of classifiers alone.
const LOSS: &str = "loss";
/// The argument of the texts that a parent of a hierarchy must have.
const FEWEST_TEXTS: &str = "fewest-texts";

impl Searchable for ClassifierSettings {
    fn sample() -> Self {
        Self::new(LabelKind::Attack)
    }

    fn names() -> Vec<String> {
        rows::<FitSettings>().map(Setting::argument).chain([LOSS.to_owned()]).collect()
    }

    fn kind_of(name: &str) -> Option<Kind> {
        let loss = || MultiLabelLoss::ALL.map(|loss| (loss.name(), loss.help())).to_vec();
        row::<FitSettings>(name).map(|row| row.kind).or((name == LOSS).then_some(Kind::Name(loss)))
    }

    fn set(&mut self, name: &str, value: &SettingValue) -> Result<(), String> {
        let Some(row) = row::<FitSettings>(name) else {
            let found = MultiLabelLoss::ALL.into_iter().find(|loss| loss.name() == value.to_string());
            let names = MultiLabelLoss::ALL.map(MultiLabelLoss::name).join(", ");
            self.loss = found.ok_or_else(|| format!("one of {names}"))?;
            return Ok(());
        };
        set_row(row, value, &mut self.fit)?;
        if row.name == "batch" {
            // Texts take the place of the tokens that the other trials share.
            self.fit.batch_tokens = None;
        }
        Ok(())
    }

    fn check(&self) -> Result<(), TrainError> {
        self.fit.check()
    }

    fn conflict(&self, varied: &BTreeSet<&str>) -> Option<&'static str> {
        let has = |setting| varied.contains(setting);
        if has("batch") && has("batch-tokens") {
            return Some("batch and batch-tokens exclude each other; give a range of one");
        }
        (has(LOSS) && self.labels == LabelKind::CweSets)
            .then_some("CWE sets have one loss; search over it with the objective multilabel")
    }

    fn seed(&self) -> u64 {
        self.fit.seed
    }

    fn words(&self) -> String {
        self.to_json().to_string()
    }
}

impl Searchable for HierarchySettings {
    fn sample() -> Self {
        Self {
            classifier: ClassifierSettings::sample(),
            form: HierarchyForm::Cascade,
            fewest_texts: Self::FEWEST_TEXTS,
            levels: Self::LEVELS,
        }
    }

    fn names() -> Vec<String> {
        ClassifierSettings::names().into_iter().chain([FEWEST_TEXTS.to_owned()]).collect()
    }

    fn kind_of(name: &str) -> Option<Kind> {
        if name == FEWEST_TEXTS { Some(Kind::Whole) } else { ClassifierSettings::kind_of(name) }
    }

    fn set(&mut self, name: &str, value: &SettingValue) -> Result<(), String> {
        match (name, value) {
            (FEWEST_TEXTS, SettingValue::Number(number)) => self.fewest_texts = *number as u64,
            (FEWEST_TEXTS, SettingValue::Word(_)) => return Err("a number".to_owned()),
            _ => self.classifier.set(name, value)?,
        }
        Ok(())
    }

    fn check(&self) -> Result<(), TrainError> {
        self.classifier.check()
    }

    fn conflict(&self, varied: &BTreeSet<&str>) -> Option<&'static str> {
        self.classifier.conflict(varied)
    }

    fn seed(&self) -> u64 {
        self.classifier.seed()
    }

    fn words(&self) -> String {
        json!([self.classifier.to_json(), HierarchySettings::words(self)]).to_string()
    }
}

impl Searchable for ngram::Settings {
    fn sample() -> Self {
        Self::default()
    }

    fn names() -> Vec<String> {
        rows::<Self>().map(Setting::argument).collect()
    }

    fn kind_of(name: &str) -> Option<Kind> {
        row::<Self>(name).map(|row| row.kind)
    }

    fn set(&mut self, name: &str, value: &SettingValue) -> Result<(), String> {
        row::<Self>(name).map_or(Ok(()), |row| set_row(row, value, self))
    }

    fn check(&self) -> Result<(), TrainError> {
        self.problem().map_or(Ok(()), |problem| Err(TrainError::Setting(problem)))
    }

    fn conflict(&self, _: &BTreeSet<&str>) -> Option<&'static str> {
        None
    }

    fn seed(&self) -> u64 {
        self.seed
    }

    fn words(&self) -> String {
        json!({"settings": self.to_map(), "seed": self.seed}).to_string()
    }
}
