//! The formats one by one, and what holds for all of them.

use serde_json::{Value, json};
use vulnlens_enrich::{EnrichFormat, EnrichOptions};

use crate::oracle::{Oracle, enrich, holds, is_subsequence, try_enrich};
use crate::samples::{Sample, all};

/// A document in the layouts that people write.
pub(crate) fn layouts(document: &Value) -> Vec<String> {
    let pretty = serde_json::to_string_pretty(document).unwrap();
    let tabs: String = pretty
        .lines()
        .map(|line| {
            let depth = line.len() - line.trim_start().len();
            format!("{}{}\r\n", "\t".repeat(depth / 2), line.trim_start())
        })
        .collect();
    vec![document.to_string(), pretty.clone(), tabs, format!("\u{feff}{pretty}\n")]
}

#[test]
fn every_format_is_filled_and_nothing_else_changes() {
    for Sample { format, document, filled: (place, value) } in all() {
        for text in layouts(&document) {
            let outcome = enrich("in.json", &text);
            assert_eq!(outcome.errors, Vec::<String>::new(), "{format}");
            let new = outcome.json();
            assert_eq!(new.pointer(place), Some(&value), "{format} {}", outcome.text());
            assert!(holds(&new, &document), "{format}: {}", outcome.text());
            assert!(outcome.summary.filled > 0, "{format}");
            let blanks = text.contains("null")
                || text.contains(":\"\"")
                || text.contains(": \"\"")
                || text.contains("\"cwe\":");
            assert!(
                blanks || is_subsequence(&outcome.bytes, text.as_bytes()),
                "{format}: {}",
                outcome.text()
            );
            let again = enrich("in.json", &outcome.bytes);
            assert_eq!(again.text(), outcome.text(), "{format}: nothing is added the second time");
            assert_eq!(again.summary.filled, 0, "{format}");
        }
    }
}

#[test]
fn what_is_added_is_laid_out_as_the_document_is() {
    for Sample { format, document, .. } in all() {
        let pretty = serde_json::to_string_pretty(&document).unwrap();
        let outcome = enrich("in.json", &pretty);
        // The keys stand in another order, so that only the lines are compared.
        let sorted = |text: &str| {
            let mut lines: Vec<String> =
                text.lines().map(|line| line.trim_end_matches(',').to_owned()).collect();
            lines.sort();
            lines
        };
        let again = serde_json::to_string_pretty(&outcome.json()).unwrap();
        assert_eq!(sorted(outcome.text()), sorted(&again), "{format}");
        let compact = enrich("in.json", document.to_string());
        assert_eq!(compact.text().len(), compact.json().to_string().len(), "{format}");
    }
}

#[test]
fn findings_are_counted_by_what_became_of_them() {
    let sample = all().into_iter().find(|sample| sample.format == "cyclonedx").unwrap();
    let outcome = enrich("in.json", sample.document.to_string());
    let summary = serde_json::to_value(outcome.summary).unwrap();
    let want = json!({"filled": 2, "had": 1, "left": 2, "unsure": 1, "no_vulnerability": 1, "without_text": 1,
        "withdrawn": 1, "bad": 0});
    assert_eq!(summary, want);
    let lower = EnrichOptions::default().min_score(0.5);
    let outcome =
        try_enrich(&mut Oracle::new(), "in.json", sample.document.to_string().as_bytes(), lower).unwrap();
    assert_eq!(
        (outcome.summary.filled, outcome.summary.left),
        (3, 1),
        "what CWE discourages is left at any bound"
    );
    let properties = outcome.json().pointer("/vulnerabilities/0/properties").unwrap().to_string();
    for part in
        ["vulnlens:cwe:CWE-89:score", "0.97", "oracle", "0123456789ab", "predicted", "CAPEC-66", "T1190"]
    {
        assert!(properties.contains(part), "{part}: {properties}");
    }
    assert!(!properties.contains("CAPEC-248"), "it is linked to an ancestor alone");
}

#[test]
fn a_question_has_the_text_and_the_year_that_classify_reads() {
    let document = json!({"schema_version": "1.6.0", "id": "GHSA-2222-3333-4444", "aliases": ["CVE-2019-0001"],
        "summary": "no", "details": "SQL", "published": "2023-05-06T00:00:00Z"});
    assert_eq!(enrich("in.json", document.to_string()).asked, [("SQL".to_owned(), Some(2023))]);
    let document = json!({"id": "CVE-2019-0001", "description": "SQL"});
    assert_eq!(enrich("in.json", document.to_string()).asked, [("SQL".to_owned(), Some(2019))]);
}

