//! The names of each architecture's tensors, and their shapes.

use crate::config::{Architecture, Config};

/// The tensors of a linear layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LinearName {
    pub(crate) weight: String,
    pub(crate) bias: String,
}

impl LinearName {
    /// The two tensors of a layer of this name.
    pub(crate) fn new(name: &str) -> Self {
        Self { weight: format!("{name}.weight"), bias: format!("{name}.bias") }
    }
}

/// The tensors of an encoder layer.
#[derive(Debug)]
pub(crate) struct LayerNames {
    pub(crate) query: LinearName,
    pub(crate) key: LinearName,
    pub(crate) value: LinearName,
    pub(crate) out: LinearName,
    pub(crate) attention_norm: LinearName,
    pub(crate) up: LinearName,
    pub(crate) down: LinearName,
    pub(crate) norm: LinearName,
}

/// The use of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TensorUse {
    /// The table of word embeddings.
    Words,
    /// The weights of a linear layer inside the encoder.
    Layer,
    /// Anything else: kept in full precision.
    Other,
}

/// A tensor that a checkpoint must have.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) usage: TensorUse,
}

/// The names of a checkpoint's tensors.
pub(crate) struct Names {
    architecture: Architecture,
    prefix: &'static str,
}

impl Names {
    /// The names of `architecture`; `bare` where the encoder was saved without its model around it, and so without the
    /// model's prefix.
    pub(crate) fn new(architecture: Architecture, bare: bool) -> Self {
        let prefix = match architecture {
            _ if bare => "",
            Architecture::Roberta | Architecture::XlmRoberta | Architecture::Camembert => "roberta.",
            Architecture::Bert => "bert.",
            Architecture::Electra => "electra.",
            Architecture::DistilBert => "distilbert.",
        };
        Self { architecture, prefix }
    }

    pub(crate) fn words(&self) -> String {
        format!("{}embeddings.word_embeddings.weight", self.prefix)
    }

    pub(crate) fn positions(&self) -> String {
        format!("{}embeddings.position_embeddings.weight", self.prefix)
    }

    pub(crate) fn token_types(&self) -> String {
        format!("{}embeddings.token_type_embeddings.weight", self.prefix)
    }

    pub(crate) fn embedding_norm(&self) -> LinearName {
        self.inside("embeddings.LayerNorm")
    }

    /// ELECTRA's map from narrow embeddings to its hidden size.
    pub(crate) fn projection(&self) -> LinearName {
        self.inside("embeddings_project")
    }

    pub(crate) fn layer(&self, number: usize) -> LayerNames {
        let name = |part: &str| match self.architecture {
            Architecture::DistilBert => self.inside(&format!("transformer.layer.{number}.{part}")),
            _ => self.inside(&format!("encoder.layer.{number}.{part}")),
        };
        let [query, key, value, out, attention_norm, up, down, norm] = match self.architecture {
            Architecture::DistilBert => [
                "attention.q_lin",
                "attention.k_lin",
                "attention.v_lin",
                "attention.out_lin",
                "sa_layer_norm",
                "ffn.lin1",
                "ffn.lin2",
                "output_layer_norm",
            ],
            _ => [
                "attention.self.query",
                "attention.self.key",
                "attention.self.value",
                "attention.output.dense",
                "attention.output.LayerNorm",
                "intermediate.dense",
                "output.dense",
                "output.LayerNorm",
            ],
        }
        .map(name);
        LayerNames { query, key, value, out, attention_norm, up, down, norm }
    }

    /// The head's first layer.
    pub(crate) fn head_dense(&self) -> LinearName {
        match self.architecture {
            Architecture::Bert => self.inside("pooler.dense"),
            Architecture::DistilBert => LinearName::new("pre_classifier"),
            _ => LinearName::new("classifier.dense"),
        }
    }

    /// The head's last layer.
    pub(crate) fn head_out(&self) -> LinearName {
        match self.architecture {
            Architecture::Bert | Architecture::DistilBert => LinearName::new("classifier"),
            _ => LinearName::new("classifier.out_proj"),
        }
    }

    fn inside(&self, name: &str) -> LinearName {
        LinearName::new(&format!("{}{name}", self.prefix))
    }
}

/// Every tensor that a sequence classifier of this configuration has.
pub(crate) fn expected_tensors(config: &Config, bare: bool) -> Vec<Expected> {
    let names = Names::new(config.architecture, bare);
    let (hidden, inner) = (config.hidden, config.intermediate);
    let mut all = Vec::new();
    let mut add = |name: String, shape: &[usize], usage| {
        all.push(Expected { name, shape: shape.to_vec(), usage });
    };
    let mut pair = |name: LinearName, out: usize, inputs: Option<usize>, usage| {
        let shape: Vec<usize> = std::iter::once(out).chain(inputs).collect();
        add(name.weight, &shape, usage);
        add(name.bias, &[out], TensorUse::Other);
    };
    pair(names.embedding_norm(), config.embedding, None, TensorUse::Other);
    if config.embedding != hidden {
        pair(names.projection(), hidden, Some(config.embedding), TensorUse::Layer);
    }
    for number in 0..config.layers {
        let layer = names.layer(number);
        for name in [layer.query, layer.key, layer.value, layer.out] {
            pair(name, hidden, Some(hidden), TensorUse::Layer);
        }
        pair(layer.up, inner, Some(hidden), TensorUse::Layer);
        pair(layer.down, hidden, Some(inner), TensorUse::Layer);
        pair(layer.attention_norm, hidden, None, TensorUse::Other);
        pair(layer.norm, hidden, None, TensorUse::Other);
    }
    pair(names.head_dense(), hidden, Some(hidden), TensorUse::Other);
    pair(names.head_out(), config.labels.len(), Some(hidden), TensorUse::Other);
    add(names.words(), &[config.vocabulary, config.embedding], TensorUse::Words);
    add(names.positions(), &[config.positions, config.embedding], TensorUse::Other);
    if config.token_types > 0 {
        add(names.token_types(), &[config.token_types, config.embedding], TensorUse::Other);
    }
    all
}

/// True for a tensor that published checkpoints carry along without a use in classification: buffers of older
/// versions, poolers of models that do not pool, heads of pretraining.
pub(crate) fn is_ignored(name: &str) -> bool {
    const BUFFERS: [&str; 3] = [".position_ids", ".token_type_ids", "embeddings.position_ids"];
    const HEADS: [&str; 7] = [
        "lm_head.",
        "cls.",
        "vocab_transform.",
        "vocab_layer_norm.",
        "vocab_projector.",
        "discriminator_predictions.",
        "generator_",
    ];
    BUFFERS.iter().any(|end| name.ends_with(end))
        || HEADS.iter().any(|start| name.starts_with(start))
        || name.contains("pooler.")
}
