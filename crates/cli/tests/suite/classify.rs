//! `classify` and `explain`: what is asked and how it is answered.

use std::io::Read as _;

use serde_json::{Value, json};

use crate::vulnlens::Folder;

const XSS: &str = "Cross-site scripting (XSS) in the search field lets remote attackers inject script via q.";
const SQLI: &str =
    "SQL injection in login.php lets remote attackers execute SQL commands via the id parameter.";

/// Some hundred records, more than a chunk.
fn many(count: usize) -> String {
    let line = |number: usize| {
        let text = if number.is_multiple_of(2) { XSS } else { SQLI };
        format!("{{\"id\":\"CVE-2020-{number:05}\",\"description\":\"{number} {text}\"}}\n")
    };
    (0..count).map(line).collect()
}

#[test]
fn a_text_is_answered_as_one_record() {
    let outcome = Folder::new().run(&["classify", XSS]).code(0);
    let records = outcome.records();
    assert_eq!(records.len(), 1);
    let record = &records[0];
    assert_eq!(record["schema_version"], 1);
    assert_eq!(record["id"], Value::Null);
    assert_eq!(record["model"], "fast");
    assert_eq!(record["cwe"][0]["label"], "CWE-79");
    assert_eq!(record["cwe"][0]["predicted"], true);
    for key in ["capec", "attack"] {
        assert!(!record[key].as_array().unwrap().is_empty(), "{key}");
    }
    assert_eq!(outcome.stderr, "");
}

#[test]
fn atlas_is_answered_for_texts_about_ai_alone() {
    let folder = Folder::new();
    let text = "A prompt injection in LangChain before 0.3 lets remote attackers of the public web application execute \
                SQL commands on the database through a crafted prompt.";
    let asked = folder.run(&["classify", "--atlas", text]).code(0);
    let atlas = &asked.records()[0]["atlas"];
    assert_eq!(atlas["opened_by"], json!(["prompt injection", "LangChain"]));
    let techniques = atlas["techniques"].as_array().unwrap();
    assert!(techniques.iter().any(|of| of["label"].as_str().unwrap().starts_with("AML.T0051")), "{atlas}");
    for of in techniques {
        let is_derived = of["basis"] == "derived";
        assert_eq!(is_derived, !of["via"].is_null(), "{of}");
        assert_eq!(is_derived, !of["score"].is_null(), "{of}");
        assert!(is_derived || of["similarity"].as_f64().unwrap() >= 0.1, "{of}");
    }
    let other = folder.run(&["classify", "--atlas", SQLI]).code(0);
    assert_eq!(other.records()[0]["atlas"], json!({ "opened_by": [], "techniques": [] }));
    let plain = folder.run(&["classify", SQLI]).code(0).stdout;
    let added = ",\"atlas\":{\"opened_by\":[],\"techniques\":[]}";
    assert_eq!(other.stdout.replace(added, ""), plain, "nothing else changes");
    let table = folder.run(&["classify", "--atlas", "--format", "table", text]).code(0).stdout;
    assert!(
        table.contains("Techniques of ATLAS") && table.contains("prompt injection, LangChain"),
        "{table}"
    );
    folder.run(&["classify", "--atlas", "--format", "csv", text]).code(2).says(&["for jsonl and table"]);
}

#[test]
fn countermeasures_name_what_they_are_against() {
    let folder = Folder::new();
    let outcome = folder.run(&["classify", "--d3fend", SQLI]).code(0);
    let record = &outcome.records()[0];
    let countermeasures = record["d3fend"].as_array().unwrap();
    assert_eq!(countermeasures.len(), 5, "as many as the best labels of a taxonomy");
    let weights: Vec<f64> = countermeasures.iter().map(|of| of["weight"].as_f64().unwrap()).collect();
    assert!(weights.is_sorted_by(|a, b| a >= b), "{weights:?}");
    let predicted = |list: &str, label: &Value| {
        let labels = record[list].as_array().unwrap();
        labels.iter().any(|scored| &scored["label"] == label && scored["predicted"] == true)
    };
    for of in countermeasures.iter().flat_map(|of| of["against"].as_array().unwrap()) {
        assert!(predicted(of["taxonomy"].as_str().unwrap(), &of["label"]), "{of}");
        let route = if of["taxonomy"] == "cwe" { "weakness" } else { "technique" };
        assert_eq!(of["route"], route);
    }
    let all = folder.run(&["classify", "--d3fend", "--top-k", "all", "--taxonomy", "cwe", SQLI]).code(0);
    let all = &all.records()[0]["d3fend"];
    assert!(
        all.as_array().unwrap().iter().any(|of| of["label"] == "D3-TL"),
        "the route of weaknesses: {all}"
    );
    let none = folder.run(&["classify", "--d3fend", "Bake for twenty minutes at 200 degrees"]).code(0);
    assert_eq!(none.records()[0]["d3fend"], json!([]));
}