#[test]
fn a_record_of_the_cve_list_gets_a_container_or_gives_it() {
    let sample = all().into_iter().find(|sample| sample.format == "cve-record").unwrap();
    let new = enrich("in.json", sample.document.to_string()).json();
    let adp = &new["containers"]["adp"][0];
    assert_eq!(adp["impacts"][0]["capecId"], "CAPEC-66");
    assert_eq!(adp["taxonomyMappings"][0]["taxonomyRelations"][0]["taxonomyId"], "T1190");
    assert_eq!(adp["x_vulnlens"]["scores"]["CWE-89"], 0.97);
    assert_eq!(adp["problemTypes"][0]["descriptions"][0]["lang"], "en");
    let options = EnrichOptions::default().container(true);
    let lines = format!("{0}\n{0}\n", sample.document);
    let outcome = try_enrich(&mut Oracle::new(), "in.jsonl", lines.as_bytes(), options.clone()).unwrap();
    let containers: Vec<Value> =
        serde_json::Deserializer::from_slice(&outcome.bytes).into_iter().map(Result::unwrap).collect();
    assert_eq!(containers.len(), 2);
    assert_eq!(containers[0]["problemTypes"], adp["problemTypes"]);
    let row = json!({"id": 1, "description": "SQL"}).to_string();
    let outcome = try_enrich(&mut Oracle::new(), "in.json", row.as_bytes(), options).unwrap();
    assert_eq!(outcome.errors, ["in.json:1: json has no containers; only records of the CVE list have"]);
    assert!(outcome.bytes.is_empty());
}

#[test]
fn a_run_has_the_weaknesses_that_its_rules_refer_to() {
    let sample = all().into_iter().find(|sample| sample.format == "sarif").unwrap();
    let new = enrich("in.sarif", sample.document.to_string()).json();
    let run = &new["runs"][0];
    let rule = &run["tool"]["driver"]["rules"][0];
    assert_eq!(rule["relationships"][0]["target"], json!({"id": "89", "toolComponent": {"name": "CWE"}}));
    assert_eq!(run["results"][3]["taxa"], json!([{"id": "79", "toolComponent": {"name": "CWE"}}]));
    let ids: Vec<_> =
        run["taxonomies"][0]["taxa"].as_array().unwrap().iter().map(|taxon| &taxon["id"]).collect();
    assert_eq!(ids, ["79", "89"]);
    let mut known = sample.document.clone();
    known["runs"][0]["taxonomies"] = json!([{"name": "OWASP"}, {"name": "CWE", "taxa": [{"id": "89"}]}]);
    let new = enrich("in.sarif", known.to_string()).json();
    assert_eq!(new["runs"][0]["taxonomies"][1]["taxa"].as_array().unwrap().len(), 2);
}

#[test]
fn formats_without_room_are_told() {
    let page = json!({"resultsPerPage": 1, "vulnerabilities": [{"cve": {"id": "CVE-2024-0001",
        "descriptions": [{"lang": "en", "value": "SQL"}]}}]});
    let outcome = enrich("page.json", page.to_string());
    assert_eq!(outcome.text(), page.to_string());
    assert_eq!(outcome.summary.bad, 1);
    assert!(outcome.errors[0].contains("has no room for weaknesses that is known"), "{:?}", outcome.errors);
    let operator = json!({"apiVersion": "aquasecurity.github.io/v1alpha1", "report": {"vulnerabilities": [
        {"vulnerabilityID": "CVE-2024-0001", "resource": "a", "title": "SQL"}]}});
    assert!(enrich("in.json", operator.to_string()).errors[0].contains("operator"));
}

#[test]
fn a_format_can_be_asked_for() {
    let names: Vec<_> = EnrichFormat::all().into_iter().map(EnrichFormat::name).collect();
    for name in [
        "osv",
        "cve-record",
        "csaf",
        "cyclonedx",
        "trivy",
        "grype",
        "sarif",
        "stix",
        "json",
        "csv",
        "parquet",
    ] {
        assert!(names.contains(&name), "{name}");
    }
    let document = json!({"id": "X-1", "details": "SQL", "description": "XSS"}).to_string();
    let as_osv = EnrichOptions::default().format(EnrichFormat::named("osv"));
    let outcome = try_enrich(&mut Oracle::new(), "in.json", document.as_bytes(), as_osv).unwrap();
    assert_eq!(outcome.json()["database_specific"]["cwe_ids"], json!(["CWE-89"]));
    assert_eq!(enrich("in.json", &document).json()["cwe"], json!(["CWE-79"]));
}
