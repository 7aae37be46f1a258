//! The names of each architecture's tensors, and their shapes.

#[cfg(feature = "training")]
use crate::config::{Activation, HeadFunction};
use crate::config::{Architecture, Biases, Config, Norms};

/// The tensors of a linear layer or of a normalisation, or a share of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LinearName {
    pub(crate) weight: String,
    pub(crate) bias: Option<String>,
    pub(crate) share: Share,
}

/// A layer's share of a tensor's rows, where one tensor holds several layers of equal size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) number: usize,
    pub(crate) of: usize,
}

impl Share {
    pub(crate) const WHOLE: Self = Self { number: 0, of: 1 };

    /// The numbers of this share among all of a tensor.
    pub(crate) fn of_numbers<T>(self, numbers: &[T]) -> &[T] {
        let length = numbers.len() / self.of;
        &numbers[self.number * length..][..length]
    }

    /// The same, to be overwritten.
    #[cfg(feature = "training")]
    pub(crate) fn of_numbers_mut<T>(self, numbers: &mut [T]) -> &mut [T] {
        let length = numbers.len() / self.of;
        &mut numbers[self.number * length..][..length]
    }
}

impl LinearName {
    /// The tensors of a layer of this name.
    pub(crate) fn new(name: &str, has_bias: bool) -> Self {
        Self {
            weight: format!("{name}.weight"),
            bias: has_bias.then(|| format!("{name}.bias")),
            share: Share::WHOLE,
        }
    }
}

/// The tensors of an encoder layer.
#[derive(Debug)]
pub(crate) struct LayerNames {
    pub(crate) query: LinearName,
    pub(crate) key: LinearName,
    pub(crate) value: LinearName,
    /// The layers that make keys and queries of embeddings of distances, where there are any.
    pub(crate) distance_key: Option<LinearName>,
    pub(crate) distance_query: Option<LinearName>,
    pub(crate) out: LinearName,
    /// None in the first layer of a network that normalises before each half of a layer.
    pub(crate) attention_norm: Option<LinearName>,
    pub(crate) up: LinearName,
    /// The gate that the activated half is multiplied by.
    pub(crate) gate: Option<LinearName>,
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

/// The names that an architecture gives to its parts.
struct Scheme {
    /// The encoder's name within a model with a head.
    encoder: &'static str,
    words: &'static str,
    embedding_norm: &'static str,
    /// The list of layers.
    layers: &'static str,
    query: Part,
    key: Part,
    value: Part,
    out: &'static str,
    attention_norm: &'static str,
    up: Part,
    gate: Option<Part>,
    down: &'static str,
    norm: &'static str,
    /// The head's layers; a first one within the encoder is its pooler.
    head_dense: &'static str,
    head_out: &'static str,
    is_pooler_inside: bool,
}

/// A layer's name, and which share of the tensors it has.
#[derive(Clone, Copy)]
struct Part(&'static str, Share);

const fn whole(name: &'static str) -> Part {
    Part(name, Share::WHOLE)
}

const fn share(name: &'static str, number: usize, of: usize) -> Part {
    Part(name, Share { number, of })
}

const BERT: Scheme = Scheme {
    encoder: "bert",
    words: "embeddings.word_embeddings",
    embedding_norm: "embeddings.LayerNorm",
    layers: "encoder.layer",
    query: whole("attention.self.query"),
    key: whole("attention.self.key"),
    value: whole("attention.self.value"),
    out: "attention.output.dense",
    attention_norm: "attention.output.LayerNorm",
    up: whole("intermediate.dense"),
    gate: None,
    down: "output.dense",
    norm: "output.LayerNorm",
    head_dense: "pooler.dense",
    head_out: "classifier",
    is_pooler_inside: true,
};

const ROBERTA: Scheme = Scheme {
    encoder: "roberta",
    head_dense: "classifier.dense",
    head_out: "classifier.out_proj",
    is_pooler_inside: false,
    ..BERT
};

const ELECTRA: Scheme = Scheme { encoder: "electra", ..ROBERTA };

const DISTILBERT: Scheme = Scheme {
    encoder: "distilbert",
    layers: "transformer.layer",
    query: whole("attention.q_lin"),
    key: whole("attention.k_lin"),
    value: whole("attention.v_lin"),
    out: "attention.out_lin",
    attention_norm: "sa_layer_norm",
    up: whole("ffn.lin1"),
    down: "ffn.lin2",
    norm: "output_layer_norm",
    head_dense: "pre_classifier",
    is_pooler_inside: false,
    ..BERT
};

const MODERN_BERT: Scheme = Scheme {
    encoder: "model",
    words: "embeddings.tok_embeddings",
    embedding_norm: "embeddings.norm",
    layers: "layers",
    query: share("attn.Wqkv", 0, 3),
    key: share("attn.Wqkv", 1, 3),
    value: share("attn.Wqkv", 2, 3),
    out: "attn.Wo",
    attention_norm: "attn_norm",
    up: share("mlp.Wi", 0, 2),
    gate: Some(share("mlp.Wi", 1, 2)),
    down: "mlp.Wo",
    norm: "mlp_norm",
    head_dense: "head.dense",
    head_out: "classifier",
    is_pooler_inside: false,
};

const DEBERTA: Scheme = Scheme {
    encoder: "deberta",
    query: whole("attention.self.query_proj"),
    key: whole("attention.self.key_proj"),
    value: whole("attention.self.value_proj"),
    is_pooler_inside: false,
    ..BERT
};

fn scheme(architecture: Architecture) -> &'static Scheme {
    match architecture {
        Architecture::Roberta | Architecture::XlmRoberta | Architecture::Camembert => &ROBERTA,
        Architecture::Bert => &BERT,
        Architecture::Electra => &ELECTRA,
        Architecture::DistilBert => &DISTILBERT,
        Architecture::ModernBert => &MODERN_BERT,
        Architecture::DebertaV2 => &DEBERTA,
    }
}

/// The names of a checkpoint's tensors.
pub(crate) struct Names<'a> {
    config: &'a Config,
    scheme: &'static Scheme,
    prefix: String,
}

