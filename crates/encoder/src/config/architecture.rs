//! The kinds of network, and the functions inside them.

/// The kinds of network that are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Architecture {
    /// `roberta`: SecureBERT, SecRoBERTa.
    Roberta,
    /// `xlm-roberta`.
    XlmRoberta,
    /// `camembert`: RoBERTa's network with a SentencePiece tokenizer.
    Camembert,
    /// `bert`: SecBERT, CySecBERT.
    Bert,
    /// `distilbert`.
    DistilBert,
    /// `electra`.
    Electra,
    /// `modernbert`.
    ModernBert,
    /// `deberta-v2`: DeBERTa of versions 2 and 3.
    DebertaV2,
}

impl Architecture {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Roberta,
        Self::XlmRoberta,
        Self::Camembert,
        Self::Bert,
        Self::DistilBert,
        Self::Electra,
        Self::ModernBert,
        Self::DebertaV2,
    ];

    /// The `model_type` of `config.json`.
    #[must_use]
    pub fn model_type(self) -> &'static str {
        match self {
            Self::Roberta => "roberta",
            Self::XlmRoberta => "xlm-roberta",
            Self::Camembert => "camembert",
            Self::Bert => "bert",
            Self::DistilBert => "distilbert",
            Self::Electra => "electra",
            Self::ModernBert => "modernbert",
            Self::DebertaV2 => "deberta-v2",
        }
    }

    /// True if this crate trains it, too.
    #[must_use]
    pub fn is_trained(self) -> bool {
        self != Self::DebertaV2
    }

    /// The prefix of the class names in `architectures`.
    #[must_use]
    pub fn class_prefix(self) -> &'static str {
        match self {
            Self::Roberta => "Roberta",
            Self::XlmRoberta => "XLMRoberta",
            Self::Camembert => "Camembert",
            Self::Bert => "Bert",
            Self::DistilBert => "DistilBert",
            Self::Electra => "Electra",
            Self::ModernBert => "ModernBert",
            Self::DebertaV2 => "DebertaV2",
        }
    }

    /// True if positions are counted from `pad_token_id + 1`.
    pub(super) fn offsets_positions(self) -> bool {
        matches!(self, Self::Roberta | Self::XlmRoberta | Self::Camembert)
    }
}

/// The function between the two halves of a layer's feed-forward part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// x · Φ(x), by the error function.
    Gelu,
    /// Its approximation by the hyperbolic tangent.
    GeluTanh,
    /// max(x, 0).
    Relu,
    /// x · sigmoid(x).
    Silu,
}
