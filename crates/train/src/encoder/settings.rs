//! The settings of a training run.

use serde_json::Value;
use vulnlens_encoder::training::{Decay, Dropout};

use crate::error::TrainError;
use crate::setting::{Settings as _, Use, settings, to_json};

settings! {
    /// The settings of a training run; they decide every bit of the result.
    pub struct FitSettings {
        /// Seed of every random choice
        seed: u64 = 1;

        /// Passes over the texts
        epochs: u64 = 3 => Use::of("N").within(1.0, 10_000.0).searchable();

        /// Updates at most
        max_steps: Option<u64> = None => Use::of("N").at_least(1.0);

        /// Texts an update
        batch: usize = 32 => Use::of("N").within(1.0, MOST_IN_A_BATCH).searchable();

        /// Tokens an update, in place of a number of texts
        batch_tokens: Option<usize> = None
            => Use::of("N").within(1.0, MOST_IN_A_BATCH).instead_of("batch").searchable();

        /// Tokens that go through the network at once; larger batches are cut into parts, whose gradients are added
        part_tokens: usize = 8192 => Use::of("N").within(1.0, (1 << 24) as f64);

        /// Tokens that are read of a text, special ones included
        max_tokens: usize = 256 => Use::of("N").at_least(3.0).searchable();

        /// The greatest learning rate
        rate: f64 = 5e-4 => Use::of("RATE").above(0.0).at_most(1.0).searchable();

        /// How the rate falls
        decay: Decay = Decay::Linear => Use::of("HOW").searchable();

        /// Share of the updates in which the rate rises
        warmup: f64 = 0.06 => Use::of("SHARE").within(0.0, 1.0).searchable();

        /// AdamW's decay of weights
        weight_decay: f64 = 0.01 => Use::of("SHARE").within(0.0, 1.0).searchable();

        /// The greatest norm of an update's gradients
        clip: f64 = 1.0 => Use::of("NORM").above(0.0).at_most(1e9).searchable();

        /// Share of numbers that an update drops
        dropout: f32 = 0.1 => Use::of("SHARE").at_least(0.0).below(0.95).searchable();

        /// Each layer's rate is so many times that of the layer above it
        layer_decay: f64 = 1.0 => Use::of("SHARE").above(0.0).at_most(1.0).searchable();

        /// Leave embeddings and the lowest N layers as they are
        frozen_layers: Option<usize> = None => Use::of("N").called("freeze").searchable();

        /// Compute what lies within layers a second time rather than keep it: less memory, more time, the same result
        recompute: bool = false => Use::of("").without_effect();

        /// Updates between two evaluations [default: one after each pass]
        evaluate_every: Option<u64> = None => Use::of("N").at_least(1.0);

        /// Validation texts that an evaluation looks at, at most
        evaluation_texts: usize = 4096 => Use::of("N").at_least(1.0);

        /// Evaluations without a gain after which training ends
        patience: Option<u64> = None => Use::of("N").at_least(1.0);

        /// Updates between two checkpoints
        save_every: u64 = 500 => Use::of("N").at_least(1.0).without_effect();

        /// Updates between two lines of the log
        log_every: u64 = 50 => Use::of("N").at_least(1.0);
    }
}

/// Texts or tokens of an update.
const MOST_IN_A_BATCH: f64 = (1 << 20) as f64;

/// The size of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BatchSize {
    /// So many texts.
    Texts(usize),
    /// Texts of at most so many tokens together, or one longer text.
    Tokens(usize),
}

impl FitSettings {
    /// The size of a batch.
    pub(crate) fn batch_size(&self) -> BatchSize {
        self.batch_tokens.map_or(BatchSize::Texts(self.batch), BatchSize::Tokens)
    }

    /// The same rate of dropout everywhere.
    pub(crate) fn dropout(&self) -> Dropout {
        Dropout { hidden: self.dropout, attention: self.dropout, classifier: self.dropout }
    }

    /// Names and values, as JSON: everything that decides the result, and nothing else.
    pub(crate) fn to_json(&self) -> Value {
        let mut map = to_json(self);
        let batch = match self.batch_size() {
            BatchSize::Texts(texts) => format!("{texts} texts"),
            BatchSize::Tokens(tokens) => format!("{tokens} tokens"),
        };
        map.remove("batch_tokens");
        map.insert("batch".to_owned(), batch.into());
        map.insert("seed".to_owned(), self.seed.into());
        Value::Object(map)
    }

    /// Refuses a setting that is out of its bounds.
    pub(crate) fn check(&self) -> Result<(), TrainError> {
        self.problem().map_or(Ok(()), |problem| Err(TrainError::Setting(problem)))
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
            (FitSettings { batch_tokens: Some(0), ..FitSettings::default() }, "batch"),
            (FitSettings { dropout: 1.0, ..FitSettings::default() }, "dropout"),
            (FitSettings { dropout: -0.1, ..FitSettings::default() }, "dropout"),
            (FitSettings { dropout: f32::NAN, ..FitSettings::default() }, "dropout"),
            (FitSettings { rate: 0.0, ..FitSettings::default() }, "rate"),
            (FitSettings { max_steps: Some(0), ..FitSettings::default() }, "max-steps"),
            (FitSettings { part_tokens: 0, ..FitSettings::default() }, "part-tokens"),
            (FitSettings { max_tokens: 2, ..FitSettings::default() }, "max-tokens"),
            (FitSettings { warmup: 1.5, ..FitSettings::default() }, "warmup"),
            (FitSettings { warmup: f64::NAN, ..FitSettings::default() }, "warmup"),
            (FitSettings { weight_decay: -0.01, ..FitSettings::default() }, "weight-decay"),
            (FitSettings { clip: 0.0, ..FitSettings::default() }, "clip"),
            (FitSettings { clip: f64::INFINITY, ..FitSettings::default() }, "clip"),
            (FitSettings { layer_decay: 0.0, ..FitSettings::default() }, "layer-decay"),
            (FitSettings { layer_decay: 1.1, ..FitSettings::default() }, "layer-decay"),
            (FitSettings { evaluate_every: Some(0), ..FitSettings::default() }, "evaluate-every"),
            (FitSettings { evaluation_texts: 0, ..FitSettings::default() }, "evaluation-texts"),
            (FitSettings { save_every: 0, ..FitSettings::default() }, "save-every"),
            (FitSettings { log_every: 0, ..FitSettings::default() }, "log-every"),
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
