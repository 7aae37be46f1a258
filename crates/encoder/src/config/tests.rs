//! Tests of reading `config.json`.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn read(json: &Value) -> Result<Config, EncoderError> {
    Config::from_json(json.to_string().as_bytes(), Path::new("config.json"))
}

fn message(json: &Value) -> String {
    read(json).unwrap_err().to_string()
}

#[test]
fn defaults_are_those_of_transformers() {
    for (model_type, vocabulary, hidden, layers, heads, intermediate, offset, types) in [
        ("roberta", 50_265, 768, 12, 12, 3072, 2, 2),
        ("xlm-roberta", 30_522, 768, 12, 12, 3072, 2, 2),
        ("camembert", 30_522, 768, 12, 12, 3072, 2, 2),
        ("bert", 30_522, 768, 12, 12, 3072, 0, 2),
        ("distilbert", 30_522, 768, 6, 12, 3072, 0, 0),
        ("electra", 30_522, 256, 12, 4, 1024, 0, 2),
        ("modernbert", 50_368, 768, 22, 12, 1152, 0, 0),
        ("deberta-v2", 128_100, 1536, 24, 24, 6144, 0, 0),
    ] {
        let c = read(&json!({"model_type": model_type})).unwrap();
        assert_eq!(c.architecture.model_type(), model_type);
        assert_eq!(
            (c.vocabulary, c.hidden, c.layers, c.heads),
            (vocabulary, hidden, layers, heads),
            "{model_type}"
        );
        assert_eq!(
            (c.intermediate, c.position_offset, c.token_types),
            (intermediate, offset, types),
            "{model_type}"
        );
        let (positions, epsilon) = match model_type {
            "modernbert" => (8192, 1e-5),
            "deberta-v2" => (512, 1e-7),
            _ => (512, 1e-12),
        };
        assert_eq!((c.positions, c.activation, c.norm_epsilon), (positions, Activation::Gelu, epsilon));
        assert_eq!(c.embedding, if model_type == "electra" { 128 } else { hidden });
        assert_eq!(c.labels, ["LABEL_0", "LABEL_1"]);
        assert_eq!((c.problem, c.has_classifier), (Problem::SingleLabel, true));
    }
}

#[test]
fn a_published_roberta_is_read() {
    let c = read(&json!({
        "architectures": ["RobertaForSequenceClassification"], "model_type": "roberta", "pad_token_id": 1,
        "hidden_act": "gelu", "layer_norm_eps": 1e-05, "max_position_embeddings": 514, "type_vocab_size": 1,
        "vocab_size": 50265, "problem_type": "multi_label_classification",
        "id2label": {"2": "T1190", "0": "CWE-79", "1": 89}, "label2id": {"CWE-79": 0}
    }))
    .unwrap();
    assert_eq!((c.positions, c.position_offset, c.max_tokens(), c.token_types), (514, 2, 512, 1));
    assert_eq!(c.labels, ["CWE-79", "89", "T1190"]);
    assert_eq!((c.problem, c.norm_epsilon, c.pad_token), (Problem::MultiLabel, 1e-5, Some(1)));
}

#[test]
fn distilbert_has_its_own_names_and_general_ones_win() {
    let own = json!({"model_type": "distilbert", "dim": 64, "n_layers": 2, "n_heads": 4, "hidden_dim": 128,
        "activation": "relu", "layer_norm_eps": 0.1});
    let c = read(&own).unwrap();
    assert_eq!((c.hidden, c.embedding, c.layers, c.heads, c.intermediate), (64, 64, 2, 4, 128));
    assert_eq!((c.activation, c.norm_epsilon), (Activation::Relu, 1e-12));
    let both = json!({"model_type": "distilbert", "dim": 64, "hidden_size": 32, "num_attention_heads": 4});
    assert_eq!(read(&both).unwrap().hidden, 32);
}

#[test]
fn scores_are_as_the_pipeline_of_transformers_makes_them() {
    use Problem::{MultiLabel, SingleLabel};
    let (multi, single) = ("multi_label_classification", "single_label_classification");
    for (kind, labels, expected) in [
        (None, 1, MultiLabel),
        (None, 3, SingleLabel),
        (Some(single), 1, MultiLabel),
        (Some(single), 2, SingleLabel),
        (Some(multi), 1, MultiLabel),
        (Some(multi), 2, MultiLabel),
    ] {
        let c = read(&json!({"model_type": "bert", "problem_type": kind, "num_labels": labels})).unwrap();
        assert_eq!((c.problem, c.labels.len()), (expected, labels), "{kind:?}");
        assert_eq!(c.problem_is_stated, kind.is_some() || labels == 1, "{kind:?}");
    }
}

