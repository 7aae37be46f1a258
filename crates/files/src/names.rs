//! Names of the files that make up a model's folder, on disk and on the hub: the one list of them.

/// The configuration of a network.
pub const CONFIG: &str = "config.json";
/// The description of a model: outputs, temperature, rules, taxonomies, provenance, partner.
pub const DESCRIPTION: &str = "vulnlens.json";
/// The scores from which on labels are answered.
pub const THRESHOLDS: &str = "thresholds.json";
/// The hierarchy of labels in one network.
pub const HIERARCHY: &str = "hierarchy.json";
/// The card.
pub const CARD: &str = "README.md";

/// The tokenizer in one file.
pub const TOKENIZER: &str = "tokenizer.json";
/// The settings of the tokenizer.
pub const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
/// The roles of special tokens.
pub const SPECIAL_TOKENS: &str = "special_tokens_map.json";
/// Tokens that were added to the vocabulary.
pub const ADDED_TOKENS: &str = "added_tokens.json";
/// The vocabulary of a byte-pair tokenizer.
pub const VOCABULARY: &str = "vocab.json";
/// The merges of a byte-pair tokenizer.
pub const MERGES: &str = "merges.txt";
/// The vocabulary of a WordPiece tokenizer.
pub const WORD_PIECES: &str = "vocab.txt";
/// The model of a SentencePiece tokenizer.
pub const SENTENCE_PIECES: &str = "sentencepiece.bpe.model";

/// The configuration of an adapter: a change of another network's weights, as PEFT stores it.
pub const ADAPTER_CONFIG: &str = "adapter_config.json";
/// The files of an adapter's weights, the preferred first.
pub const ADAPTER_WEIGHTS: [&str; 2] = ["adapter_model.safetensors", "adapter_model.bin"];

/// The weights in one safetensors file.
pub const SAFETENSORS: &str = "model.safetensors";
/// The index of weights in several safetensors files.
pub const SAFETENSORS_INDEX: &str = "model.safetensors.index.json";
/// The weights in one file of PyTorch.
pub const PYTORCH: &str = "pytorch_model.bin";
/// The index of weights in several files of PyTorch.
pub const PYTORCH_INDEX: &str = "pytorch_model.bin.index.json";

/// Every file that changes a model's answers, apart from the weights; sorted.
pub const SMALL_FILES: [&str; 13] = [
    ADAPTER_CONFIG,
    ADDED_TOKENS,
    CONFIG,
    HIERARCHY,
    MERGES,
    SENTENCE_PIECES,
    SPECIAL_TOKENS,
    THRESHOLDS,
    TOKENIZER,
    TOKENIZER_CONFIG,
    VOCABULARY,
    WORD_PIECES,
    DESCRIPTION,
];

/// The files of weights that transformers tries in a folder, in its order.
pub const WEIGHT_FILES: [&str; 4] = [SAFETENSORS, SAFETENSORS_INDEX, PYTORCH, PYTORCH_INDEX];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_has_no_name_twice() {
        assert!(SMALL_FILES.is_sorted_by(|a, b| a < b), "{SMALL_FILES:?}");
        assert!(SMALL_FILES.iter().all(|name| !WEIGHT_FILES.contains(name)));
    }
}
