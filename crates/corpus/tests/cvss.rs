//! Base vectors of CVSS, from the records of NVD and the CVE list into the rows. All CVEs of the fixtures are made up.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use std::fs;
use std::path::PathBuf;

use vulnlens_corpus::{BuildOptions, BuildReport, DataRow, DatasetReader, SplitOptions, build, resplit};
use vulnlens_taxonomy::{BaseVector, KnowledgeBase};

const RECORDS: &str = r#"{"id":"CVE-2020-90001","description":"Flaw in A","cwes":["CWE-79"]}
{"id":"CVE-2020-90002","description":"Flaw in B","cwes":["CWE-20"]}
{"id":"CVE-2020-90003","description":"Flaw in C","cwes":[]}
{"id":"CVE-2020-90004","description":"Flaw in D","cwes":[]}
"#;

const BY_NVD: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
const BY_CNA: &str = "CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N";
const BY_ADP: &str = "CVSS:3.1/AV:A/AC:L/PR:H/UI:N/S:C/C:N/I:N/A:L";

/// The feed rates the first CVE, and has a text in the place of a vector of the fourth.
fn feed() -> String {
    let item = |id: &str, vector: &str| {
        format!(
            r#"{{"cve":{{"CVE_data_meta":{{"ID":"{id}"}},"description":{{"description_data":[{{"lang":"en","value":"Flaw"}}]}}}},
            "impact":{{"baseMetricV3":{{"cvssV3":{{"vectorString":"{vector}"}}}}}}}}"#
        )
    };
    let items = [
        item("CVE-2020-90001", &BY_NVD.replace("3.1", "3.0")),
        item("CVE-2020-90004", "CVSS:3.1/AV:N/AC:L"),
        r#"{"cve":{"CVE_data_meta":{"ID":"CVE-2020-90003"}},"impact":{}}"#.to_owned(),
    ];
    format!(r#"{{"CVE_data_type":"CVE","CVE_Items":[{}]}}"#, items.join(","))
}

/// A record of the CVE list that a CNA and an ADP rated, or one of them.
fn record(id: &str, cna: Option<&str>, adp: Option<&str>) -> String {
    let container = |vector: Option<&str>| {
        let metric = vector.map(|vector| format!(r#"{{"cvssV3_1":{{"vectorString":"{vector}"}}}},"#));
        let of_version_2 = r#"{"cvssV2_0":{"vectorString":"AV:N/AC:L/Au:N/C:P/I:P/A:P"}}"#;
        format!(r#"{{"metrics":[{}{of_version_2}]}}"#, metric.unwrap_or_default())
    };
    format!(
        r#"{{"cveMetadata":{{"cveId":"{id}","state":"PUBLISHED"}},"containers":{{"cna":{},"adp":[{}]}}}}"#,
        container(cna),
        container(adp)
    )
}

struct Fixture(tempfile::TempDir);

impl Fixture {
    fn new() -> Self {
        let fixture = Self(tempfile::tempdir().unwrap());
        fs::create_dir(fixture.path("list")).unwrap();
        for (name, text) in [
            ("records.jsonl", RECORDS.to_owned()),
            ("nvdcve-1.1-2020.json", feed()),
            ("list/CVE-2020-90001.json", record("CVE-2020-90001", Some(BY_CNA), Some(BY_ADP))),
            ("list/CVE-2020-90002.json", record("CVE-2020-90002", Some(BY_CNA), Some(BY_ADP))),
            ("list/CVE-2020-90003.json", record("CVE-2020-90003", None, Some(BY_ADP))),
            ("list/CVE-2020-90009.json", record("CVE-2020-90009", Some(BY_CNA), None)),
        ] {
            fs::write(fixture.path(name), text).unwrap();
        }
        fixture
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn build(&self, cvss: &[&str], threads: usize) -> BuildReport {
        let cvss = cvss.iter().map(|name| self.path(name)).collect();
        let options = BuildOptions { cvss, threads, ..BuildOptions::default() };
        let (sources, out) = ([self.path("records.jsonl")], self.path("data.parquet"));
        build(&sources, &KnowledgeBase::embedded(), &out, &options, &mut |_| ()).unwrap()
    }

    fn rows(&self, name: &str) -> Vec<DataRow> {
        DatasetReader::open(&self.path(name)).unwrap().rows().unwrap().collect::<Result<_, _>>().unwrap()
    }
}

fn rated(vector: &str, source: &str) -> (Option<BaseVector>, Option<String>) {
    (Some(vector.parse().unwrap()), Some(source.to_owned()))
}

#[test]
fn nvds_vector_counts_before_the_cnas_before_the_adps() {
    let fixture = Fixture::new();
    let want = [rated(BY_NVD, "nvd"), rated(BY_CNA, "cna"), rated(BY_ADP, "adp"), (None, None)];
    // The order of the sources and the number of threads change nothing.
    for (sources, threads) in [(["nvdcve-1.1-2020.json", "list"], 1), (["list", "nvdcve-1.1-2020.json"], 3)] {
        let report = fixture.build(&sources, threads);
        let rows = fixture.rows("data.parquet");
        let found: Vec<_> = rows.iter().map(|row| (row.cvss, row.cvss_source.clone())).collect();
        assert_eq!(found, want);
        let cvss = report.cvss.unwrap();
        assert_eq!((cvss.cves, cvss.rows), (4, 3));
        assert_eq!(
            cvss.by_source.into_iter().collect::<Vec<_>>(),
            [("adp", 1), ("cna", 1), ("nvd", 1)].map(|(n, c)| (n.to_owned(), c))
        );
        assert_eq!(cvss.unreadable.into_iter().collect::<Vec<_>>(), [("CVSS:3.1/AV:N/AC:L".to_owned(), 1)]);
        assert_eq!(report.rows, 4, "sources of vectors are no sources of records");
    }
}

#[test]
fn without_sources_of_vectors_there_are_none_and_a_new_division_keeps_those_there_are() {
    let fixture = Fixture::new();
    assert_eq!(fixture.build(&[], 1).cvss, None);
    assert!(fixture.rows("data.parquet").iter().all(|row| row.cvss.is_none() && row.cvss_source.is_none()));
    fixture.build(&["list"], 1);
    let splits = SplitOptions { seed: 7, ..SplitOptions::default() };
    resplit(&fixture.path("data.parquet"), &fixture.path("new.parquet"), &splits).unwrap();
    let vectors = |name: &str| fixture.rows(name).into_iter().map(|row| row.cvss).collect::<Vec<_>>();
    assert_eq!(vectors("new.parquet"), vectors("data.parquet"));
    assert!(vectors("new.parquet").iter().any(Option::is_some));
}