#[test]
fn other_matrices_are_answered_by_similarity_alone() {
    let folder = Folder::new();
    let text = "The controller accepts unauthenticated commands that change set points of the programmable logic \
                controller and stop the process of the plant.";
    let outcome = folder.run(&["classify", "--domain", "enterprise,ics,mobile", text]).code(0);
    let record = &outcome.records()[0];
    let labels = record["other_domains"].as_array().unwrap();
    assert!(labels.iter().filter(|of| of["domain"] == "ics").count() > 0, "{record}");
    assert!(labels.iter().all(|of| of["basis"] == "similarity" && of["score"].is_null()), "{record}");
    let plain = folder.run(&["classify", text]).code(0).stdout;
    assert_eq!(folder.run(&["classify", "--domain", "enterprise", text]).code(0).stdout, plain);
    let alone = folder.run(&["classify", "--domain", "ics", text]).code(0);
    assert_eq!(alone.records()[0]["attack_curated"], json!([]));
    assert_eq!(alone.records()[0]["cwe"], record["cwe"]);
    let threads = |count: &str| {
        let asked =
            ["classify", "--domain", "ics", "--atlas", "--d3fend", "--threads", count, "-i", "many.jsonl"];
        folder.file("many.jsonl", many(300));
        folder.run(&asked).code(0).stdout
    };
    assert_eq!(threads("1"), threads("3"));
    folder.run(&["classify", "--domain", "cloud", text]).code(2).says(&["enterprise", "ics", "mobile"]);
}

#[test]
fn keys_stand_in_the_order_of_the_design() {
    let line = Folder::new().run(&["classify", XSS]).code(0).stdout;
    let keys = [
        "schema_version",
        "id",
        "model",
        "model_revision",
        "taxonomies",
        "cwe",
        "capec",
        "attack",
        "attack_curated",
        "none",
        "labels",
    ];
    let mut rest = line.as_str();
    for key in keys {
        rest = rest.split_once(&format!("\"{key}\":")).unwrap_or_else(|| panic!("{key} in order: {line}")).1;
    }
}

