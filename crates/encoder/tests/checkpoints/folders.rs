//! Folders as tools leave them: of a training run, cloned without large files, with parts in common.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use vulnlens_encoder::{Access, Checkpoint, EncoderError, LoadOptions, Notice, Weights, quantize, revision};

use crate::sample::{Sample, fixture};

const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:0000\nsize 17\n";

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

fn open(folder: &Path) -> Result<Checkpoint, EncoderError> {
    Checkpoint::open(folder, &LoadOptions::default())
}

#[test]
fn the_folder_of_a_training_run_names_its_newest_checkpoint() {
    let run = TempDir::new().unwrap();
    for step in ["checkpoint-90", "checkpoint-1000", "checkpoint-x"] {
        copy(&fixture("bert-left"), &run.path().join(step));
    }
    for (extra, bytes) in [("trainer_state.json", "{}"), ("config.json", "{}")] {
        fs::write(run.path().join(extra), bytes).unwrap();
        let complaint = open(run.path()).unwrap_err().to_string();
        assert!(complaint.contains("checkpoint-1000") && complaint.contains("training run"), "{complaint}");
    }
    copy(&fixture("bert-left"), run.path());
    assert!(open(run.path()).is_ok(), "a folder with weights is itself a checkpoint");
}

#[test]
fn pointers_of_git_lfs_are_told_by_name() {
    for file in ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"] {
        let sample = Sample::of("roberta");
        fs::write(sample.file(file), POINTER).unwrap();
        let complaint = sample.complaint();
        assert!(complaint.contains(file) && complaint.contains("git lfs pull"), "{file}: {complaint}");
    }
    let sample = Sample::of("roberta-shards");
    fs::write(sample.file("model.safetensors.index.json"), POINTER).unwrap();
    assert!(sample.complaint().contains("git lfs pull"));
    // Where the tokenizer's older files are there, its pointer does no harm.
    let sample = Sample::of("bert-broken-tokenizer");
    let encoder = sample.open().unwrap();
    let is_told = |notice: &Notice| notice.to_string().contains("git lfs pull");
    assert!(encoder.notices().iter().any(is_told), "{:?}", encoder.notices());
}

#[test]
fn a_tensor_that_stands_twice_under_wrapped_names_is_refused() {
    let sample = Sample::of("roberta-wrapped");
    sample.tensors(|tensors| {
        let tensor = tensors["module._orig_mod.classifier.dense.bias"].clone();
        tensors.insert("classifier.dense.bias".to_owned(), tensor);
    });
    assert!(sample.complaint().contains("`classifier.dense.bias`, which another"), "{}", sample.complaint());
}

#[test]
fn a_hierarchy_may_have_its_tokenizer_and_a_configuration_at_its_root() {
    let whole = open(&fixture("hierarchy-cwe")).unwrap();
    let root = TempDir::new().unwrap();
    for part in fs::read_dir(fixture("hierarchy-cwe")).unwrap() {
        let part = part.unwrap();
        copy(&part.path(), &root.path().join(part.file_name()));
    }
    let tokenizer = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"];
    for part in fs::read_dir(root.path()).unwrap().map(|part| part.unwrap().path()) {
        for name in tokenizer {
            if part.ends_with("master") {
                fs::copy(part.join(name), root.path().join(name)).unwrap();
            }
            fs::remove_file(part.join(name)).unwrap();
        }
    }
    fs::copy(root.path().join("master/config.json"), root.path().join("config.json")).unwrap();
    let texts = ["SQL injection in the login form", "", "Improper access control"];
    for path in [root.path().to_owned(), root.path().join("config.json")] {
        let shared = open(&path).unwrap();
        assert_eq!(shared.labels(), whole.labels());
        assert_eq!(shared.scores(&texts), whole.scores(&texts));
    }
    let before = revision(root.path()).unwrap();
    fs::write(root.path().join("special_tokens_map.json"), "{}").unwrap();
    assert_ne!(revision(root.path()).unwrap(), before, "the shared tokenizer counts");
    let small = root.path().join("small");
    quantize(root.path(), &small).unwrap();
    assert_eq!(open(&small).unwrap().labels(), whole.labels());
}

#[test]
fn camembert_needs_its_tokenizer_as_json() {
    let sample = Sample::of("camembert");
    fs::remove_file(sample.file("tokenizer.json")).unwrap();
    fs::write(sample.file("sentencepiece.bpe.model"), "").unwrap();
    let complaint = sample.complaint();
    for word in ["tokenizer.json", "sentencepiece.bpe.model", "save_pretrained"] {
        assert!(complaint.contains(word), "{complaint}");
    }
}

#[test]
fn copied_weights_outlive_their_files() {
    let texts = ["SQL injection in login.php", "Use after free"];
    let by_copy = LoadOptions { access: Access::Copy, ..LoadOptions::default() };
    for name in ["roberta", "roberta-shards", "roberta-bin-slow", "roberta-lora", "bert-f16"] {
        let sample = Sample::of(name);
        let mapped = open(&fixture(name)).unwrap().scores(&texts);
        let copied = Checkpoint::open(sample.path(), &by_copy).unwrap();
        // Under a map, reading them now would end the process.
        for entry in fs::read_dir(sample.path()).unwrap() {
            fs::File::options().write(true).truncate(true).open(entry.unwrap().path()).unwrap();
        }
        assert_eq!(copied.scores(&texts), mapped, "{name}");
    }
    let sample = Sample::of("roberta");
    let weights = Weights::open_by(sample.path(), Access::Copy).unwrap();
    let (name, shape) =
        weights.names().find_map(|name| Some((name.to_owned(), weights.shape(name)?.to_vec()))).unwrap();
    fs::File::options().write(true).truncate(true).open(sample.file("model.safetensors")).unwrap();
    assert!(weights.f32(&name, &shape).is_err(), "a file that is cut while it is read is an error");
}
