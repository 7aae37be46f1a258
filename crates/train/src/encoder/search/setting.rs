//! The settings that a search can vary, under the names of their arguments.

use std::fmt;

use serde::{Deserialize, Serialize};
use vulnlens_encoder::training::Decay;

use crate::encoder::classifier::ClassifierSettings;
use crate::encoder::objective::MultiLabelLoss;
use crate::encoder::settings::BatchSize;

/// A setting of a classifier's training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Setting {
    Batch,
    BatchTokens,
    Clip,
    Decay,
    Dropout,
    Epochs,
    Freeze,
    LayerDecay,
    Loss,
    MaxTokens,
    Rate,
    Warmup,
    WeightDecay,
}

/// What values a setting has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Real,
    Whole,
    Word,
}

/// The value of a setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SettingValue {
    /// A number.
    Number(f64),
    /// A name, such as `cosine`.
    Word(String),
}

impl fmt::Display for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Small rates as people write them.
            Self::Number(number) if *number != 0.0 && number.abs() < 1e-3 => write!(f, "{number:e}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Word(word) => f.write_str(word),
        }
    }
}

impl Setting {
    pub(crate) const ALL: [(Self, &'static str, Kind); 13] = [
        (Self::Batch, "batch", Kind::Whole),
        (Self::BatchTokens, "batch-tokens", Kind::Whole),
        (Self::Clip, "clip", Kind::Real),
        (Self::Decay, "decay", Kind::Word),
        (Self::Dropout, "dropout", Kind::Real),
        (Self::Epochs, "epochs", Kind::Whole),
        (Self::Freeze, "freeze", Kind::Whole),
        (Self::LayerDecay, "layer-decay", Kind::Real),
        (Self::Loss, "loss", Kind::Word),
        (Self::MaxTokens, "max-tokens", Kind::Whole),
        (Self::Rate, "rate", Kind::Real),
        (Self::Warmup, "warmup", Kind::Real),
        (Self::WeightDecay, "weight-decay", Kind::Real),
    ];

    pub(crate) fn named(name: &str) -> Option<(Self, Kind)> {
        let found = Self::ALL.into_iter().find(|(_, known, _)| *known == name);
        found.map(|(setting, _, kind)| (setting, kind))
    }

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(setting, ..)| *setting == self).map_or("", |(_, name, _)| name)
    }

    /// Sets it; says what it could be where the value is none of these.
    pub(crate) fn set(self, value: &SettingValue, settings: &mut ClassifierSettings) -> Result<(), String> {
        match value {
            SettingValue::Number(number) => self.set_number(*number, settings),
            SettingValue::Word(word) => self.set_word(word, settings),
        }
    }

    fn set_number(self, number: f64, settings: &mut ClassifierSettings) -> Result<(), String> {
        let fit = &mut settings.fit;
        // Whole numbers are checked where ranges are read; a cast is never out of bounds but cut off at them.
        match self {
            Self::Batch => fit.batch = BatchSize::Texts(number as usize),
            Self::BatchTokens => fit.batch = BatchSize::Tokens(number as usize),
            Self::Clip => fit.clip = number,
            Self::Dropout => fit.dropout = number as f32,
            Self::Epochs => fit.epochs = number as u64,
            Self::Freeze => fit.frozen_layers = Some(number as usize),
            Self::LayerDecay => fit.layer_decay = number,
            Self::MaxTokens => fit.max_tokens = number as usize,
            Self::Rate => fit.rate = number,
            Self::Warmup => fit.warmup = number,
            Self::WeightDecay => fit.weight_decay = number,
            Self::Decay | Self::Loss => return Err(self.words()),
        }
        Ok(())
    }

    fn set_word(self, word: &str, settings: &mut ClassifierSettings) -> Result<(), String> {
        match self {
            Self::Decay => {
                let found = DECAYS.into_iter().find(|(name, _)| *name == word);
                settings.fit.decay = found.ok_or_else(|| self.words())?.1;
            }
            Self::Loss => {
                let found = MultiLabelLoss::ALL.into_iter().find(|loss| loss.name() == word);
                settings.loss = found.ok_or_else(|| self.words())?;
            }
            _ => return Err("a number".to_owned()),
        }
        Ok(())
    }

    fn words(self) -> String {
        let names: Vec<&str> = match self {
            Self::Decay => DECAYS.map(|(name, _)| name).to_vec(),
            _ => MultiLabelLoss::ALL.map(MultiLabelLoss::name).to_vec(),
        };
        format!("one of {}", names.join(", "))
    }
}

const DECAYS: [(&str, Decay); 3] =
    [("constant", Decay::Constant), ("linear", Decay::Linear), ("cosine", Decay::Cosine)];
