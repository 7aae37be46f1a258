//! Published checkpoints from the command line: tiny ones, with what transformers answers for them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::vulnlens::{Folder, Outcome, command};

const SQLI: &str = "SQL injection in login.php via the id parameter.";

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../encoder/tests/fixtures").join(name)
}

/// The path of a fixture as an argument.
pub(crate) fn path(name: &str) -> String {
    fixture(name).display().to_string()
}

impl Folder {
    /// A copy of a fixture under another name.
    pub(crate) fn checkpoint(&self, fixture_name: &str, name: &str) -> PathBuf {
        let folder = self.path(name);
        std::fs::create_dir_all(&folder).unwrap();
        for entry in fixture(fixture_name).read_dir().unwrap() {
            let file = entry.unwrap().path();
            std::fs::copy(&file, folder.join(file.file_name().unwrap())).unwrap();
        }
        folder
    }

    /// Runs the command without a network and with an empty cache of the hub.
    fn run_offline(&self, arguments: &[&str]) -> Outcome {
        let mut command = command(&self.path("."));
        command.env("HF_HUB_OFFLINE", "1").env("HF_HOME", self.path("hub")).args(arguments);
        let output = command.output().unwrap();
        Outcome {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The labels of a list, each with its score.
pub(crate) fn scores(record: &Value, key: &str) -> Vec<(String, f64)> {
    let labels = record[key].as_array().unwrap().iter();
    labels
        .map(|label| (label["label"].as_str().unwrap().to_owned(), label["score"].as_f64().unwrap()))
        .collect()
}

pub(crate) fn json(file: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[test]
fn a_checkpoint_gives_the_scores_of_transformers() {
    let folder = Folder::new();
    let texts = json(&fixture("texts.json"));
    // An empty text is a record without a description, and a NUL in one is read as a space: another matter.
    let texts: Vec<(usize, &str)> =
        texts.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).enumerate().collect();
    let usable: Vec<_> =
        texts.into_iter().filter(|(_, text)| !text.trim().is_empty() && !text.contains('\0')).collect();
    let line = |(number, text): &(usize, &str)| {
        serde_json::json!({"id": number.to_string(), "description": text}).to_string() + "\n"
    };
    folder.file("in.jsonl", usable.iter().map(line).collect::<String>());
    let expected = json(&fixture("bert/expected.json"));
    let arguments =
        ["classify", "-i", "in.jsonl", "--model", &path("bert"), "--threshold", "0", "--format", "jsonl"];
    let records = folder.run(&arguments).code(0).records();
    assert_eq!(records.len(), usable.len());
    for record in &records {
        let number: usize = record["id"].as_str().unwrap().parse().unwrap();
        for (label, score) in scores(record, "attack") {
            let column = expected["labels"].as_array().unwrap().iter().position(|l| *l == *label).unwrap();
            let wanted = expected["scores"][number][column].as_f64().unwrap();
            assert!((score - wanted).abs() < 1e-5, "{number} {label}: {score}, transformers {wanted}");
        }
    }
}

#[test]
fn a_folder_and_a_file_in_it_are_the_same_checkpoint() {
    let folder = Folder::new();
    let by_folder = folder.run(&["classify", SQLI, "--model", &path("bert")]).code(0);
    let by_file = folder.run(&["classify", SQLI, "--model", &path("bert/model.safetensors")]).code(0);
    assert_eq!(by_folder.stdout, by_file.stdout);
    assert_eq!(by_folder.stderr, "");
    let record = &by_folder.records()[0];
    assert_eq!(record["model"], "bert");
    let revision = record["model_revision"].as_str().unwrap();
    assert!(revision.len() == 12 && revision.bytes().all(|byte| byte.is_ascii_hexdigit()), "{revision}");
    assert_eq!((&record["cwe"], &record["capec"]), (&serde_json::json!([]), &serde_json::json!([])));
    assert_eq!(record["derived"], serde_json::json!([]));
    assert!(record.get("labels").is_none(), "a checkpoint's labels are its own");
}

#[test]
fn labels_that_are_not_in_force_are_kept_and_marked() {
    let folder = Folder::new();
    let arguments = ["classify", SQLI, "--model", &path("bert"), "--threshold", "0"];
    let record = &folder.run(&arguments).code(0).records()[0];
    let of = |id: &str| {
        let mut labels = record["attack"].as_array().unwrap().iter();
        labels.find(|label| label["label"] == id).unwrap().clone()
    };
    assert_eq!(
        (&of("T1086")["status"], &of("T1086")["replaced_by"]),
        (&"revoked".into(), &"T1059.001".into())
    );
    assert_eq!(of("T9999")["status"], "unknown");
    assert!(of("T1190").get("status").is_none());
    let table = folder.run(&[&arguments[..], &["--format", "table"]].concat()).code(0).stdout;
    for words in ["revoked; today it is T1059.001", "not known to the knowledge base", "Initial Access"] {
        assert!(table.contains(words), "{table}");
    }
    let csv = folder.run(&[&arguments[..], &["--format", "csv"]].concat()).code(0).stdout;
    let header =
        "id,taxonomy,label,name,score,predicted,status,replaced_by,derived,via,distance,outcome,role\n";
    assert!(csv.starts_with(header), "{csv}");
    assert!(
        csv.lines().any(|row| row.contains(",T1086,") && row.ends_with(",revoked,T1059.001,false,,,,")),
        "{csv}"
    );
}

#[test]
fn what_a_checkpoint_does_not_answer_follows_by_the_chain() {
    let folder = Folder::new();
    let ask = |more: &[&str]| {
        let model = path("roberta");
        let arguments =
            [&["classify", SQLI, "--threshold", "0", "--top-k", "all", "--model", &model], more].concat();
        folder.run(&arguments).code(0)
    };
    let record = &ask(&[]).records()[0];
    assert_eq!(record["derived"], serde_json::json!(["capec", "attack"]));
    let cwe = scores(record, "cwe");
    let of = |id: &str| cwe.iter().find(|(label, _)| label == id).unwrap().1;
    let capec = scores(record, "capec");
    let found = |id: &str| capec.iter().find(|(label, _)| label == id).unwrap().1;
    assert_eq!(found("CAPEC-63"), of("CWE-79"));
    assert_eq!(found("CAPEC-66"), of("CWE-89"));
    assert_eq!(found("CAPEC-267"), of("CWE-79").max(of("CWE-89")), "both lead there");
    let alone = &ask(&["--taxonomy", "attack"]).records()[0];
    assert_eq!((scores(alone, "attack"), &alone["cwe"]), (scores(record, "attack"), &serde_json::json!([])));
    assert_eq!(alone["derived"], serde_json::json!(["attack"]));
    let table = ask(&["--taxonomy", "attack", "--format", "table"]).stdout;
    assert!(table.contains("▸ CAPEC-") && !table.contains("Weaknesses"), "{table}");
}

#[test]
fn of_labels_that_exclude_each_other_one_is_answered() {
    let arguments = ["classify", SQLI, "--model", &path("roberta-bf16"), "--threshold", "0"];
    let record = &Folder::new().run(&arguments).code(0).records()[0];
    let capec = record["capec"].as_array().unwrap();
    let answered: Vec<bool> = capec.iter().map(|label| label["predicted"].as_bool().unwrap()).collect();
    assert_eq!(answered, [true, false, false, false, false], "the best, which stands first");
    let sum: f64 = scores(record, "capec").iter().map(|(_, score)| score).sum();
    assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    assert_eq!(record["derived"], serde_json::json!(["attack"]));
}

#[test]
fn a_hierarchy_is_asked_from_the_top_down() {
    let folder = Folder::new();
    let texts = json(&fixture("texts.json"));
    let lines: Vec<&str> = texts.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    let lines: String = lines
        .iter()
        .filter(|text| !text.replace('\0', " ").trim().is_empty())
        .map(|text| serde_json::json!({"description": text}).to_string() + "\n")
        .collect();
    folder.file("in.jsonl", lines);
    let model = path("hierarchy-cwe");
    let arguments = ["classify", "-i", "in.jsonl", "--model", &model, "--threshold", "0", "--top-k", "all"];
    let mut ruled_out = 0;
    for record in folder.run(&arguments).code(0).records() {
        let cwe = scores(&record, "cwe");
        for (parent, child) in [("CWE-284", "CWE-285"), ("CWE-664", "CWE-668"), ("CWE-707", "CWE-20")] {
            let of = |id: &str| cwe.iter().find(|(label, _)| label == id).map(|(_, score)| *score);
            assert_eq!(of(parent).unwrap() > 0.5, of(child).is_some(), "{parent} ▸ {child}: {cwe:?}");
            ruled_out += usize::from(of(child).is_none());
        }
    }
    assert!(ruled_out > 0, "some text rules some child out");
}

#[test]
fn a_tokenizer_that_was_rebuilt_is_told_of_once() {
    let folder = Folder::new();
    folder.file("in.jsonl", "{\"description\":\"Buffer overflow in the parser\"}\n".repeat(700));
    let arguments = ["classify", "-i", "in.jsonl", "--model", &path("roberta-broken-tokenizer")];
    let outcome = folder.run(&arguments).code(0).says(&["tokenizer.json", "rebuilt from vocab.json"]);
    assert_eq!(outcome.stderr.matches("rebuilt").count(), 1, "{}", outcome.stderr);
    let record = &outcome.records()[0];
    assert!(record.get("other").is_some(), "a label of no taxonomy is kept: {record}");
    let quiet = folder.run(&[&arguments[..], &["--quiet"]].concat()).code(0);
    assert_eq!((quiet.stderr.as_str(), quiet.stdout), ("", outcome.stdout));
}

#[test]
fn long_texts_are_cut_and_counted_or_read_in_windows() {
    let folder = Folder::new();
    let long = "{\"description\":\"".to_owned() + &"Buffer overflow in the parser. ".repeat(200) + "\"}\n";
    folder.file("in.jsonl", long.repeat(3) + "{\"description\":\"short\"}\n");
    let model = path("bert");
    let arguments = ["classify", "-i", "in.jsonl", "--model", &model, "--threshold", "0"];
    let cut = folder.run(&arguments).code(0).says(&["3 texts were cut off", "--window-overlap"]);
    let whole = folder.run(&[&arguments[..], &["--window-overlap", "8"]].concat()).code(0);
    assert_eq!(whole.stderr, "");
    let of = |outcome: &Outcome, at: usize| scores(&outcome.records()[at], "attack");
    assert_eq!(of(&cut, 3), of(&whole, 3), "a short text is the same");
    assert_ne!(of(&cut, 0), of(&whole, 0));
}

#[test]
fn answers_are_the_same_bytes_for_any_number_of_threads() {
    let folder = Folder::new();
    let line = |number: usize| format!("{{\"id\":\"{number}\",\"description\":\"{SQLI} {number}\"}}\n");
    folder.file("in.jsonl", (0..600).map(line).collect::<String>());
    let ask = |threads| {
        let model = path("roberta");
        let arguments =
            ["classify", "-i", "in.jsonl", "--model", &model, "--top-k", "3", "--threads", threads];
        folder.run(&arguments).code(0).stdout
    };
    assert_eq!(ask("1"), ask("3"));
}

#[test]
fn in_eight_bits_the_scores_are_nearly_the_same() {
    let folder = Folder::new();
    let ask = |precision| {
        let model = path("bert");
        let arguments = ["classify", SQLI, "--model", &model, "--threshold", "0", "--precision", precision];
        let mut scores = scores(&folder.run(&arguments).code(0).records()[0], "attack");
        scores.sort_by(|a, b| a.0.cmp(&b.0));
        scores
    };
    let (exact, small) = (ask("f32"), ask("int8"));
    assert_ne!(exact, small);
    for ((label, exact), (_, small)) in exact.iter().zip(&small) {
        assert!((exact - small).abs() < 0.1, "{label}: {exact}, {small}");
    }
}

#[test]
fn a_checkpoint_knows_no_years() {
    let arguments = ["classify", SQLI, "--model", &path("bert"), "--as-of", "2020"];
    Folder::new().run(&arguments).code(0).says(&["--as-of changes nothing"]);
}

#[test]
fn an_existing_path_goes_before_an_id() {
    let folder = Folder::new();
    folder.checkpoint("bert", "Org/vuln2attack");
    let outcome = folder.run_offline(&["classify", SQLI, "--model", "Org/vuln2attack"]).code(0);
    assert_eq!(outcome.records()[0]["model"], "vuln2attack");
}

#[test]
fn thresholds_of_the_checkpoint_decide() {
    let folder = Folder::new();
    let copy = folder.checkpoint("bert", "own");
    std::fs::write(copy.join("thresholds.json"), r#"{"T1190": 1.0, "T1203": 0.0}"#).unwrap();
    let arguments = ["classify", SQLI, "--model", "own", "--threshold", "0"];
    let record = &folder.run(&arguments).code(0).records()[0];
    let labels = record["attack"].as_array().unwrap();
    let of = |id: &str| labels.iter().find(|label| label["label"] == id).unwrap()["predicted"].clone();
    assert_eq!((of("T1190"), of("T1203")), (false.into(), true.into()));
    std::fs::write(copy.join("thresholds.json"), r#"{"T0001": 0.5}"#).unwrap();
    folder.run(&arguments).code(5).says(&["thresholds.json", "T0001"]);
}

#[test]
fn what_is_no_checkpoint_is_not_available() {
    let folder = Folder::new();
    folder.checkpoint("bert", "truncated");
    let weights = std::fs::read(fixture("bert/model.safetensors")).unwrap();
    std::fs::write(folder.path("truncated/model.safetensors"), &weights[..weights.len() / 2]).unwrap();
    folder.checkpoint("bert", "unknown");
    let config = std::fs::read_to_string(fixture("bert/config.json")).unwrap();
    let config = config.replace("\"model_type\":\"bert\"", "\"model_type\":\"gpt2\"");
    std::fs::write(folder.path("unknown/config.json"), config).unwrap();
    std::fs::create_dir(folder.path("empty")).unwrap();
    folder.file("alone.safetensors", &weights);
    for (model, words) in [
        ("no/such/folder", &["there is no model \"no/such/folder\"", "ORG/NAME"][..]),
        ("gone/model.safetensors", &["there is no model"]),
        ("empty", &["empty", "config.json"]),
        ("truncated", &["model.safetensors"]),
        ("unknown", &["config.json", "gpt2"]),
        ("alone.safetensors", &["not a vulnlens model", "give the folder"]),
        ("Org/absent", &["Org/absent", "not available offline", "vulnlens model pull"]),
    ] {
        let outcome = folder.run_offline(&["classify", SQLI, "--model", model]).code(5).says(words);
        assert_eq!(outcome.stdout, "", "{model}");
        folder.run_offline(&["model", "info", model]).code(5);
    }
    folder.run_offline(&["model", "pull", "Org/absent"]).code(5).says(&["not available offline"]);
    folder.run_offline(&["model", "pull", "no id"]).code(2);
}

#[test]
fn what_checkpoints_cannot_do_yet_is_said() {
    let folder = Folder::new();
    let model = path("bert");
    folder.file("data.parquet", "");
    folder.run(&["model", "card", &model]).code(2).says(&["does not say how it was made"]);
    let arguments = ["evaluate", "--data", "data.parquet", "--combine", &format!("fast,{model}")];
    folder.run_offline(&arguments).code(2).says(&["not CWE sets", "--objective cwe-sets"]);
}

#[test]
fn info_says_what_a_checkpoint_is() {
    let folder = Folder::new();
    let text = folder.run(&["model", "info", &path("bert")]).code(0).stdout;
    for words in ["ATT&CK: 7 (1 revoked, 1 unknown)", "sigmoid", "66 tokens", "2 layers of 32", "as F32"] {
        assert!(text.contains(words), "{text}\nlacks {words:?}");
    }
    let of = |name: &str| -> Value {
        let outcome = folder.run(&["model", "info", &path(name), "--format", "json"]).code(0);
        serde_json::from_str(&outcome.stdout).unwrap()
    };
    let capec = of("hierarchy-capec");
    assert_eq!((&capec["kind"], &capec["parts"][1]["parent"]), (&"hierarchy".into(), &"CAPEC-152".into()));
    assert_eq!(capec["parts"].as_array().unwrap().len(), 5);
    assert_eq!(capec["derived"], serde_json::json!(["attack"]));
    let rebuilt = of("roberta-broken-tokenizer");
    assert_eq!(rebuilt["parts"][0]["tokenizer"], "rebuilt from vocab.json and merges.txt");
    assert_eq!((&rebuilt["labels"]["cwe"]["labels"], &rebuilt["labels"]["other"]), (&3.into(), &1.into()));
    assert_eq!(of("roberta-bf16")["problem"], "single-label");
}

#[test]
fn a_quantised_checkpoint_is_written_beside() {
    let folder = Folder::new();
    let arguments = ["model", "quantize", &path("bert"), "--out", "small"];
    folder.run(&arguments).code(0).says(&["small", "MB"]);
    let small = folder.run(&["model", "info", "small"]).code(0).stdout;
    assert!(small.contains("F32, I8"), "{small}");
    folder.run(&["classify", SQLI, "--model", "small"]).code(0);
    folder.run(&arguments).code(2).says(&["exists already"]);
    folder.run(&["model", "quantize", "fast", "--out", "other"]).code(2).says(&["is not a checkpoint"]);
}

#[test]
fn an_empty_text_is_refused_whatever_the_model_and_wherever_it_stands() {
    let folder = Folder::new();
    folder.file("in.jsonl", "{\"id\":\"a\",\"text\":\"\"}\n");
    for model in ["fast", &path("bert")] {
        for command in ["classify", "explain"] {
            for source in [&[""][..], &["--input", "in.jsonl"]] {
                let arguments = [&[command, "--model", model], source].concat();
                folder.run(&arguments).code(3).says(&["the text is empty"]);
            }
        }
    }
}
