//! What is learnt, and what is written.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::Value;
use vulnlens_encoder::{Encoder, LoadOptions, Problem};
use vulnlens_evaluation::Example;
use vulnlens_train::encoder::{
    AuxiliaryLabels, ClassifierSettings, Control, Ending, FitSettings, LabelKind, LabelTable, MultiLabelLoss,
    PretrainingSettings, Start, train_classifier, train_masked,
};

use crate::made_up::{Bench, Stopper, about, fit_settings, kb, long, published, settings};

fn json(path: &std::path::Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn best_label(encoder: &Encoder, example: &Example) -> String {
    let scores = encoder.scores(&[&format!("{} {}", example.year, example.text)]);
    let best = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
    encoder.labels()[best].clone()
}

#[test]
fn sets_are_learnt_and_the_folder_is_a_checkpoint() {
    let bench = Bench::new();
    let out = bench.path("out");
    let settings = ClassifierSettings { fit: long(), ..settings() };
    bench.train(&settings, &out, (&Stopper::default(), false, 2)).unwrap();
    let encoder = Encoder::open(&out, &LoadOptions::default()).unwrap();
    assert_eq!(encoder.labels(), ["CWE-79", "CWE-89", "CWE-122+CWE-787", "CWE-862"]);
    assert_eq!((encoder.config().problem, encoder.max_tokens()), (Problem::SingleLabel, 32));
    for example in bench.examples.iter().filter(|example| example.is_labelled()) {
        let set: Vec<String> = example.cwes.iter().map(ToString::to_string).collect();
        assert_eq!(best_label(&encoder, example), set.join("+"), "{}", example.text);
    }
    let header = json(&out.join("vulnlens.json"));
    assert_eq!(header["heads"][0]["outputs"], serde_json::json!({"kind": "cwe-sets"}));
    assert_eq!(header["years"], serde_json::json!({"newest": 2023}));
    assert!(header["heads"][0]["rules"]["reference-attack"]["label"].is_number());
    let state = json(&out.join("trainer_state.json"));
    assert_eq!((&state["global_step"], &state["max_steps"]), (&240.into(), &240.into()));
    assert!(state["best_metric"].as_f64().unwrap() > 0.9);
    let card = fs::read_to_string(out.join("README.md")).unwrap();
    assert!(card.starts_with("---\n") && card.contains("model-index:") && card.contains("micro-F1"));
    assert!(out.join("loss.svg").exists() && out.join("merges.txt").exists());
}

#[test]
fn sets_are_learnt_with_what_they_lead_to() {
    let bench = Bench::new();
    let beside = |labels, weight| Some(AuxiliaryLabels { labels, weight });
    let settings =
        ClassifierSettings { auxiliary: beside(LabelKind::Attack, 0.01), fit: long(), ..settings() };
    bench.train(&settings, &bench.path("out"), (&Stopper::default(), false, 2)).unwrap();
    let encoder = Encoder::open(&bench.path("out"), &LoadOptions::default()).unwrap();
    for example in bench.examples.iter().filter(|example| example.is_labelled()) {
        let set: Vec<String> = example.cwes.iter().map(ToString::to_string).collect();
        assert_eq!(best_label(&encoder, example), set.join("+"), "{}", example.text);
    }
    assert_eq!(json(&bench.path("out").join("vulnlens.json"))["provenance"]["settings"]["beside"], "attack");
    for (labels, wrong) in [
        (LabelKind::CweSets, beside(LabelKind::Attack, 0.0)),
        (LabelKind::CweSets, beside(LabelKind::CweSets, 0.1)),
        (LabelKind::Attack, beside(LabelKind::Attack, 0.1)),
    ] {
        let wrong = ClassifierSettings { labels, auxiliary: wrong, ..settings.clone() };
        let error = bench.train(&wrong, &bench.path("x"), (&Stopper::default(), false, 2)).unwrap_err();
        assert!(error.to_string().contains("beside"), "{error}");
    }
}

#[test]
fn labels_are_learnt_each_for_itself() {
    let bench = Bench::new();
    for (number, loss) in
        [MultiLabelLoss::Plain, MultiLabelLoss::Weighted, MultiLabelLoss::Asymmetric, MultiLabelLoss::Focal]
            .into_iter()
            .enumerate()
    {
        let labels =
            [LabelKind::Cwe, LabelKind::Attack, LabelKind::CweWithAncestors, LabelKind::Tactics][number];
        let fit = FitSettings { epochs: 50, ..long() };
        let settings = ClassifierSettings { loss, year: true, fit, ..ClassifierSettings::new(labels) };
        let out = bench.path(labels.name());
        let end = bench.train(&settings, &out, (&Stopper::default(), false, 2)).unwrap();
        let Ending::Finished { best: Some(best), .. } = end else { panic!("{end:?}") };
        assert!(best["eval_micro_f1"].as_f64().unwrap() > 0.9, "{labels:?} {best:?}");
        let encoder = Encoder::open(&out, &LoadOptions::default()).unwrap();
        assert_eq!(encoder.config().problem, Problem::MultiLabel);
        let header = json(&out.join("vulnlens.json"));
        let thresholds = &header["heads"][0]["thresholds"];
        assert!(encoder.labels().iter().all(|label| thresholds[label].is_number()));
    }
}

#[test]
fn labels_of_a_table_are_learnt_whatever_they_are_called() {
    let bench = Bench::new();
    let label = |example: &Example| {
        if example.text.contains("overflow") { vec!["AML.T0051", "memory"] } else { vec!["web"] }
    };
    let lines = bench.examples.iter().enumerate().filter(|(number, _)| number % 7 != 0);
    let lines = lines.map(|(_, example)| {
        format!("{}\n", serde_json::json!({"id": example.name, "labels": label(example)}))
    });
    let lines: String = lines.collect();
    let table = Arc::new(LabelTable::read(lines.as_bytes(), "own.jsonl").unwrap());
    assert!(table.unknown(&bench.examples).is_empty());
    let settings = ClassifierSettings {
        table: Some(table),
        fit: FitSettings { epochs: 50, ..long() },
        ..ClassifierSettings::new(LabelKind::Own)
    };
    let out = bench.path("own");
    let end = bench.train(&settings, &out, (&Stopper::default(), false, 2)).unwrap();
    let Ending::Finished { best: Some(best), .. } = end else { panic!("{end:?}") };
    assert!(best["eval_micro_f1"].as_f64().unwrap() > 0.95, "{best:?}");
    let encoder = Encoder::open(&out, &LoadOptions::default()).unwrap();
    assert_eq!(encoder.labels(), ["AML.T0051", "web", "memory"]);
    let scores = encoder.scores(&["A heap overflow in the acme parser corrupts memory near page seven"]);
    assert!(scores[0] > 0.5 && scores[1] < 0.5 && scores[2] > 0.5, "{scores:?}");
    // Another table is another run.
    let other = LabelTable::read(lines.replace("web", "net").as_bytes(), "own.jsonl").unwrap();
    let settings = ClassifierSettings { table: Some(Arc::new(other)), ..settings };
    let error = bench.train(&settings, &out, (&Stopper::default(), true, 2)).unwrap_err().to_string();
    assert!(error.contains("another"), "{error}");
    let settings = ClassifierSettings { table: None, ..settings };
    let error = bench.train(&settings, &bench.path("none"), (&Stopper::default(), false, 2)).unwrap_err();
    assert!(error.to_string().contains("need a table"), "{error}");
}

#[test]
fn a_language_model_is_a_beginning() {
    let bench = Bench::new();
    let (language, out) = (bench.path("language"), bench.path("out"));
    let fit = FitSettings { epochs: 12, max_tokens: 40, ..fit_settings() };
    let pretraining = PretrainingSettings { masked: 0.15, year: true, fit };
    let stop = AtomicBool::new(false);
    let none = Stopper::default();
    let control = Control { observer: &none, stop: &stop, resume: false };
    let start = bench.start();
    let end = train_masked(&bench.examples, &pretraining, &about(), (&start, &language), control).unwrap();
    let Ending::Finished { best: Some(best), .. } = end else { panic!("{end:?}") };
    assert!(best["eval_perplexity"].as_f64().unwrap() < 100.0, "{best:?}");
    let begun = Start::Checkpoint(language.clone());
    let settings = ClassifierSettings { fit: long(), ..settings() };
    train_classifier(&bench.examples, &kb(), &settings, &about(), (&begun, &out), control).unwrap();
    let encoder = Encoder::open(&out, &LoadOptions::default()).unwrap();
    assert_eq!(best_label(&encoder, &bench.examples[0]), "CWE-89");
    let header = json(&out.join("vulnlens.json"));
    assert!(header["provenance"]["start"].as_str().unwrap().starts_with("language, revision "));
    let config = json(&language.join("config.json"));
    assert_eq!(config["architectures"], serde_json::json!(["RobertaForMaskedLM"]));
}

#[test]
fn a_modern_bert_is_a_beginning_of_both_trainings() {
    let bench = Bench::new();
    let (language, out) = (bench.path("language"), bench.path("out"));
    let fit = FitSettings { epochs: 4, ..fit_settings() };
    let pretraining = PretrainingSettings { masked: 0.15, year: true, fit };
    let none = Stopper::default();
    let control = Control { observer: &none, stop: &none.stop, resume: false };
    let begun = Start::Checkpoint(published("modernbert"));
    train_masked(&bench.examples, &pretraining, &about(), (&begun, &language), control).unwrap();
    let config = json(&language.join("config.json"));
    assert_eq!(config["architectures"], serde_json::json!(["ModernBertForMaskedLM"]));
    let begun = Start::Checkpoint(language);
    let settings = ClassifierSettings { fit: long(), ..settings() };
    train_classifier(&bench.examples, &kb(), &settings, &about(), (&begun, &out), control).unwrap();
    let config = json(&out.join("config.json"));
    assert_eq!(config["architectures"], serde_json::json!(["ModernBertForSequenceClassification"]));
    let encoder = Encoder::open(&out, &LoadOptions::default()).unwrap();
    for example in bench.examples.iter().filter(|example| example.is_labelled()) {
        let set: Vec<String> = example.cwes.iter().map(ToString::to_string).collect();
        assert_eq!(best_label(&encoder, example), set.join("+"), "{}", example.text);
    }
}

#[test]
fn training_ends_where_nothing_is_gained() {
    let bench = Bench::new();
    let fit = FitSettings { epochs: 50, evaluate_every: Some(4), patience: Some(3), ..fit_settings() };
    let settings = ClassifierSettings { fit, ..settings() };
    let out = bench.path("out");
    let end = bench.train(&settings, &out, (&Stopper::default(), false, 2)).unwrap();
    let Ending::Finished { steps, best: Some(best) } = end else { panic!("{end:?}") };
    assert_eq!(steps, best["step"].as_u64().unwrap() + 12, "three evaluations after the best");
}
