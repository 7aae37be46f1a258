//! Reports of Trivy, for one artifact or a whole Kubernetes cluster, and those that its operator keeps in the cluster.
//!
//! Misconfigurations and secrets are not vulnerabilities, and are passed over.

use serde::Deserialize;

use super::findings;
use crate::date::When;
use crate::record::Assigner;
use crate::sources::format::{ObjectFormat, Parsed, Settings};
use crate::sources::json_text::{IdList, List, Text};
use crate::sources::object::Object;

/// The database that Trivy took the vulnerability from.
const TRIVY: Assigner = Assigner { rank: 38, name: "trivy", added: false };
/// Keys of lists of findings, and of lists of such lists.
const LISTS: [&str; 5] = ["Resources", "Findings", "Results", "Vulnerabilities", "vulnerabilities"];
/// Lists within one another: resources, results, vulnerabilities.
const DEEPEST: u8 = 4;

/// A report of Trivy, a part of one, or a vulnerability.
pub(super) struct Trivy;

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Vulnerability<'a> {
    #[serde(borrow, default, rename = "VulnerabilityID", alias = "vulnerabilityID")]
    id: Text<'a>,
    #[serde(borrow, default, rename = "VendorIDs")]
    vendor_ids: List<Text<'a>>,
    #[serde(borrow, default, rename = "Title", alias = "title")]
    title: Text<'a>,
    #[serde(borrow, default, rename = "Description", alias = "description")]
    description: Text<'a>,
    #[serde(borrow, default, rename = "CweIDs")]
    cwes: IdList<'a>,
    #[serde(default, rename = "PublishedDate", alias = "publishedDate")]
    published: When,
    #[serde(default, rename = "LastModifiedDate", alias = "lastModifiedDate")]
    modified: When,
}

impl ObjectFormat for Trivy {
    fn name(&self) -> &'static str {
        "trivy"
    }

    fn about(&self) -> &'static str {
        "reports of Trivy"
    }

    fn arrays(&self) -> &'static [&'static str] {
        &["Results", "Vulnerabilities"]
    }

    fn recognises(&self, object: &Object<'_>) -> bool {
        is_vulnerability(object) || is_report(object) || is_of_operator(object)
    }

    fn read(&self, object: &[u8], _: &Settings) -> Vec<Parsed> {
        let keys = Object::new(object);
        if is_vulnerability(&keys) {
            return vec![read(object)];
        }
        let mut found = Vec::new();
        match keys.object("report").filter(|_| is_of_operator(&keys)) {
            Some(report) => find(object, &report, 0, &mut found),
            None => find(object, &keys, 0, &mut found),
        }
        findings::of_document(object, found)
    }
}

/// Tests for a report, or a part of one.
fn is_report(object: &Object<'_>) -> bool {
    let of_artifact =
        object.has("ArtifactName") && object.has_any(&["SchemaVersion", "ArtifactType", "Results"]);
    let of_cluster = object.has("ClusterName") && object.has_any(&LISTS);
    let of_resource = object.has("Kind") && object.has("Name") && object.has("Results");
    let of_target = object.has("Target") && object.has_any(&["Class", "Type", "Vulnerabilities"]);
    of_artifact || of_cluster || of_resource || of_target
}

/// Tests for a report of the operator: those of other kinds hold no vulnerabilities.
fn is_of_operator(object: &Object<'_>) -> bool {
    object.is("apiVersion", "aquasecurity.github.io/v1alpha1") && object.object("report").is_some()
}

fn is_vulnerability(object: &Object<'_>) -> bool {
    const OTHERS: [&str; 6] =
        ["PkgName", "PkgID", "InstalledVersion", "SeveritySource", "installedVersion", "resource"];
    object.has_any(&["VulnerabilityID", "vulnerabilityID"]) && object.has_any(&OTHERS)
}

fn find(report: &[u8], object: &Object<'_>, depth: u8, found: &mut Vec<Parsed>) {
    for key in LISTS {
        for member in findings::members(object, key, found) {
            // Older reports of clusters have resources under the key of vulnerabilities.
            match key.eq_ignore_ascii_case("vulnerabilities") && !Object::new(member).has("Results") {
                true => found.push(findings::at(report, member, read(member))),
                false if depth < DEEPEST => {
                    find(report, &Object::new(member), depth.saturating_add(1), found);
                }
                false => found.push(Err(findings::misplaced(key, member, "a finding"))),
            }
        }
    }
}

