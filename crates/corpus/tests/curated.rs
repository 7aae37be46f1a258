//! Techniques that people assigned, from each kind of file into the rows. All CVEs of the fixtures are made up.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use vulnlens_corpus::{
    BuildOptions, BuildReport, CorpusError, CuratedReport, DataRow, DatasetReader, LeftOut, SplitOptions,
    build, resplit,
};
use vulnlens_taxonomy::{KnowledgeBase, Role};

const RECORDS: &str = r#"{"id":"CVE-2020-90001","description":"Flaw in A","cwes":["CWE-79"]}
{"id":"CVE-2020-90002","description":"Flaw in B","cwes":["CWE-20"]}
{"id":"CVE-2020-90003","description":"Flaw in C","cwes":[]}
"#;

/// Misspelt ids (T11190, TT1565, T880, full stops), a revoked one (T1086), ids of mobile devices (T1404) and ICS
/// (T0803), an unknown and an unreadable one, a row without a technique, one without a CVE and one with a field too
/// many.
const TABLE: &str =
    "\u{feff}CVE ID,Primary Impact,Secondary Impact,Exploitation Technique,Uncategorized,Phase
CVE-2020-90001,T1059.007,T1005; TT1565,T11190. T1078 ,,Phase 2
CVE-2020-90002,,,,T1086; T1404; T0803; T880; T9999; T1?; T1036.005.,Phase 1
CVE-2020-90002,,,,T1086,Phase 1
CVE-2020-90009,T1005,,,,Phase 1
CVE-2020-90003,,,,,Phase 2
CVE-20-1,T1005,,,,Phase 1
CVE-2020-90003,T1005,,,,Phase 1,more
";

const MAPPINGS: &str = r#"{"metadata":{"mapping_framework":"kev","attack_version":"16.1"},"mapping_objects":[
{"capability_id":"CVE-2020-90001","mapping_type":"exploitation_technique","attack_object_id":"T1190","comments":" Sent to the server. "},
{"capability_id":"CVE-2020-90001","mapping_type":"secondary_impact","attack_object_id":"T1486"},
{"capability_id":"CVE-2020-90003","mapping_type":null,"attack_object_id":null,"status":"non_mappable"},
{"capability_id":"AC-2","mapping_type":"mitigates","attack_object_id":"T1078"},
{"capability_id":["CVE-2020-90001"]}]}"#;

