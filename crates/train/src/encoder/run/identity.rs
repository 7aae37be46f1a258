//! The identity of a run: everything that decides its result.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::description::Description;

/// The identity of a run: a checkpoint of another one must not be taken for its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// Version of the checkpoint's form, and of the tool.
    pub(crate) tool: String,
    /// All settings, as JSON.
    pub(crate) settings: String,
    /// SHA-256 of the data set, and its split.
    pub(crate) data: String,
    /// SHA-256 of configuration, tokenizer and the weights that were begun with.
    pub(crate) model: String,
}

impl Identity {
    /// The first difference, in words.
    pub(crate) fn difference(&self, other: &Self) -> Option<&'static str> {
        [
            (self.tool != other.tool, "version of vulnlens"),
            (self.settings != other.settings, "settings"),
            (self.data != other.data, "data"),
            (self.model != other.model, "model"),
        ]
        .into_iter()
        .find(|(differs, _)| *differs)
        .map(|(_, what)| what)
    }
}

/// The identity of a run with these settings, on these data, from a model with this hash.
pub(crate) fn identity(settings: &Value, about: &Description, model: String) -> Identity {
    Identity {
        tool: format!("vulnlens {}, checkpoint 1", about.tool_version),
        settings: settings.to_string(),
        data: format!("{} {}", about.data_sha256, about.split),
        model,
    }
}

/// The names and values of two JSON objects together.
pub(crate) fn merged(first: Value, second: Value) -> Value {
    let maps = [first, second].into_iter().filter_map(|value| match value {
        Value::Object(map) => Some(map),
        _ => None,
    });
    Value::Object(maps.flatten().collect())
}
