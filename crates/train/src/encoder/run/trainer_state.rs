//! `trainer_state.json`, as the Hugging Face Trainer writes it.

use serde_json::{Value, json};

use super::state::LogEntry;

/// The contents of `trainer_state.json`, beside the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrainerState {
    pub(crate) best: Option<(u64, f64)>,
    pub(crate) epoch: f64,
    pub(crate) step: u64,
    pub(crate) steps: u64,
    pub(crate) epochs: u64,
    pub(crate) evaluate_every: u64,
    pub(crate) save_every: u64,
    pub(crate) log_every: u64,
    pub(crate) batch: usize,
    pub(crate) tokens: u64,
}

impl TrainerState {
    pub(crate) fn json(&self, log: &[LogEntry]) -> Value {
        json!({
            "best_global_step": self.best.map(|best| best.0),
            "best_metric": self.best.map(|best| best.1),
            "best_model_checkpoint": null,
            "epoch": self.epoch,
            "eval_steps": self.evaluate_every,
            "global_step": self.step,
            "is_hyper_param_search": false,
            "is_local_process_zero": true,
            "is_world_process_zero": true,
            "log_history": log,
            "logging_steps": self.log_every,
            "max_steps": self.steps,
            "num_input_tokens_seen": self.tokens,
            "num_train_epochs": self.epochs,
            "save_steps": self.save_every,
            "stateful_callbacks": {},
            "total_flos": 0.0,
            "train_batch_size": self.batch,
            "trial_name": null,
            "trial_params": null,
        })
    }
}
