//! Model files: what is written is what is read, and damage is refused, not survived.

use std::sync::OnceLock;

use crate::made_up::{examples, fit, settings};
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use vulnlens_model::ngram::{verify, with_header};
use vulnlens_model::softmax::temper;
use vulnlens_model::{Input, ModelFileError, Network, NgramModel, Room};

fn file() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| fit(&examples(300), &settings(), 2))
}

/// The file with `from` replaced by `to` of the same length, wherever it stands first.
fn edited(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = file().to_vec();
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    bytes
}

/// The probabilities of a model for inputs, row by row.
fn probabilities(model: &NgramModel, inputs: &[Input<'_>]) -> Vec<f32> {
    let mut scores = vec![];
    model.score(inputs, &mut Room::default(), &mut scores);
    let outputs = model.outputs().cwe_sets().unwrap();
    scores.chunks_exact_mut(outputs.sets.len()).for_each(|row| temper(row, outputs.temperature));
    scores
}

#[test]
fn a_whole_file_is_read_either_way_alike() {
    let model = NgramModel::from_bytes(file()).unwrap();
    let embedded = NgramModel::embedded(file()).unwrap();
    assert_eq!(model.revision(), embedded.revision());
    assert_eq!(model.header(), embedded.header());
    let inputs = [Input::text("SQL injection in acme"), Input::text("")];
    assert_eq!(probabilities(&model, &inputs), probabilities(&embedded, &inputs));
}

#[test]
fn a_text_without_any_known_word_still_gets_a_distribution() {
    let model = NgramModel::from_bytes(file()).unwrap();
    for text in ["", " ", "\u{0}", "qqqqq zzzzz", "漢字"] {
        let p = probabilities(&model, &[Input::text(text)]);
        assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-4, "{text:?}");
    }
}

#[test]
fn a_batch_gives_what_each_text_gives_alone() {
    let model = NgramModel::from_bytes(file()).unwrap();
    let examples = examples(50);
    let inputs: Vec<Input<'_>> = examples.iter().map(|e| Input::text(&e.text).year(e.year)).collect();
    let together = probabilities(&model, &inputs);
    let sets = model.outputs().len();
    for (i, input) in inputs.iter().enumerate() {
        assert_eq!(probabilities(&model, &[*input]), &together[i * sets..][..sets], "text {i}");
    }
}

#[test]
fn a_header_can_be_changed_and_nothing_else_then_is() {
    let model = NgramModel::from_bytes(file()).unwrap();
    assert_eq!(with_header(file(), model.header()).unwrap(), file());
    let mut header = model.header().clone();
    header.temperature = 2.0;
    let changed = NgramModel::from_bytes(&with_header(file(), &header).unwrap()).unwrap();
    assert_eq!(changed.header(), &header);
    assert_ne!(changed.revision(), model.revision());
    header.dimensions += 2;
    assert!(matches!(with_header(file(), &header), Err(ModelFileError::Tensor { .. })));
}

#[test]
fn damage_is_named() {
    let truncated = &file()[..file().len() - 1];
    assert!(matches!(NgramModel::from_bytes(truncated), Err(ModelFileError::NotSafetensors(_))));
    assert!(matches!(NgramModel::from_bytes(b""), Err(ModelFileError::NotSafetensors(_))));
    let mut flipped = file().to_vec();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    assert!(matches!(NgramModel::from_bytes(&flipped), Err(ModelFileError::Checksum { .. })));
    let renamed = edited("made-up.parquet", "mademup.parquet");
    assert!(matches!(NgramModel::from_bytes(&renamed), Err(ModelFileError::Checksum { .. })));
    let future = edited("\\\"format_version\\\":1", "\\\"format_version\\\":9");
    assert!(matches!(NgramModel::from_bytes(&future), Err(ModelFileError::FutureVersion { found: 9 })));
    let foreign = edited("\"vulnlens\":", "\"somebody\":");
    assert!(matches!(NgramModel::from_bytes(&foreign), Err(ModelFileError::NotAModel(_))));
}

#[test]
fn an_embedded_file_is_checked_for_sense_though_not_for_its_checksum() {
    for (from, to) in [
        ("\\\"dimensions\\\":16", "\\\"dimensions\\\":18"),
        ("\\\"dimensions\\\":16", "\\\"dimensions\\\":15"),
        ("\\\"kind\\\":\\\"ngram\\\"", "\\\"kind\\\":\\\"other\\\""),
        ("\\\"oldest_year\\\":2015", "\\\"oldest_year\\\":2014"),
        ("hidden.bias", "hidden.bios"),
    ] {
        let bytes: &'static [u8] = edited(from, to).leak();
        let error = NgramModel::embedded(bytes).unwrap_err();
        assert!(
            matches!(error, ModelFileError::Header { .. } | ModelFileError::Tensor { .. }),
            "{from} to {to}: {error}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_damaged_byte_is_noticed(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut bytes = file().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        // JSON may be written in other ways that mean the same; only then may a change pass.
        if let Ok(model) = NgramModel::from_bytes(&bytes) {
            prop_assert!(model.header() == NgramModel::from_bytes(file()).unwrap().header());
            prop_assert!(at < 8192);
        }
        let _ = NgramModel::embedded(bytes.leak());
    }

    #[test]
    fn any_bytes_are_refused(bytes in any::<Vec<u8>>()) {
        prop_assert!(verify(&bytes).is_err());
        prop_assert!(NgramModel::from_bytes(&bytes).is_err());
    }
}

use proptest::prelude::prop;
