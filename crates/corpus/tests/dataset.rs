//! Building the data set, reading it back, its statistics and dividing it anew. All records are made up.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use vulnlens_corpus::{
    BuildOptions, BuildReport, CorpusError, DataRow, DatasetReader, Input, Part, Progress, SplitOptions,
    build, resplit, sources, stats,
};
use vulnlens_taxonomy::attack::AttackCatalog;
use vulnlens_taxonomy::capec::CapecCatalog;
use vulnlens_taxonomy::cwe::CweCatalog;
use vulnlens_taxonomy::{
    Abstraction, AttackPattern, CapecId, CweId, KnowledgeBase, KnowledgeBaseBuilder, Nature,
    PatternAbstraction, Relation, Status, Usage, Weakness,
};

/// CWE-79 under CWE-74, which CAPEC-63 exploits, which is T1027; CWE-20 alone.
fn knowledge_base() -> KnowledgeBase {
    let weakness = |id, parent: Option<u32>, capecs: &[u32]| Weakness {
        id: CweId(id),
        name: format!("Weakness {id}"),
        abstraction: Abstraction::Base,
        status: Status::Stable,
        usage: Usage::Allowed,
        relations: parent
            .map(|parent| Relation {
                nature: Nature::ChildOf,
                target: CweId(parent),
                view: 1000,
                primary: true,
            })
            .into_iter()
            .collect(),
        capecs: capecs.iter().map(|id| CapecId(*id)).collect(),
    };
    let pattern = AttackPattern {
        id: CapecId(63),
        name: "Pattern 63".to_owned(),
        abstraction: PatternAbstraction::Standard,
        status: Status::Stable,
        parents: Vec::new(),
        cwes: Vec::new(),
        techniques: vec!["T1027".parse().unwrap()],
    };
    let cwe = CweCatalog {
        version: Some("9.1".to_owned()),
        weaknesses: vec![weakness(20, None, &[]), weakness(74, None, &[63]), weakness(79, Some(74), &[])],
        ..CweCatalog::default()
    };
    let capec =
        CapecCatalog { version: Some("9.2".to_owned()), patterns: vec![pattern], ..CapecCatalog::default() };
    let builder = KnowledgeBaseBuilder::new().cwe(cwe).capec(capec);
    builder.attack(AttackCatalog::default()).attack_version("9.3").build().unwrap()
}

/// A folder with two sources: a feed's worth of table rows that share texts, and a record of the CVE list.
struct Fixture {
    folder: tempfile::TempDir,
    sources: Vec<PathBuf>,
}

const ROWS: &str = r#"{"id":"CVE-2020-10000","published":"2020-01-02","description":"Flaw  in A","cwes":["CWE-79"]}
{"id":"CVE-2020-9999","description":"Flaw in B","cwes":["CWE-99999"]}
{"id":"CVE-2025-0001","description":"flaw in a","cwes":["CWE-20"]}
{"id":"CVE-2024-0001","description":"Flaw in C","cwes":[]}
{"id":"CVE-2025-0002","description":"Flaw in D","cwes":["CWE-junk"]}
{"id":"CVE-2025-0002","description":"Flaw in D again","cwes":["CWE-20"]}
{"id":"CVE-2019-0001","description":"** REJECT ** no","cwes":[]}
{"id":"CVE-2018-0001","description":"","cwes":["CWE-20"]}
{"id":"CVE-2017-0001","description":
"#;

const LIST: &str = r#"{"cveMetadata":{"cveId":"CVE-2024-0001","state":"PUBLISHED","dateUpdated":"2024-12-01T00:00:00Z"},
"containers":{"cna":{"descriptions":[{"lang":"en","value":"Other text"}],"problemTypes":[{"descriptions":[{"cweId":"CWE-79"}]}]},
"adp":[{"problemTypes":[{"descriptions":[{"cweId":"CWE-20"},{"cweId":"CWE-79"}]}]}]}}"#;

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sources = [("rows.jsonl", ROWS), ("CVE-2024-0001.json", LIST)].map(|(name, text)| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        });
        Self { folder, sources: sources.to_vec() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn build(&self, name: &str, threads: usize) -> BuildReport {
        let options = BuildOptions { threads, ..BuildOptions::default() };
        build(&self.sources, &knowledge_base(), &self.path(name), &options, &mut |_| ()).unwrap()
    }
}

