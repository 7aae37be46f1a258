//! The settings that a search can vary, under the names of their arguments.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::setting::{Kind, Setting, Settings, Value};

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

/// Settings of a kind of model that a search can vary.
pub trait Searchable: Clone + fmt::Debug + Send + Sync + 'static {
    /// Settings that ranges are checked on.
    fn sample() -> Self;

    /// The names of the settings that can be searched for, in the order of the help.
    fn names() -> Vec<String>;

    /// The kind of values of the setting with this name.
    fn kind_of(name: &str) -> Option<Kind>;

    /// Sets the setting with this name.
    ///
    /// # Errors
    /// The words for what it could be, where the value is none of these.
    fn set(&mut self, name: &str, value: &SettingValue) -> Result<(), String>;

    /// Refuses settings that are out of their bounds.
    ///
    /// # Errors
    /// [`TrainError::Setting`] names the first of them.
    fn check(&self) -> Result<(), TrainError>;

    /// The problem of varying all of some settings, if there is one.
    fn conflict(&self, varied: &BTreeSet<&str>) -> Option<&'static str>;

    /// The seed, which all trials share.
    fn seed(&self) -> u64;

    /// Everything that decides the result of a trial, as JSON.
    fn words(&self) -> String;
}

/// The searchable settings of a table.
pub(crate) fn rows<S: Settings>() -> impl Iterator<Item = &'static Setting<S>> {
    S::TABLE.iter().filter(|setting| setting.is_searchable())
}

/// The searchable setting of a table with this name.
pub(crate) fn row<S: Settings>(name: &str) -> Option<&'static Setting<S>> {
    rows::<S>().find(|setting| setting.argument() == name)
}

/// Sets a setting of a table.
///
/// # Errors
/// The words for what it could be, where the value is none of these.
pub(crate) fn set_row<S: Settings>(
    setting: &Setting<S>,
    value: &SettingValue,
    settings: &mut S,
) -> Result<(), String> {
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
    setting.set(settings, value)
}
