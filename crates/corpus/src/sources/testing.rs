//! Records of small documents in lines, for tests of the readers.

use std::io::Cursor;

use crate::Input;
use crate::sources::{Options, open};

/// The records of a document, each in a line: format, id and aliases, day, labels, and text or problem.
pub(crate) fn shown(document: &str) -> Vec<String> {
    shown_with(document, &Options::default())
}

/// The same for a document of which only the lists are read, as of one that is too long.
pub(crate) fn shown_in_parts(document: &str) -> Vec<String> {
    let limits = crate::Limits { document_bytes: 1, ..crate::Limits::default() };
    shown_with(document, &Options { limits, ..Options::default() })
}

fn shown_with(document: &str, options: &Options) -> Vec<String> {
    let input = Input::stream("in.json", Cursor::new(document.as_bytes().to_vec()));
    let records = open(input, options).unwrap();
    let show = |record: crate::Record| {
        let ids: Vec<_> = record.id.iter().chain(&record.aliases).map(ToString::to_string).collect();
        let labels = record.labels.iter().map(|label| format!("{}:{}", label.assigner.name, label.cwe.0));
        let odd = record.unreadable_labels.iter().map(|label| format!("?{label}"));
        let labels: Vec<_> = labels.chain(odd).collect();
        let day = record.dates.published.day().map(|day| day.to_string()).unwrap_or_default();
        let withdrawn = if record.withdrawn { "withdrawn " } else { "" };
        let text = record.text.unwrap_or_else(|problem| format!("({problem})"));
        format!("{} {}|{day}|{}|{withdrawn}{text}", record.format, ids.join(","), labels.join(","))
    };
    records.map(|item| item.map_or_else(|error| error.to_string(), show)).collect()
}

/// Checks the lines of a document, of which errors are given by their beginnings.
pub(crate) fn check(document: &str, want: &[&str]) {
    compare(document, &shown(document), want);
}

/// Checks them for the document read at once and in parts.
pub(crate) fn check_in_parts(document: &str, want: &[&str]) {
    check(document, want);
    compare(document, &shown_in_parts(document), want);
}

fn compare(document: &str, got: &[String], want: &[&str]) {
    let is_same = |(got, want): (&String, &&str)| match want.strip_suffix('…') {
        Some(beginning) => got.starts_with(beginning),
        None => got == want,
    };
    assert!(
        got.len() == want.len() && got.iter().zip(want).all(is_same),
        "{document}: {got:#?} is not {want:#?}"
    );
}

/// A member of a document that stands for a vulnerability, and the document around such members.
struct Sample {
    format: &'static str,
    finding: &'static str,
    before: &'static str,
    behind: &'static str,
}

