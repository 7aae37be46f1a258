//! How encoders are trained: arguments to settings.

use clap::{Args, ValueEnum};
use vulnlens_train::encoder::{BatchSize, Decay, FitSettings};

/// Settings of the training; whoever resumes a run gives the same.
#[derive(Debug, Args)]
#[command(next_help_heading = "Settings of the training")]
pub(crate) struct FitArguments {
    /// Passes over the texts
    #[arg(long, value_name = "N", default_value_t = FitSettings::default().epochs)]
    epochs: u64,

    /// Updates at most
    #[arg(long, value_name = "N")]
    max_steps: Option<u64>,

    /// Texts an update
    #[arg(long, value_name = "N", default_value_t = 32)]
    batch: usize,

    /// Tokens an update, in place of a number of texts
    #[arg(long, value_name = "N", conflicts_with = "batch")]
    batch_tokens: Option<usize>,

    /// Tokens that go through the network at once; larger batches are cut into parts, whose gradients are added
    #[arg(long, value_name = "N", default_value_t = FitSettings::default().part_tokens)]
    part_tokens: usize,

    /// Tokens that are read of a text, special ones included
    #[arg(long, value_name = "N", default_value_t = FitSettings::default().max_tokens)]
    max_tokens: usize,

    /// The greatest learning rate
    #[arg(long, value_name = "RATE", default_value_t = FitSettings::default().rate)]
    rate: f64,

    /// How the rate falls
    #[arg(long, value_enum, value_name = "HOW", default_value_t = DecayName::Linear)]
    decay: DecayName,

    /// Share of the updates in which the rate rises
    #[arg(long, value_name = "SHARE", default_value_t = FitSettings::default().warmup)]
    warmup: f64,

    /// AdamW's decay of weights
    #[arg(long, value_name = "SHARE", default_value_t = FitSettings::default().weight_decay)]
    weight_decay: f64,

    /// The greatest norm of an update's gradients
    #[arg(long, value_name = "NORM", default_value_t = FitSettings::default().clip)]
    clip: f64,

    /// Share of numbers that an update drops
    #[arg(long, value_name = "SHARE", default_value_t = FitSettings::default().dropout)]
    dropout: f32,

    /// Each layer's rate is so many times that of the layer above it
    #[arg(long, value_name = "SHARE", default_value_t = FitSettings::default().layer_decay)]
    layer_decay: f64,

    /// Leave embeddings and the lowest N layers as they are
    #[arg(long, value_name = "N")]
    freeze: Option<usize>,

    /// Compute what lies within layers a second time rather than keep it: less memory, more time, the same result
    #[arg(long)]
    recompute: bool,

    /// Updates between two evaluations [default: one after each pass]
    #[arg(long, value_name = "N")]
    evaluate_every: Option<u64>,

    /// Validation texts that an evaluation looks at, at most
    #[arg(long, value_name = "N", default_value_t = FitSettings::default().evaluation_texts)]
    evaluation_texts: usize,

    /// Evaluations without a gain after which training ends
    #[arg(long, value_name = "N")]
    patience: Option<u64>,

    /// Updates between two checkpoints
    #[arg(long, value_name = "N", default_value_t = FitSettings::default().save_every)]
    save_every: u64,

    /// Updates between two lines of the log
    #[arg(long, value_name = "N", default_value_t = FitSettings::default().log_every)]
    log_every: u64,
}

/// How the learning rate falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DecayName {
    /// Not at all
    Constant,
    /// On a line to zero
    Linear,
    /// On half a wave to zero
    Cosine,
}

impl FitArguments {
    pub(crate) fn settings(&self, seed: u64) -> FitSettings {
        FitSettings {
            seed,
            epochs: self.epochs,
            max_steps: self.max_steps,
            batch: self.batch_tokens.map_or(BatchSize::Texts(self.batch), BatchSize::Tokens),
            part_tokens: self.part_tokens,
            max_tokens: self.max_tokens,
            rate: self.rate,
            decay: match self.decay {
                DecayName::Constant => Decay::Constant,
                DecayName::Linear => Decay::Linear,
                DecayName::Cosine => Decay::Cosine,
            },
            warmup: self.warmup,
            weight_decay: self.weight_decay,
            clip: self.clip,
            dropout: self.dropout,
            layer_decay: self.layer_decay,
            frozen_layers: self.freeze,
            recompute: self.recompute,
            evaluate_every: self.evaluate_every,
            evaluation_texts: self.evaluation_texts,
            patience: self.patience,
            save_every: self.save_every,
            log_every: self.log_every,
        }
    }
}
