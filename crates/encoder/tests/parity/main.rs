//! Tiny checkpoints of every architecture against what transformers and PyTorch answer for them
//! (`tools/encoder_fixtures.py`).
#![cfg(test)]

mod fixture;

use std::collections::BTreeSet;
use std::fmt::Write;

use fixture::{Expected, Fixture, fixtures, texts};
use rayon::{ThreadPool, ThreadPoolBuilder};
use vulnlens_encoder::kernels::Isa;
use vulnlens_encoder::{Architecture, Encoder, LoadOptions, Notice, Precision, Problem};

const LOGIT_TOLERANCE: f32 = 1e-5;
/// A logit's tolerance after a sigmoid, whose slope is a quarter at most.
const SCORE_TOLERANCE: f32 = LOGIT_TOLERANCE / 4.0;

/// Fails with one line for each fixture that `check` says something about.
fn all_fixtures(check: impl Fn(&Fixture, &[&str]) -> Result<(), String>) {
    let owned = texts();
    let texts: Vec<&str> = owned.iter().map(String::as_str).collect();
    let mut report = String::new();
    for fixture in fixtures() {
        if let Err(difference) = check(&fixture, &texts) {
            writeln!(report, "{}: {difference}", fixture.name).unwrap();
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

/// The first place where rows of numbers are further apart than the tolerance, or the greatest distance.
fn nearly_equal(actual: &[f32], expected: &[Vec<f32>], tolerance: f32) -> Result<(), String> {
    let count: usize = expected.iter().map(Vec::len).sum();
    if actual.len() != count {
        return Err(format!("{} numbers where {count} are expected", actual.len()));
    }
    let width = expected[0].len();
    for (i, (&actual, &expected)) in actual.iter().zip(expected.iter().flatten()).enumerate() {
        // Such that NaN is a difference.
        let is_close = (actual - expected).abs() <= tolerance;
        if !is_close {
            let (text, label) = (i / width, i % width);
            return Err(format!("text {text}, label {label}: {actual} where {expected} is expected"));
        }
    }
    Ok(())
}

/// The first place where two answers differ in any bit.
fn same_bits(what: &str, actual: &[f32], expected: &[f32]) -> Result<(), String> {
    if actual.len() != expected.len() {
        return Err(format!("{what}: {} numbers where {} are expected", actual.len(), expected.len()));
    }
    match actual.iter().zip(expected).position(|(a, b)| a.to_bits() != b.to_bits()) {
        Some(i) => Err(format!("{what}: number {i} is {} and not {}", actual[i], expected[i])),
        None => Ok(()),
    }
}

#[test]
fn fixtures_cover_every_architecture() {
    let found: BTreeSet<String> =
        fixtures().iter().map(|fixture| format!("{:?}", fixture.open().config().architecture)).collect();
    let all = Architecture::ALL;
    assert_eq!(found, all.iter().map(|architecture| format!("{architecture:?}")).collect());
}

#[test]
fn configuration_is_read_as_transformers_reads_it() {
    all_fixtures(|fixture, _| {
        let encoder = fixture.open();
        let config = encoder.config();
        let (labels, most) = (&fixture.expected.labels, fixture.expected.max_tokens);
        match (&config.labels == labels, config.max_tokens() == most) {
            (true, true) => Ok(()),
            _ => Err(format!("{:?}, at most {} tokens", config.labels, config.max_tokens())),
        }
    });
}

#[test]
fn token_ids_are_those_of_transformers() {
    all_fixtures(|fixture, texts| {
        let encoder = fixture.open();
        for (i, (text, expected)) in texts.iter().zip(&fixture.expected.ids).enumerate() {
            let actual = encoder.token_ids(text);
            if &actual != expected {
                let at = actual.iter().zip(expected).position(|(a, b)| a != b);
                return Err(format!("text {i} {text:?} from {at:?}: {actual:?} and not {expected:?}"));
            }
        }
        Ok(())
    });
}

#[test]
fn logits_and_scores_are_those_of_pytorch() {
    all_fixtures(|fixture, texts| {
        for isa in Isa::available() {
            let encoder = fixture.open_for(Precision::F32, isa);
            nearly_equal(&encoder.logits(texts), &fixture.expected.logits, LOGIT_TOLERANCE)
                .and_then(|()| {
                    nearly_equal(&encoder.scores(texts), &fixture.expected.scores, SCORE_TOLERANCE)
                })
                .map_err(|difference| format!("{}: {difference}", isa.name()))?;
        }
        Ok(())
    });
}

#[test]
fn scores_that_a_checkpoint_leaves_open_are_made_as_asked() {
    all_fixtures(|fixture, texts| {
        let open = |scores| fixture.open_with(&LoadOptions { scores, ..LoadOptions::default() });
        let is_assumed = |notice: &Notice| matches!(notice, Notice::ScoresAssumed { .. });
        let encoder = open(None);
        if encoder.notices().iter().any(is_assumed) == encoder.config().problem_is_stated {
            return Err("the notice does not tell of a missing `problem_type`".to_owned());
        }
        let Expected { sigmoid, softmax, .. } = &fixture.expected;
        for (problem, expected) in [(Problem::MultiLabel, sigmoid), (Problem::SingleLabel, softmax)] {
            let encoder = open(Some(problem));
            if !expected.is_empty() {
                nearly_equal(&encoder.scores(texts), expected, SCORE_TOLERANCE)?;
            }
            if encoder.notices().iter().any(is_assumed) {
                return Err(format!("{problem:?} was asked for, not assumed"));
            }
        }
        Ok(())
    });
    let both = fixtures().into_iter().filter(|fixture| !fixture.expected.sigmoid.is_empty());
    let both: Vec<String> = both.map(|fixture| fixture.name).collect();
    assert_eq!(both, ["bert-open-scores"]);
}

#[test]
fn tokenizers_that_are_rebuilt_are_reported() {
    all_fixtures(|fixture, _| {
        let rebuilt = ["-slow", "-broken-tokenizer"].iter().any(|end| fixture.name.ends_with(end));
        let encoder = fixture.open();
        let is_of_tokenizer = |notice: &&Notice| matches!(notice, Notice::TokenizerRebuilt { .. });
        match encoder.notices().iter().filter(is_of_tokenizer).count() {
            1 if rebuilt => Ok(()),
            0 if !rebuilt => Ok(()),
            count => Err(format!("{count} notices")),
        }
    });
}

/// Every way to compute that this machine has.
fn variants() -> impl Iterator<Item = (Precision, Isa)> {
    let isas = Isa::available();
    [Precision::F32, Precision::Int8]
        .into_iter()
        .flat_map(move |precision| isas.clone().into_iter().map(move |isa| (precision, isa)))
}

/// Each text alone, all together, backwards, in sevens, and beside copies of itself.
fn batches_agree(encoder: &Encoder, texts: &[&str]) -> Result<(), String> {
    let alone: Vec<f32> = texts.iter().flat_map(|text| encoder.logits(&[text])).collect();
    same_bits("all together", &encoder.logits(texts), &alone)?;
    let sevens: Vec<f32> = texts.chunks(7).flat_map(|part| encoder.logits(part)).collect();
    same_bits("in sevens", &sevens, &alone)?;
    let width = encoder.config().labels.len();
    let mut backwards: Vec<&str> = texts.to_vec();
    backwards.reverse();
    let rows: Vec<f32> = encoder.logits(&backwards).chunks(width).rev().flatten().copied().collect();
    same_bits("backwards", &rows, &alone)?;
    let copies: Vec<&str> = texts.iter().flat_map(|text| [*text; 3]).collect();
    let rows: Vec<f32> =
        encoder.logits(&copies).chunks(3 * width).flat_map(|rows| &rows[..width]).copied().collect();
    same_bits("beside copies", &rows, &alone)
}

#[test]
fn the_rest_of_a_batch_does_not_change_a_bit() {
    all_fixtures(|fixture, texts| {
        for (precision, isa) in variants() {
            batches_agree(&fixture.open_for(precision, isa), texts)
                .map_err(|difference| format!("{precision:?}, {}: {difference}", isa.name()))?;
        }
        Ok(())
    });
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let pools = [1, 2, 3].map(|count| ThreadPoolBuilder::new().num_threads(count).build().unwrap());
    all_fixtures(|fixture, texts| {
        for (precision, isa) in variants() {
            let logits = |pool: &ThreadPool| pool.install(|| fixture.open_for(precision, isa).logits(texts));
            let one = logits(&pools[0]);
            for pool in &pools[1..] {
                let what = format!("{precision:?}, {}, {} threads", isa.name(), pool.current_num_threads());
                same_bits(&what, &logits(pool), &one)?;
            }
        }
        Ok(())
    });
}

#[test]
fn no_texts_give_no_rows() {
    all_fixtures(|fixture, _| same_bits("no texts", &fixture.open().logits(&[]), &[]));
}
