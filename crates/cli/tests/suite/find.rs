//! `find`: answers of every format that is read, read back as they were, and what is said of inputs that hold none.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use serde_json::Value;
use vulnlens::embedded_knowledge_base;
use vulnlens::report::{Format, Saved, SavedAnswers, Setup};

use crate::vulnlens::{Folder, Outcome};

/// Records of the golden tests.
const RECORDS: &str = include_str!("../golden/records.jsonl");

/// A folder with answers to them in each format that is read.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.file("records.jsonl", RECORDS);
    for name in ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.parquet", "a.arrows", "a.csv"] {
        folder.run(&["classify", "--input", "records.jsonl", "--out", name]);
        assert!(folder.path(name).exists(), "{name}");
    }
    folder
}

fn saved(bytes: Vec<u8>) -> Vec<Saved> {
    let answers = SavedAnswers::stream("answers", Cursor::new(bytes), &embedded_knowledge_base());
    answers.map(Result::unwrap).collect()
}

/// Answers in a format, as `classify` would write them.
fn written(format: &str, saved: Vec<Saved>) -> String {
    let setup = Setup::new((*saved[0].run).clone(), embedded_knowledge_base());
    let answers = saved.into_iter().map(|saved| saved.answer).collect();
    String::from_utf8(Format::named(format).unwrap().render(&setup, answers).unwrap()).unwrap()
}

#[test]
fn answers_come_back_as_they_were_written() {
    let folder = Folder::new();
    folder.file("records.jsonl", RECORDS);
    for question in [
        &["--severity"][..],
        &["--top-k", "all", "--threshold", "0"],
        &["--labels", "reference"],
        &["--labels", "assigned", "--taxonomy", "cwe,curated"],
        &["--attack-level", "tactic"],
        &["--attack-level", "technique", "--model", "accurate"],
        &["--taxonomy", "cwe", "--top-k", "1"],
    ] {
        let classify = [&["classify", "--input", "records.jsonl"], question].concat();
        let lines = folder.run(&[&classify[..], &["--format", "jsonl"]].concat()).stdout;
        assert!(lines.lines().count() > 10, "{question:?}");
        assert!(written("jsonl", saved(lines.clone().into_bytes())) == lines, "{question:?}");
        // Severities are not read back of tables.
        let classify: Vec<&str> = classify.into_iter().filter(|word| *word != "--severity").collect();
        let rows = folder.run(&[&classify[..], &["--format", "csv"]].concat()).stdout;
        folder.run(&[&classify[..], &["--out", "a.parquet"]].concat());
        let back = written("csv", saved(fs::read(folder.path("a.parquet")).unwrap()));
        let differs = back.lines().zip(rows.lines()).find(|(back, row)| back != row);
        assert!(back == rows, "{question:?}: {differs:?}");
    }
}

/// The records that are found, without the names of their files.
fn without_files(outcome: &Outcome) -> Vec<Value> {
    let without = |mut record: Value| {
        record.as_object_mut().unwrap().remove("file");
        record
    };
    outcome.records().into_iter().map(without).collect()
}

#[test]
fn every_format_of_answers_gives_the_same() {
    let folder = folder();
    for question in [&["T1190"][..], &["TA0001", "CWE-79", "--all"], &["CWE-707", "--descendants"], &[]] {
        let find = |name: &str| folder.run(&[&["find"], question, &["--input", name]].concat()).code(0);
        let want = find("a.jsonl");
        assert!(!want.records().is_empty(), "{question:?}");
        for name in ["a.jsonl.gz", "a.jsonl.zst", "a.parquet", "a.arrows"] {
            let found = find(name);
            if question.is_empty() {
                assert_eq!(found.stdout, want.stdout, "{name}");
            } else {
                assert_eq!(without_files(&found), without_files(&want), "{question:?} in {name}");
            }
            assert_eq!(found.stderr, want.stderr, "{question:?} in {name}");
        }
        let bytes = fs::read(folder.path("a.arrows")).unwrap();
        let piped = folder.run_with(&[&["find"], question].concat(), bytes).code(0);
        assert_eq!(without_files(&piped).len(), want.records().len());
        let parquet = fs::read(folder.path("a.parquet")).unwrap();
        let piped = folder.run_with(&[&["find"], question, &["--input", "-"]].concat(), parquet).code(0);
        assert_eq!(piped.records().len(), want.records().len());
    }
}

#[test]
fn what_is_found_is_what_the_answers_say() {
    let folder = folder();
    let answers = fs::read_to_string(folder.path("a.jsonl")).unwrap();
    let answers: Vec<Value> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let has = |answer: &Value, list: &str, label: &str| {
        let labels = answer[list].as_array().unwrap().iter();
        labels.filter(|it| it["predicted"] == true).any(|it| it["label"].as_str().unwrap().starts_with(label))
    };
    let want: Vec<Option<String>> = answers
        .iter()
        .filter(|answer| has(answer, "attack", "T1190") || has(answer, "attack_curated", "T1190"))
        .map(|answer| answer["id"].as_str().map(str::to_owned))
        .collect();
    assert!(!want.is_empty());
    let found = folder.run(&["find", "t1190", "--input", "a.jsonl"]).code(0);
    assert_eq!(found.ids(), want);
    found.says(&[&format!("found in {} of {} records", want.len(), answers.len())]);
    let weak = answers.iter().filter(|answer| has(answer, "cwe", "CWE-89")).count();
    let counts = folder.run(&["find", "--input", "a.jsonl", "--taxonomy", "cwe"]).code(0).records();
    let count = counts.iter().find(|count| count["label"] == "CWE-89").unwrap();
    assert_eq!(count["records"], weak);
    let records: Vec<u64> = counts.iter().map(|count| count["records"].as_u64().unwrap()).collect();
    assert!(records.is_sorted_by(|a, b| a >= b), "{records:?}");
    let layer = folder.run(&["find", "--input", "a.jsonl", "--format", "navigator"]).code(0).stdout;
    let classified = folder.run(&["classify", "--input", "records.jsonl", "--format", "navigator"]).stdout;
    assert_eq!(layer, classified);
}

