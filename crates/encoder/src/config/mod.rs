//! `config.json`: what the network is, with transformers' keys and defaults (4.57).

mod architecture;
mod keys;
mod labels;

use std::path::Path;

pub use self::architecture::{Activation, Architecture};
pub use self::labels::Problem;

use self::keys::Keys;
use self::labels::Outputs;
use crate::error::EncoderError;

/// A checkpoint's configuration, checked: every size is positive and bounded, and they fit each other.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The kind of network.
    pub architecture: Architecture,
    /// Rows of the word table.
    pub vocabulary: usize,
    /// Width of the embeddings: `hidden`, except for ELECTRA.
    pub embedding: usize,
    /// Width of the layers.
    pub hidden: usize,
    /// Number of layers.
    pub layers: usize,
    /// Attention heads of a layer; `hidden` is a multiple of it.
    pub heads: usize,
    /// Width of the feed-forward part.
    pub intermediate: usize,
    /// Rows of the position table.
    pub positions: usize,
    /// Row of the first token's position: `pad_token_id + 1` for RoBERTa and XLM-RoBERTa, else 0.
    pub position_offset: usize,
    /// Rows of the token type table; 0 for DistilBERT, which has none.
    pub token_types: usize,
    /// The feed-forward part's function.
    pub activation: Activation,
    /// Added to the variance by layer normalisation.
    pub norm_epsilon: f32,
    /// Label names by output index.
    pub labels: Vec<String>,
    /// The function from logits to scores.
    pub problem: Problem,
    /// False if the file leaves the function open: it has several labels and no `problem_type`.
    pub problem_is_stated: bool,
    /// The token that pads; its row of the word table is like any other here, nothing is padded.
    pub pad_token: Option<u32>,
    /// True if the file announces a classifier: `architectures` names a
    /// `…ForSequenceClassification`, or is absent. The weights have the last word; a base model
    /// (`…Model`, `…ForMaskedLM`) is read too, as fine-tuning starts from one.
    pub has_classifier: bool,
    /// `tokenizer_class`, which counts where `tokenizer_config.json` names none.
    pub tokenizer_class: Option<String>,
}

impl Config {
    /// Reads the bytes of a `config.json`; `file` names it in errors.
    ///
    /// # Errors
    /// [`EncoderError::UnknownArchitecture`], or [`EncoderError::Config`] naming the key: sizes that
    /// are missing, out of bounds or do not fit each other, an activation or a setting that would
    /// change the numbers and is not supported, labels that are not numbered 0 to n − 1.
    pub fn from_json(json: &[u8], file: &Path) -> Result<Self, EncoderError> {
        let keys = Keys::parse(json, file)?;
        let architecture = architecture(&keys)?;
        refuse_unsupported(&keys)?;
        let config = match architecture {
            Architecture::DistilBert => distilbert(&keys)?,
            _ => bert_like(&keys, architecture)?,
        };
        config.check(&keys)?;
        Ok(config)
    }

    /// The longest sequence, special tokens included.
    #[must_use]
    pub fn max_tokens(&self) -> usize {
        self.positions.saturating_sub(self.position_offset)
    }

    /// Conditions between keys.
    fn check(&self, keys: &Keys<'_>) -> Result<(), EncoderError> {
        if !self.hidden.is_multiple_of(self.heads) {
            let problem = format!("is {}, which {} attention heads do not divide", self.hidden, self.heads);
            let key = if self.architecture == Architecture::DistilBert { "dim" } else { "hidden_size" };
            return Err(keys.error(key, problem, "use the config.json that was published with the weights"));
        }
        if let Some(pad) = self.pad_token.filter(|&pad| pad as usize >= self.vocabulary) {
            let problem = format!("is {pad}, beyond the vocabulary of {}", self.vocabulary);
            return Err(keys.error("pad_token_id", problem, "correct it to the tokenizer's padding token"));
        }
        if self.max_tokens() < 3 {
            let problem = format!("is {}, too small for one token between two special ones", self.positions);
            return Err(keys.error("max_position_embeddings", problem, "use the published config.json"));
        }
        Ok(())
    }
}

/// The architecture by `model_type`, or by `architectures` in files too old to have one.
fn architecture(keys: &Keys<'_>) -> Result<Architecture, EncoderError> {
    let classes = keys.strings("architectures")?;
    let Some(model_type) = keys.string("model_type")? else {
        return Architecture::ALL
            .into_iter()
            .find(|a| classes.iter().any(|class| is_of(class, *a)))
            .ok_or_else(|| keys.unknown_architecture(classes.first().map_or("(absent)", String::as_str)));
    };
    let architecture = Architecture::ALL
        .into_iter()
        .find(|a| a.model_type() == model_type)
        .ok_or_else(|| keys.unknown_architecture(&model_type))?;
    match classes.iter().find(|class| !is_of(class, architecture)) {
        None => Ok(architecture),
        Some(class) => Err(keys.error(
            "architectures",
            format!("names `{class}`, which is not a network of `model_type` `{model_type}`"),
            "correct the one that is wrong; the names of the tensors tell",
        )),
    }
}

/// True if a class of transformers is one of the architecture's.
fn is_of(class: &str, architecture: Architecture) -> bool {
    class.strip_prefix(architecture.class_prefix()).is_some_and(|rest| {
        rest == "Model" || rest == "LMHeadModel" || rest == "PreTrainedModel" || rest.starts_with("For")
    })
}

