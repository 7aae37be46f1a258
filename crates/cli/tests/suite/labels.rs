//! Checkpoints that leave open what their labels stand for, or how their scores are made.

use ::vulnlens::{Classifier, Input, Open, Options, Said};
use serde_json::{Value, json};

use crate::checkpoints::{fixture, json as read_json, path, scores};
use crate::vulnlens::{Folder, Outcome};

const SQLI: &str = "SQL injection in login.php via the id parameter.";

/// A copy of a checkpoint of three labels, under another name and with other labels.
fn labelled(folder: &Folder, name: &str, labels: [&str; 3]) {
    let copy = folder.checkpoint("bert-left", name);
    let mut config = read_json(&copy.join("config.json"));
    config["id2label"] = json!({"0": labels[0], "1": labels[1], "2": labels[2]});
    std::fs::write(copy.join("config.json"), config.to_string()).unwrap();
}

fn ask(folder: &Folder, model: &str, more: &[&str]) -> Outcome {
    folder.run(&[&["classify", SQLI, "--threshold", "0", "--model", model], more].concat())
}

/// The labels of a list, sorted.
fn ids(record: &Value, key: &str) -> Vec<String> {
    let mut ids: Vec<String> = match record.get(key) {
        Some(_) => scores(record, key).into_iter().map(|(label, _)| label).collect(),
        None => vec![],
    };
    ids.sort();
    ids
}

#[test]
fn labels_that_are_not_names_are_refused_whatever_the_folder_is_called() {
    let folder = Folder::new();
    for labels in
        [["LABEL_0", "LABEL_1", "LABEL_2"], ["79", "89", "22"], ["79", "89", "Other"], ["0", "1", "2"]]
    {
        for name in ["model", "vuln2cwe"] {
            labelled(&folder, name, labels);
            let outcome = ask(&folder, name, &[]).code(5);
            let outcome = outcome.says(&["config.json", "--taxonomy-of-labels", "--labels-file", labels[0]]);
            assert_eq!(outcome.stdout, "");
            folder.run(&["model", "info", name]).code(0);
        }
    }
}

#[test]
fn numbers_are_ids_of_the_taxonomy_that_is_given() {
    let folder = Folder::new();
    labelled(&folder, "vuln2capec", ["79", "89", "22"]);
    let of = |taxonomy| ask(&folder, "vuln2capec", &["--taxonomy-of-labels", taxonomy]);
    let cwe = of("cwe").code(0);
    assert_eq!(
        (ids(&cwe.records()[0], "cwe"), cwe.stderr.as_str()),
        (["CWE-22", "CWE-79", "CWE-89"].map(String::from).to_vec(), "")
    );
    assert_eq!(ids(&of("capec").code(0).records()[0], "capec").len(), 3);
    of("attack").code(5).says(&["\"79\"", "are not ids of the taxonomy `attack`"]);
    labelled(&folder, "techniques", ["1190", "1059", "Other"]);
    let attack = ask(&folder, "techniques", &["--taxonomy-of-labels", "attack"]).code(0);
    assert_eq!(ids(&attack.records()[0], "attack"), ["T1059", "T1190"]);
    attack.says(&["1 of 3 labels belong to no taxonomy"]);
    // Numbers that only count the outputs are not ids, and neither are names without a number.
    for labels in [["0", "1", "2"], ["LABEL_0", "LABEL_1", "LABEL_2"]] {
        labelled(&folder, "counted", labels);
        ask(&folder, "counted", &["--taxonomy-of-labels", "cwe"]).code(5).says(&["--labels-file", labels[0]]);
    }
    ask(&folder, &path("bert-left"), &["--taxonomy-of-labels", "cwe"]).code(0).says(&["changes nothing"]);
    folder.run(&["classify", SQLI, "--taxonomy-of-labels", "cwe"]).code(0).says(&["fast", "change nothing"]);
}