/// A document of each format of findings. `2024-ID` stands for the year and number of its CVE id.
const SAMPLES: [Sample; 14] = [
    Sample {
        format: "osv",
        finding: r#"{"id":"CVE-2024-ID","aliases":["X-1"],"details":"D","affected":[],"database_specific":{"cwe_ids":["CWE-79"]}}"#,
        before: r#"{"vulns":["#,
        behind: "]}",
    },
    Sample {
        format: "github",
        finding: r#"{"ghsa_id":"CVE-2024-ID","identifiers":[{"type":"CVE","value":"X-1"}],"cwes":[{"cwe_id":"CWE-79"}],"summary":"D"}"#,
        before: "[",
        behind: "]",
    },
    Sample {
        format: "csaf",
        finding: r#"{"cve":"CVE-2024-ID","ids":[{"text":"X-1"}],"notes":[{"category":"description","text":"D"}],"cwe":{"id":"CWE-79"}}"#,
        before: r#"{"document":{"csaf_version":"2.0"},"vulnerabilities":["#,
        behind: "]}",
    },
    Sample {
        format: "cyclonedx",
        finding: r#"{"id":"CVE-2024-ID","references":[{"id":"X-1"}],"cwes":[79],"description":"D","affects":[{"ref":"a"}]}"#,
        before: r#"{"bomFormat":"CycloneDX","components":[],"vulnerabilities":["#,
        behind: "]}",
    },
    Sample {
        format: "stix",
        finding: r#"{"type":"vulnerability","spec_version":"2.1","id":"vulnerability--1","name":"CVE-2024-ID","description":"D","external_references":[{"source_name":"cwe","external_id":"CWE-79"}]}"#,
        before: r#"{"type":"bundle","id":"bundle--1","objects":["#,
        behind: "]}",
    },
    Sample {
        format: "trivy",
        finding: r#"{"VulnerabilityID":"CVE-2024-ID","VendorIDs":["X-1"],"PkgName":"a","Title":"D","CweIDs":["CWE-79"],"PublishedDate":"2024-02-01"}"#,
        before: r#"{"SchemaVersion":2,"ArtifactName":"a","Results":[{"Target":"t","Vulnerabilities":["#,
        behind: "]}]}",
    },
    Sample {
        format: "grype",
        finding: r#"{"vulnerability":{"id":"CVE-2024-ID","description":"D","cwes":[{"cwe":"CWE-79"}]},"relatedVulnerabilities":[{"id":"X-1"}],"artifact":{}}"#,
        before: r#"{"descriptor":{"name":"grype"},"matches":["#,
        behind: "]}",
    },
    Sample {
        format: "osv-scanner",
        finding: r#"{"id":"CVE-2024-ID","summary":"D","database_specific":{"cwe_ids":["CWE-79"]}}"#,
        before: r#"{"results":[{"source":{"path":"a"},"packages":[{"package":{},"vulnerabilities":["#,
        behind: "]}]}]}",
    },
    Sample {
        format: "npm-audit",
        finding: r#"{"source":7,"url":"https://x/CVE-2024-ID","title":"D","cwe":["CWE-79"],"cves":["X-1"]}"#,
        before: r#"{"auditReportVersion":2,"vulnerabilities":{"a":{"via":["#,
        behind: "]}}}",
    },
    Sample {
        format: "snyk",
        finding: r#"{"id":"CVE-2024-ID","title":"D","packageName":"a","semver":{},"identifiers":{"CVE":["X-1"],"CWE":["CWE-79"]}}"#,
        before: r#"{"packageManager":"npm","vulnerabilities":["#,
        behind: "]}",
    },
    Sample {
        format: "dependency-check",
        finding: r#"{"name":"CVE-2024-ID","description":"D","cwes":["CWE-79"]}"#,
        before: r#"{"scanInfo":{},"dependencies":[{"vulnerabilities":["#,
        behind: "]}]}",
    },
    Sample {
        format: "harbor",
        finding: r#"{"id":"CVE-2024-ID","package":"a","fix_version":"","description":"D","cwe_ids":["CWE-79"]}"#,
        before: r#"{"scanner":{},"severity":"High","vulnerabilities":["#,
        behind: "]}",
    },
    Sample {
        format: "sarif",
        finding: r#"{"ruleId":"CVE-2024-ID","message":{"text":"D"},"taxa":[{"id":"79","toolComponent":{"name":"CWE"}}],"properties":{"tags":["a"]}}"#,
        before: r#"{"version":"2.1.0","runs":[{"tool":{},"results":["#,
        behind: "]}]}",
    },
    Sample {
        format: "nvd-api",
        finding: r#"{"cve":{"id":"CVE-2024-ID","descriptions":[{"lang":"en","value":"D"}],"weaknesses":[]}}"#,
        before: r#"{"vulnerabilities":["#,
        behind: "]}",
    },
];

impl Sample {
    fn finding(&self, number: u32) -> String {
        self.finding.replace("2024-ID", &format!("2024-{number}"))
    }

    fn document(&self, findings: &[String]) -> String {
        format!("{}{}{}", self.before, findings.join(","), self.behind)
    }
}

/// The lines that hold a record of `format` with the id.
fn count_of(lines: &[String], format: &str, number: u32) -> usize {
    let begins = |line: &&String| line.starts_with(&format!("{format} CVE-2024-{number}"));
    lines.iter().filter(begins).count()
}

