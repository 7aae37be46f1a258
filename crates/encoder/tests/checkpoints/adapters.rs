//! LoRA adapters: merged into the weights beside them, or refused by name, and never passed over.

use std::fs;

use serde_json::json;
use vulnlens_encoder::{Encoder, EncoderError, LoadOptions, Notice, Weights, pack, quantize, revision};

use crate::sample::Sample;

const TEXT: &str = "SQL injection in the login form";
const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";

type Damage = fn(&Sample);

fn logits(sample: &Sample) -> Vec<f32> {
    sample.open().unwrap().logits(&[TEXT])
}

#[test]
fn an_adapter_changes_the_answers_the_revision_and_is_told_of() {
    let sample = Sample::of("roberta-lora");
    let (adapted, whole) = (logits(&sample), revision(sample.path()).unwrap());
    let encoder = sample.open().unwrap();
    let merged =
        |notice: &Notice| matches!(notice, Notice::AdapterMerged { base, .. } if base == "example/base");
    assert!(encoder.notices().iter().any(merged), "{:?}", encoder.notices());
    sample.json(CONFIG, |config| config["lora_alpha"] = json!(7));
    assert_ne!(logits(&sample), adapted);
    assert_ne!(revision(sample.path()).unwrap(), whole);
    fs::remove_file(sample.file(CONFIG)).unwrap();
    assert_ne!(logits(&sample), adapted);
    assert!(sample.open().unwrap().notices().is_empty());
}

#[test]
fn an_adapter_that_cannot_be_merged_is_refused_by_name() {
    let cases: [(&str, Damage, &[&str]); 9] = [
        ("kind", |s| s.json(CONFIG, |c| c["peft_type"] = json!("ADALORA")), &["`peft_type` is `ADALORA`"]),
        ("dora", |s| s.json(CONFIG, |c| c["use_dora"] = json!(true)), &["`use_dora` is set"]),
        (
            "alphas",
            |s| s.json(CONFIG, |c| c["alpha_pattern"] = json!({"key": 2})),
            &["`alpha_pattern` is set"],
        ),
        ("bias", |s| s.json(CONFIG, |c| c["bias"] = json!("lora_only")), &["`bias` is not `none`"]),
        ("start", |s| s.json(CONFIG, |c| c["init_lora_weights"] = json!("pissa")), &["`init_lora_weights`"]),
        ("rank", |s| s.json(CONFIG, |c| c["r"] = json!(3)), &["`r` is 3", "has rank 4"]),
        ("weights", |s| fs::remove_file(s.file(WEIGHTS)).unwrap(), &[CONFIG, WEIGHTS, "is missing"]),
        (
            "pointer",
            |s| {
                fs::write(s.file(WEIGHTS), "version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
                    .unwrap()
            },
            &[WEIGHTS, "git lfs pull"],
        ),
        ("not one", |s| fs::write(s.file(CONFIG), "{}").unwrap(), &[CONFIG, "peft_type"]),
    ];
    for (name, damage, words) in cases {
        let sample = Sample::of("roberta-lora");
        damage(&sample);
        let complaint = sample.complaint();
        for word in words {
            assert!(complaint.contains(word), "{name}: {word:?} is not in: {complaint}");
        }
    }
}

#[test]
fn tensors_of_an_adapter_must_fit_the_network() {
    let target = "roberta.encoder.layer.0.attention.self.query";
    let key = |part: &str| format!("base_model.model.{target}.{part}.weight");
    let rename = |from: String, to: String| {
        let sample = Sample::of("roberta-lora");
        sample.tensors_of(WEIGHTS, |tensors| {
            let tensor = tensors.remove(&from).unwrap();
            tensors.insert(to, tensor);
        });
        sample.complaint()
    };
    let bias = "base_model.model.classifier.dense.bias".to_owned();
    let sample = Sample::of("roberta-lora");
    sample.tensors_of(WEIGHTS, |tensors| {
        for part in ["lora_A", "lora_B"] {
            let tensor = tensors.remove(&key(part)).unwrap();
            tensors.insert(key(part).replace("layer.0", "layer.7"), tensor);
        }
    });
    assert!(sample.complaint().contains("layer.7"), "{}", sample.complaint());
    for (complaint, word) in [
        (rename(key("lora_B"), key("lora_C")), "lacks the lora_B"),
        (rename(bias.clone(), key("lora_embedding_A")), "not supported"),
        (rename(key("lora_A"), "query.lora_A.weight".to_owned()), "not PEFT's"),
        (rename(key("lora_A"), key("lora_embedding_A").replace("layer.0", "layer.1")), "lacks the lora_A"),
        (rename(bias, "base_model.model.x".to_owned()), "`x`"),
    ] {
        assert!(complaint.contains(word), "{word:?} is not in: {complaint}");
    }
    let sample = Sample::of("roberta-lora");
    sample.tensors_of(WEIGHTS, |tensors| {
        let (_, shape, _) = tensors.get_mut(&key("lora_B")).unwrap();
        shape.reverse();
    });
    assert!(sample.complaint().contains("has matrices of"), "{}", sample.complaint());
}

#[test]
fn an_adapter_alone_says_what_it_lacks() {
    for base in [&["model.safetensors"][..], &["model.safetensors", "config.json"]] {
        let sample = Sample::of("roberta-lora");
        base.iter().for_each(|name| fs::remove_file(sample.file(name)).unwrap());
        let complaint = vulnlens_encoder::Checkpoint::open(sample.path(), &LoadOptions::default());
        let complaint = complaint.expect_err("it has no weights").to_string();
        for word in [CONFIG, "example/base", "merge_and_unload", "config.json"] {
            assert!(complaint.contains(word), "{word:?} is not in: {complaint}");
        }
    }
}

#[test]
fn a_quantised_copy_has_the_adapter_in_its_weights() {
    let sample = Sample::of("roberta-lora");
    let to = sample.file("small");
    quantize(sample.path(), &to).unwrap();
    assert!(!to.join(CONFIG).exists() && !to.join(WEIGHTS).exists());
    let small = Encoder::open(&to, &LoadOptions::default()).unwrap().logits(&[TEXT]);
    let whole = logits(&sample);
    assert!(small.iter().zip(&whole).all(|(a, b)| (a - b).abs() < 0.05), "{small:?} {whole:?}");
    // Beside weights in eight bits an adapter cannot be merged exactly.
    for name in [CONFIG, WEIGHTS] {
        fs::copy(sample.file(name), to.join(name)).unwrap();
    }
    assert!(Weights::open(&to).unwrap_err().to_string().contains("eight bits"));
    assert!(matches!(pack(sample.path()), Err(EncoderError::Format { .. })));
}
