//! Reports of OWASP Dependency-Check in JSON.

use serde::Deserialize;

use super::findings;
use crate::record::Assigner;
use crate::sources::format::{ObjectFormat, Parsed, Settings};
use crate::sources::json_text::{IdList, Text};
use crate::sources::object::Object;

/// The database that Dependency-Check took the vulnerability from, mostly that of NVD.
const DEPENDENCY_CHECK: Assigner = Assigner { rank: 43, name: "dependency-check", added: false };

/// A report of Dependency-Check.
pub(super) struct DependencyCheck;

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Vulnerability<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    description: Text<'a>,
    #[serde(borrow, default)]
    notes: Text<'a>,
    #[serde(borrow, default)]
    cwes: IdList<'a>,
}

impl ObjectFormat for DependencyCheck {
    fn name(&self) -> &'static str {
        "dependency-check"
    }

    fn about(&self) -> &'static str {
        "reports of Dependency-Check in JSON"
    }

    fn recognises(&self, object: &Object<'_>) -> bool {
        object.array("dependencies").is_some() && object.has_any(&["reportSchema", "scanInfo"])
    }

    fn read(&self, object: &[u8], _: &Settings) -> Vec<Parsed> {
        let mut found = Vec::new();
        for dependency in findings::members(&Object::new(object), "dependencies", &mut found) {
            let items = findings::members(&Object::new(dependency), "vulnerabilities", &mut found);
            found.extend(items.into_iter().map(read));
        }
        findings::of_document(object, found)
    }
}

fn read(item: &[u8]) -> Parsed {
    let Vulnerability { name, description, notes, cwes } = findings::parse(item, &["name"])?;
    let mut record = findings::record([name]);
    for text in [description, notes] {
        record.describe(&text.0);
    }
    cwes.0.iter().for_each(|cwe| record.label(DEPENDENCY_CHECK, cwe));
    Ok(record)
}

#[cfg(test)]
mod tests {
    use crate::sources::testing::check;

    #[test]
    fn vulnerabilities_of_every_dependency_are_read() {
        check(
            r#"{"reportSchema":"1.1","scanInfo":{},"dependencies":[{"fileName":"a.jar"},{"fileName":"b.jar","vulnerabilities":[
                {"source":"NVD","name":"CVE-2024-0001","cwes":["CWE-79","CWE-89"],"description":"Desc","notes":""},
                {"name":"CVE-2024-0002","description":[]},{"name":"CVE-2024-0003","cwes":null,"description":null}],
                "suppressedVulnerabilities":[{"name":"CVE-2024-0009","description":"no"}]}]}"#,
            &[
                "dependency-check CVE-2024-0001||dependency-check:79,dependency-check:89|Desc",
                "in.json: record 2 (CVE-2024-0002): malformed JSON: invalid type: sequence, expected a string…",
                "dependency-check CVE-2024-0003|||(the record has no description and no title; it is left out)",
            ],
        );
    }
}