#[test]
fn documents_and_findings_are_of_one_format_each() {
    for sample in &SAMPLES {
        let whole = sample.document(&[sample.finding(1111), sample.finding(1111)]);
        for document in [whole.clone(), format!("[{whole}]"), format!("{{\n\"report\":{whole}}}")] {
            let lines = shown(&document);
            assert_eq!((lines.len(), count_of(&lines, sample.format, 1111)), (2, 2), "{document}: {lines:?}");
        }
        for document in [whole, sample.finding(1111)] {
            let object = super::object::Object::new(document.as_bytes());
            let formats = super::ALL.iter().filter_map(|format| format.as_object());
            let names: Vec<_> =
                formats.filter(|format| format.recognises(&object)).map(|format| format.name()).collect();
            let others = names.iter().filter(|name| ![sample.format, "json"].contains(name)).count();
            assert_eq!(others, 0, "{document} is of {names:?}");
        }
    }
}

/// The places of all values in `value`, as JSON pointers.
fn pointers(value: &serde_json::Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        serde_json::Value::Object(map) => {
            map.iter().for_each(|(key, value)| pointers(value, &format!("{at}/{key}"), out));
        }
        serde_json::Value::Array(list) => {
            list.iter()
                .enumerate()
                .for_each(|(number, value)| pointers(value, &format!("{at}/{number}"), out));
        }
        _ => {}
    }
}

#[test]
fn a_damaged_finding_loses_no_other() {
    for sample in &SAMPLES {
        let damaged: serde_json::Value = serde_json::from_str(&sample.finding(2222)).unwrap();
        let mut places = Vec::new();
        pointers(&damaged, "", &mut places);
        for (place, other) in places
            .iter()
            .flat_map(|place| ["null", "7", "\"x\"", "[[]]", "{\"a\":[{}]}"].map(|other| (place, other)))
        {
            let mut damaged = damaged.clone();
            *damaged.pointer_mut(place).unwrap() = serde_json::from_str(other).unwrap();
            let document =
                sample.document(&[sample.finding(1111), damaged.to_string(), sample.finding(3333)]);
            let lines = shown(&document);
            let count = |number| count_of(&lines, sample.format, number);
            assert_eq!((count(1111), count(3333)), (1, 1), "{place} is {other}: {document}: {lines:#?}");
            assert!(lines.len() <= 3, "{place} is {other}: {document}: {lines:#?}");
            // What is damaged is a record still, or an error; null, or an object of another type, is nothing.
            let is_told = lines.len() == 3
                || other == "null"
                || sample.format == "stix"
                || sample.format == "npm-audit"
                    // Arrays of objects may stand in arrays.
                    || (sample.before == "[" && place.is_empty());
            assert!(is_told, "{place} is {other}: {document}: {lines:#?}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_damage_is_read(
        number in 0usize..SAMPLES.len(),
        damage in proptest::collection::vec((proptest::prelude::any::<proptest::sample::Index>(), "[\\[\\]{}\",:0a\\\\é]"), 0..6),
        cut in proptest::prelude::any::<proptest::sample::Index>(),
    ) {
        let sample = &SAMPLES[number];
        let mut document = sample.document(&[sample.finding(1111), sample.finding(2222)]);
        for (at, mark) in damage {
            let at = at.index(document.len());
            if document.is_char_boundary(at) && document.is_char_boundary(at + 1) {
                document.replace_range(at..=at, &mark);
            }
        }
        let cut = cut.index(document.len() * 2);
        if document.is_char_boundary(cut.min(document.len())) {
            document.truncate(cut);
        }
        proptest::prop_assert!(try_shown(&document) <= document.len() + 1);
    }
}

/// The number of items, if the document is of any format.
fn try_shown(document: &str) -> usize {
    let input = Input::stream("in.json", Cursor::new(document.as_bytes().to_vec()));
    open(input, &Options::default()).map(Iterator::count).unwrap_or_default()
}
