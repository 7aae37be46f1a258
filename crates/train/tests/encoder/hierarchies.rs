//! Cascades and shared hierarchies: what they learn, how they are read, and that breaks leave no trace.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use vulnlens_encoder::{Checkpoint, Encoder, LoadOptions};
use vulnlens_evaluation::{Example, Part};
use vulnlens_metrics::{Accumulator, RowView};
use vulnlens_model::Header;
use vulnlens_train::TrainError;
use vulnlens_train::encoder::{
    ClassifierSettings, Control, FitSettings, HierarchyEnding, HierarchyEvaluation, HierarchyForm,
    HierarchySettings, LabelKind, Observer, Parents, StepReport, evaluate_hierarchy, train_hierarchy,
};

use crate::made_up::{Bench, Stopper, about, fit_settings, kb, long};

fn settings(labels: LabelKind, form: HierarchyForm, fit: FitSettings) -> HierarchySettings {
    let classifier = ClassifierSettings { year: true, fit, ..ClassifierSettings::new(labels) };
    HierarchySettings { classifier, form, fewest_texts: HierarchySettings::FEWEST_TEXTS, levels: 2 }
}

/// Enough updates to learn most of the four kinds.
fn learning() -> FitSettings {
    FitSettings { epochs: 12, ..long() }
}

fn train(
    bench: &Bench,
    settings: &HierarchySettings,
    out: &Path,
    (stopper, resume, threads): (&StopIn, bool, usize),
) -> Result<HierarchyEnding, TrainError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let control = Control { observer: stopper, stop: &stopper.stop, resume };
    let start = bench.start();
    pool.install(|| train_hierarchy(&bench.examples, &kb(), settings, &about(), (&start, out), control))
}

fn evaluated(
    bench: &Bench,
    settings: &HierarchySettings,
    folders: (&Path, Option<&Path>),
) -> HierarchyEvaluation {
    evaluate_hierarchy(&bench.examples, &kb(), settings, &about(), folders, Part::Validation).unwrap()
}

/// Ends a run at a step of one of its networks, and notes which networks it came to.
#[derive(Default)]
struct StopIn {
    at: Option<(usize, u64)>,
    stop: AtomicBool,
    networks: Mutex<Vec<String>>,
}

impl StopIn {
    fn at(network: usize, step: u64) -> Self {
        Self { at: Some((network, step)), ..Self::default() }
    }
}

impl Observer for StopIn {
    fn network(&self, name: &str, _: usize, _: usize) {
        self.networks.lock().unwrap().push(name.to_owned());
    }

