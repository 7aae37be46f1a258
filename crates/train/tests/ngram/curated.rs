//! The head of curated techniques: what it learns, and that its file answers as it was fitted.

use vulnlens_evaluation::{CuratedPair, CuratedSource, Example};
use vulnlens_model::{Basis, Classifier, Input, LabelMode, Network, NgramModel, Options, Task, TopK};
use vulnlens_taxonomy::{CweId, Role, TechniqueId};
use vulnlens_train::TrainError;
use vulnlens_train::curated::{CuratedExample, Descriptions, measure, train};

use crate::made_up::{examples, fit, kb, settings};

const OF_MEMORY: &str = "T1203";
const OF_OTHERS: &str = "T1190";

fn pair(technique: &str, role: Role, project: &str, kind: &str) -> CuratedPair {
    let source =
        CuratedSource { name: project.to_owned(), kind: kind.to_owned(), licence: "Apache-2.0".to_owned() };
    CuratedPair {
        technique: technique.parse().unwrap(),
        role,
        source,
        reason: Some(format!("{project} says {technique}")),
    }
}

/// A technique that no record has, in words of the texts, and one that records have.
fn descriptions() -> Descriptions {
    let of = |id: &str, text: &str| (id.parse().unwrap(), text.to_owned());
    Descriptions::from([
        of("T1505", "The borealis parser corrupts memory"),
        of(OF_MEMORY, "Exploitation for execution"),
    ])
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
    let fitted =
        || train(&file, &model, &kb(), &curated, &descriptions(), "made-up pairs".to_owned()).unwrap();
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
fn the_reasons_of_a_technique_add_up_to_its_score() {
    let examples = examples(600);
    let file = fit(&examples, &settings(), 2);
    let model = NgramModel::from_bytes(&file).unwrap();
    let with_head = train(&file, &model, &kb(), &curated(&examples), &descriptions(), String::new()).unwrap();
    let classifier = Classifier::new(NgramModel::from_bytes(&with_head).unwrap(), kb());
    let text = "Heap overflow in the borealis parser corrupts memory";
    let explanation = classifier.explain(Input::text(text).year(Some(2019)), &Options::default());
    let of_memory =
        explanation.curated.iter().find(|evidence| evidence.technique.to_string() == OF_MEMORY).unwrap();
    let words: f32 = of_memory.words.iter().map(|word| word.weight).sum();
    let rules: f32 = of_memory.rules.iter().map(|rule| rule.weight).sum();
    let weaknesses: f32 = of_memory.weaknesses.iter().map(|weakness| weakness.weight).sum();
    let sum = words + rules + weaknesses + of_memory.year + of_memory.base;
    assert!((sum - of_memory.score).abs() < 1e-4, "{sum} is not {}", of_memory.score);
    assert!(words > 0.0 && of_memory.score > 0.3, "{of_memory:?}");
    for word in &of_memory.words {
        assert_eq!(text.get(word.start..word.end), Some(&*word.text));
    }
    let nearest = of_memory.nearest.first().unwrap();
    assert!(nearest.similarity > 0.3, "{nearest:?}");
    for pair in &nearest.mapped.pairs {
        assert_eq!(pair.technique.to_string(), OF_MEMORY, "the technique that is explained, and no other");
        assert_eq!(pair.reason, Some(format!("{} says {OF_MEMORY}", pair.project)));
    }
}

#[test]
fn a_technique_without_texts_is_known_by_its_description_and_never_answered() {
    let examples = examples(600);
    let file = fit(&examples, &settings(), 2);
    let model = NgramModel::from_bytes(&file).unwrap();
    let with_head = train(&file, &model, &kb(), &curated(&examples), &descriptions(), String::new()).unwrap();
    let model = NgramModel::from_bytes(&with_head).unwrap();
    let described = &model.curated().unwrap().outputs().described;
    assert_eq!(described.techniques.iter().map(TechniqueId::to_string).collect::<Vec<_>>(), ["T1505"]);
    let classifier = Classifier::new(model, kb());
    let all = Options::default().top_k(TopK::All).threshold(0.0);
    let text = Input::text("Heap overflow in the borealis parser corrupts memory");
    let techniques = classifier.predict(text, &all).attack_curated.unwrap();
    let found = techniques.labels.iter().find(|scored| scored.label.to_string() == "T1505").unwrap();
    assert_eq!((found.basis, found.predicted, found.role), (Some(Basis::Similarity), false, None));
    let learnt = techniques.labels.iter().filter(|scored| scored.basis.is_none()).count();
    assert_eq!(learnt + 1, techniques.labels.len());
}

#[test]
fn what_a_head_learns_is_measured_on_texts_that_it_has_not_seen() {
    let examples = examples(600);
    let model = NgramModel::from_bytes(&fit(&examples, &settings(), 2)).unwrap();
    let report = measure(&model, &kb(), &curated(&examples), &descriptions(), 2, 2020).unwrap();
    let head = report.systems.last().unwrap();
    let popularity = report.systems.first().unwrap();
    assert!(head.figures.exploitation_recall_at_3.mean > 0.95, "{:?}", head.figures);
    assert!(head.figures.mrr.mean >= popularity.figures.mrr.mean, "{:?}", report.systems);
    assert_eq!(report.texts, [144, 16]);
    assert_eq!(report.between_projects.0, 0);
    // No text has the one technique that is known by its description alone.
    assert_eq!(report.described, None);
}

#[test]
fn without_a_mapping_nothing_is_fitted() {
    let examples = examples(600);
    let file = fit(&examples, &settings(), 2);
    let model = NgramModel::from_bytes(&file).unwrap();
    let error = train(&file, &model, &kb(), &[], &Descriptions::new(), String::new()).unwrap_err();
    assert!(matches!(error, TrainError::NoCuratedPairs), "{error}");
}
