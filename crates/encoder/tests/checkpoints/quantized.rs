//! Quantised copies of checkpoints.

use std::fs;

use tempfile::TempDir;
use vulnlens_encoder::{Checkpoint, Encoder, LoadOptions, Precision, quantize};

use crate::sample::fixture;

const TEXTS: [&str; 3] = ["SQL injection in the login form", "", "A buffer overflow in the parser of images"];

fn distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn a_copy_answers_as_quantising_at_load_does() {
    for name in [
        "roberta",
        "bert",
        "distilbert",
        "electra",
        "xlm-roberta",
        "bert-f16",
        "roberta-shards",
        "modernbert",
        "modernbert-mean-shards",
        "deberta",
        "deberta-own-keys",
    ] {
        let folder = TempDir::new().unwrap();
        let copy = folder.path().join("int8");
        let done = quantize(&fixture(name), &copy).unwrap();
        assert_eq!(done.checkpoints, 1);
        let exact = Encoder::open(&fixture(name), &LoadOptions::default()).unwrap().logits(&TEXTS);
        let at_load = LoadOptions { precision: Precision::Int8, ..LoadOptions::default() };
        let at_load = Encoder::open(&fixture(name), &at_load).unwrap().logits(&TEXTS);
        let stored = Encoder::open(&copy, &LoadOptions::default()).unwrap().logits(&TEXTS);
        // The copy has the table of words in eight bits, too.
        let spread = exact.iter().fold(0.0_f32, |most, logit| most.max(logit.abs()));
        assert!(distance(&at_load, &stored) < 0.05 * spread, "{name}");
        assert!(distance(&exact, &stored) < 0.15 * spread, "{name}");
        assert_ne!(exact, stored, "{name}");
    }
}

#[test]
fn a_copy_of_a_hierarchy_is_a_hierarchy() {
    let folder = TempDir::new().unwrap();
    let copy = folder.path().join("int8");
    let done = quantize(&fixture("hierarchy-capec"), &copy).unwrap();
    let opened = Checkpoint::open(&copy, &LoadOptions::default()).unwrap();
    assert_eq!(opened.parts().count(), done.checkpoints);
    assert!(done.bytes_after < done.bytes_before);
}

#[test]
fn nothing_half_written_survives() {
    let folder = TempDir::new().unwrap();
    let taken = folder.path().join("taken");
    fs::create_dir(&taken).unwrap();
    assert!(quantize(&fixture("bert"), &taken).unwrap_err().to_string().contains("exists already"));
    let copy = folder.path().join("int8");
    quantize(&fixture("bert"), &copy).unwrap();
    let again = quantize(&copy, &folder.path().join("again")).unwrap_err();
    assert!(again.to_string().contains("quantised already"), "{again}");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn the_same_bits_on_any_number_of_threads_and_in_any_batch() {
    let options = LoadOptions { precision: Precision::Int8, ..LoadOptions::default() };
    let encoder = Encoder::open(&fixture("roberta"), &options).unwrap();
    let together = encoder.logits(&TEXTS);
    let alone: Vec<f32> = TEXTS.iter().flat_map(|text| encoder.logits(&[text])).collect();
    assert_eq!(together, alone);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    assert_eq!(pool.install(|| encoder.logits(&TEXTS)), together);
}
