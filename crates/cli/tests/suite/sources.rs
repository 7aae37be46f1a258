//! Sources of every kind, through every command that reads records. All records are made up.

use serde_json::{Value, json};

use crate::packed::{gzip, zip};
use crate::vulnlens::Folder;

const XSS: &str = "Cross-site scripting in the search field lets attackers inject script via the parameter q";
const SQLI: &str = "SQL injection in login.php lets attackers execute SQL commands via the id parameter";

/// A member of NVD's yearly feed.
fn feed_item(id: &str, text: &str, cwe: &str) -> Value {
    json!({
        "cve": {
            "CVE_data_meta": {"ID": id},
            "problemtype": {"problemtype_data": [{"description": [{"lang": "en", "value": cwe}]}]},
            "description": {"description_data": [{"lang": "en", "value": text}]},
        },
        "publishedDate": "2020-02-03T10:15Z",
    })
}

/// A member of a page of NVD's API.
fn page_item(id: &str, text: &str, cwe: &str) -> Value {
    json!({"cve": {
        "id": id, "published": "2020-02-03T10:15:00.000", "vulnStatus": "Analyzed",
        "descriptions": [{"lang": "en", "value": text}],
        "weaknesses": [{"source": "nvd@nist.gov", "description": [{"lang": "en", "value": cwe}]}],
    }})
}

/// A record of the CVE list.
fn list_record(id: &str, text: &str, cwe: &str) -> Value {
    json!({
        "dataType": "CVE_RECORD",
        "cveMetadata": {"cveId": id, "state": "PUBLISHED", "datePublished": "2020-02-03T10:15:00.000Z"},
        "containers": {"cna": {
            "descriptions": [{"lang": "en", "value": text}],
            "problemTypes": [{"descriptions": [{"lang": "en", "cweId": cwe}]}],
        }},
    })
}

/// An OSV record of the GitHub Advisory Database.
fn advisory(id: &str, text: &str, cwe: &str) -> Value {
    json!({
        "schema_version": "1.6.0", "id": id.replace("CVE-2020-", "GHSA-2222-3333-"), "aliases": [id],
        "published": "2020-02-03T00:00:00Z", "summary": "A flaw", "details": text, "affected": [],
        "database_specific": {"cwe_ids": [cwe]},
    })
}

/// A record of one's own.
fn row(id: &str, text: &str, cwe: &str) -> Value {
    json!({"id": id, "published": "2020-02-03", "description": text, "cwes": [cwe]})
}

/// A vulnerability of a CSAF advisory.
fn csaf_item(id: &str, text: &str, cwe: &str) -> Value {
    json!({"cve": id, "release_date": "2020-02-03", "cwe": {"id": cwe}, "notes": [{"category": "description", "text": text}]})
}

/// A vulnerability of a CycloneDX document.
fn cyclonedx_item(id: &str, text: &str, cwe: &str) -> Value {
    let number: u32 = cwe.trim_start_matches("CWE-").parse().unwrap();
    json!({"id": id, "published": "2020-02-03", "description": text, "cwes": [number], "affects": [{"ref": "a"}]})
}

/// A vulnerability of a report of Trivy.
fn trivy_item(id: &str, text: &str, cwe: &str) -> Value {
    json!({"VulnerabilityID": id, "PkgName": "a", "Description": text, "CweIDs": [cwe], "PublishedDate": "2020-02-03"})
}

/// A match of a report of Grype, described by a related vulnerability.
fn grype_item(id: &str, text: &str, cwe: &str) -> Value {
    let related = json!({"id": "X-1", "description": text, "cwes": [{"cve": id, "cwe": cwe}]});
    json!({"vulnerability": {"id": id, "description": ""}, "relatedVulnerabilities": [related], "artifact": {}})
}

/// An advisory of an audit of npm 6.
fn npm_item(id: &str, text: &str, cwe: &str) -> Value {
    json!({"id": 7, "title": "A flaw", "overview": text, "cves": [id], "cwe": [cwe], "created": "2020-02-03"})
}

/// A vulnerability of a report of Snyk.
fn snyk_item(id: &str, text: &str, cwe: &str) -> Value {
    json!({
        "id": id.replace("CVE-", "SNYK-"), "title": "A flaw", "description": format!("## Overview\n\n{text}\n"),
        "packageName": "a", "semver": {}, "identifiers": {"CVE": [id], "CWE": [cwe]}, "publicationTime": "2020-02-03",
    })
}