#[test]
fn activations_by_their_names() {
    use Activation::{Gelu, GeluTanh, Relu, Silu};
    for (name, expected) in [
        ("gelu", Gelu),
        ("gelu_new", GeluTanh),
        ("gelu_pytorch_tanh", GeluTanh),
        ("gelu_fast", GeluTanh),
        ("relu", Relu),
        ("silu", Silu),
        ("swish", Silu),
    ] {
        assert_eq!(read(&json!({"model_type": "bert", "hidden_act": name})).unwrap().activation, expected);
    }
}

#[test]
fn a_base_model_has_no_classifier() {
    for class in ["RobertaForMaskedLM", "RobertaModel"] {
        let c = read(&json!({"model_type": "roberta", "architectures": [class]})).unwrap();
        assert!(!c.has_classifier, "{class}");
    }
    let old = read(&json!({"architectures": ["BertForSequenceClassification"]})).unwrap();
    assert_eq!((old.architecture, old.has_classifier), (Architecture::Bert, true));
}

#[test]
fn what_cannot_be_run_is_refused_by_name() {
    for (change, expected) in [
        (
            json!({"model_type": "t5"}),
            "supported are roberta, xlm-roberta, camembert, bert, distilbert, electra, modernbert, deberta-v2",
        ),
        (json!({"model_type": 7}), "`model_type` is 7, expected a string"),
        (json!({"architectures": ["RobertaModel"]}), "not a network of `model_type` `bert`"),
        (json!({"architectures": ["BertweetModel"]}), "not a network of `model_type` `bert`"),
        (json!({"hidden_act": "quick_gelu"}), "`hidden_act` is `quick_gelu`, which is not supported"),
        (json!({"hidden_size": 0}), "`hidden_size` is 0, expected a whole number from 1"),
        (json!({"hidden_size": -1}), "`hidden_size` is -1"),
        (json!({"hidden_size": null}), "`hidden_size` is null"),
        (json!({"hidden_size": 1e300}), "`hidden_size` is 1e+300"),
        (json!({"hidden_size": 770}), "12 attention heads do not divide"),
        (json!({"vocab_size": 9_000_000_000_u64}), "`vocab_size` is 9000000000"),
        (json!({"max_position_embeddings": 2}), "too small"),
        (json!({"layer_norm_eps": 0}), "`layer_norm_eps` is 0"),
        (json!({"layer_norm_eps": 1e-60}), "`layer_norm_eps`"),
        (json!({"pad_token_id": 30_522}), "beyond the vocabulary"),
        (json!({"position_embedding_type": "relative_key"}), "only `absolute` is supported"),
        (json!({"is_decoder": true}), "only encoders"),
        (json!({"pruned_heads": {"0": [1]}}), "`pruned_heads` is not supported"),
        (json!({"problem_type": "regression"}), "quantities, not scores"),
        (json!({"problem_type": "multilabel"}), "transformers does not know"),
        (json!({"num_labels": 3, "id2label": {"0": "a"}}), "`num_labels` is 3, but `id2label` has 1 labels"),
        (json!({"id2label": {"0": "a", "2": "b"}}), "the key \"2\""),
        (json!({"id2label": {"0": "a", "01": "b"}}), "the key \"01\""),
        (json!({"id2label": {"0": "a", "1": "a"}}), "`a` to two outputs"),
        (json!({"id2label": {}}), "has 0 labels"),
        (json!({"id2label": ["a"]}), "is not an object"),
        (json!({"id2label": {"0": null}}), "is not an object"),
        (json!({"label2id": {"a": 0, "b": 2}}), "`label2id` has the key \"2\""),
        (json!({"label2id": {"a": 0, "b": 0}}), "`label2id` has the key \"0\" twice"),
        (json!({"label2id": {}}), "`label2id` has 0 labels"),
        (json!({"num_labels": 3, "label2id": {"a": 0}}), "`num_labels` is 3, but `label2id` has 1 labels"),
        (json!({"num_labels": 10_000_000_000_u64}), "`num_labels` is 10000000000"),
    ] {
        let mut json = json!({"model_type": "bert"});
        for (key, value) in change.as_object().unwrap() {
            json[key] = value.clone();
        }
        let found = message(&json);
        assert!(found.contains(expected) && found.starts_with("config.json: "), "{change}: {found}");
    }
    let roberta = json!({"model_type": "roberta", "pad_token_id": null});
    assert!(message(&roberta).contains("positions are counted from it"));
}

