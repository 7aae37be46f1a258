//! Files of the kinds that people brought in public reports, where a folder of them lies next to the checkout. Small copies
//! of each kind stand in the other tests; this one looks at the files themselves.

use std::path::{Path, PathBuf};

use crate::vulnlens::Folder;

/// The folder of the files, where there is one.
fn cases() -> Option<PathBuf> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases");
    if !cases.is_dir() {
        eprintln!("skipped: there is no folder shared/cases next to the checkout");
        return None;
    }
    cases.canonicalize().ok()
}

/// Each input, the exit code of `classify`, the ids that it answers, and words of its messages.
const INPUTS: [(&str, i32, &[&str], &[&str]); 35] = [
    ("01-osv-ghsa.json", 0, &["GHSA-2222-3333-4444"], &[]),
    ("01-osv.ndjson", 0, &["GHSA-2222-3333-4444"], &[]),
    ("02-csaf.json", 0, &["CVE-2026-40001", "CVE-2026-40002"], &[]),
    ("02-csaf-min.json", 0, &["CVE-2026-40001", "CVE-2026-40002"], &[]),
    ("03-sarif.json", 0, &["js/xss"], &[]),
    ("03-trivy.json", 0, &["CVE-2026-40001"], &[]),
    ("04-array.json", 0, &["CVE-2026-40001", "CVE-2026-40002"], &[]),
    ("04-one-object.json", 0, &["CVE-2026-40001"], &[]),
    ("05-cvelistv5.ndjson", 0, &["CVE-2026-50001", "CVE-2026-50002"], &[]),
    ("06-fkie", 0, &["CVE-2026-60001"], &[]),
    ("08-nvdcve-2.0-2026.json.zip", 0, &["CVE-2026-60001", "CVE-2026-60002"], &[]),
    ("09-vulnz", 0, &["CVE-2026-60001", "CVE-2026-60002"], &["2 files are not sources of records"]),
    ("10-pages-array.json", 0, &["CVE-2026-60001", "CVE-2026-60002"], &[]),
    ("10-two-pages.json", 0, &["CVE-2026-60001", "CVE-2026-60002"], &[]),
    ("13-nvd-null-weaknesses.json", 0, &["CVE-2026-60001", "CVE-2026-60002"], &[]),
    ("16-rejected", 3, &[], &["all of its 3 records were withdrawn"]),
    ("18-headers.csv", 0, &["CVE-2026-40001"], &[]),
    ("18-semicolon.csv", 0, &["CVE-2026-40001"], &[]),
    ("18-summary.csv", 0, &["CVE-2026-40001"], &[]),
    ("19-cp1252.csv", 0, &["CVE-2026-40001"], &["were read as Windows-1252"]),
    ("19-utf16.csv", 0, &["CVE-2026-40001"], &["is in UTF-16LE"]),
    ("20-gzip.parquet", 0, &["CVE-2026-40001"], &[]),
    ("20-zstd.parquet", 0, &["CVE-2026-40001"], &[]),
    ("21-id-and-cve_id.csv", 0, &["CVE-2014-7001"], &[]),
    ("21-id-and-cve_id.parquet", 0, &["CVE-2014-7001"], &[]),
    ("22-cwes-prose.csv", 0, &["CVE-2026-31001", "CVE-2026-31002", "CVE-2026-31003"], &[]),
    ("23-big-id.jsonl", 0, &["12345678901234567890123"], &[]),
    ("23-uint64-id.parquet", 0, &["9223372036854775813"], &[]),
    ("24-advisory.html", 0, &[""], &["is HTML, read as one text"]),
    ("24-report.xml", 3, &[], &["is a report in XML"]),
    ("24-wrapped.txt", 0, &[""], &["its lines are read as one text"]),
    ("34-capec_latest.xml", 3, &[], &["is CAPEC's catalogue", "kb build --capec"]),
    ("49-CVE-2026.jsonl", 3, &[], &["CVE2CAPEC", "no texts"]),
    ("50-dates.csv", 0, &["x1", "x2", "x3", "x4", "x5"], &["cannot be read as a date"]),
    (
        "11-cwe-spellings",
        0,
        &[
            "CVE-2026-51100",
            "CVE-2026-51101",
            "CVE-2026-51102",
            "CVE-2026-51103",
            "CVE-2026-51104",
            "CVE-2026-51105",
            "CVE-2026-51106",
            "CVE-2026-51107",
            "CVE-2026-51108",
        ],
        &[],
    ),
];

#[test]
fn files_of_every_kind_are_answered_or_named() {
    let Some(cases) = cases() else { return };
    let folder = Folder::new();
    for (name, code, ids, words) in INPUTS {
        let path = cases.join(name);
        let outcome = folder.run(&["classify", "--input", path.to_str().unwrap()]).code(code).says(words);
        let answered = if code == 3 { Vec::new() } else { outcome.ids() };
        let answered: Vec<String> = answered.into_iter().map(Option::unwrap_or_default).collect();
        assert_eq!(answered, ids, "{name}: {}", outcome.stderr);
    }
}

#[test]
fn weaknesses_are_labels_in_every_spelling() {
    let Some(cases) = cases() else { return };
    let folder = Folder::new();
    for (name, labelled) in
        [("11-cwe-spellings", "9 of them"), ("13-nulls", "3 of them"), ("22-cwes-prose.csv", "3 of them")]
    {
        let path = cases.join(name);
        let built = folder.run(&["data", "build", path.to_str().unwrap(), "--out", "data.parquet"]).code(0);
        assert!(built.stdout.contains(&format!("{labelled} with weaknesses")), "{name}: {}", built.stdout);
    }
    let stats = folder.run(&["data", "stats", "data.parquet", "--format", "json"]).code(0).stdout;
    assert!(
        !["CWE-2021", "\"CWE-2\"", "CWE-20\"", "CWE-8\""].iter().any(|wrong| stats.contains(wrong)),
        "{stats}"
    );
}

#[test]
fn checkpoints_are_read_or_say_what_they_lack() {
    let Some(cases) = cases() else { return };
    let folder = Folder::new();
    let text = "SQL injection in login.php";
    for (name, code, words) in [
        ("37-LABEL_n", 5, &["--taxonomy-of-labels", "--labels-file"][..]),
        ("37-plainlabels-digits", 5, &["--taxonomy-of-labels"]),
        ("38-no-problem_type", 0, &["`problem_type`", "--scores"]),
        ("39-lora-adapter-alone", 5, &["LoRA adapter", "merge_and_unload"]),
        ("39-lora-beside-base", 0, &["was merged"]),
        ("40-modernbert", 5, &["named as in `roberta`", "is `modernbert`"]),
        ("45-same-name-twice", 5, &["two outputs"]),
    ] {
        let path = cases.join(name);
        folder.run(&["classify", text, "--model", path.to_str().unwrap()]).code(code).says(words);
    }
}