/// Settings that would change the numbers and that no published classifier of these kinds uses.
fn refuse_unsupported(keys: &Keys<'_>) -> Result<(), EncoderError> {
    if let Some(kind) = keys.string("position_embedding_type")?
        && kind != "absolute"
    {
        let problem = format!("is `{kind}`; only `absolute` is supported");
        return Err(keys.error(
            "position_embedding_type",
            problem,
            "use a checkpoint with absolute positions",
        ));
    }
    for key in ["is_decoder", "is_encoder_decoder", "add_cross_attention"] {
        if keys.boolean(key)?.unwrap_or(false) {
            return Err(keys.error(key, "is true; only encoders are supported", "use an encoder checkpoint"));
        }
    }
    let is_ours = keys.text_in("quantization_config", "quant_method") == Some(QUANTIZATION);
    for key in ["pruned_heads", "quantization_config"] {
        if keys.is_filled(key) && !(key == "quantization_config" && is_ours) {
            return Err(keys.error(
                key,
                "is not supported",
                "use the checkpoint that this one was made from",
            ));
        }
    }
    Ok(())
}

/// The `quant_method` of a `quantization_config` where this crate quantised the weights.
pub(crate) const QUANTIZATION: &str = "vulnlens-int8";

/// Greatest sizes that are believed: some ten times those of the largest encoders.
mod bounds {
    pub(super) const VOCABULARY: usize = 4_000_000;
    pub(super) const WIDTH: usize = 16_384;
    pub(super) const LAYERS: usize = 256;
    pub(super) const INTERMEDIATE: usize = 131_072;
    pub(super) const POSITIONS: usize = 1_000_000;
    pub(super) const TOKEN_TYPES: usize = 1_024;
}

fn bert_like(keys: &Keys<'_>, architecture: Architecture) -> Result<Config, EncoderError> {
    let electra = architecture == Architecture::Electra;
    let roberta = architecture == Architecture::Roberta;
    let hidden = keys.size("hidden_size", if electra { 256 } else { 768 }, bounds::WIDTH)?;
    let offset = architecture.offsets_positions();
    let pad_token = keys.token("pad_token_id", u32::from(offset))?;
    let position_offset = match (offset, pad_token) {
        (false, _) => 0,
        (true, Some(pad)) => pad as usize + 1,
        (true, None) => {
            return Err(keys.error(
                "pad_token_id",
                "is null; positions are counted from it",
                "set it (RoBERTa: 1)",
            ));
        }
    };
    let Outputs { labels, problem, problem_is_stated } = labels::read(keys)?;
    Ok(Config {
        architecture,
        vocabulary: keys.size("vocab_size", if roberta { 50_265 } else { 30_522 }, bounds::VOCABULARY)?,
        embedding: if electra { keys.size("embedding_size", 128, bounds::WIDTH)? } else { hidden },
        hidden,
        layers: keys.size("num_hidden_layers", 12, bounds::LAYERS)?,
        heads: keys.size("num_attention_heads", if electra { 4 } else { 12 }, bounds::WIDTH)?,
        intermediate: keys.size(
            "intermediate_size",
            if electra { 1024 } else { 3072 },
            bounds::INTERMEDIATE,
        )?,
        positions: keys.size("max_position_embeddings", 512, bounds::POSITIONS)?,
        position_offset,
        token_types: keys.size("type_vocab_size", 2, bounds::TOKEN_TYPES)?,
        activation: keys.activation("hidden_act")?,
        norm_epsilon: keys.epsilon("layer_norm_eps")?,
        labels,
        problem,
        problem_is_stated,
        pad_token,
        has_classifier: has_classifier(keys)?,
        tokenizer_class: keys.string("tokenizer_class")?,
    })
}

fn distilbert(keys: &Keys<'_>) -> Result<Config, EncoderError> {
    // transformers maps these general names onto DistilBERT's own and lets them win.
    let size = |general, own, default, most| {
        if keys.is_filled(general) {
            keys.size(general, default, most)
        } else {
            keys.size(own, default, most)
        }
    };
    let hidden = size("hidden_size", "dim", 768, bounds::WIDTH)?;
    let Outputs { labels, problem, problem_is_stated } = labels::read(keys)?;
    Ok(Config {
        architecture: Architecture::DistilBert,
        vocabulary: keys.size("vocab_size", 30_522, bounds::VOCABULARY)?,
        embedding: hidden,
        hidden,
        layers: size("num_hidden_layers", "n_layers", 6, bounds::LAYERS)?,
        heads: size("num_attention_heads", "n_heads", 12, bounds::WIDTH)?,
        intermediate: keys.size("hidden_dim", 3072, bounds::INTERMEDIATE)?,
        positions: keys.size("max_position_embeddings", 512, bounds::POSITIONS)?,
        position_offset: 0,
        token_types: 0,
        activation: keys.activation("activation")?,
        norm_epsilon: 1e-12,
        labels,
        problem,
        problem_is_stated,
        pad_token: keys.token("pad_token_id", 0)?,
        has_classifier: has_classifier(keys)?,
        tokenizer_class: keys.string("tokenizer_class")?,
    })
}

fn has_classifier(keys: &Keys<'_>) -> Result<bool, EncoderError> {
    let classes = keys.strings("architectures")?;
    Ok(classes.is_empty() || classes.iter().any(|class| class.ends_with("ForSequenceClassification")))
}

#[cfg(test)]
mod tests;
