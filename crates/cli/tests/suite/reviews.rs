//! `review`: records of each format whose weaknesses are kept with their assigners, formats, exit codes.

use serde_json::{Value, json};

use crate::vulnlens::Folder;

const XSS: &str = "Cross-site scripting in the search field lets attackers inject script via the parameter q";
const SQLI: &str = "SQL injection in login.php lets attackers execute SQL commands via the id parameter";

/// A record of the CVE list with the weaknesses of a CNA and of an ADP.
fn list_record(id: &str, text: &str, cna: &str, adp: &str) -> Value {
    let problem = |cwe: &str| json!([{"descriptions": [{"lang": "en", "cweId": cwe, "description": "x"}]}]);
    json!({
        "dataType": "CVE_RECORD",
        "cveMetadata": {"cveId": id, "state": "PUBLISHED", "assignerShortName": "acme"},
        "containers": {
            "cna": {
                "providerMetadata": {"orgId": "x", "shortName": "Acme_M"},
                "descriptions": [{"lang": "en", "value": text}],
                "problemTypes": problem(cna),
            },
            "adp": [
                {"providerMetadata": {"shortName": "CVE"}},
                {"providerMetadata": {"shortName": "CISA-ADP"}, "problemTypes": problem(adp)},
            ],
        },
    })
}

#[test]
fn every_format_keeps_the_weaknesses_and_who_assigned_them() {
    let feed = json!({"CVE_data_type": "CVE", "CVE_Items": [{
    "cve": {
        "CVE_data_meta": {"ID": "CVE-2020-0001"},
        "problemtype": {"problemtype_data": [{"description": [{"lang": "en", "value": "CWE-79"}]}]},
        "description": {"description_data": [{"lang": "en", "value": XSS}]},
    }}]});
    let page = json!({"resultsPerPage": 1, "vulnerabilities": [{"cve": {
        "id": "CVE-2020-0001", "descriptions": [{"lang": "en", "value": XSS}],
        "weaknesses": [{"source": "cna@acme.example", "description": [{"lang": "en", "value": "CWE-79"}]}],
    }}]});
    let osv = json!({"schema_version": "1.6.0", "id": "GHSA-2222-3333-4444", "details": XSS, "affected": [],
        "database_specific": {"cwe_ids": ["CWE-79"]}});
    let folder = Folder::new();
    for (name, bytes, assigner) in [
        ("feed.json", feed.to_string(), "nvd"),
        ("page.json", page.to_string(), "cna:cna@acme.example"),
        (
            "list.json",
            list_record("CVE-2020-0001", XSS, "CWE-79", "CWE-79").to_string(),
            "cna:Acme_M, adp:CISA-ADP",
        ),
        ("osv.json", osv.to_string(), "ghsa"),
        (
            "rows.jsonl",
            json!({"id": "CVE-2020-0001", "description": XSS, "cwes": ["CWE-79"]}).to_string(),
            "given",
        ),
        ("rows.csv", format!("id,description,cwe\nCVE-2020-0001,{XSS},CWE-79\n"), "given"),
    ] {
        folder.file(name, bytes);
        let outcome = folder.run(&["review", name]).code(0).says(&["1 reviewed: 1 agree"]);
        let [review] = outcome.records().try_into().unwrap();
        assert_eq!((&review["verdict"], &review["assigner"]), (&json!("agree"), &json!(assigner)), "{name}");
        assert_eq!(review["mapped"][0]["cwe"], "CWE-79", "{name}");
    }
}

/// Records with several verdicts, one without a weakness, one without a text, and a broken line.
fn mixed() -> String {
    let row =
        |id: &str, text: &str, cwe: &str| json!({"id": id, "description": text, "cwes": cwe}).to_string();
    [
        row("CVE-2020-0001", XSS, "CWE-79"),
        row("CVE-2020-0002", SQLI, "CWE-79"),
        "{\"id\": \"CVE-2020-0003\", \"descr".to_owned(),
        row("CVE-2020-0004", SQLI, ""),
        row("CVE-2020-0005", SQLI, "CWE-20"),
        row("CVE-2020-0006", "", "CWE-79"),
        row("CVE-2020-0007", SQLI, "CWE-943"),
    ]
    .join("\n")
}