const LINES: &str = r#"{"cve":"CVE-2020-90003","technique":"T1068","source":"reports","kind":"procedure","text":"A driver was abused.","attack_version":"18.1","licence":"MIT"}
{"cve":"CVE-2020-90003","technique":"T1190","role":"exploitation","source":"rules","kind":"detection","text":null,"attack_version":null,"licence":"DRL-1.1"}
{"cve":"CVE-2020-90003","technique":"T1078","source":"rules","kind":"detection","text":"x"}
{"cve":"CVE-2020-90003","technique":"T1078","role":"first","source":"rules","kind":"detection","licence":"MIT"}
{"cve":"CVE-2020-90003","technique":"T1078","source":"rules","licence":"MIT"}
{"cve":"CVE-2020-90003"
"#;

struct Fixture(tempfile::TempDir);

impl Fixture {
    fn new() -> Self {
        let fixture = Self(tempfile::tempdir().unwrap());
        let files = [
            ("records.jsonl", RECORDS),
            ("table.csv", TABLE),
            ("mappings.json", MAPPINGS),
            ("pairs.jsonl", LINES),
        ];
        for (name, text) in files {
            fs::write(fixture.path(name), text).unwrap();
        }
        fixture
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn try_build(&self, curated: &[PathBuf], threads: usize) -> Result<BuildReport, CorpusError> {
        let options = BuildOptions { curated: curated.to_vec(), threads, ..BuildOptions::default() };
        let (sources, out) = ([self.path("records.jsonl")], self.path("data.parquet"));
        build(&sources, &KnowledgeBase::embedded(), &out, &options, &mut |_| ())
    }

    fn build(&self, names: &[&str]) -> BuildReport {
        self.try_build(&names.iter().map(|name| self.path(name)).collect::<Vec<_>>(), 2).unwrap()
    }
}

fn rows(path: &Path) -> Vec<DataRow> {
    DatasetReader::open(path).unwrap().rows().unwrap().collect::<Result<_, _>>().unwrap()
}

/// The pairs of a row in a few words each.
fn shown(row: &DataRow) -> Vec<String> {
    let pair = |pair: &vulnlens_corpus::CuratedPair| {
        let source = &pair.source;
        let origin = [&source.name, &source.kind, &source.licence].map(String::as_str).join(" ");
        let reason = pair.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{} {} ({origin}){reason}", pair.technique, pair.role)
    };
    row.curated.iter().map(pair).collect()
}

fn left_out(report: &CuratedReport, reason: LeftOut) -> Vec<(&str, u64)> {
    let ids = report.left_out.get(&reason).into_iter().flatten();
    ids.map(|(id, pairs)| (id.as_str(), *pairs)).collect()
}

#[test]
fn a_table_loses_no_id_for_another() {
    let fixture = Fixture::new();
    let report = fixture.build(&["table.csv"]);
    let rows = rows(&fixture.path("data.parquet"));
    assert_eq!(
        shown(&rows[0]),
        [
            "T1005 secondary-impact (ctid-cve-phase-2 mapping Apache-2.0)",
            "T1059.007 primary-impact (ctid-cve-phase-2 mapping Apache-2.0)",
            "T1078 exploitation (ctid-cve-phase-2 mapping Apache-2.0)",
            "T1190 exploitation (ctid-cve-phase-2 mapping Apache-2.0)",
            "T1565 secondary-impact (ctid-cve-phase-2 mapping Apache-2.0)",
        ]
    );
    assert_eq!(
        shown(&rows[1]),
        [
            "T1036.005 uncategorised (ctid-cve-phase-1 mapping Apache-2.0)",
            "T1059.001 uncategorised (ctid-cve-phase-1 mapping Apache-2.0)"
        ]
    );
    assert_eq!(shown(&rows[2]), [""; 0]);

    let curated = report.curated.as_ref().unwrap();
    assert_eq!((curated.pairs, curated.rows, curated.duplicates, curated.without_technique), (7, 2, 1, 1));
    assert_eq!((curated.cves, curated.cves_without_text), (4, 1));
    let mended = curated.mended.iter().map(|(written, read)| (written.as_str(), read.technique.to_string()));
    let want = [("T1036.005.", "T1036.005"), ("T11190.", "T1190"), ("T880", "T0880"), ("TT1565", "T1565")];
    assert_eq!(mended.collect::<Vec<_>>(), want.map(|(written, read)| (written, read.to_owned())));
    let revoked =
        curated.revoked.iter().map(|(id, now)| (id.to_string(), now.technique.to_string(), now.pairs));
    assert_eq!(revoked.collect::<Vec<_>>(), [("T1086".to_owned(), "T1059.001".to_owned(), 2)]);
    for (reason, ids) in [
        (LeftOut::Mobile, &[("T1404", 1)][..]),
        (LeftOut::Ics, &[("T0803", 1), ("T880", 1)]),
        (LeftOut::Unknown, &[("T9999", 1)]),
        (LeftOut::Unreadable, &[("T1?", 1)]),
        (LeftOut::Withdrawn, &[]),
    ] {
        assert_eq!(left_out(curated, reason), ids, "{reason:?}");
    }
    assert_eq!((report.sources[1].records, report.sources[1].bad_records), (5, 2));
    let bad = &report.first_bad_records;
    assert!(bad[0].contains("table.csv:7: field CVE ID is \"CVE-20-1\""), "{bad:?}");
    assert!(bad[1].contains("table.csv:8: 7 fields where the header has 6"), "{bad:?}");
}

#[test]
fn a_deprecated_technique_is_left_out() {
    let kb = KnowledgeBase::embedded();
    let is_withdrawn = |t: &&vulnlens_taxonomy::Technique| {
        t.deprecated && t.revoked_by.is_none() && t.domain == vulnlens_taxonomy::Domain::Enterprise
    };
    let withdrawn = kb.techniques().find(is_withdrawn).unwrap().id.to_string();
    let fixture = Fixture::new();
    let line = r#"{"cve":"CVE-2020-90001","technique":"ID","source":"s","kind":"label","licence":"MIT"}"#;
    fs::write(fixture.path("pairs.jsonl"), line.replace("ID", &withdrawn)).unwrap();
    let report = fixture.build(&["pairs.jsonl"]).curated.unwrap();
    assert_eq!((report.pairs, left_out(&report, LeftOut::Withdrawn)), (0, vec![(withdrawn.as_str(), 1)]));
}

#[test]
fn mappings_keep_their_reasons() {
    let fixture = Fixture::new();
    let report = fixture.build(&["mappings.json"]);
    let rows = rows(&fixture.path("data.parquet"));
    assert_eq!(
        shown(&rows[0]),
        [
            "T1190 exploitation (ctid-kev mapping Apache-2.0): Sent to the server.",
            "T1486 secondary-impact (ctid-kev mapping Apache-2.0)"
        ]
    );
    let curated = report.curated.as_ref().unwrap();
    assert_eq!((curated.pairs, curated.cves, curated.without_technique), (2, 2, 1));
    let bad = &report.first_bad_records;
    assert!(bad[0].contains("mappings.json: record 4: field capability_id is \"AC-2\""), "{bad:?}");
    assert_eq!((bad.len(), report.bad_records()), (2, 2));
}

#[test]
fn lines_without_a_licence_are_left_out() {
    let fixture = Fixture::new();
    let report = fixture.build(&["pairs.jsonl"]);
    let rows = rows(&fixture.path("data.parquet"));
    assert_eq!(
        shown(&rows[2]),
        [
            "T1068 uncategorised (reports procedure MIT): A driver was abused.",
            "T1190 exploitation (rules detection DRL-1.1)"
        ]
    );
    let curated = report.curated.unwrap();
    assert_eq!((curated.without_licence, curated.pairs), (1, 2));
    let by_source: Vec<_> = curated.by_source.iter().map(|(name, pairs)| (name.as_str(), *pairs)).collect();
    assert_eq!(by_source, [("reports", 1), ("rules", 1)]);
    let bad = report.first_bad_records;
    for (at, part) in
        ["pairs.jsonl:4: field role is \"first\"", "pairs.jsonl:5: field kind is missing", "pairs.jsonl:6: "]
            .into_iter()
            .enumerate()
    {
        assert!(bad[at].contains(part), "{bad:?}");
    }
}

#[test]
fn sources_keep_a_pair_each_and_a_new_division_keeps_all() {
    let fixture = Fixture::new();
    let names = ["table.csv", "mappings.json", "pairs.jsonl"];
    let paths = names.map(|name| fixture.path(name));
    fixture.try_build(&paths, 1).unwrap();
    let (data, again) = (fixture.path("data.parquet"), fixture.path("again.parquet"));
    let one_thread = fs::read(&data).unwrap();
    fixture.try_build(&paths, 3).unwrap();
    assert_eq!(fs::read(&data).unwrap(), one_thread, "threads change nothing");

    let row = rows(&data).remove(0);
    let exploited = row.curated.iter().filter(|pair| pair.technique.to_string() == "T1190");
    let sources: Vec<_> = exploited.map(|pair| (pair.role, pair.source.name.as_str())).collect();
    assert_eq!(sources, [(Role::Exploitation, "ctid-cve-phase-2"), (Role::Exploitation, "ctid-kev")]);

    let splits = SplitOptions { seed: 7, ..SplitOptions::default() };
    resplit(&data, &again, &splits).unwrap();
    for (before, after) in rows(&data).iter().zip(rows(&again)) {
        assert_eq!(before.curated, after.curated);
    }
}

/// Writes a data set without the column of pairs, as the layout before had none.
fn without_pairs(from: &Path, to: &Path) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(from).unwrap()).unwrap();
    let batches: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();
    let columns = batches[0].schema().fields().len();
    let pairs = batches[0].schema().index_of("curated").unwrap();
    let others: Vec<usize> = (0..columns).filter(|column| *column != pairs).collect();
    let batches: Vec<_> = batches.iter().map(|batch| batch.project(&others).unwrap()).collect();
    let file = fs::File::create(to).unwrap();
    let mut writer = ArrowWriter::try_new(file, batches[0].schema(), None).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.close().unwrap();
}

