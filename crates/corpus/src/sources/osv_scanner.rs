//! Reports of osv-scanner: OSV records by package.

use super::{findings, osv};
use crate::sources::format::{ObjectFormat, Parsed, Settings};
use crate::sources::object::Object;

/// A report of osv-scanner.
pub(super) struct OsvScanner;

impl ObjectFormat for OsvScanner {
    fn name(&self) -> &'static str {
        "osv-scanner"
    }

    fn about(&self) -> &'static str {
        "reports of osv-scanner"
    }

    /// A report, or the result for one lock file. The key of a clean report's list alone may be anything's.
    fn recognises(&self, object: &Object<'_>) -> bool {
        let is_result = |object: &Object<'_>| {
            object.array("packages").is_some()
                && object.object("source").is_some_and(|source| source.has("path"))
        };
        let is_report = || {
            let mut results = object.array("results")?;
            let first = results.next();
            Some(
                object.has("experimental_config")
                    || first.is_some_and(|first| is_result(&Object::new(first))),
            )
        };
        is_result(object) || is_report().unwrap_or_default()
    }

    fn read(&self, object: &[u8], _: &Settings) -> Vec<Parsed> {
        let keys = Object::new(object);
        let mut found = Vec::new();
        if keys.has("results") {
            for result in findings::members(&keys, "results", &mut found) {
                find(object, &Object::new(result), &mut found);
            }
        } else {
            find(object, &keys, &mut found);
        }
        findings::of_document(object, found)
    }
}

/// Reads the records of a result of the report.
fn find(report: &[u8], result: &Object<'_>, found: &mut Vec<Parsed>) {
    for package in findings::members(result, "packages", found) {
        let items = findings::members(&Object::new(package), "vulnerabilities", found);
        found.extend(items.into_iter().map(|item| findings::at(report, item, osv::read(item))));
    }
}

#[cfg(test)]
mod tests {
    use crate::sources::testing::check;

    #[test]
    fn records_of_every_package_are_read() {
        let result = r#"{"source":{"path":"a.lock","type":"lockfile"},"packages":[
            {"package":{"name":"a"},"vulnerabilities":[
              {"id":"GHSA-2222-3333-4444","aliases":["CVE-2024-0001"],"details":"Det","published":"2024-02-01T00:00:00Z",
               "affected":[],"database_specific":{"cwe_ids":["CWE-79"]}},
              {"id":{},"details":"x"},{"id":"PYSEC-1","summary":"Sum"},{"id":"PYSEC-2"}],"groups":[{"ids":["PYSEC-1"]}]},
            {"package":{"name":"b"},"vulnerabilities":null}]}"#;
        let want = [
            "osv-scanner GHSA-2222-3333-4444,CVE-2024-0001|2024-02-01|ghsa:79|Det",
            "in.json: record 2: malformed JSON: invalid type: map, expected a string…",
            "osv-scanner PYSEC-1|||Sum",
            "osv-scanner PYSEC-2|||(the record has no details and no summary; it is left out)",
        ];
        check(&format!(r#"{{"results":[{result}],"experimental_config":{{}}}}"#), &want);
        check(result, &want);
        let told = "in.json: was read as one of the reports of osv-scanner, and holds no vulnerability";
        check(r#"{"results":[],"experimental_config":{}}"#, &[told]);
    }
}
