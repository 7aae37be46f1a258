//! Fitting: the same bytes for any number of threads, a model that answers, and clear refusals.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use vulnlens_evaluation::{Calibration, EvaluationError, Example, PUBLISHED_TASKS, Part, evaluate};
use vulnlens_model::{Classifier, Input, LabelMode, Network, NgramModel, Options};
use vulnlens_taxonomy::CweId;
use vulnlens_train::TrainError;
use vulnlens_train::ngram::{Decisions, Settings, train};

use crate::made_up::{description, examples, fit, kb, settings};

#[test]
fn threads_do_not_change_a_byte() {
    let examples = examples(600);
    let one = fit(&examples, &settings(), 1);
    assert_eq!(one, fit(&examples, &settings(), 2));
    assert_eq!(one, fit(&examples, &settings(), 3));
    let other_seed = Settings { seed: 2, ..settings() };
    assert_ne!(one, fit(&examples, &other_seed, 1));
}

#[test]
fn a_fitted_model_tells_the_kinds_apart() {
    let examples = examples(600);
    let model = NgramModel::from_bytes(&fit(&examples, &settings(), 2)).unwrap();
    let calibration = Calibration::of(model.outputs().cwe_sets().unwrap());
    let figures = evaluate(&model, &calibration, &kb(), &examples, Part::Test, &PUBLISHED_TASKS).unwrap();
    for task in &figures {
        assert!(task.table.rows > 50, "{:?}: {} rows", task.task, task.table.rows);
        assert!(task.table.micro_f1 > 0.95, "{:?}: {}", task.task, task.table.micro_f1);
        assert_eq!(task.unseen_label_occurrences, 0);
    }
    let classifier = Classifier::new(model, kb());
    let options = Options::default().labels(LabelMode::Assigned);
    let input = Input::text("Heap overflow in the borealis parser corrupts memory");
    let cwe = classifier.predict(input, &options).cwe.unwrap();
    let answer: Vec<CweId> = cwe.labels.iter().filter(|l| l.predicted).map(|l| l.label).collect();
    assert_eq!(answer, [CweId(122), CweId(787)]);
    let explanation = classifier.explain(input, &options);
    let strongest = explanation.words.iter().max_by(|a, b| a.weight.total_cmp(&b.weight)).unwrap();
    assert!(["Heap", "overflow", "parser", "corrupts", "memory"].contains(&strongest.text.as_str()));
}

#[test]
fn labels_without_a_training_text_are_counted_beside_the_table() {
    let mut examples = examples(600);
    let strange = examples.iter_mut().find(|e| e.part == Part::Test && e.is_labelled()).unwrap();
    strange.cwes = vec![CweId(1004)];
    let model = NgramModel::from_bytes(&fit(&examples, &settings(), 2)).unwrap();
    let calibration = Calibration { temperature: 1.0, decisions: Default::default() };
    let kind = vulnlens_model::decode::SpaceKind::AssignedCwe;
    let figures = evaluate(&model, &calibration, &kb(), &examples, Part::Test, &[kind]).unwrap();
    assert_eq!((figures[0].unseen_label_occurrences, figures[0].rows_with_unseen_labels_only), (1, 1));
}

fn refusal(examples: &[Example], settings: &Settings) -> TrainError {
    train(examples, &kb(), settings, &description(), &Decisions::Validation, &|_| ControlFlow::Continue(()))
        .unwrap_err()
}

#[test]
fn what_cannot_be_fitted_is_refused_with_the_reason() {
    let all = examples(200);
    let only = |keep: &dyn Fn(&Example) -> bool| -> Vec<Example> {
        all.iter().filter(|e| keep(e)).cloned().collect()
    };
    let fine = settings();
    assert!(matches!(refusal(&[], &fine), TrainError::NoTrainingTexts { texts: 0 }));
    assert!(matches!(refusal(&only(&|e| !e.is_labelled()), &fine), TrainError::NoTrainingTexts { .. }));
    assert!(matches!(refusal(&only(&|e| e.cwes == [CweId(89)]), &fine), TrainError::OneSetOnly));
    assert!(matches!(
        refusal(&only(&|e| e.part == Part::Train), &fine),
        TrainError::Evaluation(EvaluationError::NoValidationTexts)
    ));
    let rare = Settings { min_documents: 10_000, ..settings() };
    assert!(matches!(refusal(&all, &rare), TrainError::NoFeatures { .. }));
    let odd = Settings { dimensions: 7, ..settings() };
    assert!(refusal(&all, &odd).to_string().contains("dimensions"));
    let wild = Settings { dense_rate: 10.0, embedding_rate: 10.0, epochs: 200, ..settings() };
    // Such rates may or may not overflow; they must not end in a file that cannot be read.
    let result =
        train(&all, &kb(), &wild, &description(), &Decisions::Validation, &|_| ControlFlow::Continue(()));
    assert!(result.is_err() || NgramModel::from_bytes(&result.unwrap()).is_ok());
}

#[test]
fn decisions_can_be_taken_over() {
    let examples = examples(300);
    let calibration = Calibration { temperature: 1.25, decisions: Default::default() };
    let given = Decisions::Given(Box::new(calibration), "elsewhere".to_owned());
    let bytes =
        train(&examples, &kb(), &settings(), &description(), &given, &|_| ControlFlow::Continue(())).unwrap();
    let model = NgramModel::from_bytes(&bytes).unwrap();
    let head = model.header().cwe_head().unwrap();
    assert_eq!(head.temperature, 1.25);
    assert_eq!(head.fitted_on, "elsewhere");
}

#[test]
fn a_fit_can_be_ended() {
    let seen = AtomicU64::new(0);
    let until = |texts: u64| {
        let seen = seen.fetch_add(texts, Ordering::Relaxed) + texts;
        if seen < 100 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let fitted = train(&examples(200), &kb(), &settings(), &description(), &Decisions::Validation, &until);
    assert!(matches!(fitted, Err(TrainError::Stopped)));
    assert!(seen.into_inner() < 400, "the others end, too");
}
