//! `config.json`: what the network is, with transformers' keys and defaults (4.57).

mod architecture;
mod form;
mod keys;
mod labels;

use std::path::Path;

pub use self::architecture::{Activation, Architecture};
pub(crate) use self::form::{
    AttentionRate, Biases, Distances, FeedForwardDropout, Form, HeadFunction, Norms, Pooling, Relative,
};
pub use self::labels::Problem;

use self::form::{Buckets, DropoutPlaces, HeadForm, Local};
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
    /// Rows of the position table, or tokens of the longest text where there is none.
    pub positions: usize,
    /// Row of the first token's position: `pad_token_id + 1` for RoBERTa and XLM-RoBERTa, else 0.
    pub position_offset: usize,
    /// Rows of the token type table; 0 where there is none, as in DistilBERT.
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
    /// The build of the network.
    pub(crate) form: Form,
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
            Architecture::ModernBert => modern_bert(&keys)?,
            Architecture::DebertaV2 => deberta_v2(&keys)?,
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

    /// Numbers of an attention head.
    pub(crate) fn head_width(&self) -> usize {
        self.hidden / self.heads
    }

    /// Conditions between keys.
    fn check(&self, keys: &Keys<'_>) -> Result<(), EncoderError> {
        if !self.hidden.is_multiple_of(self.heads) {
            let problem = format!("is {}, which {} attention heads do not divide", self.hidden, self.heads);
            let key = if self.architecture == Architecture::DistilBert { "dim" } else { "hidden_size" };
            return Err(keys.error(key, problem, "use the config.json that was published with the weights"));
        }
        if matches!(self.form.distances, Distances::Rotary { .. }) && !self.head_width().is_multiple_of(2) {
            let problem =
                format!("makes heads of {} numbers, which do not rotate in pairs", self.head_width());
            return Err(keys.error("num_attention_heads", problem, "use the published config.json"));
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
    pub(super) const RELATIVE: usize = 65_536;
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
    let function = match architecture {
        // Whatever `hidden_act` says: transformers names GELU here.
        Architecture::Electra => HeadFunction::Activation(Activation::Gelu),
        _ => HeadFunction::Tanh,
    };
    let mut form = Form::bert(function);
    form.dropout.head_in = architecture != Architecture::Bert;
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
        norm_epsilon: keys.epsilon("layer_norm_eps", 1e-12)?,
        labels,
        problem,
        problem_is_stated,
        pad_token,
        has_classifier: has_classifier(keys)?,
        tokenizer_class: keys.string("tokenizer_class")?,
        form,
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
    let mut form = Form::bert(HeadFunction::Activation(Activation::Relu));
    form.dropout.attention_out = None;
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
        form,
    })
}

fn modern_bert(keys: &Keys<'_>) -> Result<Config, EncoderError> {
    for key in ["rope_scaling", "head_dim", "partial_rotary_factor"] {
        if keys.is_filled(key) {
            return Err(keys.error(
                key,
                "is not supported",
                "use a checkpoint without it, as all published ones are",
            ));
        }
    }
    let pooling = match keys.string("classifier_pooling")?.as_deref() {
        None | Some("cls") => Pooling::First,
        Some("mean") => Pooling::Mean,
        Some(other) => {
            let problem = format!("is `{}`, which transformers does not know", other.escape_debug());
            return Err(keys.error("classifier_pooling", problem, "it must be cls or mean"));
        }
    };
    let global = keys.wavelength("global_rope_theta")?.unwrap_or(160_000.0);
    let local = match keys.wavelength("local_rope_theta")? {
        // Null says that local layers have the others' wavelengths.
        None if keys.has("local_rope_theta") => global,
        local => local.unwrap_or(10_000.0),
    };
    let bias = |key, default| Ok::<_, EncoderError>(keys.boolean(key)?.unwrap_or(default));
    let form = Form {
        norms: Norms::Before,
        is_gated: true,
        has_position_table: false,
        distances: Distances::Rotary { global, local },
        local: Some(Local {
            reach: keys.size("local_attention", 128, bounds::POSITIONS)? / 2,
            global_every: keys.size("global_attn_every_n_layers", 3, bounds::LAYERS)?,
        }),
        biases: Biases {
            norms: bias("norm_bias", false)?,
            attention: bias("attention_bias", false)?,
            feed_forward: bias("mlp_bias", false)?,
            head: bias("classifier_bias", false)?,
            vocabulary: bias("decoder_bias", true)?,
        },
        head: HeadForm { pooling, function: keys.head_function("classifier_activation")?, has_norm: true },
        dropout: DropoutPlaces {
            attention_out: Some(AttentionRate::Attention),
            feed_forward: FeedForwardDropout::Inside,
            head_in: false,
        },
    };
    let hidden = keys.size("hidden_size", 768, bounds::WIDTH)?;
    let Outputs { labels, problem, problem_is_stated } = labels::read(keys)?;
    Ok(Config {
        architecture: Architecture::ModernBert,
        vocabulary: keys.size("vocab_size", 50_368, bounds::VOCABULARY)?,
        embedding: hidden,
        hidden,
        layers: keys.size("num_hidden_layers", 22, bounds::LAYERS)?,
        heads: keys.size("num_attention_heads", 12, bounds::WIDTH)?,
        intermediate: keys.size("intermediate_size", 1152, bounds::INTERMEDIATE)?,
        positions: keys.size("max_position_embeddings", 8192, bounds::POSITIONS)?,
        position_offset: 0,
        token_types: 0,
        activation: keys.activation("hidden_activation")?,
        norm_epsilon: keys.epsilon("norm_eps", 1e-5)?,
        labels,
        problem,
        problem_is_stated,
        pad_token: keys.token("pad_token_id", 50_283)?,
        has_classifier: has_classifier(keys)?,
        tokenizer_class: keys.string("tokenizer_class")?,
        form,
    })
}