#[test]
fn verdicts_are_told_and_bad_records_lose_no_others() {
    let folder = Folder::new();
    folder.file("in.jsonl", mixed());
    let outcome = folder.run(&["review", "in.jsonl"]).code(4);
    let outcome = outcome.says(&["in.jsonl:3", "in.jsonl:6", "1 unmapped", "2 records failed"]);
    let verdicts: Vec<Value> = outcome.records().iter().map(|review| review["verdict"].clone()).collect();
    assert_eq!(verdicts, ["agree", "differs", "discouraged", "more-specific"]);
    let discouraged = &outcome.records()[2];
    assert!(discouraged["rationale"].as_str().unwrap().contains("commonly misused"), "{discouraged}");
    assert_eq!(discouraged["suggestions"][0]["cwe"], "CWE-1284");
    for threads in ["1", "3"] {
        let again = folder.run(&["review", "in.jsonl", "--threads", threads]).code(4);
        assert_eq!(again.stdout, outcome.stdout, "{threads} threads");
    }
    let table = folder.run(&["review", "in.jsonl", "--format", "table"]).code(4).stdout;
    for words in ["CVE-2020-0002  differs", "CVE-2020-0005  discouraged", "Assigner", "given"] {
        assert!(table.contains(words), "{table}\nlacks {words}");
    }
    assert!(!table.contains("CVE-2020-0001"), "agreeing ones are only counted: {table}");
    folder.run(&["review", "in.jsonl", "--out", "review.md"]).code(4);
    let markdown = std::fs::read_to_string(folder.path("review.md")).unwrap();
    assert!(markdown.starts_with("# Review of root cause mappings\n"), "{markdown}");
    assert!(markdown.contains("| CVE-2020-0007 | given | CWE-943 "), "{markdown}");
}

#[test]
fn fail_on_has_an_exit_code_of_its_own() {
    let folder = Folder::new();
    folder.file("in.jsonl", mixed());
    let outcome = folder.run(&["review", "in.jsonl", "--fail-on", "discouraged,differs,sibling"]).code(6);
    outcome.says(&["2 records failed", "records have verdicts of --fail-on: 1 discouraged, 1 differs"]);
    folder.run(&["review", "in.jsonl", "--fail-on", "sibling"]).code(4);
    folder.run(&["review", "in.jsonl", "--fail-on", "wrong"]).code(2).says(&["more-specific"]);
    folder.file("good.jsonl", mixed().lines().next().unwrap());
    folder.run(&["review", "good.jsonl", "--fail-on", "differs"]).code(0);
    folder.run(&["review", "good.jsonl", "--fail-on", "agree"]).code(6);
}

#[test]
fn inputs_without_anything_to_review() {
    let folder = Folder::new();
    folder.file("empty.jsonl", "");
    folder.run(&["review", "empty.jsonl"]).code(3).says(&["empty.jsonl: holds no records"]);
    folder.run(&["review", "missing.jsonl"]).code(3).says(&["missing.jsonl"]);
    folder.file("unmapped.jsonl", json!({"id": "CVE-2020-0001", "description": SQLI}).to_string());
    let outcome = folder.run(&["review", "unmapped.jsonl"]).code(0).says(&["0 reviewed; 1 unmapped"]);
    assert_eq!(outcome.stdout, "");
    let input = json!({"id": "CVE-2020-0001", "description": XSS, "cwes": ["CWE-79"]}).to_string();
    let outcome = folder.run_with(&["review", "-"], input).code(0);
    assert_eq!(outcome.records()[0]["verdict"], "agree");
    let below = folder.run(&["review", "unmapped.jsonl", "--threshold", "2"]);
    below.code(2).says(&["a number from 0 to 1"]);
}