#[test]
fn a_data_set_without_the_column_is_read() {
    let fixture = Fixture::new();
    assert_eq!(fixture.build(&[]).curated, None);
    let [data, old, new] = ["data.parquet", "old.parquet", "new.parquet"].map(|name| fixture.path(name));
    without_pairs(&data, &old);
    assert_eq!(rows(&old), rows(&data));
    resplit(&old, &new, &SplitOptions::default()).unwrap();
    assert_eq!(rows(&new), rows(&data));
}

#[test]
fn a_file_of_something_else_is_refused() {
    let fixture = Fixture::new();
    for (name, text, part) in [
        ("notes.txt", "T1190 exploits CVE-2020-90001\n", "is not a file of curated pairs; give JSON Lines"),
        ("other.json", "{\"a\": 1}", "is neither a document of the Mappings Explorer"),
        (
            "table.csv",
            "CVE ID,Notes\nCVE-2020-90001,x\n",
            "has no column Exploitation Technique, Primary Impact",
        ),
    ] {
        fs::write(fixture.path(name), text).unwrap();
        let error = fixture.try_build(&[fixture.path(name)], 1).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn real_files_are_read_whole() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !data.is_dir() {
        eprintln!("skipped: {} is absent", data.display());
        return;
    }
    let [table, kev, pairs] =
        ["ctid/attack_to_cve.csv", "ctid/kev-07.28.2025_attack-16.1-enterprise.json", "curated/pairs.jsonl"]
            .map(|name| data.join(name));
    let fixture = Fixture::new();
    let cves = |files: &[&PathBuf]| {
        let files: Vec<PathBuf> = files.iter().map(|file| (*file).clone()).collect();
        let report = fixture.try_build(&files, 2).unwrap();
        assert_eq!(report.bad_records(), 0);
        let curated = report.curated.unwrap();
        assert_eq!(left_out(&curated, LeftOut::Unreadable), []);
        assert_eq!(left_out(&curated, LeftOut::Unknown), []);
        let records: u64 = report.sources.iter().skip(1).map(|source| source.records).sum();
        (records, curated)
    };
    // Three CVEs have two rows each in the table.
    let (rows, of_table) = cves(&[&table]);
    assert_eq!((rows, of_table.cves, of_table.without_technique), (701, 698, 8));
    let count = |reason| left_out(&of_table, reason).iter().map(|(_, pairs)| pairs).sum::<u64>();
    assert_eq!([LeftOut::Ics, LeftOut::Mobile, LeftOut::Withdrawn].map(count), [21, 16, 0]);
    let mended: BTreeMap<_, _> = of_table.mended.iter().map(|(id, read)| (id.as_str(), read.pairs)).collect();
    assert_eq!((mended["T11190"], mended["TT1565"]), (1, 1));
    let without_zero = ["T828", "T842", "T855", "T873", "T880"].map(|id| mended[id]);
    assert_eq!(without_zero.iter().sum::<u64>(), 9);
    assert_eq!(of_table.revoked.values().map(|read| read.pairs).sum::<u64>(), 2);

    let (mappings, of_kev) = cves(&[&kev]);
    assert_eq!((mappings, of_kev.cves, of_kev.left_out.len()), (979, 343, 0));
    let (lines, of_pairs) = cves(&[&pairs]);
    assert_eq!((lines, of_pairs.cves, of_pairs.without_licence), (923, 576, 0));
    assert_eq!(cves(&[&table, &kev]).1.cves, 1017);
    assert_eq!(cves(&[&table, &kev, &pairs]).1.cves, 1410);
}
