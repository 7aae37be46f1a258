//! `enrich`: the documents of docs/enrich.md, options, exit codes, outputs.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::packed::gzip;
use crate::vulnlens::Folder;

/// The sections of the documentation, in their order: a document, and its heading.
const SHOWN: [(&str, &str); 13] = [
    ("osv.json", "OSV and GHSA"),
    ("cve.json", "CVE records"),
    ("csaf-2.0.json", "CSAF 2.0"),
    ("csaf-2.1.json", "CSAF 2.1, also as VEX"),
    ("cyclonedx.json", "CycloneDX, also as VEX"),
    ("scan.sarif", "SARIF"),
    ("trivy.json", "Trivy"),
    ("grype.json", "Grype"),
    ("osv-scanner.json", "osv-scanner"),
    ("stix.json", "STIX"),
    ("defectdojo.json", "DefectDojo"),
    ("records.json", "Records in JSON of one's own"),
    ("table.csv", "CSV"),
];

/// The lines of the documentation between which the documents stand.
const BEGIN: &str =
    "<!-- begin: VULNLENS_UPDATE_DOCS=1 cargo test -p vulnlens-cli --test suite enrichments writes this -->";
const END: &str = "<!-- end -->";

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/enrich").join(name)
}

/// The lines of a document, the new ones marked, and the old ones that went; a comma behind a line is no difference.
fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let is_same = |old: &str, new: &str| old == new || new.strip_suffix(',') == Some(old);
    // The number of lines that two rests have in common.
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for (i, a) in old.iter().enumerate().rev() {
        for (j, b) in new.iter().enumerate().rev() {
            let apart = common[i + 1][j].max(common[i][j + 1]);
            common[i][j] = if is_same(a, b) { common[i + 1][j + 1] + 1 } else { apart };
        }
    }
    let (mut i, mut j, mut shown) = (0, 0, String::new());
    while i < old.len() || j < new.len() {
        let (mark, line) = match (old.get(i), new.get(j)) {
            (Some(a), Some(b)) if is_same(a, b) => {
                (i, j) = (i + 1, j + 1);
                (' ', *b)
            }
            (Some(a), b) if b.is_none() || common[i + 1][j] >= common[i][j + 1] => {
                i += 1;
                ('-', *a)
            }
            (_, b) => {
                j += 1;
                ('+', b.copied().unwrap_or_default())
            }
        };
        shown.push_str(&format!("{mark} {line}\n"));
    }
    shown
}

#[test]
fn the_documentation_shows_what_comes_out() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/enrich.md");
    let text = fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once(BEGIN).unwrap();
    let (shown, tail) = rest.split_once(END).unwrap();
    let folder = Folder::new();
    let mut made = String::from("\n");
    for (name, heading) in SHOWN {
        let document = fs::read_to_string(data(name)).unwrap();
        folder.file(name, &document);
        let outcome = folder.run(&["enrich", name]).code(0).says(&["1 filled"]);
        let difference = difference(&document, &outcome.stdout);
        made.push_str(&format!("\n### {heading}\n\n`vulnlens enrich {name}`\n\n```diff\n{difference}```\n"));
    }
    made.push('\n');
    if std::env::var_os("VULNLENS_UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{head}{BEGIN}{made}{END}{tail}")).unwrap();
        return;
    }
    assert_eq!(shown, made, "docs/enrich.md is not what comes out; its line {BEGIN:?} says how to write it");
}

#[test]
fn a_document_is_filled_alike_on_any_number_of_threads_and_from_any_packing() {
    let folder = Folder::new();
    let rows: String = (0..600)
        .map(|n| {
            let text = format!("SQL injection in page{n}.php via the id parameter.");
            format!("{{\"id\": \"CVE-2024-{}\", \"description\": \"{text}\"}}\n", 10_000 + n)
        })
        .collect();
    folder.file("in.jsonl", &rows);
    folder.file("in.jsonl.gz", gzip(rows.as_bytes()));
    let one = folder.run(&["enrich", "in.jsonl", "--threads", "1"]).code(0);
    let four = folder.run(&["enrich", "in.jsonl", "--threads", "4"]).code(0);
    assert!(one.stdout == four.stdout && one.stdout.lines().count() == 600);
    assert!(one.records().iter().filter(|row| row["cwe"][0] == "CWE-89").count() > 500);
    assert!(folder.run(&["enrich", "in.jsonl.gz"]).code(0).stdout == one.stdout);
    assert!(folder.run_with(&["enrich", "-"], rows.as_bytes()).code(0).stdout == one.stdout);
    // The input itself may be the output: it appears when it is whole.
    folder.run(&["enrich", "in.jsonl", "-o", "in.jsonl"]).code(0);
    assert!(fs::read_to_string(folder.path("in.jsonl")).unwrap() == one.stdout);
}

#[test]
fn the_filled_weakness_is_the_one_that_classify_asserts() {
    let folder = Folder::new();
    for name in ["osv.json", "cyclonedx.json", "table.csv"] {
        folder.file(name, fs::read(data(name)).unwrap());
        let record = folder.run(&["classify", "-i", name, "--format", "jsonl"]).code(0).records().remove(0);
        let label = &record["cwe"][0];
        assert_eq!(label["predicted"], true);
        let filled = folder.run(&["enrich", name]).code(0).stdout;
        let number = label["label"].as_str().unwrap().trim_start_matches("CWE-");
        assert!(filled.contains(number), "{name}: {filled}");
        assert!(filled.contains(&label["score"].to_string()), "{name}: {filled}");
    }
}

#[test]
fn exit_codes_tell_what_was_not_filled() {
    let folder = Folder::new();
    folder.file("left.jsonl", "{\"id\":\"X-1\",\"description\":\"SQL injection in a.php\"}\n");
    folder.run(&["enrich", "left.jsonl", "--min-score", "1"]).code(0).says(&["left.jsonl: 0 filled, 1 left"]);
    folder
        .run(&["enrich", "left.jsonl", "--min-score", "1", "--fail-on", "left,bad"])
        .code(7)
        .says(&["there are findings of --fail-on: 1 left"]);
    folder.file("bad.jsonl", "{\"id\":\"X-1\",\"description\":\"SQL injection in a.php\"}\n{\"id\":\n");
    let bad = folder
        .run(&["enrich", "bad.jsonl"])
        .code(4)
        .says(&["bad.jsonl:2: malformed JSON", "1 finding is bad"]);
    assert!(bad.stdout.ends_with("\n{\"id\":\n"), "{}", bad.stdout);
    folder.run(&["enrich", "bad.jsonl", "--fail-on", "bad"]).code(7);
    folder.run(&["enrich", "none.json"]).code(3).says(&["none.json"]);
    folder.file("text.txt", "SQL injection\n");
    folder.run(&["enrich", "text.txt", "-o", "out"]).code(3).says(&["is neither JSON nor a table"]);
    assert!(!folder.path("out").exists());
}

#[test]
fn a_container_can_be_pasted() {
    let folder = Folder::new();
    folder.file("cve.json", fs::read(data("cve.json")).unwrap());
    let outcome = folder.run(&["enrich", "cve.json", "--container"]).code(0);
    let container: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(container["problemTypes"][0]["descriptions"][0]["cweId"], "CWE-89");
    assert!(container.get("providerMetadata").is_none());
}