impl<'a> Names<'a> {
    /// The names of a network; `bare` where the encoder was saved without its model around it, and so without the model's
    /// prefix.
    pub(crate) fn new(config: &'a Config, bare: bool) -> Self {
        let scheme = scheme(config.architecture);
        let prefix = if bare { String::new() } else { format!("{}.", scheme.encoder) };
        Self { config, scheme, prefix }
    }

    pub(crate) fn words(&self) -> String {
        format!("{}{}.weight", self.prefix, self.scheme.words)
    }

    /// The table of positions, if there is one.
    pub(crate) fn positions(&self) -> Option<String> {
        let name = || format!("{}embeddings.position_embeddings.weight", self.prefix);
        self.config.form.has_position_table.then(name)
    }

    /// The table of token types, if there is one.
    pub(crate) fn token_types(&self) -> Option<String> {
        let name = || format!("{}embeddings.token_type_embeddings.weight", self.prefix);
        (self.config.token_types > 0).then(name)
    }

    /// The table of distances.
    pub(crate) fn distances(&self) -> String {
        format!("{}encoder.rel_embeddings.weight", self.prefix)
    }

    pub(crate) fn distance_norm(&self) -> LinearName {
        self.inside("encoder.LayerNorm", true)
    }

    pub(crate) fn embedding_norm(&self) -> LinearName {
        self.inside(self.scheme.embedding_norm, self.biases().norms)
    }

    /// ELECTRA's map from narrow embeddings to its hidden size.
    pub(crate) fn projection(&self) -> LinearName {
        self.inside("embeddings_project", true)
    }

    pub(crate) fn layer(&self, number: usize) -> LayerNames {
        let Biases { norms, attention, feed_forward, .. } = self.biases();
        let Scheme { layers, query, key, value, out, attention_norm, up, gate, down, norm, .. } =
            *self.scheme;
        let name = |part: &str, has_bias| self.inside(&format!("{layers}.{number}.{part}"), has_bias);
        let part = |Part(part, share): Part, has_bias| LinearName { share, ..name(part, has_bias) };
        let relative = self.config.form.relative();
        let own = relative.filter(|relative| !relative.shares_projections);
        let distance = |is_there: bool, own_name: &str, shared: Part| match own {
            Some(_) if is_there => Some(name(own_name, true)),
            None if is_there => Some(part(shared, attention)),
            _ => None,
        };
        let (as_keys, as_queries) =
            relative.map_or((false, false), |relative| (relative.as_keys, relative.as_queries));
        LayerNames {
            query: part(query, attention),
            key: part(key, attention),
            value: part(value, attention),
            distance_key: distance(as_keys, "attention.self.pos_key_proj", key),
            distance_query: distance(as_queries, "attention.self.pos_query_proj", query),
            out: name(out, attention),
            attention_norm: self
                .config
                .form
                .normalizes_attention(number)
                .then(|| name(attention_norm, norms)),
            up: part(up, feed_forward),
            gate: gate.map(|gate| part(gate, feed_forward)),
            down: name(down, feed_forward),
            norm: name(norm, norms),
        }
    }

