//! The settings of a training run.

use serde::Serialize;
use vulnlens_encoder::training::{Decay, Dropout};

use crate::error::TrainError;

/// How a network is trained; what is written here decides every bit of the result.
#[derive(Debug, Clone, PartialEq)]
pub struct FitSettings {
    /// Seed of every random choice.
    pub seed: u64,
    /// Passes over the texts.
    pub epochs: u64,
    /// Most updates, where the passes have more.
    pub max_steps: Option<u64>,
    /// What an update is computed from.
    pub batch: BatchSize,
    /// Tokens that go through the network at once; a batch of more is cut into parts whose gradients are added.
    pub part_tokens: usize,
    /// Tokens that are read of a text, special ones included.
    pub max_tokens: usize,
    /// The greatest learning rate.
    pub rate: f64,
    /// How the rate falls.
    pub decay: Decay,
    /// Share of the updates in which the rate rises.
    pub warmup: f64,
    /// What a rate of 1 takes from weights at each update; biases and normalisations are spared.
    pub weight_decay: f64,
    /// The greatest norm of all gradients together.
    pub clip: f64,
    /// Share of numbers that a step drops, everywhere in the network.
    pub dropout: f32,
    /// Each layer's rate is so many times that of the layer above it.
    pub layer_decay: f64,
    /// Embeddings and so many layers above them stay as they are.
    pub frozen_layers: Option<usize>,
    /// Saves memory: what lies within a layer is computed again on the way back. No bit depends on it.
    pub recompute: bool,
    /// Updates between two evaluations; `None`: after each pass.
    pub evaluate_every: Option<u64>,
    /// Validation texts that such an evaluation looks at, at most.
    pub evaluation_texts: usize,
    /// Evaluations without a gain after which training ends.
    pub patience: Option<u64>,
    /// Updates between two checkpoints.
    pub save_every: u64,
    /// Updates between two lines of the log.
    pub log_every: u64,
}

/// How much goes into a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchSize {
    /// So many texts.
    Texts(usize),
    /// Texts of at most so many tokens together, or one longer text.
    Tokens(usize),
}

impl Default for FitSettings {
    fn default() -> Self {
        Self {
            seed: 1,
            epochs: 3,
            max_steps: None,
            batch: BatchSize::Texts(32),
            part_tokens: 8192,
            max_tokens: 256,
            rate: 5e-4,
            decay: Decay::Linear,
            warmup: 0.06,
            weight_decay: 0.01,
            clip: 1.0,
            dropout: 0.1,
            layer_decay: 1.0,
            frozen_layers: None,
            recompute: false,
            evaluate_every: None,
            evaluation_texts: 4096,
            patience: None,
            save_every: 500,
            log_every: 50,
        }
    }
}

/// What of the settings a resumed run must share with its beginning.
#[derive(Serialize)]
struct Fixed {
    seed: u64,
    epochs: u64,
    max_steps: Option<u64>,
    batch: String,
    part_tokens: usize,
    max_tokens: usize,
    rate: f64,
    decay: String,
    warmup: f64,
    weight_decay: f64,
    clip: f64,
    dropout: f32,
    layer_decay: f64,
    frozen_layers: Option<usize>,
    evaluate_every: Option<u64>,
    evaluation_texts: usize,
    patience: Option<u64>,
    log_every: u64,
}

impl FitSettings {
    /// The same rate of dropout everywhere.
    pub(crate) fn dropout(&self) -> Dropout {
        Dropout { hidden: self.dropout, attention: self.dropout, classifier: self.dropout }
    }

