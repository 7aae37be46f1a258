//! `kb`: made-up catalogues into a knowledge base, and what is read of it.

use std::path::Path;

use serde_json::Value;

use crate::packed::{smallest_gzip, zip};
use crate::vulnlens::Folder;

/// The made-up catalogues of the taxonomy's tests.
fn catalogue(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../taxonomy/tests/data").join(name)).unwrap()
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.file("cwec.xml", catalogue("cwe.xml"));
    folder.file("stix-capec.json", catalogue("capec.json"));
    folder.file("enterprise-attack.json", catalogue("enterprise.json"));
    folder
}

fn build(folder: &Folder, cwe: &str, capec: &str, out: &str) -> crate::vulnlens::Outcome {
    let files = ["--cwe", cwe, "--capec", capec, "--attack", "enterprise-attack.json"];
    let rest = ["--attack-version", "18.1", "--out", out];
    folder.run(&[&["kb", "build"][..], &files, &rest].concat())
}

#[test]
fn packed_and_plain_files_make_the_same_knowledge_base() {
    let folder = folder();
    build(&folder, "cwec.xml", "stix-capec.json", "plain.bin").code(0).says(&["plain.bin", "fingerprint"]);
    folder.file("cwec.xml.zip", zip(&[("cwec.xml", &catalogue("cwe.xml"))]));
    folder.file("capec.json.gz", smallest_gzip(&catalogue("capec.json")));
    build(&folder, "cwec.xml.zip", "capec.json.gz", "packed.bin").code(0);
    let read = |name: &str| std::fs::read(folder.path(name)).unwrap();
    assert_eq!(read("plain.bin"), read("packed.bin"));
    let changes = folder.run(&["kb", "diff", "plain.bin", "packed.bin"]).code(0).stdout;
    assert!(changes.contains("nothing changed"), "{changes}");
    let info = folder.run(&["kb", "info", "--kb", "packed.bin", "--format", "json"]).code(0).stdout;
    assert_eq!(serde_json::from_str::<Value>(&info).unwrap()["versions"]["attack"], "18.1");
}

#[test]
fn a_folder_of_official_files_is_a_knowledge_base() {
    let folder = folder();
    let info = folder.run(&["kb", "info", "--kb", ".", "--format", "json"]).code(0).stdout;
    assert!(serde_json::from_str::<Value>(&info).unwrap()["weaknesses"].as_u64() > Some(0), "{info}");
}

#[test]
fn the_newest_release_of_a_folder_is_taken_and_an_unstated_one_told_of() {
    let folder = folder();
    std::fs::rename(folder.path("cwec.xml"), folder.path("cwec_v4.18.xml")).unwrap();
    let mut bundle: Value = serde_json::from_slice(&catalogue("enterprise.json")).unwrap();
    bundle["objects"].as_array_mut().unwrap().retain(|object| object["type"] != "x-mitre-collection");
    folder.file("enterprise-attack.json", bundle.to_string());
    folder.file("cwec_v4.9.xml", "an older release that is not even read");
    let outcome = folder.run(&["kb", "info", "--kb", "."]).code(0);
    outcome.says(&["cwec_v4.18.xml: taken", "warning:", "\"unstated\"", "--attack-version"]);
    let stated = ["kb", "info", "--kb", ".", "--attack-version", "18.1", "--format", "json", "--quiet"];
    let info: Value = serde_json::from_str(&folder.run(&stated).code(0).stdout).unwrap();
    assert_eq!(info["versions"]["attack"], "18.1");
    build(&folder, "cwec_v4.18.xml", "stix-capec.json", "kb.bin").code(0);
    let compiled = ["kb", "info", "--kb", "kb.bin", "--attack-version", "18.1"];
    folder.run(&compiled).code(2).says(&["says its ATT&CK release"]);
}