    /// The normalisation behind the last layer, where layers normalise their inputs.
    pub(crate) fn final_norm(&self) -> Option<LinearName> {
        let is_there = self.config.form.norms == Norms::Before;
        is_there.then(|| self.inside("final_norm", self.biases().norms))
    }

    /// The head's first layer.
    pub(crate) fn head_dense(&self) -> LinearName {
        let (name, has_bias) = (self.scheme.head_dense, self.biases().head);
        if self.scheme.is_pooler_inside {
            self.inside(name, has_bias)
        } else {
            LinearName::new(name, has_bias)
        }
    }

    /// The normalisation before the head's last layer, if it has one.
    pub(crate) fn head_norm(&self) -> Option<LinearName> {
        self.config.form.head.has_norm.then(|| LinearName::new("head.norm", self.biases().norms))
    }

    /// The head's last layer.
    pub(crate) fn head_out(&self) -> LinearName {
        LinearName::new(self.scheme.head_out, true)
    }

    /// The number of the layer that a tensor is of.
    #[cfg(feature = "training")]
    pub(crate) fn layer_of(&self, tensor: &str) -> Option<usize> {
        let list = format!("{}{}.", self.prefix, self.scheme.layers);
        tensor.strip_prefix(&list)?.split('.').next()?.parse().ok()
    }

    /// The encoder's name within its model, with the point that follows it.
    #[cfg(feature = "training")]
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    fn biases(&self) -> Biases {
        self.config.form.biases
    }

    fn inside(&self, name: &str, has_bias: bool) -> LinearName {
        LinearName::new(&format!("{}{name}", self.prefix), has_bias)
    }
}

/// Every tensor that a sequence classifier of this configuration has.
pub(crate) fn expected_tensors(config: &Config, bare: bool) -> Vec<Expected> {
    let names = Names::new(config, bare);
    let (hidden, inner) = (config.hidden, config.intermediate);
    let mut list = List::default();
    list.norm(names.embedding_norm(), config.embedding);
    if config.embedding != hidden {
        list.linear(names.projection(), hidden, config.embedding, TensorUse::Layer);
    }
    for number in 0..config.layers {
        let layer = names.layer(number);
        let own = config.form.relative().filter(|relative| !relative.shares_projections);
        let distances = [layer.distance_key, layer.distance_query].into_iter().flatten();
        let distances = distances.filter(|_| own.is_some());
        for name in [layer.query, layer.key, layer.value, layer.out].into_iter().chain(distances) {
            list.linear(name, hidden, hidden, TensorUse::Layer);
        }
        for name in [Some(layer.up), layer.gate].into_iter().flatten() {
            list.linear(name, inner, hidden, TensorUse::Layer);
        }
        list.linear(layer.down, hidden, inner, TensorUse::Layer);
        for name in layer.attention_norm.into_iter().chain([layer.norm]) {
            list.norm(name, hidden);
        }
    }
    names.final_norm().into_iter().for_each(|name| list.norm(name, hidden));
    list.linear(names.head_dense(), hidden, hidden, TensorUse::Other);
    names.head_norm().into_iter().for_each(|name| list.norm(name, hidden));
    list.linear(names.head_out(), config.labels.len(), hidden, TensorUse::Other);
    list.add(names.words(), &[config.vocabulary, config.embedding], TensorUse::Words);
    if let Some(name) = names.positions() {
        list.add(name, &[config.positions, config.embedding], TensorUse::Other);
    }
    if let Some(name) = names.token_types() {
        list.add(name, &[config.token_types, config.embedding], TensorUse::Other);
    }
    if let Some(relative) = config.form.relative() {
        list.add(names.distances(), &[2 * relative.span, hidden], TensorUse::Other);
        if relative.is_normalized {
            list.norm(names.distance_norm(), hidden);
        }
    }
    list.0
}

