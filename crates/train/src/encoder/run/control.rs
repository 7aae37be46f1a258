//! Watching and stopping a run from outside.

use std::sync::atomic::AtomicBool;

use super::state::LogEntry;

/// A watcher of a run.
pub trait Observer: Sync {
    /// A run of several networks comes to the next one: its name, its number from 1 on, and how many there are.
    fn network(&self, _: &str, _: usize, _: usize) {}
    /// The run begins, or goes on.
    fn started(&self, _: &RunPlan) {}
    /// An update was made.
    fn stepped(&self, _: &StepReport) {}
    /// Validation texts were looked at; the entry has the log's names.
    fn evaluated(&self, _: &LogEntry) {}
}

/// The plan of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunPlan {
    /// Texts that are trained on.
    pub texts: usize,
    /// Tokens of one pass over them.
    pub tokens: usize,
    /// Texts that are longer than what is read of them.
    pub cut: usize,
    /// Texts of the validation part that evaluations look at.
    pub validation_texts: usize,
    /// Outputs of the network.
    pub outputs: usize,
    /// Numbers that are learnt.
    pub parameters: usize,
    /// Updates that were made before.
    pub step: u64,
    /// Updates in all.
    pub steps: u64,
    /// Evaluations that were made before, oldest first.
    pub evaluations: Vec<LogEntry>,
}

/// An update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// Updates so far.
    pub step: u64,
    /// Passes so far.
    pub epoch: f64,
    /// The batch's loss.
    pub loss: f64,
    /// The learning rate.
    pub rate: f64,
    /// Tokens of the batch.
    pub tokens: usize,
}

/// The control of a run from outside.
#[derive(Clone, Copy)]
pub struct Control<'a> {
    /// The watcher.
    pub observer: &'a dyn Observer,
    /// Set to end the run after the current update, with a checkpoint.
    pub stop: &'a AtomicBool,
    /// Goes on from the folder's checkpoint, if it has one.
    pub resume: bool,
}
