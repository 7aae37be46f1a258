//! The head of severities: what it learns, and that its file answers as it was fitted.

use vulnlens_evaluation::{Example, Part, RatedText};
use vulnlens_model::{Classifier, Input, Network, NgramModel, Options};
use vulnlens_taxonomy::{CweId, SeverityBand};
use vulnlens_train::TrainError;
use vulnlens_train::severity::{measure, train};

use crate::made_up::{examples, fit, kb, settings};

const OF_MEMORY: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
const OF_OTHERS: &str = "CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N";

/// Records of memory corruption are rated with one vector, others with another; every tenth is tested on.
fn rated(examples: &[Example]) -> Vec<RatedText> {
    let labelled = examples.iter().filter(|example| example.is_labelled()).enumerate();
    labelled
        .map(|(number, example)| RatedText {
            text: example.text.clone(),
            year: Some(example.year),
            vector: if example.cwes.contains(&CweId(787)) { OF_MEMORY } else { OF_OTHERS }.parse().unwrap(),
            source: "nvd".to_owned(),
            is_record: true,
            part: [Part::Test, Part::Validation].get(number % 10).copied().unwrap_or(Part::Train),
        })
        .collect()
}

#[test]
fn a_head_answers_as_analysts_rate_when_it_is_asked() {
    let examples = examples(600);
    let file = fit(&examples, &settings(), 2);
    let model = NgramModel::from_bytes(&file).unwrap();
    let rated = rated(&examples);
    let fitted = || train(&file, &model, &kb(), &rated, "made-up vectors".to_owned()).unwrap();
    let with_head = fitted();
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(with_head, one_thread.install(fitted), "the same bytes");

    let report = measure(&with_head, &kb(), &rated, "random", "made-up").unwrap();
    let [constant, _, head] = &report.systems[..] else { panic!("three systems") };
    assert!(head.figures.band_accuracy > 0.95, "{head:?}");
    assert!(constant.figures.band_accuracy < head.figures.band_accuracy, "{constant:?}");

    let with_head = NgramModel::from_bytes(&with_head).unwrap();
    assert!(with_head.severity().is_some() && model.severity().is_none());
    let (classifier, without) = (Classifier::new(with_head, kb()), Classifier::new(model, kb()));
    let input = Input::text("Heap overflow in the borealis parser corrupts memory");
    let asked = Options::default().severity(true);
    let answer = classifier.predict(input, &asked);
    let severity = answer.severity.clone().flatten().unwrap();
    assert_eq!((severity.vector, severity.band()), (OF_MEMORY.parse().unwrap(), SeverityBand::Critical));

    let not_asked = classifier.predict(input, &Options::default());
    assert_eq!(not_asked.severity, None);
    assert_eq!((not_asked.cwe, not_asked.attack), (answer.cwe, answer.attack), "nothing else changes");
    assert_eq!(classifier.predict(Input::text("https://example.org/"), &asked).severity, Some(None));
    assert_eq!(without.predict(input, &asked).severity, Some(None), "a model without a head");
}

#[test]
fn without_vectors_there_is_nothing_to_fit() {
    let examples = examples(300);
    let file = fit(&examples, &settings(), 1);
    let model = NgramModel::from_bytes(&file).unwrap();
    let error = train(&file, &model, &kb(), &[], String::new()).unwrap_err();
    assert!(matches!(error, TrainError::NoVectors), "{error}");
}