/// A vulnerability of a STIX bundle.
fn stix_item(id: &str, text: &str, cwe: &str) -> Value {
    json!({
        "type": "vulnerability", "spec_version": "2.1", "id": "vulnerability--1", "name": id, "description": text,
        "external_references": [{"source_name": "cwe", "external_id": cwe}],
    })
}

/// A result of a SARIF log.
fn sarif_item(id: &str, text: &str, cwe: &str) -> Value {
    json!({"ruleId": id, "message": {"text": text}, "properties": {"tags": [format!("external/cwe/{cwe}")]}})
}

/// A vulnerability of a report of Dependency-Check.
fn dependency_item(id: &str, text: &str, cwe: &str) -> Value {
    json!({"name": id, "description": text, "cwes": [cwe]})
}

/// A vulnerability of a report of Harbor.
fn harbor_item(id: &str, text: &str, cwe: &str) -> Value {
    json!({"id": id, "package": "a", "fix_version": "", "description": text, "cwe_ids": [cwe]})
}

/// An advisory of GitHub's REST interface.
fn github_item(id: &str, text: &str, cwe: &str) -> Value {
    json!({
        "ghsa_id": id.replace("CVE-2020-", "GHSA-2222-3333-"), "cve_id": id, "summary": "A flaw", "description": text,
        "cwes": [{"cwe_id": cwe}], "published_at": "2020-02-03T00:00:00Z",
    })
}

/// Advisories and reports that hold the two records, by name.
fn reports() -> Vec<(&'static str, Value)> {
    let [first, second] = both(npm_item);
    let alerts = both(github_item).map(|advisory| json!({"number": 1, "security_advisory": advisory}));
    vec![
        ("csaf.json", json!({"document": {"csaf_version": "2.0"}, "vulnerabilities": both(csaf_item)})),
        ("cyclonedx.json", json!({"bomFormat": "CycloneDX", "vulnerabilities": both(cyclonedx_item)})),
        (
            "trivy.json",
            json!({"ArtifactName": "a", "Results": [{"Target": "a", "Vulnerabilities": both(trivy_item)}]}),
        ),
        ("grype.json", json!({"matches": both(grype_item), "descriptor": {"name": "grype"}})),
        (
            "osv-scanner.json",
            json!({"results": [{"source": {"path": "a"}, "packages": [{"vulnerabilities": both(advisory)}]}]}),
        ),
        ("npm-audit.json", json!({"advisories": {"7": first, "8": second}, "metadata": {}})),
        (
            "snyk.json",
            json!({"vulnerabilities": both(snyk_item), "packageManager": "npm", "summary": "2 paths"}),
        ),
        ("stix.json", json!({"type": "bundle", "id": "bundle--1", "objects": both(stix_item)})),
        ("sarif.sarif", json!({"version": "2.1.0", "runs": [{"tool": {}, "results": both(sarif_item)}]})),
        (
            "dependency-check.json",
            json!({"scanInfo": {}, "dependencies": [{"vulnerabilities": both(dependency_item)}]}),
        ),
        ("harbor.json", json!({"scanner": {}, "severity": "High", "vulnerabilities": both(harbor_item)})),
        ("github.json", json!(both(github_item))),
        ("github-alerts.json", json!(alerts)),
    ]
}

/// The same two records in a form of each source.
fn both(make: fn(&str, &str, &str) -> Value) -> [Value; 2] {
    [make("CVE-2020-0001", XSS, "CWE-79"), make("CVE-2020-0002", SQLI, "CWE-89")]
}

fn pretty(value: &Value) -> Vec<u8> {
    serde_json::to_vec_pretty(value).unwrap()
}

fn lines(values: &[Value]) -> Vec<u8> {
    values.iter().flat_map(|value| format!("{value}\n").into_bytes()).collect()
}