fn rows(path: &Path) -> Vec<DataRow> {
    DatasetReader::open(path).unwrap().rows().unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn rows_are_merged_labelled_and_sorted() {
    let fixture = Fixture::new();
    fixture.build("data.parquet", 2);
    let reader = DatasetReader::open(&fixture.path("data.parquet")).unwrap();
    let rows: Vec<_> = reader.labelled_rows().unwrap().map(Result::unwrap).collect();
    let ids: Vec<_> = rows.iter().map(|(row, _)| row.name.as_str()).collect();
    assert_eq!(ids, ["CVE-2020-9999", "CVE-2020-10000", "CVE-2024-0001", "CVE-2025-0001", "CVE-2025-0002"]);

    let (first, labels) = &rows[1];
    assert_eq!((first.text.as_str(), first.year()), ("Flaw  in A", Some(2020)));
    assert_eq!(labels.cwe, [CweId(74), CweId(79)]);
    assert_eq!((labels.capec.as_slice(), labels.techniques.len()), ([CapecId(63)].as_slice(), 1));

    let (merged, _) = &rows[2];
    assert_eq!(merged.text, "Flaw in C", "the first source that has a text gives it");
    assert_eq!(merged.cwes, [CweId(20), CweId(79)], "the CNA's and the ADP's");
    assert_eq!(rows[4].0.text, "Flaw in D");
    assert_eq!(reader.metadata()["vulnlens.knowledge_base"], "cwe-9.1 capec-9.2 attack-9.3");
    assert_eq!(reader.metadata()["vulnlens.seed"], "42");
}

#[test]
fn the_report_counts_what_was_left_out() {
    let fixture = Fixture::new();
    let report = fixture.build("data.parquet", 2);
    let table = &report.sources[0];
    assert_eq!((table.records, table.rejected, table.without_description), (8, 1, 1));
    assert_eq!((table.duplicates, table.bad_records), (1, 1));
    assert_eq!(
        (report.rows, report.labelled_rows, report.rejected, report.without_description),
        (5, 5, 1, 1)
    );
    assert_eq!(report.rows_sharing_text, 2);
    assert_eq!(report.unknown_cwes.into_iter().collect::<Vec<_>>(), [(CweId(99_999), 1)]);
    assert_eq!(report.unreadable_cwes.into_iter().collect::<Vec<_>>(), [("CWE-junk".to_owned(), 1)]);
    assert!(
        report.first_bad_records[0].contains("rows.jsonl:9: malformed JSON"),
        "{:?}",
        report.first_bad_records
    );
}

#[test]
fn a_group_is_never_split() {
    let fixture = Fixture::new();
    fixture.build("data.parquet", 1);
    let rows = rows(&fixture.path("data.parquet"));
    let [old, new] = [&rows[1], &rows[3]];
    assert_eq!((old.group, old.random), (new.group, new.random));
    assert_eq!((old.temporal, new.temporal), (Part::Train, Part::Train), "the text was known in 2020");
    assert_eq!((rows[2].temporal, rows[4].temporal), (Part::Validation, Part::Test));
}

#[test]
fn the_file_is_the_same_for_any_number_of_threads() {
    let fixture = Fixture::new();
    fixture.build("one.parquet", 1);
    fixture.build("three.parquet", 3);
    assert_eq!(
        fs::read(fixture.path("one.parquet")).unwrap(),
        fs::read(fixture.path("three.parquet")).unwrap()
    );
}

#[test]
fn a_failed_build_leaves_nothing_behind() {
    let mut fixture = Fixture::new();
    fixture.sources.push(fixture.path("absent.json"));
    let out = fixture.path("data.parquet");
    let result = build(&fixture.sources, &knowledge_base(), &out, &BuildOptions::default(), &mut |_| ());
    assert!(matches!(result, Err(CorpusError::Open { .. })));
    assert_eq!(fs::read_dir(fixture.folder.path()).unwrap().count(), 2, "the two sources alone");
}

#[test]
fn progress_counts_the_bytes_of_the_sources() {
    let fixture = Fixture::new();
    let record =
        |number: u32| format!("{{\"id\":\"CVE-2020-{number:04}\",\"description\":\"Flaw {number}\"}}\n");
    let text: String = (1..2000).map(record).collect();
    let source = fixture.path("rows.jsonl");
    fs::write(&source, &text).unwrap();
    let mut last = None;
    let mut progress = |progress| {
        if let Progress::Read { records, bytes, total } = progress {
            last = Some((records, bytes, total));
        }
    };
    let out = fixture.path("rows.parquet");
    build(&[source], &knowledge_base(), &out, &BuildOptions::default(), &mut progress).unwrap();
    assert_eq!(last, Some((1999, text.len() as u64, text.len() as u64)));
}

#[test]
fn sources_without_a_usable_record_keep_the_old_data_set() {
    let fixture = Fixture::new();
    fixture.build("data.parquet", 1);
    let out = fixture.path("data.parquet");
    let before = fs::read(&out).unwrap();
    for (name, text, part) in [
        (
            "header.csv",
            "id,description\n",
            "0 read (0 withdrawn, 0 without an English description), 0 without a CVE id, 0 bad",
        ),
        ("bad.jsonl", "{\"id\":\"x\",\"description\":\"Flaw\"}\n", "1 bad; the first bad one: "),
        (
            "rejected.jsonl",
            "{\"id\":\"CVE-2019-0001\",\"description\":\"** REJECT ** no\"}\n",
            "(1 withdrawn",
        ),
    ] {
        let source = fixture.path(name);
        fs::write(&source, text).unwrap();
        let result = build(&[source], &knowledge_base(), &out, &BuildOptions::default(), &mut |_| ());
        let error = result.unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        let CorpusError::NoRecords { report } = error else { panic!("{error}") };
        assert_eq!(report.first_bad_records.len() as u64, report.bad_records());
        assert!(fs::read(&out).unwrap() == before, "{name}: the old data set is gone");
    }
}

#[cfg(unix)]
#[test]
fn an_output_that_is_no_file_is_refused_and_a_link_stays_a_link() {
    use std::os::unix::fs::{FileTypeExt, symlink};
    use std::os::unix::net::UnixListener;

    let fixture = Fixture::new();
    fixture.build("data.parquet", 1);
    let (socket, folder, link) = (fixture.path("socket"), fixture.path("folder"), fixture.path("link"));
    let _listener = UnixListener::bind(&socket).unwrap();
    fs::create_dir(&folder).unwrap();
    symlink(&socket, &link).unwrap();
    let splits = SplitOptions::default();
    for out in [socket.as_path(), &folder, &link, Path::new("/dev/null")] {
        let built =
            build(&fixture.sources, &knowledge_base(), out, &BuildOptions::default(), &mut |_| ()).map(drop);
        let divided = resplit(&fixture.path("data.parquet"), out, &splits).map(drop);
        for error in [built.unwrap_err(), divided.unwrap_err()] {
            assert!(matches!(error, CorpusError::Write { .. }), "{error}");
            assert!(error.to_string().starts_with(&format!("{}: cannot be written: is a", out.display())));
        }
    }
    assert!(fs::metadata(&link).unwrap().file_type().is_socket());

    let to_file = fixture.path("to_file");
    symlink(fixture.path("data.parquet"), &to_file).unwrap();
    assert_eq!(resplit(&to_file, &to_file, &SplitOptions { seed: 7, ..splits }).unwrap(), 5);
    assert!(to_file.is_symlink());
    let reader = DatasetReader::open(&fixture.path("data.parquet")).unwrap();
    assert_eq!(reader.metadata()["vulnlens.seed"], "7", "the file behind the link is the new one");
}

#[test]
fn a_cve_is_found_by_its_id() {
    let fixture = Fixture::new();
    fixture.build("data.parquet", 1);
    let reader = DatasetReader::open(&fixture.path("data.parquet")).unwrap();
    let find = |id: &str| reader.find(id.parse().unwrap()).unwrap().map(|row| row.text);
    assert_eq!(find("CVE-2024-0001").as_deref(), Some("Flaw in C"));
    assert_eq!(find("CVE-2025-0002").as_deref(), Some("Flaw in D"));
    assert_eq!(find("CVE-2024-9999"), None);
}

#[test]
fn statistics_count_labels_groups_and_conflicts() {
    let fixture = Fixture::new();
    fixture.build("data.parquet", 1);
    let stats = stats(&DatasetReader::open(&fixture.path("data.parquet")).unwrap()).unwrap();
    assert_eq!((stats.rows, stats.by_cve_year[&2025], stats.temporal.train), (5, 2, 3));
    assert_eq!((stats.cwe.rows, stats.cwe.labels[&CweId(20)]), (5, 3));
    assert_eq!((stats.capec.rows, stats.attack.rows, stats.cwe_derived.labels[&CweId(74)]), (2, 2, 2));
    assert_eq!((stats.words.min, stats.words.max), (3, 3));
    assert_eq!((stats.shared_groups, stats.rows_sharing_text, stats.conflicting_groups), (1, 2, 1));
    assert_eq!(stats.conflicts[0].first, "CVE-2020-10000");
    assert_eq!(stats.conflicts[0].other_cwes, [CweId(20)]);
}

#[test]
fn dividing_anew_changes_the_parts_alone() {
    let fixture = Fixture::new();
    fixture.build("data.parquet", 1);
    let (from, to) = (fixture.path("data.parquet"), fixture.path("again.parquet"));
    assert_eq!(resplit(&from, &to, &SplitOptions::default()).unwrap(), 5);
    assert_eq!(fs::read(&from).unwrap(), fs::read(&to).unwrap(), "the same division is the same file");

    let other =
        SplitOptions { seed: 7, train_until: 2019, validation_until: 2020, ..SplitOptions::default() };
    resplit(&from, &to, &other).unwrap();
    let (before, after) = (rows(&from), rows(&to));
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((&before.name, &before.text, &before.cwes), (&after.name, &after.text, &after.cwes));
        assert_ne!(before.group, after.group);
    }
    assert_eq!((after[0].temporal, after[2].temporal), (Part::Validation, Part::Test));
}