    fn stepped(&self, stepped: &StepReport) {
        let number = self.networks.lock().unwrap().len();
        if self.at == Some((number, stepped.step)) {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

fn micro_f1(evaluation: &HierarchyEvaluation, parents: Parents) -> f64 {
    evaluation.systems.iter().find(|row| row.parents == parents).unwrap().micro_f1
}

const SQL: &str = "2023 SQL injection in the acme module lets attackers run statements through page seven";

#[test]
fn a_cascade_is_a_published_hierarchy() {
    let bench = Bench::new();
    let out = bench.path("cascade");
    let settings = settings(LabelKind::CweWithAncestors, HierarchyForm::Cascade, learning());
    let stopper = StopIn::default();
    let end = train(&bench, &settings, &out, (&stopper, false, 2)).unwrap();
    assert_eq!(end, HierarchyEnding::Finished { networks: 4 });
    let folders = ["slave_CWE-284", "slave_CWE-664", "slave_CWE-707", "master"];
    assert_eq!(*stopper.networks.lock().unwrap(), folders);
    assert!(folders.iter().all(|folder| Encoder::open(&out.join(folder), &LoadOptions::default()).is_ok()));
    let checkpoint = Checkpoint::open(&out, &LoadOptions::default()).unwrap();
    assert_eq!(checkpoint.parts().count(), 4);
    assert_eq!(checkpoint.labels()[..3], ["CWE-284", "CWE-664", "CWE-707"]);
    let scores = checkpoint.scores(&[SQL]);
    let score = |label: &str| scores[checkpoint.labels().iter().position(|other| other == label).unwrap()];
    for (parent, child) in [("CWE-284", "CWE-862"), ("CWE-664", "CWE-787"), ("CWE-707", "CWE-89")] {
        assert_eq!(score(child).is_some(), score(parent).unwrap() > 0.5, "{child}");
    }
    let header = Header::read(&fs::read(out.join(Header::FILE)).unwrap()).unwrap();
    assert!(!header.heads[0].thresholds.is_empty());
    assert!(header.heads[0].thresholds.keys().all(|label| checkpoint.labels().contains(label)));
    assert!(fs::read_to_string(out.join("README.md")).unwrap().contains("| `slave_CWE-707` |"));
    assert!(!out.join("run").exists());

    let evaluation = evaluated(&bench, &settings, (&out, None));
    assert_eq!((evaluation.parents, evaluation.refined_parents), (3, 3));
    assert_eq!(evaluation.labels, checkpoint.labels().len() - 3);
    assert!(evaluation.parents_micro_f1 > 0.5, "{evaluation:?}");
    let (gold, predicted) = (micro_f1(&evaluation, Parents::Gold), micro_f1(&evaluation, Parents::Predicted));
    assert!(gold >= predicted && gold > 0.9 && predicted > 0.5, "{evaluation:?}");
    assert_eq!(evaluation.table().lines().filter(|line| line.starts_with("| cascade | 4 |")).count(), 3);
}

#[test]
fn a_shared_hierarchy_is_one_checkpoint() {
    let bench = Bench::new();
    let (out, flat) = (bench.path("shared"), bench.path("flat"));
    let fit = learning();
    let settings = settings(LabelKind::Attack, HierarchyForm::Shared, fit);
    let end = train(&bench, &settings, &out, (&StopIn::default(), false, 2)).unwrap();
    assert_eq!(end, HierarchyEnding::Finished { networks: 1 });
    bench.train(&settings.classifier, &flat, (&Stopper::default(), false, 2)).unwrap();

    let options = LoadOptions::default();
    let (checkpoint, encoder) =
        (Checkpoint::open(&out, &options).unwrap(), Encoder::open(&out, &options).unwrap());
    let (weighed, given) = (checkpoint.scores(&[SQL]), encoder.scores(&[SQL]));
    assert_eq!(checkpoint.labels(), encoder.labels());
    let file: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("hierarchy.json")).unwrap()).unwrap();
    assert_eq!(file["form"], "shared");
    assert!(fs::read_to_string(out.join("README.md")).unwrap().contains("in one pass"));
    for (at, label) in encoder.labels().iter().enumerate() {
        let above = file["children"].as_object().unwrap().iter();
        let above =
            above.filter(|(_, children)| children.as_array().unwrap().contains(&label.as_str().into()));
        let score =
            |parent: &String| given[encoder.labels().iter().position(|other| other == parent).unwrap()];
        let above = above.map(|(parent, _)| score(parent)).reduce(f32::max).unwrap_or(1.0);
        assert_eq!(weighed[at], Some(given[at] * above), "{label}");
    }
    let evaluation = evaluated(&bench, &settings, (&out, Some(&flat)));
    let kinds: Vec<Parents> = evaluation.systems.iter().map(|row| row.parents).collect();
    assert_eq!(kinds, [Parents::None, Parents::Gold, Parents::Predicted, Parents::Weighed]);
    assert!(evaluation.systems.iter().all(|row| row.networks == 1 && row.micro_f1 > 0.6), "{evaluation:?}");
    assert!(micro_f1(&evaluation, Parents::Gold) >= micro_f1(&evaluation, Parents::Predicted));
}

#[test]
fn a_cascade_is_evaluated_as_it_is_read() {
    let bench = Bench::new();
    let out = bench.path("cascade");
    // So short that parents are in doubt.
    let fit = FitSettings { epochs: 2, ..fit_settings() };
    let settings = settings(LabelKind::Attack, HierarchyForm::Cascade, fit);
    train(&bench, &settings, &out, (&StopIn::default(), false, 2)).unwrap();
    let checkpoint = Checkpoint::open(&out, &LoadOptions::default()).unwrap();
    let evaluation = evaluated(&bench, &settings, (&out, None));
    let is_leaf: Vec<bool> = checkpoint.labels().iter().map(|label| !label.starts_with("TA")).collect();
    let leaves: Vec<&String> =
        checkpoint.labels().iter().zip(&is_leaf).filter(|(_, leaf)| **leaf).map(|(label, _)| label).collect();
    assert_eq!((evaluation.label_space, evaluation.labels), ("attack", leaves.len()));
    assert_eq!(evaluation.parents, is_leaf.len() - leaves.len());

    let (kb, mut accumulator) = (kb(), Accumulator::new(leaves.len()));
    let is_judged = |example: &&Example| example.part == Part::Validation && example.is_labelled();
    for example in bench.examples.iter().filter(is_judged) {
        let scores = checkpoint.scores(&[&format!("{} {}", example.year, example.text)]);
        let scores: Vec<f32> = scores
            .iter()
            .zip(&is_leaf)
            .filter(|(_, leaf)| **leaf)
            .map(|(score, _)| score.unwrap_or(0.0))
            .collect();
        let techniques = kb.chain(&example.cwes).techniques;
        let applies = |label: &String| techniques.iter().any(|technique| technique.to_string() == *label);
        let gold: Vec<u32> =
            (0..).zip(&leaves).filter(|(_, label)| applies(label)).map(|(at, _)| at).collect();
        accumulator.add(RowView { scores: &scores, gold: &gold, predicted: &[] }).unwrap();
    }
    let predicted = evaluation.systems.iter().find(|row| row.parents == Parents::Predicted).unwrap();
    assert_eq!(predicted.lrap, accumulator.finish().lrap);
    assert!(predicted.lrap < 1.0 && micro_f1(&evaluation, Parents::Gold) >= predicted.micro_f1);
}

#[test]
fn three_levels_are_a_published_hierarchy_and_one_checkpoint() {
    let bench = Bench::new();
    let fit = FitSettings { epochs: 6, ..long() };
    let of_form = |form| HierarchySettings { levels: 3, ..settings(LabelKind::Attack, form, fit.clone()) };
    let (out, shared) = (bench.path("cascade"), bench.path("shared"));
    let settings = of_form(HierarchyForm::Cascade);
    let end = train(&bench, &settings, &out, (&StopIn::default(), false, 2)).unwrap();
    let names: Vec<String> = fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("_level_"))
        .collect();
    assert_eq!(end, HierarchyEnding::Finished { networks: names.len() });
    assert!(names.iter().any(|name| name == "attack_level_0_master"), "{names:?}");
    assert!(names.iter().any(|name| name.starts_with("attack_level_1_slave_TA")), "{names:?}");
    assert!(names.iter().any(|name| name.starts_with("attack_level_2_slave_technique_group_T")), "{names:?}");
    let checkpoint = Checkpoint::open(&out, &LoadOptions::default()).unwrap();
    assert_eq!(checkpoint.parts().count(), names.len());

