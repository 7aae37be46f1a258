//! How far a run has come: all that a resumed run needs beside its settings and data.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A line of the log, under the names of the Hugging Face Trainer.
pub type LogEntry = Map<String, Value>;

/// Where a run stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Updates that were made.
    pub(crate) step: u64,
    /// Passes that were finished.
    pub(crate) epoch: u64,
    /// The next batch of the pass.
    pub(crate) batch: usize,
    /// Parts of batches that went through the network: each has its own dropout.
    pub(crate) parts: u64,
    /// Updates that the optimiser made.
    pub(crate) updates: u64,
    /// Tokens that were seen.
    pub(crate) tokens: u64,
    pub(crate) best: Option<Best>,
    /// Evaluations since the best one.
    pub(crate) evaluations_without_gain: u64,
    /// Since the last line of the log.
    pub(crate) loss_sum: Bits,
    pub(crate) losses: u64,
    pub(crate) log: Vec<LogEntry>,
}

/// The best evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Best {
    pub(crate) step: u64,
    pub(crate) score: Bits,
}

/// A number that a file keeps to the bit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bits(u64);

impl Bits {
    pub(crate) fn of(number: f64) -> Self {
        Self(number.to_bits())
    }

    pub(crate) fn number(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// What a run is of: another run's checkpoint must not be taken for its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// What differs, in words.
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
