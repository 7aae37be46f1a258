//! Sources of CVE records: what each gives, and every bad input that the field knows. All records are made up.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use std::io::{Cursor, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use vulnlens_corpus::sources::{self, Needs, Options, expand, open_cve2capec};
use vulnlens_corpus::{CorpusError, Input, Limits, Problem, Record, RecordError, Records};

type Item = Result<Record, RecordError>;

/// Opens a source of a data set.
fn open_source(input: Input, limits: &Limits) -> Result<Records, CorpusError> {
    sources::open(input, &Options { limits: *limits, needs: Needs { cve: true }, ..Options::default() })
}

fn open(name: &str, bytes: &[u8], limits: &Limits) -> Result<Records, CorpusError> {
    open_source(Input::stream(name, Cursor::new(bytes.to_vec())), limits)
}

/// The records, and the format of the first one.
fn formatted(records: Vec<Item>) -> (&'static str, Vec<Item>) {
    (records.iter().flatten().map(|record| record.format).next().unwrap_or_default(), records)
}

fn read(name: &str, bytes: &[u8]) -> (&'static str, Vec<Item>) {
    formatted(open(name, bytes, &Limits::default()).unwrap().collect())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, bytes) in files {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A record as one line: id, publication, text, labels, unreadable labels.
fn shown(record: &Item) -> String {
    let id = |record: &Record| record.id.as_ref().map(ToString::to_string).unwrap_or_default();
    let record = match record {
        Err(error) => return error.to_string(),
        Ok(record) if record.withdrawn => return format!("{} rejected", id(record)),
        Ok(record) => record,
    };
    let labels = record.labels.iter().map(|label| format!("{}:{}", label.assigner.name, label.cwe.0));
    let labels: Vec<_> =
        labels.chain(record.unreadable_labels.iter().map(|label| format!("?{label}"))).collect();
    let date = record.dates.published.day().map(|date| date.to_string()).unwrap_or_default();
    format!("{} {date} {:?} {}", id(record), record.text.as_deref().unwrap_or_default(), labels.join(","))
}

fn feed_item(id: &str, text: &str, cwes: &[&str]) -> String {
    let cwes: Vec<_> = cwes.iter().map(|cwe| serde_json::json!({"lang": "en", "value": cwe})).collect();
    serde_json::json!({
        "cve": {
            "CVE_data_meta": {"ID": id, "ASSIGNER": "nobody@example.com"},
            "problemtype": {"problemtype_data": [{"description": cwes}]},
            "references": {"reference_data": [{"url": "https://example.com/\"]}"}]},
            "description": {"description_data": [{"lang": "fr", "value": "texte"}, {"lang": "en", "value": text}]},
        },
        "configurations": {"nodes": [{"children": [[{}]]}]},
        "publishedDate": "2020-02-03T10:15Z",
        "lastModifiedDate": "2021-01-01T00:00Z",
    })
    .to_string()
}

fn feed(items: &[String]) -> String {
    format!("{{\"CVE_data_type\":\"CVE\",\"CVE_Items\":[{}]}}", items.join(",\n"))
}

#[test]
fn the_yearly_feed() {
    let items = [
        feed_item("CVE-2020-0001", "Flaw \u{e9} \"one\"", &["CWE-79", "NVD-CWE-noinfo", "CWE-99999"]),
        feed_item("CVE-2020-0002", "** REJECT ** not used", &[]),
        r#"{"cve":{"broken": tru}}"#.to_owned(),
        feed_item("CVE-20-1", "no id", &[]),
        feed_item("CVE-2020-0005", " ", &["NVD-CWE-Other", "CWE-oops"]),
    ];
    let want = [
        "CVE-2020-0001 2020-02-03 \"Flaw é \\\"one\\\"\" nvd:79,nvd:99999",
        "CVE-2020-0002 rejected",
        "feed.json: record 3: malformed JSON",
        "feed.json: record 4: field ID is \"CVE-20-1\"; expected a CVE id such as CVE-2021-44228",
        "CVE-2020-0005 2020-02-03 \"\" ?CWE-oops",
    ];
    for (name, bytes) in
        [("feed.json", feed(&items).into_bytes()), ("feed.json", gzip(feed(&items).as_bytes()))]
    {
        let (kind, records) = read(name, &bytes);
        assert_eq!((kind, records.len()), ("nvd-feed", want.len()));
        for (record, want) in records.iter().zip(want) {
            assert!(shown(record).starts_with(want), "{} is not {want}", shown(record));
        }
    }
}

#[test]
fn a_feed_that_is_cut_or_huge_keeps_its_other_records() {
    let items: Vec<_> = (1..400)
        .map(|n| feed_item(&format!("CVE-2020-{n:04}"), &format!("Flaw {}", n * 7919), &[]))
        .collect();
    let packed = gzip(feed(&items).as_bytes());
    let (_, records) = read("feed.json.gz", &packed[..packed.len() / 2]);
    let (last, kept) = records.split_last().unwrap();
    assert!(kept.len() > 50 && kept.iter().all(Result::is_ok));
    assert_eq!(last.as_ref().unwrap_err().problem, Problem::Truncated);

    let long =
        feed(&[feed_item("CVE-2020-0001", &"x".repeat(9000), &[]), feed_item("CVE-2020-0002", "short", &[])]);
    let limits = Limits { record_bytes: 4000, ..Limits::default() };
    let records: Vec<_> = open("feed.json", long.as_bytes(), &limits).unwrap().collect();
    assert_eq!(records[0].as_ref().unwrap_err().problem, Problem::TooLong(4000));
    assert_eq!(records[1].as_ref().unwrap().cve().unwrap().number(), 2);
}

#[test]
fn the_api_tells_nvd_from_cna_and_adp() {
    let page = serde_json::json!({
        "resultsPerPage": 2, "format": "NVD_CVE", "vulnerabilities": [
            {"cve": {
                "id": "CVE-2024-1000", "published": "2024-03-04T01:02:03.456", "vulnStatus": "Analyzed",
                "descriptions": [{"lang": "es", "value": "fallo"}, {"lang": "en", "value": "Flaw"}],
                "weaknesses": [
                    {"source": "nvd@nist.gov", "type": "Primary", "description": [{"lang": "en", "value": "CWE-787"}]},
                    {"source": "cna@example.com", "type": "Secondary", "description": [{"lang": "en", "value": "CWE-119"}]},
                    {"source": "134c704f-9b21-4f2e-91b3-4a467353bcc0", "description": [{"lang": "en", "value": "CWE-20"}]},
                ]}},
            {"cve": {"id": "CVE-2024-1001", "vulnStatus": "Rejected", "descriptions": []}},
        ]
    });
    let (kind, records) = read("page.json", page.to_string().as_bytes());
    assert_eq!(kind, "nvd-api");
    let shown: Vec<_> = records.iter().map(shown).collect();
    assert_eq!(shown, ["CVE-2024-1000 2024-03-04 \"Flaw\" nvd:787,cna:119,adp:20", "CVE-2024-1001 rejected"]);
}

fn list_record(id: &str, state: &str, lang: &str) -> Vec<u8> {
    serde_json::json!({
        "dataType": "CVE_RECORD",
        "cveMetadata": {"cveId": id, "state": state, "datePublished": "2023-05-06T07:08:09.000Z"},
        "containers": {
            "cna": {
                "title": "Not the text",
                "descriptions": [{"lang": "de", "value": "Fehler"}, {"lang": lang, "value": "Flaw"}],
                "problemTypes": [{"descriptions": [
                    {"lang": "en", "cweId": "CWE-79", "description": "CWE-79 XSS"},
                    {"lang": "en", "description": "CWE-89: SQL injection", "type": "text"},
                    {"lang": "en", "description": "n/a"},
                ]}],
            },
            "adp": [
                {"title": "Somebody"},
                {"title": "Vulnrichment", "problemTypes": [{"descriptions": [{"lang": "en", "cweId": "CWE-20"}]}]},
            ],
        },
    })
    .to_string()
    .into_bytes()
}

#[test]
fn the_cve_list_as_zip_nested_zip_folder_and_single_record() {
    let records = [
        list_record("CVE-2023-0001", "PUBLISHED", "en-US"),
        list_record("CVE-2023-0002", "REJECTED", "en"),
        list_record("CVE-2023-0003", "PUBLISHED", "fr"),
    ];
    let names: Vec<_> = (1..=3).map(|n| format!("cves/2023/0xxx/CVE-2023-000{n}.json")).collect();
    let mut files: Vec<(&str, &[u8])> =
        names.iter().map(String::as_str).zip(records.iter().map(Vec::as_slice)).collect();
    files.push(("cves/delta.json", b"{}"));
    files.push(("cves/2023/0xxx/CVE-2023-0004.json", b"{\"cveMetadata\":"));
    let flat = zip(&files);
    let nested = zip(&[("cves.zip", &flat)]);
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in &files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let from_folder = open_source(Input::path(folder.path()), &Limits::default()).unwrap();
    for (kind, records) in
        [read("list.zip", &flat), read("list.zip", &nested), formatted(from_folder.collect())]
    {
        let is_passed_over = |item: &&Item| item.as_ref().is_err_and(RecordError::is_passed_over);
        assert_eq!(records.iter().filter(is_passed_over).count(), 1, "delta.json alone");
        let records: Vec<_> = records.into_iter().filter(|item| !is_passed_over(&item)).collect();
        assert_eq!(kind, "cve-record");
        let shown: Vec<_> = records.iter().map(shown).collect();
        assert_eq!(shown[0], "CVE-2023-0001 2023-05-06 \"Flaw\" cna:79,cna:89,adp:20");
        assert_eq!(shown[1], "CVE-2023-0002 rejected");
        assert_eq!(shown[2], "CVE-2023-0003 2023-05-06 \"Not the text\" cna:79,cna:89,adp:20");
        assert!(shown[3].contains("CVE-2023-0004.json: malformed JSON"), "{}", shown[3]);
        assert_eq!(shown.len(), 4);
    }
    assert_eq!(read("CVE-2023-0001.json", &records[0]).1.len(), 1);
    assert_eq!(expand(folder.path()).unwrap(), [folder.path().to_owned()], "the list is one source");
}

#[test]
fn an_archive_that_unpacks_to_too_much_is_stopped() {
    let record = list_record("CVE-2023-0001", "PUBLISHED", "en");
    let padded = [record.as_slice(), &vec![b' '; 1 << 20]].concat();
    let archive = zip(&[
        ("CVE-2023-0001.json", &padded),
        ("CVE-2023-0002.json", &padded),
        ("CVE-2023-0003.json", &record),
    ]);
    let read = |limits: Limits| -> Vec<_> { open("list.zip", &archive, &limits).unwrap().collect() };

    let records = read(Limits { entry_bytes: 1 << 16, ..Limits::default() });
    assert_eq!(records[0].as_ref().unwrap_err().problem, Problem::TooLong(1 << 16));
    assert!(records[2].is_ok(), "the small file after the large ones is read");

    let records = read(Limits { ratio_from: 1000, ratio: 100, ..Limits::default() });
    assert_eq!(records.len(), 1);
    assert!(
        records[0]
            .as_ref()
            .unwrap_err()
            .to_string()
            .contains("unpacks to more than 100 times its packed size")
    );

    let nested = zip(&[("cves.zip", &archive)]);
    let limits = Limits { unpacked_bytes: 100, ..Limits::default() };
    let Err(error) = open("list.zip", &nested, &limits) else {
        panic!("the inner zip is larger than allowed")
    };
    assert!(error.to_string().contains("unpacks to more than 100 bytes"), "{error}");
}

#[test]
fn a_table_gives_labels_of_nobody() {
    let csv = "id,published,text,cwes\nCVE-2020-0001,2020-01-02,Flaw,CWE-79;CWE-89\nx,,Flaw,\nCVE-2020-0003,,,\"[\"\"CWE-20\"\"]\"\n";
    let jsonl = r#"{"id":"CVE-2020-0001","published":"2020-01-02","description":"Flaw","cwes":["CWE-79","CWE-89"]}
{"id":"x","description":"Flaw","cwes":null}
{"id":"CVE-2020-0003","text":"","cwes":"CWE-20"}"#;
    for (name, format, text) in [("table.csv", "csv", csv), ("table.jsonl", "json", jsonl)] {
        let (kind, records) = read(name, text.as_bytes());
        assert_eq!(kind, format);
        let shown: Vec<_> = records.iter().map(shown).collect();
        assert_eq!(shown[0], "CVE-2020-0001 2020-01-02 \"Flaw\" given:79,given:89");
        assert!(
            shown[1].ends_with("field id is \"x\"; expected a CVE id such as CVE-2021-44228"),
            "{}",
            shown[1]
        );
        assert_eq!(shown[2], "CVE-2020-0003  \"\" given:20");
    }
}

#[test]
fn what_is_no_source_is_refused_by_name() {
    for (name, bytes, part) in [
        ("a.csv", b"description\nx\n".as_slice(), "a.csv: has no column id; its columns are: description"),
        ("a.html", b"<html>", "is not a source of records"),
        ("a.txt", b"A text", "is not a source of records; known are cve-record"),
        ("a.zip", b"PK\x03\x04 and no more", "is not a readable zip"),
    ] {
        let Err(error) = open(name, bytes, &Limits::default()) else { panic!("{name} was taken") };
        assert!(error.to_string().contains(part), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let opened = open_source(Input::path(folder.path()), &Limits::default()).map(drop);
    for error in [opened.unwrap_err(), expand(folder.path()).unwrap_err()] {
        let want = format!("{}: this folder has no file in it", folder.path().display());
        assert!(error.to_string().starts_with(&want), "{error}");
    }
    let (_, records) = read("page.json", br#"{"resultsPerPage":0,"message":"too many requests"}"#);
    assert_eq!(records[0].as_ref().unwrap_err().problem, Problem::MissingField("vulnerabilities"));
}

/// An OSV record in the form of the GitHub Advisory Database.
fn advisory(id: &str, aliases: &[&str], details: &str) -> serde_json::Value {
    serde_json::json!({
        "schema_version": "1.6.0", "id": id, "aliases": aliases, "published": "2024-03-01T00:00:00Z",
        "modified": "2024-03-02T00:00:00Z", "summary": "Summary", "details": details,
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N"}],
        "affected": [{"package": {"ecosystem": "npm", "name": "larkspur"}, "ranges": []}],
        "database_specific": {"cwe_ids": ["CWE-79", "CWE-x"], "severity": "HIGH"},
    })
}

#[test]
fn osv_records_alone_in_arrays_and_lines() {
    let good = advisory("GHSA-2222-3333-4444", &["PYSEC-2024-1", "CVE-2024-0001"], "Details");
    let brief = advisory("GHSA-3333-4444-5555", &[], " ");
    let damaged = r#"{"schema_version":"1.6.0","id":["GHSA"],"details":"x"}"#;
    let want = [
        "GHSA-2222-3333-4444 2024-03-01 \"Details\" ghsa:79,?CWE-x",
        "malformed JSON: invalid type: sequence, expected a string",
        "GHSA-3333-4444-5555 2024-03-01 \"Summary\" ghsa:79,?CWE-x",
    ];
    let pretty = |value: &serde_json::Value| serde_json::to_string_pretty(value).unwrap();
    for (name, text) in [
        ("osv.ndjson", format!("{good}\n{damaged}\n{brief}\n")),
        ("osv.json", format!("[{},{damaged},{}]", pretty(&good), pretty(&brief))),
        ("answer.json", format!("{{\"vulns\":[{good},\n{damaged},\n{brief}]}}")),
        ("osv.json", format!("{}{damaged}{}", pretty(&good), pretty(&brief))),
    ] {
        let (format, records) = read(name, text.as_bytes());
        assert_eq!((format, records.len()), ("osv", 3), "{text}");
        for (record, want) in records.iter().zip(want) {
            assert!(shown(record).contains(want), "{} is not {want}", shown(record));
        }
        let first = records[0].as_ref().unwrap();
        assert_eq!(first.cve().map(|id| id.to_string()).as_deref(), Some("CVE-2024-0001"));
        assert_eq!(
            (records[2].as_ref().unwrap().cve(), records[2].as_ref().unwrap().year()),
            (None, Some(2024))
        );
    }
    for alone in [good.to_string(), pretty(&good)] {
        let (format, records) = read("GHSA.json", alone.as_bytes());
        assert_eq!((format, shown(&records[0]).as_str()), ("osv", want[0]));
    }
    let mut withdrawn = good;
    withdrawn["withdrawn"] = "2024-04-01T00:00:00Z".into();
    let (_, records) = read("GHSA.json", withdrawn.to_string().as_bytes());
    assert_eq!(shown(&records[0]), "GHSA-2222-3333-4444 rejected");
}

#[test]
fn cve2capec_gives_labels_to_check_against() {
    let lines =
        br#"{"CVE-2020-0001": {"CWE": ["79", "20"], "CAPEC": ["63"], "TECHNIQUES": ["1134.001", "1027"]}}
{"CVE-2020-0002": {"CWE": ["x"]}}
{"CVE-2020-0003": {"CWE": [], "CAPEC": [], "TECHNIQUES": []}}"#;
    let records: Vec<_> =
        open_cve2capec(Input::stream("c.jsonl", lines.as_slice()), &Limits::default()).unwrap().collect();
    let first = &records[0].as_ref().unwrap().labels;
    assert_eq!(first.cwe.iter().map(|id| id.0).collect::<Vec<_>>(), [20, 79]);
    assert_eq!(first.techniques.iter().map(ToString::to_string).collect::<Vec<_>>(), ["T1027", "T1134.001"]);
    assert_eq!(records[1].as_ref().unwrap_err().to_string(), "c.jsonl:2: field CWE is \"x\"; expected an id");
    assert!(records[2].is_ok());
}

#[test]
fn real_sources_read_without_a_bad_record() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !data.is_dir() {
        eprintln!("skipped: {} is absent", data.display());
        return;
    }
    for (file, kind, records) in
        [("nvd/nvdcve-1.1-2003.json.gz", "nvd-feed", 1426), ("cvelist/cvelistV5.zip", "cve-record", 13_342)]
    {
        let source = open_source(Input::path(data.join(file)), &Limits::default()).unwrap();
        let all: Vec<_> = source.collect::<Result<_, _>>().unwrap();
        assert!(all.iter().all(|record| record.format == kind));
        assert_eq!(all.len(), records);
        assert!(all.iter().any(|record| record.labels.iter().any(|label| label.assigner.name != "given")));
    }
    let checks =
        open_cve2capec(Input::path(data.join("cve2capec/CVE-2005.jsonl.gz")), &Limits::default()).unwrap();
    assert!(checks.collect::<Result<Vec<_>, _>>().unwrap().len() > 4000);
}

/// A valid file of each source, to be damaged.
fn whole(number: usize) -> (&'static str, Vec<u8>) {
    let list = list_record("CVE-2023-0001", "PUBLISHED", "en");
    match number {
        0 => ("a.json", feed(&[feed_item("CVE-2020-0001", "Flaw", &["CWE-79"])]).into_bytes()),
        1 => ("a.json", br#"{"vulnerabilities":[{"cve":{"id":"CVE-2020-0001","descriptions":[{"lang":"en","value":"x"}]}}]}"#.to_vec()),
        2 => ("a.json", list),
        3 => ("a.zip", zip(&[("CVE-2023-0001.json", &list)])),
        4 => ("a.json", advisory("GHSA-2222-3333-4444", &["CVE-2024-0001"], "Details").to_string().into_bytes()),
        5 => ("a.csv", b"id,text,cwes\nCVE-2020-0001,Flaw,CWE-79\n".to_vec()),
        _ => ("a.json.gz", gzip(&list)),
    }
}

proptest! {
    #[test]
    fn no_damage_makes_a_source_panic(
        number in 0usize..7,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let (name, mut bytes) = whole(number);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let cut = cut.index(bytes.len() * 2);
        bytes.truncate(cut.max(1));
        let limits = Limits { unpacked_bytes: 1 << 20, ..Limits::default() };
        let records = open(name, &bytes, &limits).map(Iterator::count).unwrap_or_default();
        prop_assert!(records <= bytes.len());
    }
}