#[test]
fn what_is_not_asked_for_is_empty() {
    let folder = Folder::new();
    let record = &folder.run(&["classify", XSS, "--taxonomy", "cwe"]).code(0).records()[0];
    for key in ["capec", "attack"] {
        assert_eq!(record[key], serde_json::json!([]), "{record}");
        assert!(record["none"].get(key).is_none(), "{record}");
    }
    let record = &folder.run(&["classify", XSS, "--top-k", "2", "--threshold", "0"]).code(0).records()[0];
    assert_eq!(record["cwe"].as_array().map(Vec::len), Some(2));
    let all = ["classify", XSS, "--top-k", "all", "--threshold", "0", "--labels", "reference"];
    let record = &folder.run(&all).code(0).records()[0];
    assert!(record["cwe"].as_array().unwrap().len() > 50, "every label of the space");
    assert_eq!(record["labels"], "reference");
    let scores: Vec<f64> =
        record["attack"].as_array().unwrap().iter().map(|label| label["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
}

/// Holds for models that answer with them, and for those that do not.
#[test]
fn techniques_that_analysts_assign_can_be_asked_for_alone() {
    let folder = Folder::new();
    let outcome = folder.run(&["classify", SQLI, "--taxonomy", "curated"]).code(0);
    let record = &outcome.records()[0];
    for key in ["cwe", "capec", "attack"] {
        assert_eq!(record[key], json!([]), "{record}");
        assert!(record["none"].get(key).is_none(), "{record}");
    }
    let unanswered = "no techniques that analysts assign are answered";
    assert_eq!(
        record["none"].get("attack_curated").is_none(),
        outcome.stderr.contains(unanswered),
        "{record}"
    );
    let labels = record["attack_curated"].as_array().unwrap();
    assert!(labels.iter().all(|label| label["role"].is_string() && label["tactics"].is_array()), "{record}");
    let reference = ["classify", SQLI, "--taxonomy", "curated", "--labels", "reference"];
    let record = &folder.run(&reference).code(0).says(&[unanswered, "reference"]).records()[0];
    assert_eq!((&record["attack_curated"], &record["none"]), (&json!([]), &json!({})));
}

#[test]
fn the_long_tail_is_listed_where_it_is_asked_for() {
    let folder = Folder::new();
    let list = |arguments: &[&str]| {
        let arguments = [&["classify", "privilege escalation in the kernel"], arguments].concat();
        folder.run(&arguments).code(0).records()[0]["capec"].as_array().unwrap().clone()
    };
    let (usual, all) = (list(&[]), list(&["--top-k", "all"]));
    let is_listed = |(rank, label): &(usize, &Value)| *rank < 5 || label["predicted"] == true;
    let want: Vec<&Value> = all.iter().enumerate().filter(is_listed).map(|(_, label)| label).collect();
    assert_eq!(usual.iter().collect::<Vec<_>>(), want);
    assert!(usual.len() >= 5 && usual.len() < all.len(), "{} of {}", usual.len(), all.len());
}

#[test]
fn every_way_to_give_records_gives_the_same_answers() {
    let folder = Folder::new();
    let lines = format!("{{\"id\":\"a\",\"description\":\"{XSS}\"}}\n{{\"id\":\"b\",\"text\":\"{SQLI}\"}}\n");
    folder.file("records.jsonl", &lines);
    folder.file("records.csv", format!("id,description\na,\"{XSS}\"\nb,\"{SQLI}\"\n"));
    let by_name = folder.run(&["classify", "--input", "records.jsonl"]).code(0);
    assert_eq!(by_name.ids(), [Some("a".to_owned()), Some("b".to_owned())]);
    let positional =
        folder.run(&["classify", "records.jsonl"]).code(0).says(&["reading the file records.jsonl"]);
    assert_eq!(positional.stdout, by_name.stdout);
    for arguments in [&["classify"][..], &["classify", "-"], &["classify", "--input", "-"]] {
        assert_eq!(folder.run_with(arguments, lines.clone()).code(0).stdout, by_name.stdout, "{arguments:?}");
    }
    assert_eq!(folder.run(&["classify", "records.csv"]).code(0).stdout, by_name.stdout);
    let plain = folder.run_with(&["classify"], format!("{XSS}\n{SQLI}\n")).code(0);
    assert_eq!(plain.ids(), [None, None]);
    assert_eq!(
        plain.records().iter().map(|record| record["line"].as_u64()).collect::<Vec<_>>(),
        [Some(1), Some(2)]
    );
    assert_eq!(plain.records()[1]["cwe"], by_name.records()[1]["cwe"]);
}

#[test]
fn the_output_is_the_same_for_any_number_of_threads() {
    let folder = Folder::new();
    folder.file("records.jsonl", many(1500));
    let one = folder.run(&["classify", "--input", "records.jsonl", "--threads", "1"]).code(0).stdout;
    assert_eq!(one.lines().count(), 1500);
    for threads in ["2", "7"] {
        let many = folder.run(&["classify", "--input", "records.jsonl", "--threads", threads]).code(0).stdout;
        assert!(many == one, "{threads} threads");
    }
}

#[test]
fn the_year_is_that_of_the_record_unless_told_otherwise() {
    let folder = Folder::new();
    let line = |extra: &str| format!("{{{extra}\"description\":\"{SQLI}\"}}\n");
    let lines = line("\"published\":\"2003-05-01\",") + &line("\"id\":\"CVE-2003-0001\",") + &line("");
    let scores = |records: Vec<Value>| -> Vec<String> {
        records.iter().map(|record| record["cwe"].to_string()).collect()
    };
    let by_record =
        scores(folder.run_with(&["classify", "--labels", "assigned"], lines.clone()).code(0).records());
    assert_eq!(by_record[0], by_record[1]);
    let as_of = ["classify", "--labels", "assigned", "--as-of", "2003"];
    let as_of = scores(folder.run_with(&as_of, lines).code(0).records());
    assert_eq!(as_of, [by_record[0].clone(), by_record[0].clone(), by_record[0].clone()]);
}

#[test]
fn the_table_has_names_marks_and_ways() {
    let folder = Folder::new();
    let table = folder.run(&["classify", XSS, "--format", "table"]).code(0).stdout;
    for word in ["Weaknesses (CWE)", "✓", "CWE-79", "Attack patterns (CAPEC)", "derived from CWE-79", "more"]
    {
        assert!(table.contains(word), "{table}\nlacks {word}");
    }
    assert!(!table.contains('\u{1b}'), "no colour in a pipe");
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    let coloured = folder.run(&["classify", XSS, "--format", "table", "--color", "always"]).code(0).stdout;
    assert!(coloured.contains('\u{1b}'));
}

#[test]
fn csv_and_parquet_hold_the_same_rows() {
    let folder = Folder::new();
    folder.file("records.jsonl", many(3));
    let csv = folder.run(&["classify", "--input", "records.jsonl", "--format", "csv"]).code(0).stdout;
    let start =
        "id,taxonomy,label,name,score,predicted,via,distance,outcome,role\nCVE-2020-00000,cwe,CWE-79,";
    assert!(csv.starts_with(start), "{csv}");
    folder.run(&["classify", "--input", "records.jsonl", "--output", "out.parquet"]).code(0);
    let bytes = std::fs::read(folder.path("out.parquet")).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
}

#[test]
fn safe_csv_is_asked_for_with_csv_alone() {
    let folder = Folder::new();
    folder.file("in.jsonl", format!("{{\"id\":\"=1+1\",\"description\":\"{XSS}\"}}\n"));
    let arguments = ["classify", "--input", "in.jsonl", "--safe-csv"];
    let csv = folder.run(&[&arguments[..], &["--format", "csv"]].concat()).code(0).stdout;
    assert!(csv.lines().skip(1).all(|line| line.starts_with("'=1+1,")), "{csv}");
    folder.run(&arguments).code(2).says(&["--safe-csv", "jsonl", "--format csv"]);
}

#[test]
fn no_record_vanishes_from_a_table() {
    let folder = Folder::new();
    let arguments = ["classify", "--format", "csv", "--threshold", "1", "--taxonomy", "cwe,capec"];
    let lines = folder.run_with(&arguments, format!("{XSS}\n{SQLI}\n")).code(0).stdout;
    let start = |line: &str| line.split(',').take(4).collect::<Vec<_>>().join(",");
    let starts: Vec<String> = lines.lines().skip(1).map(start).collect();
    let want =
        ["#1,cwe,,none of them", "#1,capec,,none of them", "#2,cwe,,none of them", "#2,capec,,none of them"];
    assert_eq!(starts, want);
}

#[test]
fn an_output_file_appears_whole_and_by_its_name() {
    let folder = Folder::new();
    let to_pipe = folder.run(&["classify", XSS]).code(0).stdout;
    let outcome = folder.run(&["classify", XSS, "--output", "out.jsonl"]).code(0);
    assert_eq!(outcome.stdout, "");
    assert_eq!(std::fs::read_to_string(folder.path("out.jsonl")).unwrap(), to_pipe);
    assert_eq!(folder.run(&["classify", XSS, "--output", "-"]).code(0).stdout, to_pipe);
    assert!(!folder.path("-").exists());
    assert_eq!(folder.run(&["classify", XSS, "-o", "out.tsv", "-f", "csv"]).code(0).stderr, "");
    folder.run(&["classify", XSS, "--out", "OUT.CSV"]).code(0);
    assert!(std::fs::read_to_string(folder.path("OUT.CSV")).unwrap().starts_with("id,taxonomy"));
    folder.run(&["classify", XSS, "--output", "no/folder/out.jsonl"]).code(1).says(&["no/folder/out.jsonl"]);
}

#[test]
fn a_name_that_promises_something_else_is_refused() {
    let folder = Folder::new();
    for (name, says) in [
        ("out.tsv", "no format is known by .tsv"),
        ("out.XLSX", ".jsonl, .ndjson, .json, .csv, .parquet"),
        ("out.txt.gz", "no format is known by .txt"),
        ("out.jsonl.xz", "add .gz or .zst"),
        ("out.parquet.zst", "is compressed in itself"),
    ] {
        folder.run(&["classify", XSS, "-o", name]).code(2).says(&[name, says]);
        assert!(!folder.path(name).exists());
    }
    folder.file("table.csv", format!("id,description\nCVE-2020-0001,{XSS}\n"));
    folder.run(&["data", "build", "table.csv", "--out", "z.csv"]).code(2).says(&[".csv", ".parquet"]);
    folder.run(&["data", "build", "table.csv", "--out", "z.PARQUET"]).code(0);
    folder.run(&["data", "split", "z.PARQUET", "--out", "again"]).code(0);
    assert!(folder.path("again").exists());
}

#[test]
fn an_output_is_compressed_as_its_name_says() {
    let folder = Folder::new();
    folder.file("in.jsonl", many(600));
    let plain = folder.run(&["classify", "in.jsonl", "-q"]).code(0).stdout;
    for (name, is_packed) in [
        ("out.jsonl.gz", [0x1F, 0x8B].as_slice()),
        ("out.json.ZST", &[0x28, 0xB5, 0x2F, 0xFD]),
        ("out.gz", &[0x1F, 0x8B]),
    ] {
        folder.run(&["classify", "in.jsonl", "-q", "-o", name]).code(0);
        let packed = std::fs::read(folder.path(name)).unwrap();
        assert!(packed.starts_with(is_packed) && packed.len() < plain.len() / 5, "{name}");
        let mut unpacked = String::new();
        let read = match name.ends_with("gz") {
            true => flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut unpacked),
            false => zstd::Decoder::new(&packed[..]).unwrap().read_to_string(&mut unpacked),
        };
        assert!(read.is_ok() && unpacked == plain, "{name}");
    }
    folder.run(&["classify", XSS, "-o", "out.csv.gz"]).code(0);
    let mut unpacked = String::new();
    let packed = std::fs::read(folder.path("out.csv.gz")).unwrap();
    flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut unpacked).unwrap();
    assert!(unpacked.starts_with("id,taxonomy"), "{unpacked}");
}

