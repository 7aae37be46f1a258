//! `evaluate` on checkpoints that score labels of their own, against figures by transformers and scikit-learn.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::vulnlens::Folder;

/// Made-up records and the figures of a checkpoint on them; see `tools/label_evaluation.py`.
const EXPECTED: &str = include_str!("../data/label_evaluation.json");

fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../encoder/tests/fixtures").join(name).display().to_string()
}

/// A folder with a data set of the records, which are all of the test part of the temporal split.
fn folder(expected: &Value) -> Folder {
    let folder = Folder::new();
    let line = |(number, record): (usize, &Value)| {
        let cwes: Vec<String> =
            record["cwes"].as_array().unwrap().iter().map(|id| format!("CWE-{id}")).collect();
        let id = format!("CVE-2025-{}", 10_000 + number);
        format!("{}\n", json!({"id": id, "description": record["text"], "cwes": cwes}))
    };
    let records = expected["records"].as_array().unwrap();
    let table: String = records.iter().enumerate().map(line).collect();
    folder.file("table.jsonl", table);
    folder.run(&["data", "build", "--table", "table.jsonl", "--out", "data.parquet"]).code(0);
    folder
}

/// Evaluates a fixture; gives its run and the warnings.
fn evaluated(folder: &Folder, name: &str) -> (Value, String) {
    let arguments = ["evaluate", "--data", "data.parquet", "--split", "temporal", "--out", "e.json"];
    let outcome = folder.run(&[&arguments[..], &["--model", &fixture(name)]].concat()).code(0);
    let evaluation: Value = serde_json::from_slice(&fs::read(folder.path("e.json")).unwrap()).unwrap();
    fs::remove_file(folder.path("e.json")).unwrap();
    (evaluation["runs"][0].clone(), outcome.stderr)
}

fn task<'r>(run: &'r Value, kind: &str) -> &'r Value {
    let tasks = run["tasks"].as_array().unwrap();
    tasks.iter().find(|task| task["task"] == kind).unwrap_or_else(|| panic!("no {kind} in {run:#}"))
}

#[test]
fn labels_of_ones_own_get_the_figures_of_scikit_learn() {
    let expected: Value = serde_json::from_str(EXPECTED).unwrap();
    let folder = folder(&expected);
    let (run, warnings) = evaluated(&folder, "distilbert");
    assert!(warnings.contains("does not say what it was trained on"), "{warnings}");
    assert_eq!((&run["seen_in_training"], &run["seed"]), (&true.into(), &Value::Null));
    for kind in ["reference-cwe", "reference-weaknesses"] {
        let task = task(&run, kind);
        for (figure, expected) in expected[kind].as_object().unwrap() {
            let (found, expected) = (task["table"][figure].as_f64().unwrap(), expected.as_f64().unwrap());
            assert!((found - expected).abs() < 1e-9, "{kind} {figure}: {found}, not {expected}");
        }
        assert_eq!(task["label_rule"], "thresholds");
    }
    // CWE-119 and CWE-74 lead to labels that the checkpoint does not have.
    assert_eq!(task(&run, "reference-cwe")["rows_with_unseen_labels_only"], 2);
    assert!(task(&run, "reference-cwe")["unseen_label_occurrences"].as_u64().unwrap() > 2);
    let labels = &task(&run, "reference-cwe")["labels"];
    assert_eq!((&labels[0], &labels[6]), (&"CWE-22".into(), &"CWE-999999".into()));
    for (figure, expected) in expected["first_cwe"].as_object().unwrap() {
        let (found, expected) = (run["first_cwe"][figure].as_f64().unwrap(), expected.as_f64().unwrap());
        assert!((found - expected).abs() < 1e-9, "{figure}: {found}, not {expected}");
    }
    // Patterns and techniques follow by the chain from the seven weaknesses.
    assert!(task(&run, "reference-capec")["table"]["rows"].as_u64().unwrap() > 5);
    assert!(task(&run, "reference-attack")["labels"].as_array().unwrap().len() > 5);
}