#[test]
fn what_newer_architectures_lack_is_refused_by_name() {
    let (modern, deberta) = ("modernbert", "deberta-v2");
    for (kind, change, expected) in [
        (modern, json!({"classifier_pooling": "max"}), "`classifier_pooling` is `max`"),
        (modern, json!({"rope_scaling": {"rope_type": "yarn"}}), "`rope_scaling` is not supported"),
        (modern, json!({"head_dim": 64}), "`head_dim` is not supported"),
        (modern, json!({"global_rope_theta": 0}), "`global_rope_theta` is 0"),
        (modern, json!({"hidden_size": 60}), "heads of 5 numbers"),
        (modern, json!({"local_attention": 0}), "`local_attention` is 0"),
        (modern, json!({"norm_bias": 1}), "`norm_bias` is 1"),
        (deberta, json!({"conv_kernel_size": 3}), "`conv_kernel_size` is not supported, unless it is 0"),
        (deberta, json!({"embedding_size": 128}), "`embedding_size` is not supported, unless it is 1536"),
        (deberta, json!({"pos_att_type": "c2p"}), "`relative_attention` is false"),
        (deberta, json!({"relative_attention": true, "pos_att_type": "p2p"}), "`pos_att_type` has `p2p`"),
        (deberta, json!({"relative_attention": true, "position_buckets": 3}), "`position_buckets` is 3"),
        (
            deberta,
            json!({"relative_attention": true, "position_buckets": 256, "max_relative_positions": 129}),
            "`position_buckets` is 256, with distances up to 129",
        ),
    ] {
        let mut json = json!({"model_type": kind});
        for (key, value) in change.as_object().unwrap() {
            json[key] = value.clone();
        }
        let found = message(&json);
        assert!(found.contains(expected), "{change}: {found}");
    }
}

#[test]
fn local_wavelengths_are_the_global_ones_where_null_says_so() {
    let wavelengths = |json: Value| {
        let form = read(&json).unwrap().form;
        [0, 1].map(|layer| form.wavelength(layer))
    };
    let usual = wavelengths(json!({"model_type": "modernbert"}));
    assert_eq!(usual, [Some(160_000.0), Some(10_000.0)]);
    let null = json!({"model_type": "modernbert", "local_rope_theta": null, "global_rope_theta": 8e4});
    assert_eq!(wavelengths(null), [Some(8e4), Some(8e4)]);
}

#[test]
fn labels_stand_in_either_of_two_keys() {
    let alone = json!({"model_type": "bert", "label2id": {"CWE-89": 1, "CWE-79": 0}});
    assert_eq!(read(&alone).unwrap().labels, ["CWE-79", "CWE-89"]);
    let both = json!({"model_type": "bert", "id2label": {"0": "a", "1": "b"}, "label2id": {"c": 7}});
    assert_eq!(read(&both).unwrap().labels, ["a", "b"]);
    let names = json!({"model_type": "bert", "id2label": null, "label2id": null, "num_labels": 3});
    assert_eq!(read(&names).unwrap().labels, ["LABEL_0", "LABEL_1", "LABEL_2"]);
}

#[test]
fn a_label_key_that_is_repeated_is_refused() {
    let json = br#"{"model_type": "bert", "id2label": {"0": "a", "0": "b"}}"#;
    let found = Config::from_json(json, Path::new("c")).unwrap_err().to_string();
    assert!(found.contains("the key \"0\" twice"), "{found}");
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_a_configuration(bytes: Vec<u8>) {
        let _ = Config::from_json(&bytes, Path::new("c"));
    }

    #[test]
    fn any_values_are_refused_or_fit_each_other(
        kind in 0..Architecture::ALL.len(), hidden: i64, heads in -1_i64..64, positions in -1_i64..5, pad: Option<i64>, labels in 0..9_u64,
    ) {
        let kind = Architecture::ALL[kind].model_type();
        let json = json!({"model_type": kind, "hidden_size": hidden, "num_attention_heads": heads,
            "max_position_embeddings": positions, "pad_token_id": pad, "num_labels": labels});
        if let Ok(c) = read(&json) {
            prop_assert!(c.hidden.is_multiple_of(c.heads) && c.max_tokens() >= 3);
            prop_assert!(c.pad_token.is_none_or(|pad| (pad as usize) < c.vocabulary));
        }
    }
}
