//! Steps that several tools have in common.

use serde::Serialize;
use vulnlens::Classifier;

use crate::error::ToolError;
use crate::models::Models;

/// The model of a call: the one that it names, or the first.
pub(super) fn model(models: &dyn Models, name: Option<&str>) -> Result<Classifier, ToolError> {
    let names = models.names();
    let wanted = name.or(names.first().map(String::as_str)).unwrap_or_default();
    if !names.iter().any(|name| name == wanted) {
        return Err(ToolError::new(format!("model: there is no model {wanted:?}"))
            .hint(format!("the models here are {}", names.join(", "))));
    }
    models.classifier(wanted).map_err(ToolError::new)
}

/// A text that is not empty.
pub(super) fn not_empty(text: String) -> Result<String, ToolError> {
    match text.trim().is_empty() {
        true => {
            Err(ToolError::new("text: there is no text").hint("give the description of the vulnerability"))
        }
        false => Ok(text),
    }
}

/// A result as JSON.
pub(super) fn json(result: &impl Serialize) -> Result<String, ToolError> {
    serde_json::to_string(result).map_err(|error| ToolError::new(error.to_string()))
}
