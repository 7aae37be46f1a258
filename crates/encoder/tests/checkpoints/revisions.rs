//! Revisions of folders: any change of a file that changes answers changes them.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use vulnlens_encoder::revision;

use crate::sample::{Sample, fixture};

/// Changes one byte of a file.
fn change(file: &Path, at: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn every_file_that_changes_answers_counts() {
    let whole = revision(&fixture("roberta-trained")).unwrap();
    assert_eq!(whole.len(), 12);
    assert_eq!(
        revision(Sample::of("roberta-trained").path()).unwrap(),
        whole,
        "of the content, not of the place"
    );
    assert_eq!(revision(&fixture("roberta-trained").join("config.json")).unwrap(), whole);
    for file in ["model.safetensors", "config.json", "tokenizer.json", "vulnlens.json"] {
        let sample = Sample::of("roberta-trained");
        let length = fs::metadata(sample.file(file)).unwrap().len() as usize;
        // Far behind the beginning of any tensor.
        change(&sample.file(file), length - length / 50 - 1);
        assert_ne!(revision(sample.path()).unwrap(), whole, "{file}");
        fs::remove_file(sample.file(file)).unwrap();
        assert!(revision(sample.path()).map_or(true, |without| without != whole), "without {file}");
    }
    let sample = Sample::of("roberta-trained");
    fs::write(sample.file("README.md"), "another card").unwrap();
    fs::write(sample.file("optimizer.pt"), "a state").unwrap();
    assert_eq!(revision(sample.path()).unwrap(), whole, "other files change no answer");
}

#[test]
fn every_shard_and_every_part_of_a_hierarchy_counts() {
    let sample = Sample::of("roberta-shards");
    let whole = revision(sample.path()).unwrap();
    change(&sample.file("model-00003-of-00004.safetensors"), 8_000);
    assert_ne!(revision(sample.path()).unwrap(), whole);

    let copy = TempDir::new().unwrap();
    for part in fs::read_dir(fixture("hierarchy-cwe")).unwrap() {
        let part = part.unwrap();
        let folder = copy.path().join(part.file_name());
        fs::create_dir(&folder).unwrap();
        for file in fs::read_dir(part.path()).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.join(file.file_name())).unwrap();
        }
    }
    let whole = revision(copy.path()).unwrap();
    assert_eq!(revision(&fixture("hierarchy-cwe")).unwrap(), whole);
    change(&copy.path().join("slave_CWE-707/model.safetensors"), 8_000);
    let changed = revision(copy.path()).unwrap();
    assert_ne!(changed, whole);
    fs::write(copy.path().join("thresholds.json"), "{}").unwrap();
    assert_ne!(revision(copy.path()).unwrap(), changed);
}
