//! `kb`: made-up catalogues into a knowledge base, and what is read of it.

use std::path::Path;

use serde_json::{Value, json};

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
fn atlas_and_d3fend_are_built_shown_and_compared() {
    let folder = folder();
    folder.file("ATLAS.yaml", catalogue("atlas.yaml"));
    folder.file("d3fend.ttl.gz", smallest_gzip(&catalogue("d3fend.ttl")));
    build(&folder, "cwec.xml", "stix-capec.json", "plain.bin").code(0);
    let files = ["--cwe", "cwec.xml", "--capec", "stix-capec.json", "--attack", "enterprise-attack.json"];
    let both = ["--attack-version", "18.1", "--atlas", "ATLAS.yaml", "--d3fend", "d3fend.ttl.gz"];
    let build =
        [&["kb", "build"][..], &files, &both, &["--d3fend-version", "2025-08", "--out", "kb.bin"]].concat();
    folder.run(&build).code(0).says(&["d3fend.ttl.gz: 1 entries or fields were left out"]);
    let info = folder.run(&["kb", "info", "--kb", "kb.bin", "--format", "json"]).code(0).stdout;
    let info: Value = serde_json::from_str(&info).unwrap();
    assert_eq!((&info["atlas_techniques"], &info["countermeasures"]), (&json!(3), &json!(4)));
    let d3fend = json!({ "catalogue": "D3FEND", "version": "2025-08", "date": "2025-08" });
    assert_eq!(info["releases"][4], d3fend);
    let show = |id: &str| folder.run(&["kb", "show", id, "--kb", "kb.bin"]).code(0).stdout;
    for (id, words) in [
        ("AML.T0010", &["Talking the model round", "AML.T0010.001", "AML.TA0002", "AML.M0001"][..]),
        ("aml.t0010.001", &["Talking the model round: By a page", "parent", "Reading before obeying"]),
        ("AML.TA0001", &["Looking around", "TA0043", "AML.T0010"]),
        ("AML.M0001", &["Reading before obeying", "AML.T0010.001"]),
        ("D3-DW", &["Door Watching", "Detect", "D3-WA", "analyzes Door", "T1027", "CWE-79"]),
        ("CWE-79", &["countermeasures", "D3-DW", "analyzes Door, weakness-of"]),
    ] {
        let text = show(id);
        assert!(words.iter().all(|word| text.contains(word)), "{id}: {text}");
    }
    let path =
        |ids: &[&str]| folder.run(&[&["kb", "path"][..], ids, &["--kb", "kb.bin", "-f", "json"]].concat());
    let way: Value = serde_json::from_str(&path(&["CWE-79", "D3-DW"]).code(0).stdout).unwrap();
    assert_eq!(way, json!([["CWE-79", "Door", "D3-DW"]]));
    path(&["CWE-79", "AML.T0010"]).code(3).says(&["knows no way"]);
    path(&["AML.M0001"]).code(2).says(&["a way leads from a weakness"]);
    let changes = folder.run(&["kb", "diff", "plain.bin", "kb.bin"]).code(0).stdout;
    assert!(
        changes.contains("ATLAS techniques added (3)") && changes.contains("D3-DW Door Watching"),
        "{changes}"
    );
    folder.run(&["kb", "show", "AML.T0010", "--kb", "plain.bin"]).code(3).says(&["does not know AML.T0010"]);
    folder.file("bad.yaml", "a: [");
    let bad = [&["kb", "build"][..], &files, &["--atlas", "bad.yaml", "--out", "none.bin"]].concat();
    folder.run(&bad).code(3).says(&["bad.yaml: malformed YAML at line"]);
    assert!(!folder.path("none.bin").exists());
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
}

#[test]
fn a_way_that_is_not_there_is_told_and_not_a_success() {
    let folder = Folder::new();
    for (ids, says) in [
        (&["CWE-79", "T1539"][..], "no way from CWE-79 to T1539"),
        (&["264", "T1027"], "CWE-264 is a category, and the chain starts from weaknesses"),
        (&["T1190"], "no way to T1190 from any weakness"),
        (&["CAPEC-999"], "does not know CAPEC-999"),
    ] {
        let arguments = [&["kb", "path"][..], ids].concat();
        let outcome = folder.run(&arguments).code(3).says(&["error:", says]);
        assert_eq!(outcome.stdout, "", "{ids:?}");
    }
    assert_eq!(folder.run(&["kb", "path", "79", "T1539", "--format", "json"]).code(3).stdout, "[]\n");
    for (ids, hint) in [
        (&["CWE-79"][..], "`kb show CWE-79` lists all that it reaches"),
        (&["T1027", "CWE-79"], "`kb path CWE-79 T1027`"),
        (&["CAPEC-63", "T1027"], "`kb show CAPEC-63` lists the techniques"),
        (&["TA0001"], "name a technique"),
    ] {
        let arguments = [&["kb", "path"][..], ids].concat();
        folder.run(&arguments).code(2).says(&["a way leads from a weakness", hint]);
    }
    let reaching = folder.run(&["kb", "path", "CAPEC-63"]).code(0).stdout;
    assert!(reaching.contains("\nCWE-79    Improper Neutralization"), "{reaching}");
}

