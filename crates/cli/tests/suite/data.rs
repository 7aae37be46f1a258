//! `data`, and records looked up in what it makes.

use serde_json::Value;

use crate::vulnlens::Folder;

const TABLE: &str = "{\"id\":\"CVE-2020-0001\",\"description\":\"SQL injection in login.php via the id parameter\",\"cwes\":[\"CWE-89\"]}\n\
{\"id\":\"CVE-2020-0002\",\"description\":\"Cross-site scripting in the search field\",\"cwes\":[\"CWE-79\"]}\n\
{\"id\":\"CVE-2021-0003\",\"description\":\"cross-site  scripting in the search field\",\"cwes\":[\"CWE-80\"]}\n\
{\"id\":\"CVE-2025-0004\",\"description\":\"Something odd\",\"cwes\":[\"CWE-99999\", \"CWE-XX\"]}\n";

fn built(table: &str) -> (Folder, crate::vulnlens::Outcome) {
    let folder = Folder::new();
    folder.file("table.jsonl", table);
    let outcome = folder.run(&["data", "build", "--table", "table.jsonl", "--out", "data.parquet"]);
    (folder, outcome)
}

#[test]
fn a_table_becomes_a_data_set() {
    let (folder, outcome) = built(TABLE);
    let outcome = outcome.code(0).says(&["CWE-99999 (1)", "\"CWE-XX\" (1)"]);
    assert!(
        outcome.stdout.contains("4 rows, 4 of them with weaknesses, 2 sharing their text"),
        "{}",
        outcome.stdout
    );
    let stats = folder.run(&["data", "stats", "data.parquet", "--format", "json"]).code(0).stdout;
    let stats: Value = serde_json::from_str(&stats).unwrap();
    assert_eq!(stats["rows"], 4);
    assert_eq!(stats["conflicting_groups"], 1);
    let text = folder.run(&["data", "stats", "data.parquet"]).code(0).stdout;
    assert!(
        text.contains("CWE as assigned") && text.contains("CVE-2020-0002 CWE-79 | CVE-2021-0003 CWE-80"),
        "{text}"
    );
    folder.run(&["data", "split", "data.parquet", "again.parquet", "--seed", "7"]).code(0).says(&["4 rows"]);
    folder.run(&["data", "stats", "again.parquet"]).code(0);
}

#[test]
fn many_unknown_ids_are_counted_and_listed_when_asked_for() {
    let ids: Vec<String> = (99_990..99_998).map(|number| format!("\"CWE-{number}\"")).collect();
    let record = format!(
        "{{\"id\":\"CVE-2020-0001\",\"description\":\"x y z\",\"cwes\":[{}, \"CWE-264\"]}}\n",
        ids.join(",")
    );
    let (folder, outcome) = built(&record);
    let outcome = outcome.code(0).says(&["8 labels, assigned 8 times (-v lists them)"]);
    assert!(!outcome.stderr.contains("CWE-99990"), "{}", outcome.stderr);
    let verbose = ["data", "build", "table.jsonl", "--out", "again.parquet", "-v"];
    let outcome = folder.run(&verbose).code(0).says(&["CWE-99990 (1)", "CWE-99997 (1)"]);
    assert!(!outcome.stderr.contains("CWE-264"), "a category is known: {}", outcome.stderr);
}

#[test]
fn techniques_that_people_assigned_are_told_of() {
    let (folder, _) = built(TABLE);
    folder.file(
        "curated.csv",
        "CVE ID,Exploitation Technique,Uncategorized\nCVE-2020-0001,T11190,T1086; T0803; T1?\nCVE-2020-9999,T1059,\n",
    );
    let build = ["data", "build", "table.jsonl", "--curated", "curated.csv", "--out", "data.parquet"];
    let outcome = folder.run(&build).code(0).says(&[
        "misspelt techniques, read as what is meant: T11190 as T1190 (1)",
        "revoked techniques, replaced by those in force: T1086 as T1059.001 (1)",
        "techniques against industrial control systems, left out: T0803 (1)",
        "no ids of techniques, left out: T1? (1)",
    ]);
    let told = "curated techniques: 2 pairs in 1 rows (ctid-cve 2); 1 of 2 CVEs have no text\n";
    assert!(outcome.stdout.contains(told), "{}", outcome.stdout);
}

#[test]
fn records_are_looked_up_by_their_ids() {
    let (folder, _) = built(TABLE);
    let look_up = |ids: &str| folder.run(&["classify", "--cve-id", ids, "--data", "data.parquet"]);
    let outcome = look_up("CVE-2020-0001").code(0);
    assert_eq!(outcome.ids(), [Some("CVE-2020-0001".to_owned())]);
    assert_eq!(outcome.records()[0]["cwe"][0]["label"], "CWE-89");
    let explain = ["explain", "--cve-id", "CVE-2020-0001", "--data", "data.parquet", "--format", "json"];
    let explained = folder.run(&explain).code(0);
    assert_eq!(
        (explained.ids(), &explained.records()[0]["cwe"]),
        (outcome.ids(), &outcome.records()[0]["cwe"])
    );
    look_up("CVE-1999-0001").code(3).says(&["data.parquet", "does not hold CVE-1999-0001"]);
    let some = look_up("CVE-2020-0002,CVE-1999-0001").code(4).says(&["does not hold CVE-1999-0001"]);
    assert_eq!(some.ids(), [Some("CVE-2020-0002".to_owned())]);
    let missing = ["classify", "--cve-id", "CVE-2020-0001", "--data", "missing.parquet"];
    folder.run(&missing).code(5).says(&["missing.parquet", "data build"]);
}

#[test]
fn bad_records_of_sources_are_told_and_counted() {
    let (folder, outcome) =
        built(&(TABLE.to_owned() + "{\"id\":\"no cve\",\"description\":\"x\"}\nbroken\n"));
    outcome.code(4).says(&[
        "table.jsonl:5: ",
        "a CVE id such as",
        "table.jsonl:6: ",
        "2 records could not be read",
    ]);
    assert!(folder.path("data.parquet").exists());
    let missing = ["data", "build", "--nvd", "missing.json.gz", "--out", "x.parquet"];
    folder.run(&missing).code(3).says(&["missing.json.gz"]);
    assert!(!folder.path("x.parquet").exists());
    folder.run(&["data", "stats", "table.jsonl"]).code(3).says(&["table.jsonl"]);
}
