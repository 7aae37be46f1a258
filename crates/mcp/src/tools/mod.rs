//! The tools, by kind: each takes arguments and returns its result as JSON.

mod classify;
mod kb;
mod review;

use serde::Serialize;
use vulnlens::Classifier;

use crate::arguments::Arguments;
use crate::error::ToolError;
use crate::models::Models;
use crate::toolbox::Limits;

/// The work of a tool.
pub(crate) type Call = fn(&dyn Models, &Limits, Arguments) -> Result<String, ToolError>;

/// The work of the tool called `name`.
pub(crate) fn call(name: &str) -> Option<Call> {
    Some(match name {
        "classify" => classify::classify,
        "explain" => classify::explain,
        "review_mapping" => review::review_mapping,
        "kb_show" => kb::show,
        "kb_path" => kb::path,
        _ => return None,
    })
}

/// The model of a call: the one that it names, or the first.
fn model(models: &dyn Models, name: Option<&str>) -> Result<Classifier, ToolError> {
    let names = models.names();
    let wanted = name.or(names.first().map(String::as_str)).unwrap_or_default();
    if !names.iter().any(|name| name == wanted) {
        return Err(ToolError::new(format!("model: there is no model {wanted:?}"))
            .hint(format!("the models here are {}", names.join(", "))));
    }
    models.classifier(wanted).map_err(ToolError::new)
}

/// A text that is not empty.
fn not_empty(text: String) -> Result<String, ToolError> {
    match text.trim().is_empty() {
        true => {
            Err(ToolError::new("text: there is no text").hint("give the description of the vulnerability"))
        }
        false => Ok(text),
    }
}

/// A result as JSON.
fn json(result: &impl Serialize) -> Result<String, ToolError> {
    serde_json::to_string(result).map_err(|error| ToolError::new(error.to_string()))
}
