//! A document of each format, with findings of every kind.

use serde_json::{Value, json};

/// A document, and where in it the weaknesses of its first finding stand when it is filled.
pub(crate) struct Sample {
    pub(crate) format: &'static str,
    pub(crate) document: Value,
    /// The value that the finding gets, by its place.
    pub(crate) filled: (&'static str, Value),
}

/// The text of a finding that is filled with CWE-89.
pub(crate) const SQLI: &str = "SQL injection in \"login.php\" {via} the id parameter\n[é]";
/// The text of a finding that is filled with CWE-79.
const XSS: &str = "XSS in the search field";

pub(crate) fn all() -> Vec<Sample> {
    vec![
        Sample {
            format: "osv",
            document: json!({"schema_version": "1.6.0", "id": "GHSA-2222-3333-4444", "aliases": ["CVE-2024-0001"],
                "details": SQLI, "published": "2023-05-06T00:00:00Z", "affected": [],
                "database_specific": {"severity": "HIGH", "cwe_ids": []}}),
            filled: ("/database_specific/cwe_ids", json!(["CWE-89"])),
        },
        Sample {
            format: "cve-record",
            document: json!({"dataType": "CVE_RECORD", "dataVersion": "5.1",
                "cveMetadata": {"cveId": "CVE-2024-0001", "state": "PUBLISHED", "datePublished": "2024-02-01T00:00:00Z"},
                "containers": {"cna": {"descriptions": [{"lang": "en", "value": SQLI}],
                    "problemTypes": [{"descriptions": [{"lang": "en", "description": "n/a", "type": "text"}]}]}}}),
            filled: ("/containers/adp/0/problemTypes/0/descriptions/0/cweId", json!("CWE-89")),
        },
        Sample {
            format: "csaf",
            document: json!({"document": {"csaf_version": "2.1", "title": "T", "tracking": {"id": "LS-1"}},
                "vulnerabilities": [
                    {"cve": "CVE-2024-0001", "notes": [{"category": "description", "text": SQLI}]},
                    {"cve": "CVE-2024-0002", "cwes": [{"id": "CWE-20", "name": "N", "version": "4.18"}],
                     "notes": [{"category": "description", "text": XSS}]}]}),
            filled: ("/vulnerabilities/0/cwes/0/id", json!("CWE-89")),
        },
        Sample {
            format: "csaf",
            document: json!({"document": {"csaf_version": "2.0", "title": "T", "tracking": {"id": "LS-1"}},
                "vulnerabilities": [{"cve": "CVE-2024-0001", "cwe": null, "title": SQLI, "product_status": {}}]}),
            filled: ("/vulnerabilities/0/cwe/id", json!("CWE-89")),
        },
        Sample {
            format: "cyclonedx",
            document: json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"name": "a"}],
                "vulnerabilities": [
                    {"id": "CVE-2024-0001", "description": SQLI, "properties": [{"name": "a", "value": "b"}], "affects": []},
                    {"id": "CVE-2024-0002", "description": XSS, "cwes": [], "affects": []},
                    {"id": "CVE-2024-0003", "description": "a cake", "affects": []},
                    {"id": "CVE-2024-0004", "description": "an overflow", "affects": []},
                    {"id": "CVE-2024-0005", "description": "no validation", "affects": []},
                    {"id": "CVE-2024-0006", "description": "something", "affects": []},
                    {"id": "CVE-2024-0007", "description": XSS, "cwes": [1004], "affects": []},
                    {"id": "CVE-2024-0008", "description": XSS, "rejected": "2024-02-01T00:00:00Z", "affects": []},
                    {"id": "CVE-2024-0009", "affects": []}]}),
            filled: ("/vulnerabilities/0/cwes", json!([89])),
        },
        Sample {
            format: "trivy",
            document: json!({"SchemaVersion": 2, "ArtifactName": "shop", "Results": [{"Target": "a", "Class": "lang-pkgs",
                "Vulnerabilities": [
                    {"VulnerabilityID": "CVE-2024-0001", "PkgName": "a", "Title": "T", "Description": SQLI},
                    {"VulnerabilityID": "CVE-2024-0002", "PkgName": "a", "Description": XSS, "CweIDs": null}]}]}),
            filled: ("/Results/0/Vulnerabilities/0/CweIDs", json!(["CWE-89"])),
        },
        Sample {
            format: "grype",
            document: json!({"matches": [{"vulnerability": {"id": "GHSA-2222-3333-4444", "description": ""}, "artifact": {},
                "relatedVulnerabilities": [{"id": "CVE-2024-0001", "description": SQLI}]}], "descriptor": {"name": "grype"}}),
            filled: ("/matches/0/vulnerability/cwes/0/cwe", json!("CWE-89")),
        },
        Sample {
            format: "osv-scanner",
            document: json!({"results": [{"source": {"path": "a.lock", "type": "lockfile"}, "packages": [{"package": {"name": "a"},
                "vulnerabilities": [{"id": "GHSA-2222-3333-4444", "details": SQLI, "affected": []}]}]}]}),
            filled: ("/results/0/packages/0/vulnerabilities/0/database_specific/cwe_ids", json!(["CWE-89"])),
        },
        Sample {
            format: "sarif",
            document: json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "lint", "rules": [
                    {"id": "sql", "fullDescription": {"text": SQLI}, "properties": {"tags": ["security"]}},
                    {"id": "known", "fullDescription": {"text": XSS}, "properties": {"tags": ["external/cwe/cwe-020"]}},
                    {"id": "unused", "fullDescription": {"text": SQLI}}]}},
                "results": [{"ruleId": "sql", "message": {"text": "Here."}}, {"ruleId": "sql", "message": {"text": "There."}},
                    {"ruleId": "known", "message": {"text": "M"}}, {"ruleId": "other", "message": {"text": XSS}}]}]}),
            filled: (
                "/runs/0/tool/driver/rules/0/properties/tags",
                json!(["security", "external/cwe/cwe-089"]),
            ),
        },
        Sample {
            format: "stix",
            document: json!({"type": "bundle", "id": "bundle--1", "objects": [
                {"type": "identity", "id": "identity--1", "name": "Somebody", "description": SQLI},
                {"type": "vulnerability", "id": "vulnerability--1", "name": "CVE-2024-0001", "description": SQLI,
                 "external_references": [{"source_name": "cve", "external_id": "CVE-2024-0001"}]}]}),
            filled: ("/objects/1/x_opencti_cwe", json!(["CWE-89"])),
        },
        Sample {
            format: "defectdojo",
            document: json!({"findings": [
                {"title": "T", "severity": "High", "description": SQLI, "cve": "CVE-2024-0001", "cwe": 0},
                {"title": "T", "severity": "High", "description": XSS, "cwe": 20}]}),
            filled: ("/findings/0/cwe", json!(89)),
        },
        Sample {
            format: "json",
            document: json!([{"id": "CVE-2024-0001", "description": SQLI}, {"id": 2, "text": XSS, "weakness": ""},
                {"id": 3, "text": XSS, "cwes": ["CWE-79"]}]),
            filled: ("/0/cwe", json!(["CWE-89"])),
        },
    ]
}