fn deberta_v2(keys: &Keys<'_>) -> Result<Config, EncoderError> {
    let hidden = keys.size("hidden_size", 1536, bounds::WIDTH)?;
    let heads = keys.size("num_attention_heads", 24, bounds::WIDTH)?;
    for (key, usual) in [
        ("embedding_size", hidden),
        ("pooler_hidden_size", hidden),
        ("attention_head_size", hidden / heads),
        ("conv_kernel_size", 0),
    ] {
        if keys.is_filled(key) && keys.size_or_none(key, usual, bounds::WIDTH)? != usual {
            let problem = format!("is not supported, unless it is {usual}");
            return Err(keys.error(
                key,
                problem,
                "use a checkpoint of DeBERTa version 3, none of which has it",
            ));
        }
    }
    let positions = keys.size("max_position_embeddings", 512, bounds::POSITIONS)?;
    let mut form = Form::bert(keys.head_function("pooler_hidden_act")?);
    form.has_position_table = keys.boolean("position_biased_input")?.unwrap_or(true);
    form.distances = distances(keys, positions)?;
    let Outputs { labels, problem, problem_is_stated } = labels::read(keys)?;
    Ok(Config {
        architecture: Architecture::DebertaV2,
        vocabulary: keys.size("vocab_size", 128_100, bounds::VOCABULARY)?,
        embedding: hidden,
        hidden,
        layers: keys.size("num_hidden_layers", 24, bounds::LAYERS)?,
        heads,
        intermediate: keys.size("intermediate_size", 6144, bounds::INTERMEDIATE)?,
        positions,
        position_offset: 0,
        token_types: keys.size_or_none("type_vocab_size", 0, bounds::TOKEN_TYPES)?,
        activation: keys.activation("hidden_act")?,
        norm_epsilon: keys.epsilon("layer_norm_eps", 1e-7)?,
        labels,
        problem,
        problem_is_stated,
        pad_token: keys.token("pad_token_id", 0)?,
        has_classifier: has_classifier(keys)?,
        tokenizer_class: keys.string("tokenizer_class")?,
        form,
    })
}

/// DeBERTa's embeddings of distances.
fn distances(keys: &Keys<'_>, positions: usize) -> Result<Distances, EncoderError> {
    let terms = keys.words("pos_att_type")?;
    let published = "use the config.json that was published with the weights";
    if !keys.boolean("relative_attention")?.unwrap_or(false) {
        if terms.is_empty() {
            return Ok(Distances::None);
        }
        let problem = "is false, but `pos_att_type` names terms of relative attention";
        return Err(keys.error("relative_attention", problem, published));
    }
    if let Some(other) = terms.iter().find(|term| !["c2p", "p2c"].contains(&term.as_str())) {
        let problem = format!("has `{}`, which is not supported", other.escape_debug());
        return Err(keys.error("pos_att_type", problem, "supported are c2p and p2c"));
    }
    let most = keys.size_if_positive("max_relative_positions", bounds::RELATIVE)?.unwrap_or(positions);
    let count = keys.size_if_positive("position_buckets", bounds::RELATIVE)?;
    // The logarithmic buckets need room between the exact ones and the farthest.
    if let Some(count) = count.filter(|count| *count < 4 || most <= count / 2 + 1) {
        let problem = format!(
            "is {count}, with distances up to {most}; it must be 4 or more, and its half less than these"
        );
        return Err(keys.error("position_buckets", problem, published));
    }
    let has = |term: &str| terms.iter().any(|other| other == term);
    Ok(Distances::Relative(Relative {
        span: count.unwrap_or(most),
        buckets: count.map(|count| Buckets { count, most }),
        as_keys: has("c2p"),
        as_queries: has("p2c"),
        shares_projections: keys.boolean("share_att_key")?.unwrap_or(false),
        is_normalized: keys.words("norm_rel_ebd")?.iter().any(|word| word == "layer_norm"),
    }))
}

fn has_classifier(keys: &Keys<'_>) -> Result<bool, EncoderError> {
    let classes = keys.strings("architectures")?;
    Ok(classes.is_empty() || classes.iter().any(|class| class.ends_with("ForSequenceClassification")))
}

#[cfg(test)]
mod tests;
