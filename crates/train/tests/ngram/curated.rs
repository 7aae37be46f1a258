//! The head of curated techniques: what it learns, and that its file answers as it was fitted.

use vulnlens_evaluation::{CuratedPair, CuratedSource, Example};
use vulnlens_model::{Classifier, Input, LabelMode, Network, NgramModel, Options, Task};
use vulnlens_taxonomy::{CweId, Role, TechniqueId};
use vulnlens_train::TrainError;
use vulnlens_train::curated::{CuratedExample, measure, train};

use crate::made_up::{examples, fit, kb, settings};

const OF_MEMORY: &str = "T1203";
const OF_OTHERS: &str = "T1190";

fn pair(technique: &str, role: Role, project: &str, kind: &str) -> CuratedPair {
    let source =
        CuratedSource { name: project.to_owned(), kind: kind.to_owned(), licence: "Apache-2.0".to_owned() };
    CuratedPair { technique: technique.parse().unwrap(), role, source, reason: None }
}

/// Records of memory corruption are mapped to one technique, others to another; each project adds one of its own.
fn curated(examples: &[Example]) -> Vec<CuratedExample> {
    let labelled = examples.iter().filter(|e| e.is_labelled()).take(160).enumerate();
    labelled
        .map(|(number, example)| {
            let technique = if example.cwes.contains(&CweId(787)) { OF_MEMORY } else { OF_OTHERS };
            let (project, own) = if number % 2 == 0 { ("first", "T1059.007") } else { ("second", "T1068") };
            let mut pairs = vec![
                pair(technique, Role::Exploitation, project, "mapping"),
                pair(own, Role::PrimaryImpact, project, "mapping"),
            ];
            if number % 10 == 0 {
                pairs = vec![pair(technique, Role::Uncategorised, "reports", "procedure")];
            }
            CuratedExample {
                cve: example.cve.unwrap(),
                text: example.text.clone(),
                year: Some(example.year),
                pairs,
            }
        })
        .collect()
}

#[test]
fn a_head_answers_what_projects_assign_with_their_role() {
    let examples = examples(600);
    let file = fit(&examples, &settings(), 2);
    let model = NgramModel::from_bytes(&file).unwrap();
    let curated = curated(&examples);
    let fitted = || train(&file, &model, &kb(), &curated, "made-up pairs".to_owned()).unwrap();
    let with_head = fitted();
    assert_eq!(with_head, fitted(), "the same bytes");

    let model = NgramModel::from_bytes(&with_head).unwrap();
    let head = model.curated().unwrap().outputs();
    let ids: Vec<String> = head.techniques.iter().map(TechniqueId::to_string).collect();
    assert_eq!(
        ids,
        ["T1059", "T1059.007", "T1068", "T1190", "T1203"],
        "sub-techniques count for their parents, too"
    );
    assert_eq!(head.projects, ["first", "second"]);

    let classifier = Classifier::new(model, kb());
    let input = Input::text("Heap overflow in the borealis parser corrupts memory");
    let techniques = classifier.predict(input, &Options::default()).attack_curated.unwrap();
    let scored = |id: &str| techniques.labels.iter().find(|scored| scored.label.to_string() == id);
    let of_memory = scored(OF_MEMORY).unwrap();
    assert!(of_memory.predicted && of_memory.role == Some(Role::Exploitation), "{of_memory:?}");
    assert!(scored(OF_OTHERS).is_none_or(|other| !other.predicted && other.score < of_memory.score));

    let not_asked = Options::default().tasks(Task::Cwe);
    assert_eq!(classifier.predict(input, &not_asked).attack_curated, None);
    let reference = Options::default().labels(LabelMode::Reference);
    assert_eq!(classifier.predict(input, &reference).attack_curated, None);
    let nothing = classifier.predict(Input::text("https://example.org/"), &Options::default());
    assert_eq!(nothing.attack_curated.unwrap().labels, []);
}

#[test]
fn what_a_head_learns_is_measured_on_texts_that_it_has_not_seen() {
    let examples = examples(600);
    let model = NgramModel::from_bytes(&fit(&examples, &settings(), 2)).unwrap();
    let report = measure(&model, &kb(), &curated(&examples), 2, 2020).unwrap();
    let head = report.systems.last().unwrap();
    let popularity = report.systems.first().unwrap();
    assert!(head.figures.exploitation_recall_at_3.mean > 0.95, "{:?}", head.figures);
    assert!(head.figures.mrr.mean >= popularity.figures.mrr.mean, "{:?}", report.systems);
    assert_eq!(report.texts, [144, 16]);
    assert_eq!(report.between_projects.0, 0);
}

#[test]
fn without_a_mapping_nothing_is_fitted() {
    let examples = examples(600);
    let file = fit(&examples, &settings(), 2);
    let model = NgramModel::from_bytes(&file).unwrap();
    let error = train(&file, &model, &kb(), &[], String::new()).unwrap_err();
    assert!(matches!(error, TrainError::NoCuratedPairs), "{error}");
}
