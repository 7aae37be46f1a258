//! The settings of a question to a text-generation model.

use vulnlens_model::{LabelMode, Task};

use crate::error::PromptError;
use crate::request::SchemaStyle;

/// Settings of a [`Prompter`](crate::Prompter): all that a reply depends on besides texts, template and weights.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// The name of the model, as the endpoint knows it.
    pub model: String,
    /// The task: weaknesses, patterns or techniques.
    pub task: Task,
    /// The candidates.
    pub selection: Selection,
    /// The label space of the candidates.
    pub labels: LabelMode,
    /// The most examples of a prompt.
    pub shots: usize,
    /// The most labels of a reply.
    pub max_labels: usize,
    /// The most characters of a prompt: examples are left out, then the text is cut.
    pub max_prompt_chars: usize,
    /// The most tokens of a reply.
    pub max_tokens: u32,
    /// The seed of the endpoint's random choices.
    pub seed: u64,
    /// The way in which a reply is bound to its form.
    pub style: SchemaStyle,
    /// True to ask for a confidence with each label.
    pub confidence: bool,
    /// The probability of the classifier's first label from which on the classifier's answer stands; `None` to ask about
    /// every text, and to answer with the reply alone.
    pub unsure_below: Option<f32>,
}

/// The labels that are candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// So many, the best by the classifier.
    Best(usize),
    /// All labels of the label space.
    All,
}

impl Settings {
    /// The usual settings for a model and a task.
    #[must_use]
    pub fn new(model: impl Into<String>, task: Task) -> Self {
        Self {
            model: model.into(),
            task,
            selection: Selection::Best(20),
            labels: LabelMode::default(),
            shots: 0,
            max_labels: 5,
            max_prompt_chars: 32_000,
            max_tokens: 512,
            seed: 1,
            style: SchemaStyle::default(),
            confidence: false,
            unsure_below: None,
        }
    }

    /// Checks what no model could answer.
    pub(crate) fn check(&self) -> Result<(), PromptError> {
        let wrong =
            |setting, problem: &str| Err(PromptError::Setting { setting, problem: problem.to_owned() });
        match self {
            Self { task: Task::AttackCurated, .. } => {
                wrong("--task", "techniques that analysts assign have no closed list; ask for `attack`")
            }
            Self { model, .. } if model.trim().is_empty() => {
                wrong("--model-name", "is empty; name the model as the endpoint knows it")
            }
            Self { selection: Selection::Best(0), .. } => wrong("--candidates", "is 0; give a number from 1"),
            Self { max_labels: 0, .. } => wrong("--max-labels", "is 0; give a number from 1"),
            _ => Ok(()),
        }
    }
}