#[test]
fn several_entries_are_shown_and_unknown_ones_cost_no_others() {
    let folder = Folder::new();
    let text = folder.run(&["kb", "show", "79", "cwe-264", "t1027"]).code(0).stdout;
    for start in ["CWE-79  ", "\n\nCWE-264  ", "\n\nT1027  "] {
        assert!(text.contains(start), "{text}\nlacks {start}");
    }
    let outcome = folder.run(&["kb", "show", "CWE-99999", "79", "T9999", "--format", "json"]).code(4);
    let json: Value = serde_json::from_str(&outcome.says(&["know CWE-99999", "know T9999"]).stdout).unwrap();
    assert_eq!((json.as_array().unwrap().len(), &json[0]["id"]), (1, &Value::from("CWE-79")));
    assert_eq!(folder.run(&["kb", "show", "CWE-99999", "T9999"]).code(3).stdout, "");
}

#[test]
fn categories_and_views_have_names_wherever_they_come_up() {
    let folder = Folder::new();
    for (id, name, kind, status) in [
        ("CWE-264", "Permissions, Privileges, and Access Controls", "category", "Obsolete"),
        ("CWE-16", "Configuration", "category", "Obsolete"),
        ("CWE-1", "DEPRECATED: Location", "category", "Deprecated"),
        ("CWE-1000", "Research Concepts", "view", "Draft"),
        ("CWE-604", "Deprecated Entries", "implicit view", "Draft"),
    ] {
        let json = folder.run(&["kb", "show", id, "--format", "json"]).code(0).stdout;
        let json: Value = serde_json::from_str(&json).unwrap();
        let facts = ["name", "kind", "status", "mapping_usage"].map(|key| json[key].as_str().unwrap());
        assert_eq!(facts, [name, kind, status, "Prohibited"]);
    }
    let view = folder.run(&["kb", "show", "CWE-1000"]).code(0).stdout;
    assert!(view.contains("CWE-284     Improper Access Control\n"), "{view}");
    let info = folder.run(&["kb", "info", "--format", "json"]).code(0).stdout;
    let info: Value = serde_json::from_str(&info).unwrap();
    assert_eq!((&info["categories"], &info["views"]), (&Value::from(420), &Value::from(58)));
    assert_eq!(info["versions"]["cwe_categories"], "4.19.1", "another release than the weaknesses'");

    folder.file("old.jsonl", "{\"id\": \"CVE-2008-0001\", \"text\": \"Unspecified privileges flaw.\"}\n");
    let all = ["--labels", "assigned", "--top-k", "all"];
    for format in ["jsonl", "csv", "table"] {
        let arguments = [&["classify", "old.jsonl", "--format", format], &all[..]].concat();
        let text = folder.run(&arguments).code(0).stdout;
        let line =
            text.lines().find(|line| line.contains("CWE-264")).unwrap_or_else(|| panic!("{format}: {text}"));
        assert!(line.contains("Permissions, Privileges, and Access"), "{format}: {line}");
    }
}

/// The category 264 and the weakness 79 as CWE's REST API answers.
const API: [(&str, &str); 2] = [
    (
        "api/C/264.json",
        r#"{"ID": "264", "Name": "Doors", "Status": "Obsolete", "Summary": "x",
        "Relationships": [{"CweID": "79", "ViewID": "699"}], "MappingNotes": {"Usage": "Prohibited"}}"#,
    ),
    ("api/W/79.json", r#"{"ID": "79", "Name": "Pages", "Abstraction": "Base", "Status": "Stable"}"#),
];

