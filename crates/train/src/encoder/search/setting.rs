//! The settings that a search can vary, under the names of their arguments.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::encoder::classifier::ClassifierSettings;
use crate::encoder::objective::MultiLabelLoss;
use crate::encoder::settings::FitSettings;
use crate::setting::{Kind, Setting, Settings as _, Value};

/// The argument of the loss, which is a setting of classifiers alone.
pub(crate) const LOSS: &str = "loss";

/// The value of a setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SettingValue {
    /// A number.
    Number(f64),
    /// A name, such as `cosine`.
    Word(String),
}

impl fmt::Display for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Small rates as people write them.
            Self::Number(number) if *number != 0.0 && number.abs() < 1e-3 => write!(f, "{number:e}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Word(word) => f.write_str(word),
        }
    }
}

/// The names of the settings that can be searched for, in the order of the help.
#[must_use]
pub fn searchable_settings() -> Vec<String> {
    rows().map(Setting::argument).chain([LOSS.to_owned()]).collect()
}

fn rows() -> impl Iterator<Item = &'static Setting<FitSettings>> {
    FitSettings::TABLE.iter().filter(|setting| setting.is_searchable())
}

/// The kind of values of the setting with this name.
pub(crate) fn kind_of(name: &str) -> Option<Kind> {
    let loss = || MultiLabelLoss::ALL.map(|loss| (loss.name(), loss.help())).to_vec();
    let kind = rows().find(|setting| setting.argument() == name).map(|setting| setting.kind);
    kind.or((name == LOSS).then_some(Kind::Name(loss)))
}

/// Sets the setting with this name.
///
/// # Errors
/// The words for what it could be, where the value is none of these.
pub(crate) fn set(name: &str, value: &SettingValue, settings: &mut ClassifierSettings) -> Result<(), String> {
    let Some(setting) = rows().find(|setting| setting.argument() == name) else {
        return set_loss(value, settings);
    };
    let value = match (setting.kind, value) {
        // Whole numbers are checked where ranges are read; a cast is never out of bounds but cut off at them.
        (Kind::Whole, SettingValue::Number(number)) => Value::Whole(*number as u64),
        (Kind::Single, SettingValue::Number(number)) => Value::Single(*number as f32),
        (_, SettingValue::Number(number)) => Value::Double(*number),
        (Kind::Name(names), SettingValue::Word(word)) => {
            let found = names().into_iter().find(|(name, _)| name == word);
            found.map_or(Value::Absent, |(name, _)| Value::Name(name))
        }
        (_, SettingValue::Word(_)) => return Err("a number".to_owned()),
    };
    setting.set(&mut settings.fit, value)?;
    if setting.name == "batch" {
        // Texts take the place of the tokens that the other trials share.
        settings.fit.batch_tokens = None;
    }
    Ok(())
}

fn set_loss(value: &SettingValue, settings: &mut ClassifierSettings) -> Result<(), String> {
    let found = MultiLabelLoss::ALL.into_iter().find(|loss| loss.name() == value.to_string());
    let names = MultiLabelLoss::ALL.map(MultiLabelLoss::name).join(", ");
    settings.loss = found.ok_or_else(|| format!("one of {names}"))?;
    Ok(())
}
