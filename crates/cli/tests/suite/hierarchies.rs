//! `train hierarchy`, from a data set to answers.

use serde_json::Value;

use crate::training::table;
use crate::vulnlens::Folder;

fn json(folder: &Folder, file: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.path(file)).unwrap()).unwrap()
}

#[test]
fn both_forms_are_trained_evaluated_and_answer() {
    let folder = Folder::new();
    folder.file("table.jsonl", table());
    folder.run(&["data", "build", "--table", "table.jsonl", "--out", "data.parquet"]).code(0);
    let data = ["--data", "data.parquet"];
    let tokenizer = ["train", "tokenizer", "--size", "400", "--out", "tokenizer"];
    folder.run(&[&tokenizer[..], &data].concat()).code(0);
    let network = ["--tokenizer", "tokenizer", "--layers", "1", "--hidden", "32", "--heads", "4"];
    let fit = ["--positions", "40", "--max-tokens", "40", "--batch", "16", "--epochs", "2", "--rate", "5e-3"];
    let run = |words: &[&str]| folder.run(&[&["train"][..], words, &data, &network, &fit].concat());
    let labels = ["--labels", "cwe-with-ancestors"];
    let flat = ["encoder", "--objective", "multilabel", "--out", "flat"];
    run(&[&flat[..], &labels].concat()).code(0);

    let cascade = [&["hierarchy", "--out", "cascade", "--flat", "flat"][..], &labels].concat();
    let printed = run(&cascade).code(0).says(&["slave_CWE-707", "cascade: 3 networks"]).stdout;
    assert!(printed.contains("| flat | 1 |") && printed.contains("| cascade | 3 |"), "{printed}");
    let figures = json(&folder, "cascade/evaluation.json");
    let kinds: Vec<&Value> =
        figures["systems"].as_array().unwrap().iter().map(|system| &system["parents"]).collect();
    assert_eq!(kinds, ["none", "gold", "predicted", "weighed"]);
    run(&cascade).code(2).says(&["holds a hierarchy already"]);
    let again = run(&[&cascade[..], &["--resume"]].concat()).code(0).stdout;
    assert_eq!(again, printed, "finished networks are left as they are");

    let shared = [&["hierarchy", "--shared", "--out", "shared", "--part", "test"][..], &labels].concat();
    let printed = run(&shared).code(0).says(&["shared: one network"]).stdout;
    assert!(printed.contains("of the test part"), "{printed}");
    for model in ["cascade", "shared"] {
        let text = "Product7: sql injection in the login query reads tables";
        let ask = ["classify", text, "--model", model, "--threshold", "0", "--format", "jsonl"];
        let answered = folder.run(&ask).code(0);
        assert!(answered.records()[0]["cwe"].as_array().is_some_and(|labels| !labels.is_empty()));
    }
    let info: Value =
        serde_json::from_str(&folder.run(&["model", "info", "cascade", "--format", "json"]).code(0).stdout)
            .unwrap();
    assert_eq!(info["kind"], "hierarchy");

    let sets = ["hierarchy", "--out", "x", "--labels", "tactics"];
    run(&sets).code(3).says(&["no level above them"]);
}
