//! What cannot be trained is told, and nothing is lost.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use vulnlens_encoder::Weights;
use vulnlens_evaluation::Part;
use vulnlens_train::TrainError;
use vulnlens_train::encoder::{Control, NetworkSize, Observer, RunPlan, Start, train_classifier};

use crate::made_up::{Bench, Stopper, about, kb, published, settings};

fn message(bench: &Bench, out: &str) -> String {
    let result = bench.train(&settings(), &bench.path(out), (&Stopper::default(), false, 2));
    result.unwrap_err().to_string()
}

#[test]
fn data_that_teach_nothing_are_refused() {
    let mut bench = Bench::new();
    bench.examples.iter_mut().for_each(|example| example.part = Part::Train);
    assert!(message(&bench, "a").contains("no labelled text in the validation part"));
    bench.examples.iter_mut().for_each(|example| example.cwes.truncate(0));
    assert!(message(&bench, "b").contains("no labelled text"));
    let mut bench = Bench::new();
    bench.examples.retain(|example| example.cwes.first().is_none_or(|cwe| cwe.0 == 89));
    assert!(message(&bench, "c").contains("every training text has the same CWE set"));
    assert!(!bench.path("c").exists(), "nothing was written");
}

#[test]
fn longer_texts_are_cut_and_counted() {
    struct Cut(std::sync::Mutex<usize>);
    impl Observer for Cut {
        fn started(&self, plan: &RunPlan) {
            *self.0.lock().unwrap() = plan.cut;
        }
    }
    let mut bench = Bench::new();
    bench.examples[0].text = "overflow ".repeat(100);
    let cut = Cut(std::sync::Mutex::new(0));
    let stop = std::sync::atomic::AtomicBool::new(true);
    let control = Control { observer: &cut, stop: &stop, resume: false };
    let (start, out) = (bench.start(), bench.path("out"));
    train_classifier(&bench.examples, &kb(), &settings(), &about(), (&start, &out), control).unwrap();
    assert_eq!(*cut.0.lock().unwrap(), 1);
}

#[test]
fn two_runs_cannot_share_a_folder() {
    struct Second<'a>(&'a Bench, std::sync::Mutex<Option<TrainError>>);
    impl Observer for Second<'_> {
        fn started(&self, _: &RunPlan) {
            let result = self.0.train(&settings(), &self.0.path("out"), (&Stopper::default(), true, 1));
            *self.1.lock().unwrap() = result.err();
        }
    }
    let bench = Bench::new();
    let second = Second(&bench, std::sync::Mutex::new(None));
    let stop = std::sync::atomic::AtomicBool::new(true);
    let control = Control { observer: &second, stop: &stop, resume: false };
    let (start, out) = (bench.start(), bench.path("out"));
    train_classifier(&bench.examples, &kb(), &settings(), &about(), (&start, &out), control).unwrap();
    assert!(matches!(*second.1.lock().unwrap(), Some(TrainError::Locked { .. })));
}

/// Multiplies the numbers of one tensor.
pub(crate) fn blow_up(folder: &Path, name: &str, factor: f32) {
    let weights = Weights::open(folder).unwrap();
    let tensors: HashMap<String, (Vec<usize>, Vec<u8>)> = weights
        .names()
        .map(|tensor| {
            let shape = weights.shape(tensor).unwrap().to_vec();
            let factor = if tensor == name { factor } else { 1.0 };
            let numbers = weights.f32(tensor, &shape).unwrap();
            let bytes = numbers.iter().flat_map(|number| (number * factor).to_le_bytes()).collect();
            (tensor.to_owned(), (shape, bytes))
        })
        .collect();
    let views = tensors.iter().map(|(name, (shape, bytes))| {
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), bytes);
        (name, view.unwrap())
    });
    let bytes = safetensors::serialize(views, None).unwrap();
    drop(weights);
    fs::write(folder.join("model.safetensors"), bytes).unwrap();
}

#[test]
fn a_loss_that_is_no_number_ends_the_run() {
    let bench = Bench::new();
    let (good, out) = (bench.path("good"), bench.path("out"));
    bench.train(&settings(), &good, (&Stopper::default(), false, 2)).unwrap();
    blow_up(&good, "classifier.out_proj.weight", 1e38);
    let stop = std::sync::atomic::AtomicBool::new(false);
    let none = Stopper::default();
    let control = Control { observer: &none, stop: &stop, resume: false };
    let start = Start::Checkpoint(good);
    let result = train_classifier(&bench.examples, &kb(), &settings(), &about(), (&start, &out), control);
    let error = result.unwrap_err();
    assert!(matches!(error, TrainError::Diverged { step: 0, epoch: 0, batch: 0, .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("at step 0 (epoch 0, batch 0") && text.contains("no checkpoint"), "{text}");
}

#[test]
fn an_architecture_that_is_not_trained_is_refused() {
    let bench = Bench::new();
    let (start, out) = (Start::Checkpoint(published("deberta")), bench.path("out"));
    let none = Stopper::default();
    let control = Control { observer: &none, stop: &none.stop, resume: false };
    let result = train_classifier(&bench.examples, &kb(), &settings(), &about(), (&start, &out), control);
    let text = result.unwrap_err().to_string();
    assert!(text.contains("`deberta-v2`, which is run but not trained"), "{text}");
    assert!(text.contains("electra, modernbert") && !out.exists(), "{text}");
}

#[test]
fn a_finished_model_is_not_overwritten() {
    let bench = Bench::new();
    fs::create_dir(bench.path("out")).unwrap();
    fs::write(bench.path("out").join("config.json"), "{}").unwrap();
    assert!(message(&bench, "out").contains("holds a finished model"));
}

#[test]
fn a_network_whose_sizes_do_not_fit_is_refused() {
    let bench = Bench::new();
    let size = NetworkSize { layers: 1, hidden: 30, heads: 4, intermediate: 8, positions: 16 };
    let (start, out) = (Start::New(bench.path("tokenizer"), size), bench.path("out"));
    let none = Stopper::default();
    let control = Control { observer: &none, stop: &none.stop, resume: false };
    let result = train_classifier(&bench.examples, &kb(), &settings(), &about(), (&start, &out), control);
    let text = result.unwrap_err().to_string();
    assert!(text.contains("`hidden_size` is 30, which 4 attention heads do not divide"), "{text}");
    assert!(!out.exists());
}