fn utf16(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Files that hold the two records, by name.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let (feed, page, list, rows) = (both(feed_item), both(page_item), both(list_record), both(row));
    let feed = pretty(&json!({"CVE_data_type": "CVE", "CVE_Items": feed}));
    let page = json!({"resultsPerPage": 2, "format": "NVD_CVE", "vulnerabilities": page});
    let [first, second] = [&list[0], &list[1]].map(pretty);
    let osv = both(advisory);
    let mirrored = both(|id, text, cwe| page_item(id, text, cwe)["cve"].clone()).map(|cve| pretty(&cve));
    let csv: String = [("CVE-2020-0001", XSS, "CWE-79"), ("CVE-2020-0002", SQLI, "CWE-89")]
        .iter()
        .map(|(id, text, cwe)| format!("{id},2020-02-03,{text},{cwe}\n"))
        .collect();
    let reports = reports();
    let reports = reports.iter().map(|(name, report)| (*name, pretty(report)));
    let mut files = vec![
        ("feed.json", feed.clone()),
        ("feed.json.gz", gzip(&feed)),
        ("feed.zip", zip(&[("readme.txt", b"A feed."), ("feed.json", &feed)])),
        ("page.json", pretty(&page)),
        ("page-in-one-line.json", page.to_string().into_bytes()),
        ("list.ndjson", lines(&list)),
        ("list-one-after-another.json", [first.as_slice(), &second].concat()),
        ("list.zip", zip(&[("cves/CVE-2020-0001.json", &first), ("cves/CVE-2020-0002.json", &second)])),
        ("osv.ndjson", lines(&osv)),
        ("osv.json", pretty(&json!(osv))),
        (
            "osv.zip",
            zip(&[("GHSA-1.json", &pretty(&osv[0])), ("GHSA-2.json", osv[1].to_string().as_bytes())]),
        ),
        ("rows.jsonl", lines(&rows)),
        ("rows.json", pretty(&json!(rows))),
        ("rows", rows.iter().flat_map(pretty).collect()),
        ("rows.csv", format!("id,published,description,cwes\n{csv}").into_bytes()),
        ("excel.csv", format!("sep=;\r\nCVE ID;Date;Synopsis;CWE\r\n{}", csv.replace(',', ";")).into_bytes()),
        ("rows.tsv", format!("id\tpublished\ttext\tcwe\n{csv}").replace(',', "\t").into_bytes()),
        (
            "utf16",
            utf16(&format!("key,cve_id,published,details,cwes\n17,{}", csv.replacen('\n', "\n18,", 1))),
        ),
        (
            "pages.json",
            json!([page, {"resultsPerPage": 0, "totalResults": 2, "vulnerabilities": []}])
                .to_string()
                .into_bytes(),
        ),
        ("wrapped.json", pretty(&json!(both(|id, text, cwe| json!({"cve": list_record(id, text, cwe)}))))),
        (
            "mirror.json",
            pretty(&json!({"cve_items": both(|id, text, cwe| page_item(id, text, cwe)["cve"].clone())})),
        ),
        ("mirror.zip", zip(&[("CVE-2020-0001.json", &mirrored[0]), ("CVE-2020-0002.json", &mirrored[1])])),
    ];
    files.extend(reports);
    files
}

#[test]
fn every_kind_of_source_is_read_by_every_command() {
    let folder = Folder::new();
    let ids = |ids: [&str; 2]| ids.map(|id| Some(id.to_owned()));
    let (cves, advisories) =
        (ids(["CVE-2020-0001", "CVE-2020-0002"]), ids(["GHSA-2222-3333-0001", "GHSA-2222-3333-0002"]));
    let issues = ids(["SNYK-2020-0001", "SNYK-2020-0002"]);
    let cwes = |records: Vec<Value>, pointer: &str| -> Vec<Value> {
        records.iter().map(|record| record.pointer(pointer).unwrap().clone()).collect()
    };
    let mut names: Vec<_> = files().iter().map(|(name, _)| *name).collect();
    for (name, bytes) in files() {
        folder.file(name, bytes);
    }
    std::fs::create_dir_all(folder.path("list/2020/0xxx")).unwrap();
    for record in both(list_record) {
        let id = record["cveMetadata"]["cveId"].as_str().unwrap().to_owned();
        folder.file(&format!("list/2020/0xxx/{id}.json"), record.to_string());
    }
    std::fs::create_dir(folder.path("feeds")).unwrap();
    folder.file("feeds/feed.json", std::fs::read(folder.path("feed.json")).unwrap());
    folder.file("feeds/notes.txt", "Where the feed is from.");
    names.extend(["list", "feeds"]);
    for name in names {
        let want = match name.split(['.', '-']).next() {
            Some("osv" | "github") => &advisories,
            Some("snyk") => &issues,
            _ => &cves,
        };
        let classified = folder.run(&["classify", "--input", name]).code(0);
        assert_eq!(classified.ids(), *want, "{name}");
        assert_eq!(cwes(classified.records(), "/cwe/0/label"), ["CWE-79", "CWE-89"], "{name}");
        let explained = folder.run(&["explain", name, "--format", "json"]).code(0);
        assert_eq!(explained.ids(), *want, "{name}");
        assert_eq!(cwes(explained.records(), "/cwe/0/label"), ["CWE-79", "CWE-89"], "{name}");
        let built = folder.run(&["data", "build", name, "--out", "data.parquet"]).code(0);
        assert!(built.stdout.contains("2 rows, 2 of them with weaknesses"), "{name}: {}", built.stdout);
        let data = folder.run(&["classify", "--input", "data.parquet"]).code(0);
        assert_eq!(data.ids(), cves, "{name}: a row stands for a CVE");
    }
}

