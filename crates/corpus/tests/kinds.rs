//! A data set of all kinds of texts: their rows, and that nothing of one part is told in another. Records are made up.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use vulnlens_corpus::{
    BuildOptions, BuildReport, DataRow, DatasetReader, Part, SplitOptions, TextKind, build, resplit, stats,
};
use vulnlens_taxonomy::{CveId, CweId, KnowledgeBase, Outcome};

const RECORDS: &str = r#"{"id":"CVE-2019-0001","description":"A flaw, unlike CVE-2025-0003","cwes":["CWE-79"]}
{"id":"CVE-2025-0001","description":"Overflow in B","cwes":["CWE-787"]}
{"id":"CVE-2025-0002","description":"Unspecified vulnerability in C","cwes":[]}
{"id":"CVE-2025-0003","description":"Leak in D","cwes":["CWE-200"]}
{"id":"CVE-2025-0004","description":"Unspecified vulnerability in E","cwes":["CWE-20"]}
"#;
const STYLES: &str = r#"{"id":"CVE-2025-0001","published":"2025-02-01","description":"B writes out of bounds.","cwes":["CWE-787"],"source":"redhat"}
{"id":"GHSA-2222-3333-4444","aliases":["CVE-2025-0003","CVE-2024-0009"],"description":"D leaks","cwes":["CWE-200"],"source":"ghsa"}
{"id":"GHSA-2222-3333-5555","published":"2024-05-01","description":"F fails","cwes":["CWE-junk"],"source":"ghsa"}
{"description":"without an id"}
"#;
const NEGATIVES: &str = r#"{"id":"debian:ping","description":"Ping utility"}
{"id":"notes","style":"manual","description":"Release notes; CVE-2024-0009 is not fixed"}
{"id":"debian:empty","description":" "}
"#;
const FEED: &str = r#"{"CVE_data_type":"CVE","CVE_Items":[
{"cve":{"CVE_data_meta":{"ID":"CVE-2025-0002"},"problemtype":{"problemtype_data":[{"description":[{"lang":"en","value":"NVD-CWE-noinfo"}]}]},"description":{"description_data":[{"lang":"en","value":"C"}]}}},
{"cve":{"CVE_data_meta":{"ID":"CVE-2025-0004"},"problemtype":{"problemtype_data":[{"description":[{"lang":"en","value":"NVD-CWE-noinfo"}]}]},"description":{"description_data":[{"lang":"en","value":"E"}]}}},
{"cve":{"CVE_data_meta":{"ID":"CVE-2003-0009"},"problemtype":{"problemtype_data":[{"description":[{"lang":"en","value":"CWE-20"}]}]},"description":{"description_data":[{"lang":"en","value":"G"}]}}}]}"#;
const WEAKNESS: &str = r#"{"ID":"787","Name":"Out-of-bounds Write","Abstraction":"Base","Description":"It writes past the end.",
"AlternateTerms":[{"Term":"Memory Corruption"}],"CommonConsequences":[{"Note":"It may crash."},{"Scope":["Other"]}],
"ObservedExamples":[{"Reference":"CVE-2025-0001","Description":"B wrote past the end."}]}"#;
const PROHIBITED: &str = r#"{"ID":"16","Name":"Configuration","Abstraction":"Base","Description":"Withdrawn.",
"MappingNotes":{"Usage":"Prohibited"}}"#;

struct Fixture(tempfile::TempDir);