#[test]
fn a_folder_and_several_files_are_read_in_order() {
    let folder = folder();
    let answers = folder.path("answers");
    fs::create_dir_all(answers.join("below")).unwrap();
    for (from, to) in [("a.jsonl", "b.jsonl"), ("a.parquet", "below/a.parquet"), ("a.csv", "ignored.csv")] {
        fs::copy(folder.path(from), answers.join(to)).unwrap();
    }
    let one = folder.run(&["find", "T1190", "--format", "ids", "--input", "a.jsonl"]).code(0).stdout;
    let two = folder.run(&["find", "T1190", "--format", "ids", "--input", "answers"]).code(0).stdout;
    assert_eq!(two, one.repeat(2));
    let named = ["find", "T1190", "--format", "ids", "-i", "a.jsonl", "a.arrows", "--in", "a.parquet"];
    assert_eq!(folder.run(&named).code(0).stdout, one.repeat(3));
    fs::create_dir(folder.path("empty")).unwrap();
    folder.run(&["find", "--input", "empty"]).code(3).says(&["empty: is a folder without answers"]);
    folder.run(&["classify", "--input", "records.jsonl", "--out", "each/", "--format", "jsonl"]);
    let each = folder.run(&["find", "T1190", "--format", "ids", "--input", "each"]).code(0).stdout;
    assert_eq!(each.lines().count(), one.lines().count());
}

#[test]
fn outputs_are_written_whole_and_as_their_names_ask() {
    let folder = folder();
    folder.run(&["find", "T1190", "-i", "a.jsonl", "-o", "found.csv"]).code(0);
    let csv = fs::read_to_string(folder.path("found.csv")).unwrap();
    assert!(csv.starts_with("id,taxonomy,label,name,score,predicted,file\n"), "{csv}");
    assert!(csv.contains(",T1190,Exploit Public-Facing Application,"), "{csv}");
    folder.run(&["find", "-i", "a.jsonl", "-o", "counts.csv.gz"]).code(0);
    assert!(fs::read(folder.path("counts.csv.gz")).unwrap().starts_with(&[0x1F, 0x8B]));
    let table = folder.run(&["find", "-i", "a.jsonl", "-f", "table"]).code(0).stdout;
    assert!(table.starts_with("Weaknesses (CWE)\n"), "{table}");
    assert!(!table.contains('\u{1b}'), "styles are for terminals");
    folder.run(&["find", "-i", "a.jsonl", "-f", "ids"]).code(2).says(&["name what to find"]);
    folder.run(&["find", "T1190", "-i", "a.jsonl", "--safe-csv"]).code(2).says(&["--format csv"]);
    folder.run(&["find", "X1", "-i", "a.jsonl"]).code(2).says(&["is not the id of an entry"]);
}

#[test]
fn nothing_found_has_the_exit_code_of_that() {
    let folder = folder();
    let none = folder.run(&["find", "CWE-1004", "-i", "a.jsonl", "-o", "none.csv"]).code(3);
    none.says(&["found in 0 of", "no record has CWE-1004"]);
    let header = fs::read_to_string(folder.path("none.csv")).unwrap();
    assert_eq!(header, "id,taxonomy,label,name,score,predicted,file\n", "an empty result is one, too");
    folder.run(&["find", "T9999", "-i", "a.jsonl"]).code(3).says(&["does not know T9999"]);
    folder.run(&["find", "--min-score", "1", "-i", "a.jsonl"]).code(3).says(&["no record has a label"]);
}

#[test]
fn bad_lines_are_told_and_passed_over() {
    let folder = folder();
    let good = fs::read_to_string(folder.path("a.jsonl")).unwrap();
    let mut lines: Vec<String> = good.lines().map(str::to_owned).collect();
    lines[1].truncate(200);
    lines[2] = lines[2].replace("\"CWE-", "\"CVE-");
    folder.file("bad.jsonl", lines.join("\n"));
    let outcome = folder.run(&["find", "--input", "bad.jsonl"]).code(4);
    let read = good.lines().count() - 2;
    outcome.says(&[
        "bad.jsonl:2: malformed JSON",
        "bad.jsonl:3: field cwe[0].label is wrong",
        &format!("2 answers failed, {read} were read"),
    ]);
}

#[test]
fn inputs_without_answers_say_what_to_do() {
    let folder = folder();
    folder.file("empty.jsonl", "");
    let gone = |name: &str, words: &[&str]| {
        folder.run(&["find", "T1190", "-i", name, "-o", "out.csv"]).code(3).says(words);
        assert!(!Path::new(&folder.path("out.csv")).exists(), "{name}: nothing was looked at");
    };
    gone("empty.jsonl", &["there are no answers in the input", "vulnlens classify --input"]);
    gone("records.jsonl", &["records.jsonl:1: holds no answers: these are records", "classify them first"]);
    gone("a.csv", &["a.csv:1: holds no answers"]);
    gone("missing.jsonl", &["missing.jsonl: cannot be read"]);
    folder
        .run(&["find", "-i", "missing.jsonl", "a.jsonl"])
        .code(4)
        .says(&["missing.jsonl", "1 answer failed, "]);
}