#[test]
fn a_data_set_is_an_input_too_and_a_table_is_no_data_set() {
    let fixture = Fixture::new();
    fixture.build("data.parquet", 1);
    let path = fixture.path("data.parquet");
    let options = sources::Options::default();
    let inputs = sources::open(Input::path(&path), &options).unwrap();
    let inputs: Vec<_> = inputs.map(Result::unwrap).collect();
    assert_eq!(
        (inputs[1].id.as_ref().unwrap().as_str(), inputs[1].year(), inputs[1].line()),
        ("CVE-2020-10000", Some(2020), Some(2))
    );

    let bytes = fs::read(&path).unwrap();
    let stream = Input::stream("-", std::io::Cursor::new(bytes));
    assert_eq!(sources::open(stream, &options).unwrap().count(), 5);

    let Err(error) = DatasetReader::open(&fixture.sources[0]) else { panic!("a JSON Lines file was taken") };
    assert!(
        error.to_string().contains("is not a Parquet file; make a data set with `vulnlens data build`"),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_damage_makes_the_parquet_readers_panic(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let fixture = Fixture::new();
        fixture.build("data.parquet", 1);
        let path = fixture.path("data.parquet");
        let mut bytes = fs::read(&path).unwrap();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        fs::write(&path, bytes).unwrap();
        if let Ok(rows) = DatasetReader::open(&path).and_then(|reader| reader.labelled_rows()) {
            prop_assert!(rows.count() <= 1000);
        }
        if let Ok(inputs) = sources::open(Input::path(&path), &sources::Options::default()) {
            prop_assert!(inputs.count() <= 1000);
        }
    }
}
