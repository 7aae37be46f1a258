//! `model calibrate` on published checkpoints that score label by label.

use serde_json::Value;

use crate::checkpoints::{json, path};
use crate::training::table;
use crate::vulnlens::Folder;

const CALIBRATE: [&str; 5] = ["model", "calibrate", "mine", "--data", "data.parquet"];

/// A folder with a data set and a copy of a checkpoint, or of a hierarchy of them, called `mine`.
fn folder(fixture: &str) -> Folder {
    let folder = Folder::new();
    folder.file("table.jsonl", table());
    folder.run(&["data", "build", "--table", "table.jsonl", "--out", "data.parquet"]).code(0);
    if fixture.starts_with("hierarchy") {
        for part in std::fs::read_dir(path(fixture)).unwrap() {
            let part = part.unwrap().file_name().into_string().unwrap();
            folder.checkpoint(&format!("{fixture}/{part}"), &format!("mine/{part}"));
        }
    } else {
        folder.checkpoint(fixture, "mine");
    }
    folder
}

/// Micro- and macro-F1 of weaknesses on the validation part, as `evaluate` finds them.
fn evaluated(folder: &Folder) -> [String; 2] {
    let evaluate = ["evaluate", "--data", "data.parquet", "--split", "random", "--part", "validation"];
    folder.run(&[&evaluate[..], &["--model", "mine", "--out", "e.json"]].concat()).code(0);
    let tasks = json(&folder.path("e.json"))["runs"][0]["tasks"].clone();
    std::fs::remove_file(folder.path("e.json")).unwrap();
    let task = tasks.as_array().unwrap().iter().find(|task| task["task"] == "reference-cwe").unwrap();
    ["micro_f1", "macro_f1"].map(|figure| format!("{:.4}", task["table"][figure].as_f64().unwrap()))
}

#[test]
fn thresholds_are_fitted_and_read() {
    for fixture in ["distilbert", "hierarchy-cwe"] {
        let folder = folder(fixture);
        let [micro, macro_f1] = evaluated(&folder);
        let printed = folder.run(&[&CALIBRATE[..], &["--out", "thresholds.json"]].concat()).code(0).stdout;
        assert!(printed.contains(&format!("| before | {micro} | {macro_f1} |")), "{fixture}: {printed}");
        assert!(printed.contains("are not for publishing"), "{printed}");
        let again = folder.run(&[&CALIBRATE[..], &["--in-place", "--threads", "1"]].concat()).code(0).stdout;
        assert_eq!(again, printed, "{fixture}");
        let bytes = |name: &str| std::fs::read(folder.path(name)).unwrap();
        assert_eq!(bytes("thresholds.json"), bytes("mine/thresholds.json"), "{fixture}");
        let thresholds = json(&folder.path("thresholds.json"));
        let is_threshold = |value: &Value| value.as_f64().is_some_and(|value| value > 0.0 && value <= 1.0);
        assert!(thresholds.as_object().unwrap().values().all(is_threshold), "{thresholds}");
        let [micro, macro_f1] = evaluated(&folder);
        assert!(printed.contains(&format!("| fitted | {micro} | {macro_f1} |")), "{fixture}: {printed}");

        let one = [&CALIBRATE[..], &["--rule", "one", "--out", "one.json"]].concat();
        folder.run(&one).code(0).says(&[]);
        let values: Vec<String> =
            json(&folder.path("one.json")).as_object().unwrap().values().map(Value::to_string).collect();
        assert!(values.windows(2).all(|pair| pair[0] == pair[1]), "{values:?}");
    }
}

#[test]
fn what_has_no_thresholds_is_refused() {
    let folder = folder("distilbert");
    let of = |model: &str, more: &[&str]| {
        let calibrate = ["model", "calibrate", model, "--data", "data.parquet"];
        folder.run(&[&calibrate[..], more].concat())
    };
    of("accurate", &["--out", "x"]).code(2).says(&["answers by CWE sets", "`train encoder` fits"]);
    of("fast", &["--in-place"]).code(2).says(&["not calibrated in place", "--out"]);
    of("mine", &["--out", "x", "--scores", "softmax"]).code(2).says(&["exclude each other"]);
    of("mine", &[]).code(2).says(&["--out"]);
    assert!(!folder.path("x").exists());
}