fn read(item: &[u8]) -> Parsed {
    let vulnerability: Vulnerability<'_> = findings::parse(item, &["VulnerabilityID"])?;
    let ids = std::iter::once(vulnerability.id).chain(vulnerability.vendor_ids.0);
    let mut record = findings::record(ids);
    record.dates.published = vulnerability.published;
    record.dates.modified = vulnerability.modified.day();
    for text in [vulnerability.description, vulnerability.title] {
        record.describe(&text.0);
    }
    vulnerability.cwes.0.iter().for_each(|cwe| record.label(TRIVY, cwe));
    Ok(record)
}

#[cfg(test)]
mod tests {
    use crate::sources::testing::{check, check_in_parts};

    const FINDING: &str = r#"{"VulnerabilityID":"CVE-2024-0001","VendorIDs":["GHSA-2222-3333-4444"],"PkgName":"a",
        "Title":"T","Description":"Desc","CweIDs":["CWE-79"],"PublishedDate":"2024-02-01T00:00:00Z"}"#;
    const READ: &str = "trivy CVE-2024-0001,GHSA-2222-3333-4444|2024-02-01|trivy:79|Desc";

    #[test]
    fn a_report_of_an_artifact() {
        let document = format!(
            r#"{{"SchemaVersion":2,"ArtifactName":"shop","Results":[
              {{"Target":"secrets","Class":"secret","Secrets":[{{"RuleID":"x","Title":"Key"}}]}},
              {{"Target":"a","Class":"lang-pkgs","Misconfigurations":[{{"ID":"x","Description":"no"}}],"Vulnerabilities":[
                {FINDING},{{"VulnerabilityID":"CVE-2024-0002","PkgName":"a","Description":["x"]}},
                {{"VulnerabilityID":"CVE-2024-0003","PkgName":"a","Description":null,"CweIDs":null,"Title":"Title"}},
                {{"VulnerabilityID":"CVE-2024-0004","PkgName":"a"}},{FINDING}]}},
              {{"Target":"b","Class":"os-pkgs","Vulnerabilities":null}}]}}"#
        );
        check_in_parts(
            &document,
            &[
                READ,
                "in.json: record 2 (CVE-2024-0002): malformed JSON: invalid type: sequence, expected a string…",
                "trivy CVE-2024-0003|||Title",
                "trivy CVE-2024-0004|||(the record has no description and no title; it is left out)",
                READ,
            ],
        );
    }

    #[test]
    fn reports_of_clusters_and_older_ones() {
        let result = format!(r#"{{"Target":"a","Vulnerabilities":[{FINDING}]}}"#);
        for document in [
            format!(
                r#"{{"ClusterName":"c","Resources":[{{"Kind":"Pod","Name":"p","Results":[{result}]}}]}}"#
            ),
            format!(r#"{{"ClusterName":"c","Findings":[{{"Kind":"Pod","Name":"p","Results":[{result}]}}]}}"#),
            format!(
                r#"{{"ClusterName":"c","Vulnerabilities":[{{"Kind":"Pod","Name":"p","Results":[{result}]}}]}}"#
            ),
            format!("[{result}]"),
            format!("[{{\"ArtifactName\":\"a\",\"Results\":[{result}]}}]"),
            FINDING.to_owned(),
        ] {
            check(&document, &[READ]);
        }
        let told = "in.json: was read as one of the reports of Trivy, and holds no vulnerability";
        check(r#"{"SchemaVersion":2,"ArtifactName":"shop"}"#, &[told]);
        let deep = "{\"Kind\":\"x\",\"Name\":\"x\",\"Results\":[".repeat(300) + &"]}".repeat(300);
        check(&deep, &["in.json: field Results is …"]);
    }

    #[test]
    fn reports_of_the_operator() {
        let report = |kind: &str, list: &str| {
            format!(
                r#"{{"apiVersion":"aquasecurity.github.io/v1alpha1","kind":"{kind}","report":{{"{list}":[
                {{"vulnerabilityID":"CVE-2024-0001","resource":"a","title":"T","description":"no","links":[]}}]}}}}"#
            )
        };
        let (good, other) =
            (report("VulnerabilityReport", "vulnerabilities"), report("ConfigAuditReport", "checks"));
        check(&good, &["trivy CVE-2024-0001|||no"]);
        check(&format!(r#"{{"kind":"List","items":[{other},{good}]}}"#), &["trivy CVE-2024-0001|||no"]);
    }
}