#[test]
fn the_rest_api_of_cwe_and_the_xml_of_capec_are_read() {
    let folder = folder();
    for inner in ["api/C", "api/W"] {
        std::fs::create_dir_all(folder.path(inner)).unwrap();
    }
    for (name, document) in API {
        folder.file(name, document);
    }
    folder.file("cwe-9.3-api.zip", zip(&API.map(|(name, document)| (name, document.as_bytes()))));
    folder.file("capec_latest.xml", "<Attack_Pattern_Catalog Name=\"CAPEC\" Version=\"7.5\"><Attack_Patterns>\
        <Attack_Pattern ID=\"63\" Name=\"XSS\" Abstraction=\"Standard\" Status=\"Draft\"><Related_Weaknesses>\
        <Related_Weakness CWE_ID=\"79\"/></Related_Weaknesses></Attack_Pattern></Attack_Patterns></Attack_Pattern_Catalog>");
    build(&folder, "cwe-9.3-api.zip", "capec_latest.xml", "zip.bin")
        .code(0)
        .says(&["taken as release 9.3, by its name"]);
    build(&folder, "api", "capec_latest.xml", "out.bin").code(2).says(&["--cwe-version"]);
    let rest =
        ["--capec", "capec_latest.xml", "--attack", "enterprise-attack.json", "--attack-version", "18.1"];
    let named = ["kb", "build", "--cwe", "api", "--cwe-version", "9.3", "--out", "folder.bin"];
    folder.run(&[&named[..], &rest].concat()).code(0);
    let read = |name: &str| std::fs::read(folder.path(name)).unwrap();
    assert_eq!(read("zip.bin"), read("folder.bin"));
    let category = folder.run(&["kb", "show", "CWE-264", "--kb", "zip.bin"]).code(0).stdout;
    assert!(category.contains("CWE-264  Doors") && category.contains("CWE-79      Pages"), "{category}");
    let pattern = folder.run(&["kb", "show", "CAPEC-63", "--kb", "zip.bin"]).code(0).stdout;
    assert!(pattern.contains("CAPEC-63  XSS") && pattern.contains("CWE-79      Pages"), "{pattern}");

    let both =
        ["kb", "build", "--cwe", "cwec.xml", "--cwe-categories", "cwe-9.3-api.zip", "--out", "both.bin"];
    folder.run(&[&both[..], &rest].concat()).code(0).says(&["CWE 9.1 (categories and views 9.3)"]);
    let changes = folder.run(&["kb", "diff", "zip.bin", "both.bin"]).code(0).stdout;
    assert!(!changes.contains("\ncategories and views"), "{changes}");
}

#[test]
fn a_folder_with_a_file_for_each_stix_object_is_a_bundle() {
    let folder = folder();
    for (bundle, folders) in [("capec.json", "cti/capec"), ("enterprise.json", "cti/enterprise")] {
        let bundle: Value = serde_json::from_slice(&catalogue(bundle)).unwrap();
        for (number, object) in bundle["objects"].as_array().unwrap().iter().enumerate() {
            let kind = format!("{folders}/{}", object["type"].as_str().unwrap());
            std::fs::create_dir_all(folder.path(&kind)).unwrap();
            let alone = serde_json::json!({"type": "bundle", "objects": [object]});
            folder.file(&format!("{kind}/x--{number}.json"), alone.to_string());
        }
    }
    build(&folder, "cwec.xml", "stix-capec.json", "bundles.bin").code(0);
    let folders = ["--cwe", "cwec.xml", "--capec", "cti/capec", "--attack", "cti/enterprise"];
    let rest = ["--attack-version", "18.1", "--out"];
    let build = |out| folder.run(&[&["kb", "build"][..], &folders, &rest, &[out]].concat());
    build("folders.bin").code(0);
    let read = |name: &str| std::fs::read(folder.path(name)).unwrap();
    assert!(read("bundles.bin") == read("folders.bin"));
    folder.file("cti/capec/attack-pattern/x--bad.json", "{\"type\": \"bundle\", \"objects\": [");
    build("again.bin").code(0).says(&["cti/capec: 1 entries or fields were left out"]);
    assert!(read("bundles.bin") == read("again.bin"));
}

#[test]
fn files_of_another_kind_are_called_by_it() {
    let folder = folder();
    folder.file("capec.json.gz", smallest_gzip(&catalogue("capec.json")));
    std::fs::create_dir(folder.path("no-objects")).unwrap();
    folder.file("no-objects/readme.json", "{}");
    for (cwe, capec, says) in [
        (
            "capec.json.gz",
            "stix-capec.json",
            &["capec.json.gz: not a CWE catalogue: it is CAPEC's bundle in STIX", "cwec_*.xml"][..],
        ),
        ("enterprise-attack.json", "stix-capec.json", &["it is a bundle of ATT&CK in STIX"]),
        ("cwec.xml", "cwec.xml", &["not a CAPEC catalogue: the root element is <Weakness_Catalog>"]),
        (
            "cwec.xml",
            "no-objects",
            &["no-objects: is a folder", "stix-capec.json", "capec/2.1", "capec_latest.xml"],
        ),
    ] {
        build(&folder, cwe, capec, "out.bin").code(3).says(says);
    }
}

#[test]
fn a_missing_release_is_an_argument_and_a_missing_file_is_not_available() {
    let folder = folder();
    let mut bundle: Value = serde_json::from_slice(&catalogue("enterprise.json")).unwrap();
    bundle["objects"].as_array_mut().unwrap().retain(|object| object["type"] != "x-mitre-collection");
    folder.file("enterprise-attack.json", bundle.to_string());
    let files = ["--cwe", "cwec.xml", "--capec", "stix-capec.json", "--attack", "enterprise-attack.json"];
    folder
        .run(&[&["kb", "build", "--out", "out.bin"][..], &files].concat())
        .code(2)
        .says(&["--attack-version"]);
    build(&folder, "cwec.xml", "stix-capec.json", "kb.bin").code(0);
    for arguments in [
        &["kb", "diff", "nope", "kb.bin"][..],
        &["kb", "diff", "kb.bin", "nope"],
        &["kb", "info", "--kb", "nope"],
    ] {
        folder.run(arguments).code(5).says(&["nope: cannot be read"]);
    }
}
