//! Model files: a written file reads back as it was, and damage is refused, not survived.
#![expect(clippy::unwrap_used, reason = "what fails in a helper fails its test")]

use std::sync::OnceLock;

use proptest::prelude::{ProptestConfig, any, prop, prop_assert, proptest};
use vulnlens_files::sealed::SealedError;
use vulnlens_model::ngram::{Tensors, with_header, write};
use vulnlens_model::softmax::temper;
use vulnlens_model::{
    FEATURES, FORMAT_VERSION, Head, HeadOutputs, Header, HeaderError, Input, ModelFileError, Network,
    NetworkKind, NgramModel, NgramShape, Provenance, Room, TaxonomyVersions, Years,
};
use vulnlens_taxonomy::CweId;

const DIMENSIONS: usize = 16;
const YEARS: usize = 5;

fn header() -> Header {
    let sets = [79, 89, 787].map(|id| vec![CweId(id)]).to_vec();
    let head = Head {
        tasks: Head::CHAIN.to_vec(),
        outputs: HeadOutputs::CweSets { sets: Some(sets), outcomes: vec![], catalogue_only: vec![] },
        temperature: 1.25,
        rules: [].into(),
        thresholds: [].into(),
        fitted_on: "validation part of the random split of made-up.parquet".to_owned(),
    };
    Header {
        format_version: FORMAT_VERSION,
        kind: NetworkKind::Ngram,
        name: "made-up".to_owned(),
        heads: vec![head],
        years: Some(Years { oldest: Some(2015), newest: 2019 }),
        normaliser: None,
        taxonomies: TaxonomyVersions { cwe: "4.18".into(), capec: "3.9".into(), attack: "18.1".into() },
        provenance: Provenance {
            start: None,
            data: "made-up.parquet".to_owned(),
            data_sha256: "00".repeat(32),
            split: "random".to_owned(),
            texts: 3,
            labelled_texts: 3,
            seed: 1,
            settings: serde_json::Map::new(),
            tool_version: "0.1.0".to_owned(),
        },
        ngram: Some(NgramShape { features: FEATURES.to_owned(), dimensions: DIMENSIONS }),
        combined_with: None,
    }
}

/// Numbers without a meaning, but not all alike.
fn tensors() -> Tensors {
    let keys: Vec<u32> = (0..500).map(|i| i * 8_000_003).collect();
    let float = |count: usize| (0..count).map(|i| ((i * 37 % 101) as f32 - 50.0) / 100.0).collect::<Vec<_>>();
    let byte = |count: usize| (0..count).map(|i| (i * 53 % 251) as u8).collect::<Vec<_>>();
    Tensors {
        weights: byte(keys.len()),
        embedding: byte(keys.len() * DIMENSIONS / 2),
        embedding_scales: vec![0x3C00; keys.len()],
        hidden_bias: float(DIMENSIONS),
        year_hidden: float(YEARS * DIMENSIONS),
        output: byte(3 * DIMENSIONS).into_iter().map(u8::cast_signed).collect(),
        output_scales: vec![0.01, 0.02, 0.03],
        output_bias: float(3),
        year_output: vec![0x3E00; YEARS * 3],
        keys,
    }
}

fn file() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| write(&header(), &tensors()).unwrap())
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
    assert_eq!((model.header(), embedded.header()), (&header(), &header()));
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
    let texts: Vec<String> = (0..50).map(|i| format!("text {i} of product {}", i * 7)).collect();
    let inputs: Vec<Input<'_>> =
        texts.iter().zip(2014..).map(|(text, year)| Input::text(text).year(year % 2022)).collect();
    let together = probabilities(&model, &inputs);
    for (i, input) in inputs.iter().enumerate() {
        assert_eq!(probabilities(&model, &[*input]), &together[i * 3..][..3], "text {i}");
    }
}

#[test]
fn a_header_can_be_changed_and_nothing_else_then_is() {
    let model = NgramModel::from_bytes(file()).unwrap();
    assert_eq!(with_header(file(), model.header()).unwrap(), file());
    let mut header = model.header().clone();
    header.heads[0].temperature = 2.0;
    let changed = NgramModel::from_bytes(&with_header(file(), &header).unwrap()).unwrap();
    assert_eq!(changed.header(), &header);
    assert_ne!(changed.revision(), model.revision());
    header.ngram.as_mut().unwrap().dimensions += 2;
    assert!(matches!(with_header(file(), &header), Err(ModelFileError::Tensor { .. })));
}

#[test]
fn damage_is_named() {
    let sealed = |bytes: &[u8]| match NgramModel::from_bytes(bytes).unwrap_err() {
        ModelFileError::Sealed(error) => error,
        other => panic!("{other}"),
    };
    assert!(matches!(sealed(&file()[..file().len() - 1]), SealedError::NotSafetensors(_)));
    assert!(matches!(sealed(b""), SealedError::NotSafetensors(_)));
    let mut flipped = file().to_vec();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    assert!(matches!(sealed(&flipped), SealedError::Checksum { .. }));
    assert!(matches!(sealed(&edited("made-up.parquet", "mademup.parquet")), SealedError::Checksum { .. }));
    assert!(matches!(sealed(&edited("\"vulnlens\":", "\"somebody\":")), SealedError::NotSealed(_)));
    let future = NgramModel::from_bytes(&edited("\\\"format_version\\\":2", "\\\"format_version\\\":9"));
    let error = future.unwrap_err();
    assert!(matches!(error, ModelFileError::Header(HeaderError::Version { found: 9 })));
    assert!(error.to_string().ends_with("upgrade vulnlens"), "{error}");
}

#[test]
fn an_embedded_file_is_checked_for_sense_though_not_for_its_checksum() {
    for (from, to) in [
        ("\\\"dimensions\\\":16", "\\\"dimensions\\\":18"),
        ("\\\"dimensions\\\":16", "\\\"dimensions\\\":15"),
        ("\\\"kind\\\":\\\"ngram\\\"", "\\\"kind\\\":\\\"other\\\""),
        ("\\\"oldest\\\":2015", "\\\"oldest\\\":2014"),
        ("\\\"oldest\\\":2015", "\\\"oldest\\\":2020"),
        ("hidden.bias", "hidden.bios"),
        ("\\\"temperature\\\":1.25", "\\\"temperature\\\":0.00"),
        ("made-up.parquet", "made\\\\u0007.par"),
    ] {
        let bytes: &'static [u8] = edited(from, to).leak();
        let error = NgramModel::embedded(bytes).unwrap_err();
        assert!(
            matches!(error, ModelFileError::Header(_) | ModelFileError::Tensor { .. }),
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
        prop_assert!(NgramModel::from_bytes(&bytes).is_err(), "bit {} of byte {}", bit, at);
        let _ = NgramModel::embedded(bytes.leak());
    }

    #[test]
    fn any_bytes_are_refused(bytes in any::<Vec<u8>>()) {
        prop_assert!(NgramModel::from_bytes(&bytes).is_err());
    }
}
