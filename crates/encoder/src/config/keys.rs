//! The keys of `config.json`, read by type, with errors that name the key.

use std::path::Path;

use serde_json::{Map, Value};

use super::architecture::{Activation, Architecture};
use super::form::HeadFunction;
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

    /// A number from 0 to `most`.
    pub(super) fn size_or_none(&self, key: &str, default: usize, most: usize) -> Result<usize, EncoderError> {
        let is_none = self.map.get(key).map_or(default == 0, |value| value.as_u64() == Some(0));
        if is_none { Ok(0) } else { self.size(key, default, most) }
    }

    /// A number from 1 to `most`; none where it is absent or, as transformers writes that, below.
    pub(super) fn size_if_positive(&self, key: &str, most: usize) -> Result<Option<usize>, EncoderError> {
        let is_none = self.value(key).is_none_or(|value| value.as_i64().is_some_and(|number| number < 1));
        if is_none { Ok(None) } else { self.size(key, 0, most).map(Some) }
    }

    /// The base of the wavelengths of rotations; none where it is null.
    pub(super) fn wavelength(&self, key: &str) -> Result<Option<f32>, EncoderError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        #[expect(clippy::cast_possible_truncation, reason = "the network computes in f32")]
        let base = value.as_f64().map(|base| base as f32);
        base.filter(|base| (1.0..=1e12).contains(base)).map(Some).ok_or_else(|| {
            self.error(key, format!("is {}, expected a number from 1 to 1e12", show(value)), PUBLISHED)
        })
    }

    /// True if the key has a value, be it null.
    pub(super) fn has(&self, key: &str) -> bool {
        self.map.contains_key(key)
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

    /// Words of a list, or of a string that separates them by bars; in lower case.
    pub(super) fn words(&self, key: &str) -> Result<Vec<String>, EncoderError> {
        let words = match self.value(key) {
            Some(Value::String(text)) => text.split('|').map(str::to_owned).collect(),
            _ => self.strings(key)?,
        };
        Ok(words.iter().map(|word| word.trim().to_lowercase()).collect())
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

    /// One of transformers' names of functions in a head: an activation, or `tanh`.
    pub(super) fn head_function(&self, key: &str) -> Result<HeadFunction, EncoderError> {
        if self.string(key)?.as_deref() == Some("tanh") {
            return Ok(HeadFunction::Tanh);
        }
        self.activation(key).map(HeadFunction::Activation)
    }

    /// The constant of layer normalisation.
    pub(super) fn epsilon(&self, key: &str, default: f32) -> Result<f32, EncoderError> {
        let Some(value) = self.map.get(key) else { return Ok(default) };
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
