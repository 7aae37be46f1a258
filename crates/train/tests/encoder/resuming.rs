//! A run that was broken off and resumed ends at the same bits.

use std::fs;
use std::path::Path;

use vulnlens_train::TrainError;
use vulnlens_train::encoder::{ClassifierSettings, Ending, FitSettings};

use crate::made_up::{Bench, Stopper, settings};

fn model(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("model.safetensors")).unwrap()
}

/// The log without times.
fn log(folder: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    let line = |line: &str| {
        let mut entry: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        entry.retain(|name, _| !name.contains("runtime") && !name.contains("per_second"));
        entry.into()
    };
    text.lines().map(line).collect()
}

#[test]
fn neither_breaks_nor_threads_change_a_bit() {
    let bench = Bench::new();
    let (whole, broken) = (bench.path("whole"), bench.path("broken"));
    let end = bench.train(&settings(), &whole, (&Stopper::default(), false, 1)).unwrap();
    // 96 labelled texts in batches of 8, three times.
    assert!(matches!(end, Ending::Finished { steps: 36, best: Some(_) }), "{end:?}");
    // Within the first pass, at its end, and in the last.
    for (after, threads) in [(7, 2), (12, 1), (30, 3)] {
        let end = bench.train(&settings(), &broken, (&Stopper::after(after), true, threads)).unwrap();
        assert_eq!(end, Ending::Stopped { step: after, steps: 36 });
        assert!(!broken.join("config.json").exists());
    }
    bench.train(&settings(), &broken, (&Stopper::default(), true, 2)).unwrap();
    assert!(model(&whole) == model(&broken));
    assert_eq!(log(&whole), log(&broken));
    assert!(!broken.join("run").exists(), "what only the run needs is gone");
}

#[test]
fn a_run_that_was_killed_goes_on_from_its_last_checkpoint() {
    let bench = Bench::new();
    let (whole, killed) = (bench.path("whole"), bench.path("killed"));
    bench.train(&settings(), &whole, (&Stopper::default(), false, 2)).unwrap();
    bench.train(&settings(), &killed, (&Stopper::after(13), false, 2)).unwrap();
    let kept = bench.path("kept");
    fs::copy(killed.join("run/checkpoint.safetensors"), &kept).unwrap();
    bench.train(&settings(), &killed, (&Stopper::after(29), true, 2)).unwrap();
    // As if the last checkpoint had not been written, and half of the next had.
    fs::copy(&kept, killed.join("run/checkpoint.safetensors")).unwrap();
    fs::write(killed.join("run/.vulnlens-half"), "half").unwrap();
    bench.train(&settings(), &killed, (&Stopper::default(), true, 2)).unwrap();
    assert!(model(&whole) == model(&killed));
    assert_eq!(log(&whole), log(&killed));
}

#[test]
fn another_runs_checkpoint_is_refused() {
    let mut bench = Bench::new();
    let out = bench.path("out");
    bench.train(&settings(), &out, (&Stopper::after(3), false, 2)).unwrap();
    let none = Stopper::default();
    let refusal = |result: Result<Ending, TrainError>| match result {
        Err(TrainError::Taken { problem, .. }) => problem,
        other => panic!("{other:?}"),
    };
    assert_eq!(refusal(bench.train(&settings(), &out, (&none, false, 2))), "holds an unfinished run");
    let other = ClassifierSettings { fit: FitSettings { rate: 1e-3, ..settings().fit }, ..settings() };
    let problem = refusal(bench.train(&other, &out, (&none, true, 2)));
    assert_eq!(problem, "is of a run with another settings");
    bench.examples.retain(|example| example.cwes.first().is_none_or(|cwe| cwe.0 != 862));
    let problem = refusal(bench.train(&settings(), &out, (&none, true, 2)));
    assert_eq!(problem, "is of a run with another model", "it has other labels");
}

#[test]
fn a_finished_run_is_known_again() {
    let bench = Bench::new();
    let (out, none) = (bench.path("out"), Stopper::default());
    bench.train(&settings(), &out, (&none, false, 2)).unwrap();
    let before = model(&out);
    let end = bench.train(&settings(), &out, (&none, true, 2)).unwrap();
    assert_eq!(end, Ending::Finished { steps: 0, best: None });
    assert!(model(&out) == before && !out.join("run").exists());
    let other = ClassifierSettings { fit: FitSettings { rate: 1e-3, ..settings().fit }, ..settings() };
    for (settings, resume, want) in [
        (&settings(), false, "holds a finished model"),
        (&other, true, "holds a finished model with another settings"),
    ] {
        let error = bench.train(settings, &out, (&none, resume, 2)).unwrap_err();
        assert!(matches!(&error, TrainError::Taken { problem, .. } if problem == want), "{error}");
    }
}