#[test]
fn variables_stand_for_options_that_are_not_given() {
    let folder = Folder::new();
    let ask = |name: &str, value: &str, arguments: &[&str]| {
        let mut command = crate::vulnlens::command(&folder.path("."));
        let output = command.env(name, value).args(["classify", XSS]).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let mode = |(code, stdout): (Option<i32>, String)| {
        assert_eq!(code, Some(0));
        serde_json::from_str::<Value>(&stdout).unwrap()["labels"].as_str().unwrap().to_owned()
    };
    assert_eq!(mode(ask("VULNLENS_LABELS", "assigned", &[])), "assigned");
    assert_eq!(mode(ask("VULNLENS_LABELS", "assigned", &["--labels", "reference"])), "reference");
    assert_eq!(ask("VULNLENS_MODEL", "missing", &[]).0, Some(5));
    assert_eq!(ask("VULNLENS_MODEL", "missing", &["--model", "fast"]).0, Some(0));
    assert_eq!(ask("VULNLENS_THREADS", "none", &[]).0, Some(2));
}

#[test]
fn a_folder_as_output_gets_a_file_for_each_record() {
    let folder = Folder::new();
    let ids = ["CVE-2021-44228", "../up", "CVE-2021-44228"];
    folder
        .file("in.jsonl", ids.map(|id| format!("{{\"id\":\"{id}\",\"description\":\"{XSS}\"}}\n")).concat());
    folder.run(&["classify", "--input", "in.jsonl", "--output", "out/", "-q"]).code(0);
    let names = || {
        let names = folder.path("out").read_dir().unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect::<std::collections::BTreeSet<_>>()
    };
    let want = ["CVE-2021-44228-2.jsonl", "CVE-2021-44228.jsonl", "_._up.jsonl"];
    assert_eq!(names(), want.map(str::to_owned).into());
    let line = std::fs::read_to_string(folder.path("out/CVE-2021-44228.jsonl")).unwrap();
    let whole = folder.run(&["classify", "--input", "in.jsonl", "-q"]).code(0).stdout;
    assert_eq!(whole.lines().next(), line.strip_suffix('\n'));
    folder.run(&["classify", XSS, "--output", "out", "--format", "table"]).code(0);
    assert!(names().contains("record.txt"), "a folder that is there needs no slash");
    folder.run(&["classify", XSS, "--output", "no/folder/"]).code(1).says(&["no/folder/"]);
}

#[test]
fn a_navigator_layer_holds_all_records_or_one_each() {
    let folder = Folder::new();
    folder.file("in.jsonl", many(3));
    let arguments = ["classify", "--input", "in.jsonl", "--format", "navigator"];
    let layer: Value = serde_json::from_str(&folder.run(&arguments).code(0).stdout).unwrap();
    assert_eq!((&layer["name"], &layer["versions"]["layer"]), (&json!("3 records"), &json!("4.5")));
    folder.run(&[&arguments[..], &["--output", "layers/"]].concat()).code(0);
    let one = std::fs::read_to_string(folder.path("layers/CVE-2020-00000.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&one).unwrap()["name"], "CVE-2020-00000");
    assert_eq!(folder.path("layers").read_dir().unwrap().count(), 3);
}

#[test]
fn an_explanation_says_words_and_ways() {
    let folder = Folder::new();
    let text = folder.run(&["explain", SQLI]).code(0).stdout;
    for word in ["CWE-89", "Words that speak for CWE-89", "injection", "without the", "▸ T"] {
        assert!(text.contains(word), "{text}\nlacks {word}");
    }
    let words: Vec<&str> =
        ["explain"].into_iter().chain(SQLI.split(' ')).chain(["--format", "json"]).collect();
    let json: Value = serde_json::from_str(&folder.run(&words).code(0).stdout).unwrap();
    let classified = &folder.run(&["classify", SQLI]).code(0).records()[0];
    for (key, value) in classified.as_object().unwrap() {
        assert_eq!(&json[key], value, "{key}: the same answer");
    }
    assert_eq!(json["explained"]["label"], "CWE-89");
    assert!(json["without"]["score"].as_f64() < json["explained"]["score"].as_f64(), "{json}");
    for word in json["words"].as_array().unwrap() {
        let at = |key: &str| usize::try_from(word[key].as_u64().unwrap()).unwrap();
        assert_eq!(SQLI[at("start")..at("end")], *word["text"].as_str().unwrap());
    }
    folder.run(&["explain", " "]).code(3).says(&["the text is empty"]);
}

#[test]
fn evidence_is_the_explanation_in_each_record_whatever_the_threads() {
    let folder = Folder::new();
    folder.file("in.jsonl", format!("{{\"id\":\"a\",\"description\":\"{SQLI}\"}}\n").repeat(3));
    let of =
        |threads: &str| folder.run(&["classify", "in.jsonl", "--evidence", "--threads", threads]).code(0);
    let records = of("2").records();
    assert_eq!(records, of("1").records());
    let mut explained = folder.run(&["explain", SQLI, "--format", "json"]).code(0).records().remove(0);
    explained["id"] = json!("a");
    assert_eq!(records[0], explained);

    let first = &explained["curated"][0];
    let sum = |list: &str| -> f64 {
        let weights = first[list].as_array().unwrap().iter().map(|reason| reason["weight"].as_f64().unwrap());
        weights.sum()
    };
    let number = |key: &str| first[key].as_f64().unwrap();
    let sum = number("base") + number("year") + sum("rules") + sum("weaknesses") + sum("words");
    assert!((sum - number("score")).abs() < 1e-3, "{sum}: {first}");
    let nearest = &first["nearest"][0];
    assert!(nearest["cve"].as_str().unwrap().starts_with("CVE-"), "{first}");
    assert_eq!(
        nearest["techniques"][0]["label"].as_str().unwrap().split('.').next(),
        first["label"].as_str()
    );

    let other = ["classify", SQLI, "--evidence", "--format", "csv"];
    folder.run(&other).code(2).says(&["--evidence is for jsonl, and the output is csv", "vulnlens explain"]);
}

#[test]
fn the_records_of_a_file_are_explained_as_they_are_classified() {
    let folder = Folder::new();
    let lines = format!("{{\"id\":\"a\",\"description\":\"{XSS}\"}}\nbroken\n{{\"text\":\"{SQLI}\"}}\n");
    folder.file("in.jsonl", lines);
    let outcome = folder.run(&["explain", "in.jsonl", "--format", "json"]).code(4);
    let outcome = outcome.says(&["reading the file in.jsonl", "in.jsonl:2: ", "1 records failed, 2 were"]);
    let records = outcome.records();
    assert_eq!(outcome.ids(), [Some("a".to_owned()), None]);
    assert_eq!(records[1]["line"], 3);
    let cwes: Vec<&Value> = records.iter().map(|record| &record["cwe"][0]["label"]).collect();
    assert_eq!(cwes, ["CWE-79", "CWE-89"]);
    assert!(folder.run(&["explain", "in.jsonl"]).code(4).stdout.contains("#3\nWeaknesses (CWE)\n"));
    folder.run(&["explain", "missing.jsonl"]).code(3).says(&["there is no such file"]);
}

#[test]
fn standard_input_is_one_text_unless_it_holds_records() {
    let folder = Folder::new();
    let prose = "An advisory.\n\nSQL injection in login.php\nCredits: J. Doe\n";
    let explain = ["explain", "--format", "json"];
    let records = folder.run_with(&explain, prose).code(0).records();
    assert_eq!((records.len(), &records[0]["explained"]["label"]), (1, &json!("CWE-89")));
    let lines = format!("{{\"id\":\"a\",\"description\":\"{XSS}\"}}\n{{\"id\":\"b\",\"text\":\"{SQLI}\"}}\n");
    let outcome = folder.run_with(&explain, lines).code(0);
    assert_eq!(outcome.ids(), [Some("a".to_owned()), Some("b".to_owned())]);
    let line_by_line = [&explain[..], &["--input-format", "plain"]].concat();
    assert_eq!(folder.run_with(&line_by_line, prose).code(4).records().len(), 3);
    folder.file("a.txt", XSS);
    folder.run(&["explain", "a.txt", "b.txt"]).code(2).says(&["a.txt: is a file among other words"]);
}

#[test]
fn any_model_is_explained_by_the_score_that_it_answers_with() {
    let folder = Folder::new();
    let bert = concat!(env!("CARGO_MANIFEST_DIR"), "/../encoder/tests/fixtures/bert");
    for model in ["accurate", bert] {
        let model = ["--model", model];
        let text = "SQL injection in login.php";
        let explain = [&["explain", text, "--format", "json"], &model[..]].concat();
        let json = &folder.run(&explain).code(0).records()[0];
        let classified = &folder.run(&[&["classify", text], &model[..]].concat()).code(0).records()[0];
        for (key, value) in classified.as_object().unwrap() {
            assert_eq!(&json[key], value, "{key}");
        }
        assert_eq!(json["words"].as_array().unwrap().len(), 5);
        assert!(json["words"].as_array().unwrap().iter().any(|word| word["weight"] != 0.0), "{json}");
        let score = |key: &str| json[key]["score"].as_f64().unwrap();
        // A network that was not trained may have no word that speaks for its answer.
        let is_named = json["without"]["words"] != 0;
        assert_eq!(score("without") < score("explained"), is_named, "{json}");
    }
}

#[test]
fn an_explanation_says_what_of_the_text_was_not_read() {
    let folder = Folder::new();
    let long = "overflow ".repeat(2001);
    folder.run_with(&["explain", "-"], long.clone()).code(0).says(&["only the first 2000 words"]);
    assert_eq!(folder.run_with(&["explain", "-"], &long[9..]).code(0).stderr, "");
    // More bytes than are looked at, in fewer words.
    let wide = format!("heap overflow attackers {} ", "x".repeat(200)).repeat(400);
    folder.run_with(&["explain", "-"], wide).code(0).says(&["only the first"]);
    // Of a text that is not classified no word is weighed, and nothing is said of it.
    let unknown = folder.run_with(&["explain", "-"], "averyverylongword ".repeat(5000)).code(0);
    assert!(!unknown.stderr.contains("only the first"), "{}", unknown.stderr);
}