/// The tensors that are asked for, as they come.
#[derive(Default)]
struct List(Vec<Expected>);

impl List {
    fn add(&mut self, name: String, shape: &[usize], usage: TensorUse) {
        self.0.push(Expected { name, shape: shape.to_vec(), usage });
    }

    /// A layer's tensors: those of several layers once, with the first of them.
    fn linear(&mut self, name: LinearName, outs: usize, inputs: usize, usage: TensorUse) {
        let LinearName { weight, bias, share } = name;
        if share.number == 0 {
            self.add(weight, &[outs * share.of, inputs], usage);
            bias.into_iter().for_each(|bias| self.add(bias, &[outs * share.of], TensorUse::Other));
        }
    }

    fn norm(&mut self, name: LinearName, width: usize) {
        self.add(name.weight, &[width], TensorUse::Other);
        name.bias.into_iter().for_each(|bias| self.add(bias, &[width], TensorUse::Other));
    }
}

/// The architecture whose names the tensors of a file have, other than `except`.
pub(crate) fn architecture_of(has: impl Fn(&str) -> bool, except: Architecture) -> Option<Architecture> {
    Architecture::ALL.into_iter().filter(|&other| other != except).find(|&other| {
        let scheme = scheme(other);
        has(&format!("{}.{}.weight", scheme.encoder, scheme.words))
    })
}

/// True for a tensor that published checkpoints carry along without a use in classification: buffers of older
/// versions, poolers of models that do not pool, heads of pretraining.
pub(crate) fn is_ignored(name: &str) -> bool {
    const BUFFERS: [&str; 3] = [".position_ids", ".token_type_ids", "embeddings.position_ids"];
    const HEADS: [&str; 10] = [
        "lm_head.",
        "cls.",
        "vocab_transform.",
        "vocab_layer_norm.",
        "vocab_projector.",
        "discriminator_predictions.",
        "generator_",
        "decoder.",
        "lm_predictions.",
        "mask_predictions.",
    ];
    BUFFERS.iter().any(|end| name.ends_with(end))
        || HEADS.iter().any(|start| name.starts_with(start))
        || name.contains("pooler.")
}

/// The tensors of a masked-language head, beside the table of words.
#[cfg(feature = "training")]
pub(crate) struct MaskedNames {
    pub(crate) dense: LinearName,
    pub(crate) function: HeadFunction,
    pub(crate) norm: LinearName,
    /// The output's bias; its weights are the table of words.
    pub(crate) bias: Option<String>,
}

#[cfg(feature = "training")]
impl Names<'_> {
    /// The names of a masked-language head.
    pub(crate) fn masked(&self) -> MaskedNames {
        let activation = HeadFunction::Activation(self.config.activation);
        let gelu = HeadFunction::Activation(Activation::Gelu);
        let (dense, norm, bias, function) = match self.config.architecture {
            Architecture::Roberta | Architecture::XlmRoberta | Architecture::Camembert => {
                ("lm_head.dense", "lm_head.layer_norm", "lm_head.bias", gelu)
            }
            // DeBERTa's older form; it is not trained.
            Architecture::Bert | Architecture::DebertaV2 => (
                "cls.predictions.transform.dense",
                "cls.predictions.transform.LayerNorm",
                "cls.predictions.bias",
                activation,
            ),
            Architecture::DistilBert => {
                ("vocab_transform", "vocab_layer_norm", "vocab_projector.bias", activation)
            }
            Architecture::Electra => (
                "generator_predictions.dense",
                "generator_predictions.LayerNorm",
                "generator_lm_head.bias",
                gelu,
            ),
            Architecture::ModernBert => {
                ("head.dense", "head.norm", "decoder.bias", self.config.form.head.function)
            }
        };
        let Biases { head, norms, vocabulary, .. } = self.biases();
        MaskedNames {
            dense: LinearName::new(dense, head),
            function,
            norm: LinearName::new(norm, norms),
            bias: vocabulary.then(|| bias.to_owned()),
        }
    }
}
