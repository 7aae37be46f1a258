//! Errors of tools, as the one who called them sees them.

use serde::Serialize;
use vulnlens::AskedError;

/// Characters of a message at most: it may quote what was given.
const LONGEST: usize = 300;

/// The hint where a message tells what is wrong with an argument.
pub(crate) const FORMS: &str = "the tool's inputSchema has the form of each argument";

/// A call that is not answered: the problem, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ToolError {
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl ToolError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        let error = match message.char_indices().nth(LONGEST) {
            Some((end, _)) => message.get(..end).unwrap_or_default().to_owned() + "…",
            None => message,
        };
        Self { error, hint: None }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The error of a place among the arguments.
    pub(crate) fn at(self, place: &str) -> Self {
        Self { error: format!("{place}: {}", self.error), ..self }
    }

    /// The error as JSON, so that what it quotes stands within a string.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl From<AskedError> for ToolError {
    fn from(error: AskedError) -> Self {
        Self::new(error.to_string()).hint(error.hint().unwrap_or(FORMS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_short_and_within_a_string() {
        let error = ToolError::new("é".repeat(1_000)).at("text").hint("shorten \"it\"");
        assert!(error.error.chars().count() < 320);
        let json: serde_json::Value = serde_json::from_str(&error.json()).unwrap();
        assert_eq!(json["hint"], "shorten \"it\"");
    }
}
