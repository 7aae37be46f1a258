//! Every way in which a checkpoint can be wrong has its own words.

use std::fs;

use serde_json::json;

use crate::sample::Sample;

const QUERY: &str = "bert.encoder.layer.1.attention.self.query.weight";

/// Fails unless all the words are in the complaint.
fn says(complaint: &str, words: &[&str]) {
    for word in words {
        assert!(complaint.contains(word), "{word:?} is not in: {complaint}");
    }
}

#[test]
fn a_missing_tensor_is_named_with_its_shape() {
    let sample = Sample::of("bert");
    sample.tensors(|tensors| drop(tensors.remove(QUERY)));
    says(&sample.complaint(), &["model.safetensors", QUERY, "[32, 32]", "missing"]);
}

#[test]
fn a_checkpoint_without_a_head_says_so() {
    for (name, tensor) in [
        ("bert", "classifier.weight"),
        ("roberta", "classifier.out_proj.weight"),
        ("modernbert", "head.norm.weight"),
        ("deberta", "pooler.dense.bias"),
    ] {
        let sample = Sample::of(name);
        sample.tensors(|tensors| drop(tensors.remove(tensor)));
        says(&sample.complaint(), &[tensor, "no classification head", "fine-tune"]);
    }
}

#[test]
fn weights_of_another_architecture_are_told_by_their_names() {
    let sample = Sample::of("roberta");
    sample.json("config.json", |config| {
        config["model_type"] = json!("modernbert");
        config["architectures"] = json!(["ModernBertForSequenceClassification"]);
    });
    says(&sample.complaint(), &["model.safetensors", "named as in `roberta`", "`modernbert`", "config.json"]);
}

#[test]
fn a_missing_tokenizer_of_an_architecture_without_older_files_is_named() {
    let sample = Sample::of("modernbert");
    fs::remove_file(sample.file("tokenizer.json")).unwrap();
    says(&sample.complaint(), &["tokenizer.json is missing", "download"]);
    let sample = Sample::of("deberta");
    fs::rename(sample.file("tokenizer.json"), sample.file("spm.model")).unwrap();
    says(
        &sample.complaint(),
        &["tokenizer.json", "is missing, and spm.model alone is not read", "AutoTokenizer"],
    );
}

#[test]
fn heads_of_pretraining_do_no_harm_to_newer_architectures() {
    for (name, head) in [("modernbert", "decoder.bias"), ("deberta", "lm_predictions.lm_head.bias")] {
        let sample = Sample::of(name);
        let before = sample.open().unwrap().logits(&["text"]);
        sample.tensors(|tensors| {
            tensors.insert(head.to_owned(), (safetensors::Dtype::F32, vec![2], vec![0; 8]));
        });
        assert_eq!(sample.open().unwrap().logits(&["text"]), before, "{name}");
    }
}

#[test]
fn tensors_that_the_network_has_no_place_for_are_named() {
    let sample = Sample::of("bert");
    sample.tensors(|tensors| {
        let copy = tensors[QUERY].clone();
        tensors.insert("bert.encoder.layer.7.attention.self.query.weight".to_owned(), copy);
    });
    says(&sample.complaint(), &["encoder.layer.7", "unknown tensors", "config.json"]);
}

#[test]
fn tensors_that_published_checkpoints_carry_along_do_no_harm() {
    let sample = Sample::of("roberta");
    let before = sample.open().unwrap().logits(&["text"]);
    sample.tensors(|tensors| {
        let zeros = (safetensors::Dtype::F32, vec![2], vec![0; 8]);
        for name in ["lm_head.bias", "roberta.pooler.dense.weight"] {
            tensors.insert(name.to_owned(), zeros.clone());
        }
        let positions = (safetensors::Dtype::I64, vec![1, 1], vec![0; 8]);
        tensors.insert("roberta.embeddings.position_ids".to_owned(), positions);
    });
    assert_eq!(sample.open().unwrap().logits(&["text"]), before);
}

#[test]
fn a_shape_that_disagrees_with_the_configuration_is_shown() {
    let sample = Sample::of("bert");
    sample.tensors(|tensors| {
        let (_, shape, _) = tensors.get_mut(QUERY).unwrap();
        *shape = vec![16, 64];
    });
    says(&sample.complaint(), &[QUERY, "[16, 64]", "[32, 32]"]);
}

#[test]
fn numbers_that_are_not_finite_are_found() {
    for value in [f32::NAN, f32::INFINITY] {
        let sample = Sample::of("bert");
        sample.tensors(|tensors| {
            let (_, _, bytes) = tensors.get_mut(QUERY).unwrap();
            bytes[20..24].copy_from_slice(&value.to_le_bytes());
        });
        says(&sample.complaint(), &[QUERY, "element 5", "not a finite number"]);
    }
}

#[test]
fn an_unknown_architecture_lists_the_known_ones() {
    let sample = Sample::of("bert");
    sample.json("config.json", |config| config["model_type"] = json!("gpt2"));
    says(
        &sample.complaint(),
        &["config.json", "`gpt2`", "roberta", "bert", "distilbert", "electra", "xlm-roberta"],
    );
}

#[test]
fn labels_must_be_as_many_as_the_configuration_says() {
    let sample = Sample::of("bert");
    sample.json("config.json", |config| config["num_labels"] = json!(3));
    says(&sample.complaint(), &["config.json", "num_labels", "id2label"]);
    let sample = Sample::of("bert");
    sample.json("config.json", |config| {
        let labels = config["id2label"].as_object_mut().unwrap();
        labels.remove("0");
    });
    says(&sample.complaint(), &["config.json", "id2label"]);
}

#[test]
fn a_head_of_another_number_of_labels_is_a_wrong_shape() {
    let sample = Sample::of("bert");
    sample.json("config.json", |config| {
        let labels = config["id2label"].as_object_mut().unwrap();
        let next = labels.len();
        labels.insert(next.to_string(), json!("CWE-1"));
        config["label2id"]["CWE-1"] = json!(next);
    });
    says(&sample.complaint(), &["classifier", "shape"]);
}

#[test]
fn a_tokenizer_that_knows_more_than_the_model_is_refused() {
    let sample = Sample::of("bert");
    sample.json("tokenizer.json", |tokenizer| {
        tokenizer["model"]["vocab"]["overlong"] = json!(999_999);
    });
    says(&sample.complaint(), &["token"]);
}

#[test]
fn truncated_and_hostile_files_are_refused() {
    let whole = fs::read(Sample::of("bert").file("model.safetensors")).unwrap();
    let huge = [&u64::MAX.to_le_bytes()[..], b"{}"].concat();
    let overlapping = br#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#;
    let overlapping = [&(overlapping.len() as u64).to_le_bytes()[..], overlapping, &[0; 12]].concat();
    for bytes in [&whole[..whole.len() / 2], &whole[..4], &[], &huge, &overlapping, b"<!DOCTYPE html><html>"]
    {
        let sample = Sample::of("bert");
        fs::write(sample.file("model.safetensors"), bytes).unwrap();
        says(&sample.complaint(), &["model.safetensors"]);
    }
}

#[test]
fn a_pickle_that_calls_anything_is_refused_and_runs_nothing() {
    let sample = Sample::of("roberta-bin-slow");
    fs::write(sample.file("pytorch_model.bin"), b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00exit\x85R.").unwrap();
    says(&sample.complaint(), &["pytorch_model.bin"]);
}

#[test]
fn a_folder_without_files_names_what_is_missing() {
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        let sample = Sample::of("roberta");
        fs::remove_file(sample.file(file)).unwrap();
        says(&sample.complaint(), &[file]);
    }
}
