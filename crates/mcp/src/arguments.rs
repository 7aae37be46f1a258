//! The arguments of a call.

use rmcp::model::{JsonObject, Tool};
use serde::de::DeserializeOwned;
use serde_json::Value;
use vulnlens::AskedOptions;

use crate::error::{FORMS, ToolError};

/// The arguments of a call, each of which its tool has.
pub(crate) struct Arguments(JsonObject);

impl Arguments {
    /// The arguments of a call of `tool`; those that are null count as left out.
    ///
    /// # Errors
    /// The tool lacks one of them; the message names it.
    pub(crate) fn of(mut given: JsonObject, tool: &Tool) -> Result<Self, ToolError> {
        let known = tool.input_schema.get("properties").and_then(Value::as_object);
        let is_known = |name: &String| known.is_some_and(|known| known.contains_key(name));
        if let Some(name) = given.keys().find(|name| !is_known(name)) {
            let names: Vec<&str> = known.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            return Err(ToolError::new(format!("{} has no argument {name:?}", tool.name))
                .hint(format!("its arguments are {}", names.join(", "))));
        }
        given.retain(|_, value| !value.is_null());
        Ok(Self(given))
    }

    /// Takes an argument out, if it was given.
    ///
    /// # Errors
    /// It has another form.
    pub(crate) fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, ToolError> {
        self.0.remove(name).map(|value| parsed(value, name)).transpose()
    }

    /// Takes an argument out that each call needs.
    ///
    /// # Errors
    /// It is missing or has another form.
    pub(crate) fn need<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, ToolError> {
        self.take(name)?
            .ok_or_else(|| ToolError::new(format!("{name} is missing")).hint(format!("give {name}")))
    }

    /// The options, which are all that is left.
    ///
    /// # Errors
    /// One has another form; the message names it.
    pub(crate) fn options(self) -> Result<AskedOptions, ToolError> {
        for (name, value) in &self.0 {
            let alone = JsonObject::from_iter([(name.clone(), value.clone())]);
            parsed::<AskedOptions>(Value::Object(alone), name)?;
        }
        parsed(Value::Object(self.0), "the options")
    }
}

/// A value of the place `name` among the arguments.
pub(crate) fn parsed<T: DeserializeOwned>(value: Value, name: &str) -> Result<T, ToolError> {
    serde_json::from_value(value).map_err(|error| ToolError::new(error.to_string()).at(name).hint(FORMS))
}