#[test]
fn a_folders_file_that_is_no_source_is_passed_over_and_counted() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("in/deep")).unwrap();
    folder.file("in/cache.properties", "updated=2026-01-01\n");
    folder.file("in/other.json", "{\"unknown\": [1, 2]}");
    folder.file("in/rows.jsonl", lines(&both(row)));
    folder.file("in/broken.json", "{\"cveMetadata\": {\"cveId\":");
    folder.file("in/deep/CVE-2020-0003.json", list_record("CVE-2020-0003", XSS, "CWE-79").to_string());
    let told =
        ["broken.json: malformed JSON", "2 files are not sources of records", "1 records failed, 3 were"];
    let outcome = folder.run(&["classify", "--input", "in"]).code(4).says(&told);
    assert_eq!(outcome.records().len(), 3);
    let told = [
        "broken.json: malformed JSON",
        "not sources of records, passed over: 2",
        "1 records could not be read",
    ];
    let outcome = folder.run(&["data", "build", "in", "--out", "data.parquet"]).code(4).says(&told);
    assert!(outcome.stdout.contains("3 rows"), "{}", outcome.stdout);
}

#[test]
fn an_advisory_without_a_cve_is_answered_and_has_no_row() {
    let folder = Folder::new();
    let mut osv = both(advisory);
    osv[1]["aliases"] = json!([]);
    folder.file("osv.ndjson", lines(&osv));
    assert_eq!(folder.run(&["classify", "--input", "osv.ndjson"]).code(0).records().len(), 2);
    let built = folder.run(&["data", "build", "osv.ndjson", "--out", "data.parquet"]).code(0);
    let built = built.says(&["records without a CVE id, left out: 1"]);
    assert!(built.stdout.contains("1 rows"), "{}", built.stdout);
}

#[test]
fn withdrawn_records_are_passed_over_and_told() {
    let folder = Folder::new();
    let [first, second] = both(feed_item);
    let withdrawn = feed_item("CVE-2020-0003", "** REJECT ** Not used.", "CWE-79");
    let feed = |items: &[Value]| json!({"CVE_data_type": "CVE", "CVE_Items": items}).to_string();
    folder.file("feed.json", feed(&[first, withdrawn.clone(), second]));
    let outcome = folder.run(&["classify", "--input", "feed.json"]).code(0).says(&["1 withdrawn record"]);
    assert_eq!(outcome.records().len(), 2);
    folder.file("withdrawn.json", feed(&[withdrawn]));
    folder
        .run(&["classify", "--input", "withdrawn.json"])
        .code(3)
        .says(&["all of its 1 records were withdrawn"]);
}

#[test]
fn the_former_options_name_sources_still() {
    let folder = Folder::new();
    for (name, bytes) in files() {
        folder.file(name, bytes);
    }
    let by_option = ["data", "build", "--nvd", "feed.json", "--cvelist", "list.zip", "--table", "rows.csv"];
    let by_place = ["data", "build", "feed.json", "list.zip", "rows.csv"];
    let outcomes = [&by_option[..], &by_place[..]].map(|arguments| {
        let arguments = [arguments, &["--out", "data.parquet"]].concat();
        let outcome = folder.run(&arguments).code(0);
        (outcome.stdout, std::fs::read(folder.path("data.parquet")).unwrap())
    });
    assert!(outcomes[0] == outcomes[1]);
}
