//! The keys of `config.json`, read by type, with errors that name the key.

use std::path::Path;

use serde_json::{Map, Value};

use super::architecture::{Activation, Architecture};
use crate::error::EncoderError;

/// Longest file that is parsed: a thousand times that of a network with a thousand labels.
const MOST_BYTES: usize = 64 << 20;

const PUBLISHED: &str = "use the config.json that was published with the weights";

/// The top-level object of the file.
pub(super) struct Keys<'a> {
    file: &'a Path,
    json: &'a [u8],
    map: Map<String, Value>,
}

impl<'a> Keys<'a> {
    pub(super) fn parse(json: &'a [u8], file: &'a Path) -> Result<Self, EncoderError> {
        if json.len() > MOST_BYTES {
            let problem = format!("{} bytes are too long for a configuration", json.len());
            return Err(EncoderError::format(file, problem, PUBLISHED));
        }
        match serde_json::from_slice(json) {
            Ok(map) => Ok(Self { file, json, map }),
            Err(error) => {
                Err(EncoderError::format(file, format!("is not a JSON object: {error}"), PUBLISHED))
            }
        }
    }

    /// The file's own bytes, for keys whose repetition matters.
    pub(super) fn json(&self) -> &'a [u8] {
        self.json
    }

    pub(super) fn error(
        &self,
        key: &str,
        problem: impl Into<String>,
        fix: impl Into<String>,
    ) -> EncoderError {
        EncoderError::config(self.file, key, problem, fix)
    }

    pub(super) fn unknown_architecture(&self, found: &str) -> EncoderError {
        let known = Architecture::ALL.map(Architecture::model_type).join(", ");
        EncoderError::UnknownArchitecture { file: self.file.to_owned(), found: shorten(found), known }
    }

    /// The value of a key; `null` counts as absent, as it does for transformers' own defaults of `None`.
    fn value(&self, key: &str) -> Option<&Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// True if a key has a value that is neither null nor empty.
    pub(super) fn is_filled(&self, key: &str) -> bool {
        self.value(key).is_some_and(|value| match value {
            Value::Object(map) => !map.is_empty(),
            Value::Array(list) => !list.is_empty(),
            _ => true,
        })
    }

    /// A number from 1 to `most`.
    pub(super) fn size(&self, key: &str, default: usize, most: usize) -> Result<usize, EncoderError> {
        let Some(value) = self.map.get(key) else { return Ok(default) };
        value
            .as_u64()
            .and_then(|size| usize::try_from(size).ok())
            .filter(|size| (1..=most).contains(size))
            .ok_or_else(|| {
                self.error(
                    key,
                    format!("is {}, expected a whole number from 1 to {most}", show(value)),
                    PUBLISHED,
                )
            })
    }

    /// A token id; an explicit null is none.
    pub(super) fn token(&self, key: &str, default: u32) -> Result<Option<u32>, EncoderError> {
        match self.map.get(key) {
            None => Ok(Some(default)),
            Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64().and_then(|id| u32::try_from(id).ok()) {
                Some(id) => Ok(Some(id)),
                None => Err(self.error(key, format!("is {}, expected a token id", show(value)), PUBLISHED)),
            },
        }
    }

    /// A string in an object, if it is there.
    pub(super) fn text_in(&self, object: &str, key: &str) -> Option<&str> {
        self.value(object)?.get(key)?.as_str()
    }

    pub(super) fn string(&self, key: &str) -> Result<Option<String>, EncoderError> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(value) => Err(self.error(key, format!("is {}, expected a string", show(value)), PUBLISHED)),
        }
    }

    pub(super) fn boolean(&self, key: &str) -> Result<Option<bool>, EncoderError> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Bool(yes)) => Ok(Some(*yes)),
            Some(value) => {
                Err(self.error(key, format!("is {}, expected true or false", show(value)), PUBLISHED))
            }
        }
    }

    /// A list of strings; absent is empty.
    pub(super) fn strings(&self, key: &str) -> Result<Vec<String>, EncoderError> {
        let Some(value) = self.value(key) else { return Ok(Vec::new()) };
        value
            .as_array()
            .and_then(|list| list.iter().map(|item| item.as_str().map(str::to_owned)).collect())
            .ok_or_else(|| {
                self.error(key, format!("is {}, expected a list of strings", show(value)), PUBLISHED)
            })
    }

    /// A number of labels or the like, without a default.
    pub(super) fn count(&self, key: &str, most: usize) -> Result<Option<usize>, EncoderError> {
        if self.value(key).is_none() { Ok(None) } else { self.size(key, 0, most).map(Some) }
    }

    /// One of transformers' names of activations; exact GELU when absent.
    pub(super) fn activation(&self, key: &str) -> Result<Activation, EncoderError> {
        let name = self.string(key)?;
        match name.as_deref() {
            None | Some("gelu" | "gelu_python") => Ok(Activation::Gelu),
            Some("gelu_new" | "gelu_pytorch_tanh" | "gelu_python_tanh" | "gelu_fast" | "gelu_accurate") => {
                Ok(Activation::GeluTanh)
            }
            Some("relu") => Ok(Activation::Relu),
            Some("silu" | "swish") => Ok(Activation::Silu),
            Some(other) => Err(self.error(
                key,
                format!("is `{}`, which is not supported", shorten(other)),
                "supported are gelu, gelu_new, gelu_pytorch_tanh, gelu_fast, relu, silu",
            )),
        }
    }

    /// The constant of layer normalisation: 1e-12 when absent, as in every BERT-like configuration.
    pub(super) fn epsilon(&self, key: &str) -> Result<f32, EncoderError> {
        let Some(value) = self.map.get(key) else { return Ok(1e-12) };
        // Within f32: a value that rounds to zero would divide by zero for a constant row.
        #[expect(clippy::cast_possible_truncation, reason = "the network computes in f32")]
        let epsilon = value.as_f64().map(|epsilon| epsilon as f32);
        epsilon.filter(|epsilon| *epsilon > 0.0 && *epsilon < 1.0).ok_or_else(|| {
            self.error(key, format!("is {}, expected a number between 0 and 1", show(value)), PUBLISHED)
        })
    }
}

/// A JSON value, short enough for an error.
fn show(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        scalar => shorten(&scalar.to_string()),
    }
}

/// The beginning of a text from the file.
fn shorten(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