impl Fixture {
    fn new() -> Self {
        let fixture = Self(tempfile::tempdir().unwrap());
        let files = [
            ("records.jsonl", RECORDS),
            ("styles.jsonl", STYLES),
            ("negatives.jsonl", NEGATIVES),
            ("nvdcve-1.1-2025.json", FEED),
        ];
        for (name, text) in files {
            fs::write(fixture.path(name), text).unwrap();
        }
        let mut zip = zip::ZipWriter::new(fs::File::create(fixture.path("cwe-api.zip")).unwrap());
        for (name, text) in [("W/787.json", WEAKNESS), ("W/16.json", PROHIBITED), ("C/1.json", "{}")] {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap();
        fixture
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn build(&self, threads: usize) -> BuildReport {
        let options = BuildOptions {
            styles: vec![self.path("styles.jsonl")],
            negatives: vec![self.path("negatives.jsonl")],
            untold: vec![self.path("nvdcve-1.1-2025.json")],
            catalogue: Some(self.path("cwe-api.zip")),
            threads,
            ..BuildOptions::default()
        };
        let sources = [self.path("records.jsonl")];
        let out = self.path("data.parquet");
        build(&sources, &KnowledgeBase::embedded(), &out, &options, &mut |_| ()).unwrap()
    }
}

fn rows(path: &Path) -> Vec<DataRow> {
    DatasetReader::open(path).unwrap().rows().unwrap().collect::<Result<_, _>>().unwrap()
}

/// The CVE ids that a text names: found in another way than the program finds them.
fn named(text: &str) -> Vec<CveId> {
    let upper = text.to_ascii_uppercase();
    let starts = upper.match_indices("CVE-").map(|(at, _)| at);
    let id = |at: usize| {
        let rest = upper.get(at + 4..)?;
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let number = rest.get(5..).map(digits).filter(|length| (4..=7).contains(length))?;
        upper.get(at..at + 9 + number)?.parse().ok()
    };
    starts
        .filter(|at| !upper[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '-'))
        .filter_map(id)
        .collect()
}

/// The rows that stand in another part than an earlier one with the same text, or about or naming the same CVE.
fn crossings(rows: &[DataRow]) -> Vec<String> {
    let mut crossings = Vec::new();
    let mut parts: BTreeMap<String, (Part, Part)> = BTreeMap::new();
    for row in rows {
        let ids = row.cve.iter().chain(&row.aliases).copied().chain(named(&row.text));
        let keys = ids.map(|id| id.to_string()).chain([row.group.to_string()]);
        for key in keys {
            let here = (row.random, row.temporal);
            if *parts.entry(key.clone()).or_insert(here) != here {
                crossings.push(format!("{}: {key}", row.name));
            }
        }
    }
    crossings
}

#[test]
fn texts_of_every_kind_are_rows_after_the_records() {
    let fixture = Fixture::new();
    let report = fixture.build(2);
    let rows = rows(&fixture.path("data.parquet"));
    let names: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.kind, row.style.as_deref())).collect();
    assert_eq!(names.len() as u64, report.rows);
    assert_eq!(
        names[4..10],
        [
            ("CVE-2025-0004", TextKind::Record, None),
            ("CVE-2025-0001", TextKind::Style, Some("redhat")),
            ("GHSA-2222-3333-4444", TextKind::Style, Some("ghsa")),
            ("GHSA-2222-3333-5555", TextKind::Style, Some("ghsa")),
            ("debian:ping", TextKind::Negative, Some("debian")),
            ("notes", TextKind::Negative, Some("manual")),
        ]
    );
    assert!(names[10..].iter().all(|name| *name == ("CWE-787", TextKind::Catalogue, Some("cwe"))));
    let texts: Vec<_> = rows[10..].iter().map(|row| row.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "Out-of-bounds Write: It writes past the end.",
            "Memory Corruption: Out-of-bounds Write",
            "It may crash.",
            "B wrote past the end."
        ]
    );
    assert!(rows[10..].iter().all(|row| row.cwes == [CweId(787)]));
    assert_eq!(rows[13].cve, Some(CveId::new(2025, 1)));
    assert_eq!(rows[6].cve, Some(CveId::new(2025, 3)));
    assert_eq!(rows[6].aliases, [CveId::new(2024, 9)]);
    assert_eq!((rows[7].cve, rows[7].year(), rows[8].year()), (None, Some(2024), None));

    let outcomes: Vec<_> = rows.iter().map(|row| row.outcome).collect();
    assert_eq!(outcomes[2], Some(Outcome::NotTold));
    assert_eq!(outcomes[4], None, "a source assigns a weakness");
    assert_eq!(outcomes[8..10], [Some(Outcome::NotAVulnerability); 2]);
    assert_eq!(outcomes.iter().flatten().count(), 3);

    assert_eq!(report.not_told, 1);
    assert_eq!(report.other_rows.values().copied().collect::<Vec<_>>(), [3, 2, 4]);
    assert_eq!(report.unreadable_cwes.keys().collect::<Vec<_>>(), ["CWE-junk"]);
    let bad = &report.first_bad_records;
    assert!(bad[0].contains("styles.jsonl:4: field id is missing"), "{bad:?}");
    assert!(bad[1].contains("negatives.jsonl:3"), "{bad:?}");
    let stats = stats(&DatasetReader::open(&fixture.path("data.parquet")).unwrap()).unwrap();
    assert_eq!(stats.by_kind.values().copied().collect::<Vec<_>>(), [5, 3, 2, 4]);
    assert_eq!(stats.by_outcome.values().copied().collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn a_record_is_found_where_another_text_is_about_its_cve() {
    let fixture = Fixture::new();
    fixture.build(1);
    let reader = DatasetReader::open(&fixture.path("data.parquet")).unwrap();
    let find = |id| reader.find(id).unwrap().map(|row| row.text);
    assert_eq!(find(CveId::new(2025, 1)).as_deref(), Some("Overflow in B"));
    assert_eq!(find(CveId::new(2024, 9)), None);
}

#[test]
fn nothing_of_one_part_is_told_in_another() {
    let fixture = Fixture::new();
    fixture.build(1);
    let (from, to) = (fixture.path("data.parquet"), fixture.path("again.parquet"));
    let before = rows(&from);
    assert_eq!(crossings(&before), [""; 0]);
    let temporal = |row: usize| before[row].temporal;
    // CVE-2019-0001 names CVE-2025-0003, of which an advisory has the alias that a negative names.
    assert_eq!([0, 3, 6, 9].map(temporal), [Part::Train; 4]);
    // The record, its other style and the example in the catalogue.
    assert_eq!([1, 5, 13].map(temporal), [Part::Test; 3]);
    assert_eq!((temporal(7), temporal(10)), (Part::Validation, Part::Train));
    assert_eq!([2, 8].map(temporal), [2, 8].map(|row| before[row].random));

    assert_eq!(resplit(&from, &to, &SplitOptions::default()).unwrap(), before.len() as u64);
    assert_eq!(fs::read(&from).unwrap(), fs::read(&to).unwrap(), "the same division is the same file");
    for seed in 0..8 {
        resplit(&from, &to, &SplitOptions { seed, ..SplitOptions::default() }).unwrap();
        assert_eq!(crossings(&rows(&to)), [""; 0], "seed {seed}");
    }
}

/// Slow; run it with `--ignored` after a change of the splits.
#[test]
#[ignore = "reads the whole corpus"]
fn nothing_of_the_real_corpus_crosses() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !data.is_dir() {
        eprintln!("skipped: {} is absent", data.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("data.parquet");
    let options = BuildOptions {
        styles: vec![data.join("styles.jsonl.gz")],
        negatives: vec![data.join("negatives.jsonl.gz")],
        untold: vec![data.join("nvd")],
        catalogue: Some(data.join("cwe/cwe-4.19.1-api.zip")),
        ..BuildOptions::default()
    };
    let sources = [data.join("corpus-2026-11.jsonl.gz")];
    build(&sources, &KnowledgeBase::embedded(), &out, &options, &mut |_| ()).unwrap();
    let crossings = crossings(&rows(&out));
    assert!(crossings.is_empty(), "{} crossings: {:?}", crossings.len(), crossings.get(..20));
}