    /// Names and values, as JSON: what decides the result, and nothing else.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let fixed = Fixed {
            seed: self.seed,
            epochs: self.epochs,
            max_steps: self.max_steps,
            batch: match self.batch {
                BatchSize::Texts(texts) => format!("{texts} texts"),
                BatchSize::Tokens(tokens) => format!("{tokens} tokens"),
            },
            part_tokens: self.part_tokens,
            max_tokens: self.max_tokens,
            rate: self.rate,
            decay: format!("{:?}", self.decay).to_lowercase(),
            warmup: self.warmup,
            weight_decay: self.weight_decay,
            clip: self.clip,
            dropout: self.dropout,
            layer_decay: self.layer_decay,
            frozen_layers: self.frozen_layers,
            evaluate_every: self.evaluate_every,
            evaluation_texts: self.evaluation_texts,
            patience: self.patience,
            log_every: self.log_every,
        };
        // Numbers that JSON lacks were refused before.
        serde_json::to_value(fixed).unwrap_or_default()
    }

    /// Refuses what is out of bounds, by the name of the setting.
    pub(crate) fn check(&self) -> Result<(), TrainError> {
        let amount = match self.batch {
            BatchSize::Texts(amount) | BatchSize::Tokens(amount) => amount,
        };
        let checks = [
            ((1..=10_000).contains(&self.epochs), "epochs must be 1 to 10000"),
            (self.max_steps != Some(0), "max steps must be at least 1"),
            ((1..=1 << 20).contains(&amount), "a batch must be of 1 to 1048576 texts or tokens"),
            ((1..=1 << 24).contains(&self.part_tokens), "part tokens must be 1 to 16777216"),
            (self.max_tokens >= 3, "max tokens must be at least 3"),
            (self.rate > 0.0 && self.rate <= 1.0, "the rate must be above 0 and at most 1"),
            ((0.0..=1.0).contains(&self.warmup), "warm-up must be 0 to 1"),
            ((0.0..=1.0).contains(&self.weight_decay), "weight decay must be 0 to 1"),
            (self.clip > 0.0 && self.clip <= 1e9, "clip must be above 0 and at most 1e9"),
            ((0.0..0.95).contains(&self.dropout), "dropout must be at least 0 and below 0.95"),
            (self.layer_decay > 0.0 && self.layer_decay <= 1.0, "layer decay must be above 0 and at most 1"),
            (self.evaluate_every != Some(0), "evaluations must be at least one update apart"),
            (self.evaluation_texts >= 1, "evaluation texts must be at least 1"),
            (self.patience != Some(0), "patience must be at least 1"),
            (
                self.save_every >= 1 && self.log_every >= 1,
                "checkpoints and log lines must be at least one update apart",
            ),
        ];
        match checks.into_iter().find(|(fine, _)| !fine) {
            Some((_, problem)) => Err(TrainError::Setting(problem.to_owned())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_bounds_are_named() {
        assert!(FitSettings::default().check().is_ok());
        for (settings, name) in [
            (FitSettings { epochs: 0, ..FitSettings::default() }, "epochs"),
            (FitSettings { rate: f64::NAN, ..FitSettings::default() }, "rate"),
            (FitSettings { batch: BatchSize::Tokens(0), ..FitSettings::default() }, "batch"),
            (FitSettings { dropout: 1.0, ..FitSettings::default() }, "dropout"),
            (FitSettings { dropout: -0.1, ..FitSettings::default() }, "dropout"),
            (FitSettings { dropout: f32::NAN, ..FitSettings::default() }, "dropout"),
            (FitSettings { rate: 0.0, ..FitSettings::default() }, "rate"),
            (FitSettings { max_steps: Some(0), ..FitSettings::default() }, "max steps"),
            (FitSettings { part_tokens: 0, ..FitSettings::default() }, "part tokens"),
            (FitSettings { max_tokens: 2, ..FitSettings::default() }, "max tokens"),
            (FitSettings { warmup: 1.5, ..FitSettings::default() }, "warm-up"),
            (FitSettings { warmup: f64::NAN, ..FitSettings::default() }, "warm-up"),
            (FitSettings { weight_decay: -0.01, ..FitSettings::default() }, "weight decay"),
            (FitSettings { clip: 0.0, ..FitSettings::default() }, "clip"),
            (FitSettings { clip: f64::INFINITY, ..FitSettings::default() }, "clip"),
            (FitSettings { layer_decay: 0.0, ..FitSettings::default() }, "layer decay"),
            (FitSettings { layer_decay: 1.1, ..FitSettings::default() }, "layer decay"),
            (FitSettings { evaluate_every: Some(0), ..FitSettings::default() }, "evaluations"),
            (FitSettings { evaluation_texts: 0, ..FitSettings::default() }, "evaluation texts"),
            (FitSettings { save_every: 0, ..FitSettings::default() }, "checkpoints"),
            (FitSettings { log_every: 0, ..FitSettings::default() }, "log lines"),
            (FitSettings { patience: Some(0), ..FitSettings::default() }, "patience"),
        ] {
            let error = settings.check().unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn what_does_not_change_the_result_does_not_count() {
        let base = FitSettings::default();
        let same = FitSettings { save_every: 7, recompute: true, ..base.clone() };
        assert_eq!(base.to_json(), same.to_json());
        assert_ne!(base.to_json(), FitSettings { rate: 1e-3, ..base.clone() }.to_json());
    }
}
