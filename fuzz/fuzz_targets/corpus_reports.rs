//! Advisories and reports of scanners: whatever follows the head by which one is known is records and errors.
#![no_main]

use std::io::{Cursor, Read};

use libfuzzer_sys::fuzz_target;
use vulnlens_corpus::sources::{Needs, Options, open};
use vulnlens_corpus::{Input, Limits};

/// The beginnings of documents of each kind, up to a finding.
const HEADS: [&[u8]; 16] = [
    br#"{"document":{"csaf_version":"2.0"},"vulnerabilities":[{"cve":"CVE-2024-0001","#,
    br#"{"bomFormat":"CycloneDX","vulnerabilities":[{"id":"CVE-2024-0001","#,
    br#"{"ArtifactName":"a","Results":[{"Target":"a","Vulnerabilities":[{"VulnerabilityID":"CVE-2024-0001","#,
    br#"{"descriptor":{},"matches":[{"vulnerability":{"id":"CVE-2024-0001","#,
    br#"{"experimental_config":{},"results":[{"packages":[{"vulnerabilities":[{"id":"CVE-2024-0001","#,
    br#"{"metadata":{},"advisories":{"7":{"id":7,"#,
    br#"{"auditReportVersion":2,"vulnerabilities":{"a":{"via":[{"source":7,"#,
    br#"{"packageManager":"npm","vulnerabilities":[{"id":"SNYK-1","#,
    br#"{"version":"2.1.0","runs":[{"tool":{"driver":{"rules":[{"id":"a","#,
    br#"{"version":"2.1.0","runs":[{"results":[{"ruleId":"a","#,
    br#"{"type":"bundle","objects":[{"type":"vulnerability","#,
    br#"{"scanInfo":{},"dependencies":[{"vulnerabilities":[{"name":"CVE-2024-0001","#,
    br#"{"application/vnd.a":{"scanner":{},"severity":"Low","vulnerabilities":[{"id":"CVE-2024-0001","#,
    br#"{"ghsa_id":"GHSA-2222-3333-4444","cwes":"#,
    br#"{"data":{"search":{"nodes":[{"securityVulnerability":{"advisory":{"#,
    br#"{"CVE-2024-0001":{"CWE":"#,
];

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let head = HEADS[usize::from(*kind) % HEADS.len()];
    for document_bytes in [16, 4096] {
        let limits = Limits { record_bytes: 4096, document_bytes, ..Limits::default() };
        let input = Input::stream("fuzz.json", head.chain(Cursor::new(bytes.to_vec())));
        let options = Options { limits, needs: Needs::default(), ..Options::default() };
        if let Ok(records) = open(input, &options) {
            assert!(records.count() <= head.len() + bytes.len());
        }
    }
});