#[test]
fn a_file_that_unpacks_to_far_more_than_its_size_is_refused() {
    let folder = folder();
    let zeros = vec![b' '; 20 << 20];
    folder.file("bomb.xml.zip", zip(&[("cwec.xml", &zeros)]));
    folder.file("bomb.xml.gz", smallest_gzip(&zeros));
    folder.file("bomb.json.gz", smallest_gzip(&zeros));
    for (cwe, capec, name) in [
        ("bomb.xml.zip", "stix-capec.json", "bomb.xml.zip"),
        ("bomb.xml.gz", "stix-capec.json", "bomb.xml.gz"),
        ("cwec.xml", "bomb.json.gz", "bomb.json.gz"),
    ] {
        let outcome = build(&folder, cwe, capec, "out.bin").code(3);
        outcome.says(&[name, "more than 16 MiB and more than 200 times its size"]);
    }
}

#[test]
fn bad_catalogues_are_refused_and_nothing_is_written() {
    let folder = folder();
    let bomb = "<?xml version=\"1.0\"?>\n<!DOCTYPE bomb [<!ENTITY a \"aaaaaaaaaa\">\
                <!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>\n<Weakness_Catalog>&b;</Weakness_Catalog>";
    let cwe = catalogue("cwe.xml");
    let packed = zip(&[("cwec.xml", &cwe)]);
    for (name, bytes, problem) in [
        ("bomb.xml", bomb.as_bytes().to_vec(), "DOCTYPE"),
        ("cut.xml", cwe[..cwe.len() / 2].to_vec(), "cut.xml"),
        ("cut.xml.zip", packed[..packed.len() / 2].to_vec(), "cut.xml.zip: cannot be read"),
        ("other.xml", b"<html></html>".to_vec(), "not a CWE catalogue"),
        ("empty.zip", zip(&[("readme.txt", b"x")]), "no .xml"),
        ("cut.xml.gz", smallest_gzip(&cwe)[..40].to_vec(), "cut.xml.gz: cannot be read"),
    ] {
        folder.file(name, bytes);
        build(&folder, name, "stix-capec.json", "out.bin").code(3).says(&[name, problem]);
        assert!(!folder.path("out.bin").exists(), "{name}");
    }
    build(&folder, "cwec.xml", "missing.json", "out.bin").code(3).says(&["missing.json: cannot be read"]);
    folder.file("bad.json", "{\"type\": \"bundle\", \"objects\": [");
    build(&folder, "cwec.xml", "bad.json", "out.bin").code(3).says(&["bad.json: malformed JSON at line 1"]);
}

#[test]
fn entries_and_ways_are_shown() {
    let folder = Folder::new();
    for (id, word) in [
        ("CWE-79", "Cross-site Scripting"),
        ("capec-63", "Cross-Site Scripting (XSS)"),
        ("T1027", "Obfuscated Files"),
        ("T1562.003", "Impair Defenses: "),
        ("TA0001", "Initial Access"),
    ] {
        let text = folder.run(&["kb", "show", id]).code(0).stdout;
        assert!(text.contains(word), "{text}\nlacks {word}");
        let json = folder.run(&["kb", "show", id, "--format", "json"]).code(0).stdout;
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["id"], id.to_ascii_uppercase());
    }
    folder.run(&["kb", "show", "CWE-999999"]).code(3).says(&["does not know CWE-999999"]);
    let ways = folder.run(&["kb", "path", "CWE-79", "T1027"]).code(0).stdout;
    assert_eq!(ways, "CWE-79 ▸ CWE-74 ▸ CAPEC-267 ▸ T1027\n");
    assert_eq!(folder.run(&["kb", "path", "CWE-79", "CAPEC-63"]).code(0).stdout, "CWE-79 ▸ CAPEC-63\n");
    let reaching = folder.run(&["kb", "path", "T1539", "--format", "json"]).code(0).stdout;
    let reaching: Vec<String> = serde_json::from_str(&reaching).unwrap();
    assert!(reaching.contains(&"CWE-664".to_owned()), "{reaching:?}");
    folder.run(&["kb", "path", "CWE-999999", "T1027"]).code(3).says(&["does not know CWE-999999"]);
    folder.run(&["kb", "path", "CWE-79", "T1539"]).code(0).says(&["no way"]);
}
