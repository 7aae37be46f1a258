//! Documents of known kinds that hold no texts of vulnerabilities: each is named, with what to give instead.

use super::cve2capec;
use crate::problem::Problem;
use crate::sources::format::{ObjectFormat, Parsed, Settings};
use crate::sources::object::Object;

/// A document of a known kind without records.
pub(super) struct Unsupported;

/// A kind of document: how it is told, and what is wrong with it here.
type Kind = (fn(&Object<'_>) -> bool, &'static str);

/// The kinds.
const KINDS: [Kind; 12] = [
    (
        cve2capec::is_line,
        "is CVE2CAPEC's output, which holds labels and no texts; give the CVE records themselves, as NVD's feeds or the \
         CVE list hold them",
    ),
    (is_answer, "is an answer of this program and holds no texts; give the records that were classified"),
    (
        is_spdx,
        "is an SPDX document, which lists packages and no vulnerabilities; scan it (`grype sbom:FILE -o json`, `trivy \
         sbom FILE -f json`) and give the report",
    ),
    (
        is_openvex,
        "is an OpenVEX document, which says what is affected and describes nothing; give the CVE records or advisories \
         that it names",
    ),
    (
        |object| {
            object.has("techniques")
                && object.has_any(&["domain", "versions", "gradient"])
                && !is_named(object)
        },
        "is a layer of the ATT&CK Navigator, which holds techniques and no texts; give records of vulnerabilities",
    ),
    (
        |object| object.has("model_type") && object.has_any(&["architectures", "hidden_size", "vocab_size"]),
        "is the configuration of a model; give its folder to `--model`, and records of vulnerabilities here",
    ),
    (
        |object| object.has("lockfileVersion") && object.has_any(&["packages", "dependencies"]),
        "is a lock file, which lists packages and no vulnerabilities; give the output of `npm audit --json`",
    ),
    (
        is_package,
        "is a package's description; give the output of `npm audit --json` for the vulnerabilities of what it depends on",
    ),
    (
        |object| object.has("imageDigest") && object.has("vulnerabilities"),
        "is a report of Anchore Enterprise, which names vulnerabilities without describing them; scan with `grype IMAGE \
         -o json` and give that report",
    ),
    (
        |object| {
            first_of(object, "results").is_some_and(|result| result.has("check_id") && result.has("path"))
        },
        "is a report of Semgrep in JSON; write it as SARIF (`semgrep scan --sarif`) and give that",
    ),
    (
        |object| object.object("error").is_some_and(|error| error.has("code") && error.has("summary")),
        "is an error that npm reported in the place of an audit; run `npm audit --json` again where it works",
    ),
    (
        |object| object.is("type", "error") && object.has("data"),
        "is an error that yarn reported in the place of an audit; run `yarn audit --json` again where it works",
    ),
];

impl ObjectFormat for Unsupported {
    fn name(&self) -> &'static str {
        "unsupported"
    }

    fn about(&self) -> &'static str {
        ""
    }

    fn recognises(&self, object: &Object<'_>) -> bool {
        KINDS.iter().any(|(is_kind, _)| is_kind(object))
    }

    fn read(&self, object: &[u8], _: &Settings) -> Vec<Parsed> {
        let keys = Object::new(object);
        let kind = KINDS.iter().find(|(is_kind, _)| is_kind(&keys));
        kind.map(|(_, message)| Err(Problem::WithoutRecords(message).into())).into_iter().collect()
    }
}

fn is_answer(object: &Object<'_>) -> bool {
    object.number("schema_version").is_some() && object.array("cwe").is_some() && object.has("taxonomies")
}

fn is_spdx(object: &Object<'_>) -> bool {
    let is_version_3 =
        object.has("@graph") && object.text("@context").is_some_and(|context| context.contains("spdx"));
    object.has("spdxVersion") || is_version_3
}

fn is_openvex(object: &Object<'_>) -> bool {
    object.has("statements") && object.text("@context").is_some_and(|context| context.contains("openvex"))
}

/// Tests for a package.json.
fn is_package(object: &Object<'_>) -> bool {
    const OTHERS: [&str; 7] =
        ["dependencies", "devDependencies", "scripts", "main", "exports", "bin", "engines"];
    object.has("name") && object.has("version") && object.has_any(&OTHERS) && !is_named(object)
}

/// Tests for the id of a record: a record of one's own may have any other key.
fn is_named(object: &Object<'_>) -> bool {
    object.has_any(&["id", "cve", "cve_id", "CVE"])
}

/// The first member of the list under `key`.
fn first_of<'a>(object: &Object<'a>, key: &str) -> Option<Object<'a>> {
    object.array(key)?.next().map(Object::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::testing::shown;

    #[test]
    fn what_cannot_be_classified_is_named() {
        for (document, part) in [
            (
                r#"{"CVE-2024-0001": {"CWE": ["79"], "CAPEC": ["63"], "TECHNIQUES": ["1027"]}}"#,
                "is CVE2CAPEC's output",
            ),
            (
                r#"{"schema_version":1,"id":"x","model":"fast","taxonomies":{},"cwe":[]}"#,
                "is an answer of this program",
            ),
            (r#"{"spdxVersion":"SPDX-2.3","SPDXID":"x","packages":[{"name":"a"}]}"#, "is an SPDX document"),
            (
                r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}"#,
                "is an SPDX document",
            ),
            (r#"{"@context":"https://openvex.dev/ns/v0.2.0","statements":[]}"#, "is an OpenVEX document"),
            (
                r#"{"name":"l","domain":"enterprise-attack","description":"d","techniques":[]}"#,
                "is a layer of the ATT&CK Navigator",
            ),
            (r#"{"model_type":"roberta","architectures":["x"]}"#, "is the configuration of a model"),
            (r#"{"name":"a","version":"1","description":"d","scripts":{}}"#, "is a package's description"),
            (r#"{"name":"a","lockfileVersion":3,"packages":{}}"#, "is a lock file"),
            (
                r#"{"imageDigest":"sha256:0","vulnerabilities":[{"vuln":"CVE-2024-0001","package":"a"}]}"#,
                "is a report of Anchore Enterprise",
            ),
            (
                r#"{"results":[{"check_id":"x","path":"a.py","extra":{}}],"errors":[]}"#,
                "is a report of Semgrep",
            ),
            (r#"{"error":{"code":"ENOAUDIT","summary":"No","detail":""}}"#, "is an error that npm reported"),
            (r#"{"type":"error","data":"An unexpected error occurred"}"#, "is an error that yarn reported"),
        ] {
            let told = shown(document);
            assert!(told.len() == 1 && told[0].contains(part), "{document}: {told:?}");
        }
        assert_eq!(KINDS.len(), 12, "each kind stands in the table above");
    }

    #[test]
    fn a_file_of_such_lines_is_told_once_and_loses_no_other_line() {
        let line = r#"{"CVE-2024-0001": {"CWE": ["79"]}}"#;
        let told = shown(&format!("{line}\n{line}\n{{\"id\":7,\"text\":\"a\"}}\n{line}\n"));
        assert!(
            told.len() == 2 && told[0].starts_with("in.json:1: is CVE2CAPEC's") && told[1] == "json 7|||a",
            "{told:?}"
        );
        let within =
            shown(r#"{"more":{"name":"a","version":"1","scripts":{}},"data":[{"id":7,"text":"a"}]}"#);
        assert_eq!(within, ["json 7|||a"]);
    }
}