    let of_shared = of_form(HierarchyForm::Shared);
    train(&bench, &of_shared, &shared, (&StopIn::default(), false, 2)).unwrap();
    let one = Checkpoint::open(&shared, &LoadOptions::default()).unwrap();
    let (mut of_cascade, mut of_one) = (checkpoint.labels().to_vec(), one.labels().to_vec());
    of_cascade.sort();
    of_one.sort();
    assert_eq!(of_cascade, of_one, "both have every parent and label");

    for (settings, folder) in [(&settings, &out), (&of_shared, &shared)] {
        let evaluation = evaluated(&bench, settings, (folder, None));
        assert_eq!(evaluation.levels, 3);
        let (gold, predicted) =
            (micro_f1(&evaluation, Parents::Gold), micro_f1(&evaluation, Parents::Predicted));
        assert!(gold >= predicted && gold > 0.6, "{evaluation:?}");
    }
    // A level that nothing stands on is refused.
    let flat = HierarchySettings {
        levels: 3,
        ..self::settings(LabelKind::Techniques, HierarchyForm::Shared, fit_settings())
    };
    let error = train(&bench, &flat, &bench.path("flat"), (&StopIn::default(), false, 2)).unwrap_err();
    assert!(error.to_string().contains("nothing between their parents and themselves"), "{error}");
}

fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match path.is_dir() {
            true => files
                .extend(contents(&path).into_iter().map(|(file, bytes)| (format!("{name}/{file}"), bytes))),
            false => drop(files.insert(name, fs::read(&path).unwrap())),
        }
    }
    // These have times in them.
    files.retain(|name, _| !name.ends_with("metrics.jsonl") && !name.ends_with("trainer_state.json"));
    files
}

#[test]
fn neither_breaks_nor_threads_change_a_bit() {
    let bench = Bench::new();
    for form in [HierarchyForm::Cascade, HierarchyForm::Shared] {
        let settings =
            settings(LabelKind::CweWithAncestors, form, FitSettings { epochs: 2, ..fit_settings() });
        let (whole, broken) = (bench.path(&format!("whole-{}", form.name())), bench.path(form.name()));
        let networks = train(&bench, &settings, &whole, (&StopIn::default(), false, 1)).unwrap();
        let (first, second) = match form {
            HierarchyForm::Cascade => ((1, 3), (2, 2)),
            HierarchyForm::Shared => ((0, 3), (0, 9)),
        };
        let end = train(&bench, &settings, &broken, (&StopIn::at(first.0, first.1), false, 2)).unwrap();
        assert!(matches!(end, HierarchyEnding::Stopped { step: 3, .. }), "{end:?}");
        assert!(
            Checkpoint::open(&broken, &LoadOptions::default()).is_err(),
            "no half of a hierarchy is read"
        );
        let end = train(&bench, &settings, &broken, (&StopIn::at(second.0, second.1), true, 3)).unwrap();
        assert!(matches!(end, HierarchyEnding::Stopped { step, .. } if step == second.1), "{end:?}");
        assert_eq!(train(&bench, &settings, &broken, (&StopIn::default(), true, 2)).unwrap(), networks);
        assert!(contents(&whole) == contents(&broken));
        // A finished one is left as it is.
        assert_eq!(train(&bench, &settings, &broken, (&StopIn::default(), true, 2)).unwrap(), networks);
        assert!(contents(&whole) == contents(&broken));
    }
}

#[test]
fn another_hierarchy_is_not_taken_for_the_same() {
    let bench = Bench::new();
    let out = bench.path("out");
    let fit = FitSettings { epochs: 1, ..fit_settings() };
    let cascade = settings(LabelKind::CweWithAncestors, HierarchyForm::Cascade, fit.clone());
    train(&bench, &cascade, &out, (&StopIn::at(1, 2), false, 2)).unwrap();
    let refusal = |settings: &HierarchySettings, out: &Path, resume: bool| {
        train(&bench, settings, out, (&StopIn::default(), resume, 2)).unwrap_err().to_string()
    };
    assert!(refusal(&cascade, &out, false).contains("holds a hierarchy already; resume it"));
    let other = HierarchySettings { fewest_texts: 5, ..cascade.clone() };
    assert!(refusal(&other, &out, true).contains("with another settings"));
    let none = HierarchySettings { fewest_texts: 1000, ..cascade.clone() };
    assert!(refusal(&none, &bench.path("none"), false).contains("have no parent with two labels"));
    let shared = settings(LabelKind::CweWithAncestors, HierarchyForm::Shared, fit.clone());
    let finished = bench.path("shared");
    train(&bench, &shared, &finished, (&StopIn::default(), false, 2)).unwrap();
    assert!(refusal(&shared, &finished, false).contains("holds a finished model"));
    let fit = FitSettings { rate: 1e-3, ..fit };
    let other = settings(LabelKind::CweWithAncestors, HierarchyForm::Shared, fit.clone());
    assert!(refusal(&other, &finished, true).contains("holds a finished model with another"));
    assert!(refusal(&cascade, &finished, true).contains("holds a model"));
    let tactics = settings(LabelKind::Tactics, HierarchyForm::Shared, fit);
    assert!(refusal(&tactics, &bench.path("t"), false).contains("no level above them"));
    let wrong = evaluate_hierarchy(&bench.examples, &kb(), &cascade, &about(), (&finished, None), Part::Test);
    assert!(wrong.unwrap_err().to_string().contains("master"));
}
