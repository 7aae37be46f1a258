//! The state of a run: everything that a resumed run needs, beside its settings and data.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A line of the log, under the names of the Hugging Face Trainer.
pub type LogEntry = Map<String, Value>;

/// The progress of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Updates that were made.
    pub(crate) step: u64,
    /// Passes that were finished.
    pub(crate) epoch: u64,
    /// The next batch of the pass.
    pub(crate) batch: usize,
    /// Micro-batches that went through the network: each has its own dropout.
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

impl State {
    /// The log's line of the best evaluation.
    pub(crate) fn best_entry(&self) -> Option<LogEntry> {
        let best = self.best?;
        let is_of_best = |entry: &&LogEntry| {
            entry.get("step").and_then(Value::as_u64) == Some(best.step) && entry.contains_key("eval_loss")
        };
        self.log.iter().find(is_of_best).cloned()
    }

    /// The log's lines of evaluations, oldest first.
    pub(crate) fn evaluations(&self) -> Vec<LogEntry> {
        self.log.iter().filter(|entry| entry.contains_key("eval_loss")).cloned().collect()
    }
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