#[test]
fn systems_are_judged_by_the_tasks_that_they_have_labels_of() {
    let folder = folder(&serde_json::from_str(EXPECTED).unwrap());
    for (name, tasks, rule) in [
        ("bert", &["reference-attack"][..], "thresholds"),
        ("bert-old-slow", &["reference-capec"], "best"),
        (
            "bert-f16",
            &["reference-attack", "reference-weaknesses", "reference-cwe", "reference-capec"],
            "best",
        ),
        (
            "hierarchy-cwe",
            &["reference-attack", "reference-weaknesses", "reference-cwe", "reference-capec"],
            "thresholds",
        ),
    ] {
        let (run, _) = evaluated(&folder, name);
        let found: Vec<&Value> = run["tasks"].as_array().unwrap().iter().map(|task| &task["task"]).collect();
        assert_eq!(found, tasks, "{name}");
        assert!(run["tasks"].as_array().unwrap().iter().all(|task| task["label_rule"] == rule), "{name}");
        assert_eq!(run["first_cwe"].is_null(), !tasks.contains(&"reference-cwe"), "{name}");
    }
    // Side by side, each with the rows that it has.
    let both = ["evaluate", "--data", "data.parquet", "--split", "temporal", "--headline", "--model"];
    let printed =
        folder.run(&[&both[..], &[&fixture("bert"), &fixture("distilbert")]].concat()).code(0).stdout;
    assert_eq!(printed.matches("| bert | 0.").count(), 1, "{printed}");
    assert_eq!(printed.matches("| distilbert | 0.").count(), 5, "{printed}");
}

#[test]
fn labels_are_judged_by_several_thresholds_and_parents() {
    let mut expected: Value = serde_json::from_str(EXPECTED).unwrap();
    let records = expected["records"].as_array_mut().unwrap();
    // So many that every part has some, and each its own words.
    let words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"];
    *records = words
        .iter()
        .flat_map(|word| {
            records.iter().map(move |record| {
                json!({"text": format!("{} {word}", record["text"].as_str().unwrap()), "cwes": record["cwes"]})
            })
        })
        .collect();
    let folder = folder(&expected);
    let runs = |name: &str| {
        let arguments = ["evaluate", "--data", "data.parquet", "--split", "random", "--out", "e.json"];
        folder.run(&[&arguments[..], &["--model", &fixture(name)]].concat()).code(0);
        let evaluation: Value = serde_json::from_slice(&fs::read(folder.path("e.json")).unwrap()).unwrap();
        fs::remove_file(folder.path("e.json")).unwrap();
        evaluation["runs"].as_array().unwrap().clone()
    };
    let systems = |runs: &[Value]| -> Vec<String> {
        runs.iter().map(|run| run["system"].as_str().unwrap().to_owned()).collect()
    };
    let figure = |run: &Value, figure: &str| task(run, "reference-cwe")["table"][figure].as_f64().unwrap();
    // Its own threshold is a half for every label already.
    let flat = runs("distilbert");
    assert_eq!(
        systems(&flat),
        ["distilbert", "distilbert, one fitted threshold", "distilbert, fitted thresholds"]
    );
    assert!(figure(&flat[0], "lrap") == figure(&flat[1], "lrap") && flat[1]["first_cwe"].is_null());
    assert_eq!(systems(&runs("bert-old-slow")), ["bert-old-slow"], "labels that exclude each other");
    let tree = runs("hierarchy-cwe");
    assert_eq!(
        systems(&tree),
        [
            "hierarchy-cwe",
            "hierarchy-cwe, gold parents, threshold 0.5",
            "hierarchy-cwe, gold parents, one fitted threshold",
            "hierarchy-cwe, gold parents, fitted thresholds",
            "hierarchy-cwe, predicted parents, one fitted threshold",
            "hierarchy-cwe, predicted parents, fitted thresholds",
            "hierarchy-cwe, predicted, multiplied, threshold 0.5",
            "hierarchy-cwe, predicted, multiplied, one fitted threshold",
            "hierarchy-cwe, predicted, multiplied, fitted thresholds",
        ]
    );
    assert_eq!((&tree[0]["parents"], &tree[1]["parents"]), (&"predicted".into(), &"gold".into()));
    // Gold parents rule nothing out that applies, and nothing in that does not.
    assert!(figure(&tree[1], "micro_recall") >= figure(&tree[0], "micro_recall"));
    assert!(figure(&tree[1], "lrap") > figure(&tree[0], "lrap"));
}

#[test]
fn what_cannot_be_judged_is_told_before_the_work() {
    let folder = Folder::new();
    let checkpoint = folder.path("nameless");
    fs::create_dir(&checkpoint).unwrap();
    for entry in Path::new(&fixture("bert-f16")).read_dir().unwrap() {
        let file = entry.unwrap().path();
        fs::copy(&file, checkpoint.join(file.file_name().unwrap())).unwrap();
    }
    let config = fs::read_to_string(checkpoint.join("config.json")).unwrap();
    let config = config.replace("CWE-79", "positive").replace("CWE-89", "negative");
    fs::write(checkpoint.join("config.json"), config).unwrap();
    let evaluate =
        |more: &[&str]| folder.run(&[&["evaluate", "--data", "missing.parquet"][..], more].concat());
    evaluate(&["--model", "nameless"]).code(2).says(&["nameless: none of its labels is a weakness"]);
    evaluate(&["--combine", &format!("fast,{}", fixture("bert"))])
        .code(2)
        .says(&["not CWE sets", "--combine"]);
}