#[test]
fn a_file_names_labels_in_the_order_of_the_outputs() {
    let folder = Folder::new();
    labelled(&folder, "own", ["LABEL_0", "LABEL_1", "LABEL_2"]);
    std::fs::write(folder.path("own/thresholds.json"), r#"{"LABEL_1": 1.0}"#).unwrap();
    folder.file("names.txt", "\u{feff}CWE-79\r\nCWE-89\r\nT1190\r\n");
    let outcome = ask(&folder, "own", &["--labels-file", "names.txt"]).code(0);
    let record = &outcome.records()[0];
    let whole = &ask(&folder, &path("bert-left"), &[]).code(0).records()[0];
    let of = |record: &Value, key: &str, label: &str| {
        let found = record[key].as_array().unwrap().iter().find(|of| of["label"] == label).unwrap();
        (found["score"].clone(), found["predicted"].clone())
    };
    assert_eq!(of(record, "cwe", "CWE-79").0, of(whole, "attack", "T1190").0, "output 0");
    assert_eq!(of(record, "cwe", "CWE-89").1, false, "by the threshold of LABEL_1");
    assert_eq!((ids(record, "attack"), outcome.stderr.as_str()), (vec!["T1190".to_owned()], ""));
    for (lines, words) in [
        ("CWE-79\nCWE-89\n", &["has 3 labels, and 2 names are given"][..]),
        ("CWE-79\n\nCWE-89\n", &["names.txt:2", "the line is empty"]),
        ("CWE-79\nCWE-89\nCWE-79\n", &["names.txt:3", "stands in line 1 already"]),
        ("79\n89\n22\n", &["\"79\"", "--taxonomy-of-labels"]),
    ] {
        folder.file("names.txt", lines);
        let outcome = ask(&folder, "own", &["--labels-file", "names.txt"]).says(words);
        assert!([3, 5].contains(&outcome.code), "{lines:?}: {}", outcome.code);
    }
    folder.file("names.txt", b"CWE-79\n\xff\nCWE-89\n");
    ask(&folder, "own", &["--labels-file", "names.txt"]).code(3).says(&["names.txt:2", "UTF-8"]);
    ask(&folder, "own", &["--labels-file", "absent.txt"]).says(&["absent.txt"]);
    folder.file("names.txt", "79\n89\n22\n");
    let both = ask(&folder, "own", &["--labels-file", "names.txt", "--taxonomy-of-labels", "cwe"]).code(0);
    assert_eq!(ids(&both.records()[0], "cwe").len(), 3);
    let other =
        ask(&folder, &path("bert-left"), &["--labels-file", "names.txt", "--taxonomy-of-labels", "cwe"]);
    other.code(0).says(&["3 labels have other names"]);
}

#[test]
fn labels_of_no_taxonomy_are_kept_and_told_of() {
    let folder = Folder::new();
    labelled(&folder, "free", ["Critical", "CWE-79", "AML.T0051"]);
    let outcome = ask(&folder, "free", &[]).code(0).says(&["2 of 3 labels belong to no taxonomy", "`other`"]);
    let record = &outcome.records()[0];
    assert_eq!(ids(record, "other"), ["AML.T0051", "Critical"], "ATLAS is not ATT&CK");
    assert_eq!(ids(record, "cwe"), ["CWE-79"]);
    labelled(&folder, "tactics", ["TA0001", "T1190", "T1059"]);
    assert_eq!(ask(&folder, "tactics", &[]).code(0).stderr, "", "a tactic is ATT&CK's");
    let by_name = ask(&folder, &path("roberta-label2id"), &[]).code(0);
    assert_eq!((ids(&by_name.records()[0], "cwe").len(), by_name.stderr.as_str()), (5, ""));
}

#[test]
fn scores_that_a_checkpoint_leaves_open_are_told_of_and_may_be_chosen() {
    let folder = Folder::new();
    let sum = |outcome: &Outcome, key| -> f64 {
        scores(&outcome.records()[0], key).iter().map(|(_, score)| score).sum()
    };
    let open = ask(&folder, &path("bert-open-scores"), &[]).code(0);
    assert!((sum(&open, "cwe") - 1.0).abs() < 1e-5, "softmax");
    let open = open.says(&["config.json", "`problem_type`", "softmax", "--scores"]);
    let softmax = ask(&folder, &path("bert-open-scores"), &["--scores", "softmax"]).code(0);
    assert_eq!((sum(&softmax, "cwe"), softmax.stderr.as_str()), (sum(&open, "cwe"), ""));
    let sigmoid = ask(&folder, &path("bert-open-scores"), &["--scores", "sigmoid"]).code(0);
    assert_eq!(sigmoid.stderr, "");
    assert!(sum(&sigmoid, "cwe") > 1.1, "{}", sigmoid.stdout);
    let against = ask(&folder, &path("bert-left"), &["--scores", "softmax"]).code(0);
    assert!((sum(&against, "attack") - 1.0).abs() < 1e-5);
    against.says(&["says otherwise", "softmax"]);
    assert_eq!(ask(&folder, &path("bert-left"), &["--scores", "sigmoid"]).code(0).stderr, "");
}

#[test]
fn an_adapter_is_merged_or_refused_and_never_passed_over() {
    let folder = Folder::new();
    ask(&folder, &path("roberta-lora"), &[]).code(0).says(&["example/base", "merged"]);
    let copy = folder.checkpoint("roberta-lora", "adapter");
    std::fs::remove_file(copy.join("config.json")).unwrap();
    std::fs::remove_file(copy.join("model.safetensors")).unwrap();
    for arguments in [&["classify", SQLI, "--model", "adapter"][..], &["model", "info", "adapter"]] {
        folder.run(arguments).code(5).says(&["LoRA", "example/base", "merge_and_unload"]);
    }
}

#[test]
fn the_library_answers_the_empty_text_and_records_without_one_are_refused() {
    let checkpoint = ::vulnlens::open(&path("bert-left"), &Open::new()).unwrap();
    let options = Options::default().threshold(0.0);
    let wanted = &read_json(&fixture("bert-left/expected.json"))["scores"][0];
    let answer = |classifier: &Classifier| classifier.predict(Input::text(""), &options);
    let greatest = wanted.as_array().unwrap().iter().filter_map(Value::as_f64).fold(0.0, f64::max);
    let best = answer(&checkpoint).attack.unwrap().labels[0].score;
    assert!((f64::from(best) - greatest).abs() < 1e-5, "{best}, transformers {greatest}");
    let fast = answer(&::vulnlens::embedded());
    assert_eq!(fast.said, Some(Said::NoText));
    assert!(fast.cwe.unwrap().labels.is_empty());
    // A record without a text is a mistake of whoever wrote it, with any model.
    let folder = Folder::new();
    folder.file(
        "in.jsonl",
        "{\"description\": \"\"}\n{\"description\": \"SQL injection\"}\n{\"description\": \" \"}\n",
    );
    for model in [path("bert-left").as_str(), "fast"] {
        let outcome = folder.run(&["classify", "-i", "in.jsonl", "--model", model]).code(4);
        assert_eq!(outcome.records().len(), 1, "{model}");
        outcome.says(&["in.jsonl:1: the text is empty", "in.jsonl:3: the text is empty"]);
    }
}
