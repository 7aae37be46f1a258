//! Levels and releases of ATT&CK: an invented release in which a tactic is split, a technique has another number, its
//! sub-techniques moved, and one is gone.

use serde_json::{Value, json};

use crate::vulnlens::Folder;

/// The text of a vulnerability from which the chain leads to T1562.001.
const TEXT: &str = "Missing authorization lets remote users disable the security software of the server";

/// A bundle of the release `version`: tactics by number, short name and name; techniques by id, short name of the
/// tactic and name; `gone` are deprecated; pairs of ids, of which the first was revoked by the second.
fn bundle(
    version: &str,
    tactics: &[(&str, &str, &str)],
    techniques: &[(&str, &str, &str)],
    gone: &[&str],
    revoked: &[(&str, &str)],
) -> String {
    let reference = |id: &str| json!([{"source_name": "mitre-attack", "external_id": id}]);
    let domains = json!(["enterprise-attack"]);
    let stix = |id: &str| format!("attack-pattern--{id}");
    let mut objects =
        vec![json!({"type": "x-mitre-collection", "id": "x-mitre-collection--1", "name": "Invented",
        "x_mitre_version": version, "modified": "2031-04-05T06:07:08.000Z"})];
    for (id, short, name) in tactics {
        objects.push(json!({"type": "x-mitre-tactic", "id": format!("x-mitre-tactic--{id}"), "name": name,
            "x_mitre_shortname": short, "x_mitre_domains": domains, "external_references": reference(id)}));
    }
    for (id, short, name) in techniques {
        let is_revoked = revoked.iter().any(|(old, _)| old == id);
        objects.push(
            json!({"type": "attack-pattern", "id": stix(id), "name": name, "x_mitre_domains": domains,
            "x_mitre_is_subtechnique": id.contains('.'), "revoked": is_revoked,
            "x_mitre_deprecated": gone.contains(id),
            "kill_chain_phases": [{"kill_chain_name": "mitre-attack", "phase_name": short}],
            "external_references": reference(id)}),
        );
        if let Some((parent, _)) = id.split_once('.') {
            objects.push(json!({"type": "relationship", "id": format!("relationship--{id}"),
                "relationship_type": "subtechnique-of", "source_ref": stix(id), "target_ref": stix(parent)}));
        }
    }
    for (old, new) in revoked {
        objects.push(json!({"type": "relationship", "id": format!("relationship--{old}-{new}"),
            "relationship_type": "revoked-by", "source_ref": stix(old), "target_ref": stix(new)}));
    }
    json!({"type": "bundle", "id": "bundle--1", "objects": objects}).to_string()
}

/// A release like 18, as far as the tests need it.
fn older() -> String {
    bundle(
        "18.1",
        &[
            ("TA0005", "defense-evasion", "Defense Evasion"),
            ("TA0004", "privilege-escalation", "Privilege Escalation"),
        ],
        &[
            ("T1562", "defense-evasion", "Impair Defenses"),
            ("T1562.001", "defense-evasion", "Disable or Modify Tools"),
            ("T1562.003", "defense-evasion", "Impair Command History Logging"),
            ("T1027", "defense-evasion", "Obfuscated Files or Information"),
            ("T1211", "defense-evasion", "Exploitation for Defense Evasion"),
        ],
        &[],
        &[],
    )
}

/// A release like 19: the tactic is two, T1562 is T1685 with its sub-techniques, T1211 is deprecated.
fn newer() -> String {
    bundle(
        "19.0",
        &[
            ("TA0005", "stealth", "Stealth"),
            ("TA0112", "defense-impairment", "Defense Impairment"),
            ("TA0004", "privilege-escalation", "Privilege Escalation"),
        ],
        &[
            ("T1562", "defense-impairment", "Impair Defenses"),
            ("T1562.001", "defense-impairment", "Disable or Modify Tools"),
            ("T1562.003", "defense-impairment", "Impair Command History Logging"),
            ("T1685", "defense-impairment", "Disable Defenses"),
            ("T1685.001", "defense-impairment", "Disable or Change Tools"),
            ("T1685.009", "defense-impairment", "Impair History Logging"),
            ("T1027", "stealth", "Obfuscated Files or Information"),
            ("T1211", "stealth", "Exploitation for Defense Evasion"),
        ],
        &["T1211"],
        &[("T1562", "T1685"), ("T1562.001", "T1685.001"), ("T1562.003", "T1685.009")],
    )
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.file("older.json", older());
    folder.file("newer.json", newer());
    folder
}

/// The labels of a list, all that the model lists.
fn labels(folder: &Folder, arguments: &[&str], key: &str) -> Vec<Value> {
    let asked = ["classify", TEXT, "--format", "jsonl", "--top-k", "all", "--threshold", "0.01"];
    let outcome = folder.run(&[&asked[..], arguments].concat()).code(0);
    outcome.records()[0][key].as_array().unwrap().clone()
}

fn find<'a>(labels: &'a [Value], id: &str) -> Option<&'a Value> {
    labels.iter().find(|label| label["label"] == id)
}

#[test]
fn the_difference_of_two_releases_is_told() {
    let folder = folder();
    let catalogue = |name: &str| {
        let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../taxonomy/tests/data");
        std::fs::read(data.join(name)).unwrap()
    };
    folder.file("cwec.xml", catalogue("cwe.xml"));
    folder.file("capec.json", catalogue("capec.json"));
    for name in ["older", "newer"] {
        let (bundle, out) = (format!("{name}.json"), format!("{name}.bin"));
        let files =
            ["kb", "build", "--cwe", "cwec.xml", "--capec", "capec.json", "--attack", &bundle, "--out", &out];
        folder.run(&files).code(0);
    }
    let text = folder.run(&["kb", "diff", "older.bin", "newer.bin"]).code(0).stdout;
    for line in [
        "techniques added (3)",
        "  T1685.001 Disable Defenses: Disable or Change Tools",
        "  T1562: by T1685 Disable Defenses",
        "  T1562.001: by T1685.001 Disable Defenses: Disable or Change Tools",
        "techniques deprecated (1)\n  T1211",
        "techniques moved (3)",
        "  T1562.003: +TA0112, -TA0005",
        "tactics added (1)\n  TA0112 Defense Impairment",
        "tactics renamed (1)\n  TA0005: \"Defense Evasion\" became \"Stealth\"",
    ] {
        assert!(text.contains(line), "{text}\nlacks {line:?}");
    }
    let json = folder.run(&["kb", "diff", "older.bin", "newer.bin", "--format", "json"]).code(0).stdout;
    let changes: Value = serde_json::from_str(&json).unwrap();
    assert!(changes["changes"].as_array().unwrap().iter().any(|change| change["kind"] == "techniques moved"));
    // What `kb build` made is a release, too.
    assert!(find(&labels(&folder, &["--attack-ids", "newer.bin"], "attack"), "T1685.001").is_some());
}

#[test]
fn ids_are_written_as_another_release_has_them() {
    let folder = folder();
    let own = labels(&folder, &[], "attack");
    let before = find(&own, "T1562.001").unwrap();
    let newer = labels(&folder, &["--attack-ids", "newer.json"], "attack");
    let after = find(&newer, "T1685.001").unwrap();
    assert_eq!((&after["original"], &after["score"]), (&json!("T1562.001"), &before["score"]));
    assert_eq!((&after["via"], &after["predicted"]), (&before["via"], &before["predicted"]));
    assert_eq!(after["name"], "Disable Defenses: Disable or Change Tools");
    assert_eq!(after["tactics"], json!(["defense-impairment"]));
    assert_eq!(find(&newer, "T1562.001"), None);
    let same = find(&newer, "T1027");
    assert!(same.is_none_or(|label| label.get("original").is_none() && label.get("unmapped").is_none()));
    let gone = find(&newer, "T1211").expect("a deprecated one is kept");
    assert_eq!((&gone["unmapped"], gone.get("original")), (&json!(true), None));
    assert_eq!(own.len(), newer.len());
    let record =
        &folder.run(&["classify", TEXT, "--format", "jsonl", "--attack-ids", "newer.json"]).records()[0];
    assert_eq!(record["taxonomies"]["attack"], "19.0");
    let table = ["classify", TEXT, "--format", "table", "--top-k", "all", "--attack-ids", "newer.json"];
    let table = folder.run(&table).code(0).stdout;
    assert!(table.contains("T1562.001 in the release that the model was made with"), "{table}");
    assert!(table.contains("without a counterpart in the release that was asked for"), "{table}");
    folder.run(&["classify", TEXT, "--attack-ids", "missing.json"]).code(5).says(&["missing.json"]);
    folder.file("no.json", "{}");
    folder.run(&["classify", TEXT, "--attack-ids", "no.json"]).code(5).says(&["no.json"]);
}

#[test]
fn ids_of_a_newer_knowledge_base_are_written_as_an_older_release_has_them() {
    let folder = folder();
    // The knowledge base is of CAPEC's and CWE's made-up catalogues, and of the newer release.
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../taxonomy/tests/data");
    let mut capec = std::fs::read_to_string(data.join("capec.json")).unwrap();
    capec = capec.replace("T1562.003", "T1685.009").replace("\"1562.003\"", "\"1685.009\"");
    folder.file("capec.json", capec);
    folder.file("cwec.xml", std::fs::read(data.join("cwe.xml")).unwrap());
    let files =
        ["--cwe", "cwec.xml", "--capec", "capec.json", "--attack", "newer.json", "--out", "newer.bin"];
    folder.run(&[&["kb", "build"][..], &files].concat()).code(0);
    let text = "Cross-site scripting in the search field lets attackers inject script";
    let ask = |more: &[&str]| {
        let asked = ["classify", text, "--format", "jsonl", "--kb", "newer.bin", "--top-k", "all"];
        folder.run(&[&asked[..], more].concat()).code(0).records()[0]["attack"].as_array().unwrap().clone()
    };
    assert!(find(&ask(&[]), "T1685.009").is_some());
    let older = ask(&["--attack-ids", "older.json"]);
    let label = find(&older, "T1562.003").unwrap();
    assert_eq!(
        (&label["original"], &label["name"]),
        (&json!("T1685.009"), &json!("Impair Defenses: Impair Command History Logging"))
    );
}

#[test]
fn sub_techniques_are_folded_into_techniques_and_tactics() {
    let folder = folder();
    for key in ["attack", "attack_curated"] {
        let fine = labels(&folder, &["--attack-level", "subtechnique"], key);
        assert_eq!(fine, labels(&folder, &[], key), "{key}: the default");
        let techniques = labels(&folder, &["--attack-level", "technique"], key);
        let tactics = labels(&folder, &["--attack-level", "tactic"], key);
        assert!(!fine.is_empty() && !techniques.is_empty() && !tactics.is_empty(), "{key}");
        let parent = |label: &Value| label["label"].as_str().unwrap()[..5].to_owned();
        for label in &techniques {
            let below = || fine.iter().filter(|fine| parent(fine) == parent(label));
            assert!(!label["label"].as_str().unwrap().contains('.'), "{label}");
            let highest = below().map(|fine| fine["score"].as_f64().unwrap()).fold(0.0, f64::max);
            assert_eq!(label["score"].as_f64(), Some(highest), "{label}");
            assert_eq!(label["predicted"], below().any(|fine| fine["predicted"] == true), "{label}");
            assert!(
                below().any(|fine| fine["via"] == label["via"] && fine["role"] == label["role"]),
                "{label}"
            );
        }
        for label in &tactics {
            let show =
                folder.run(&["kb", "show", label["label"].as_str().unwrap(), "--format", "json"]).code(0);
            let short = serde_json::from_str::<Value>(&show.stdout).unwrap()["short_name"].clone();
            let serves = |fine: &&Value| fine["tactics"].as_array().unwrap().contains(&short);
            let highest =
                fine.iter().filter(serves).map(|fine| fine["score"].as_f64().unwrap()).fold(0.0, f64::max);
            assert_eq!(label["score"].as_f64(), Some(highest), "{label}");
        }
    }
    let by_release = labels(&folder, &["--attack-level", "tactic", "--attack-ids", "newer.json"], "attack");
    assert_eq!(find(&by_release, "TA0112").unwrap()["name"], "Defense Impairment");
    let lifted = labels(&folder, &["--attack-level", "technique", "--attack-ids", "newer.json"], "attack");
    assert_eq!(find(&lifted, "T1685").unwrap()["original"], "T1562");
}

#[test]
fn every_format_has_the_level() {
    let folder = folder();
    folder.file("in.jsonl", json!({"id": "CVE-2020-0001", "description": TEXT}).to_string());
    for (format, words) in
        [("csv", "attack,TA0"), ("table", "Tactics (ATT&CK)"), ("jsonl", "\"label\":\"TA0")]
    {
        let outcome =
            folder.run(&["classify", "in.jsonl", "--format", format, "--attack-level", "tactic"]).code(0);
        assert!(outcome.stdout.contains(words), "{}", outcome.stdout);
        assert!(!outcome.stdout.contains("T1562"), "{}", outcome.stdout);
    }
    let parquet = ["classify", "in.jsonl", "--attack-level", "tactic", "--out", "out.parquet"];
    folder.run(&parquet).code(0);
    let layer = ["classify", "in.jsonl", "--format", "navigator", "--attack-level", "tactic"];
    folder.run(&layer).code(2).says(&["the format navigator holds techniques"]);
    let layer = ["classify", "in.jsonl", "--format", "navigator", "--attack-level", "technique"];
    assert!(!folder.run(&layer).code(0).stdout.contains("\"T1562."));
    let explained =
        folder.run(&["explain", TEXT, "--format", "json", "--attack-level", "technique"]).code(0).stdout;
    let explained: Value = serde_json::from_str(&explained).unwrap();
    let ids = explained["attack"].as_array().unwrap();
    assert!(
        !ids.is_empty() && ids.iter().all(|id| !id["label"].as_str().unwrap().contains('.')),
        "{explained}"
    );
    let best = ["classify", "in.jsonl", "--attack-level", "technique", "--top-k", "2", "--format", "jsonl"];
    assert_eq!(folder.run(&best).code(0).records()[0]["attack"].as_array().unwrap().len(), 2);
}

#[test]
fn the_same_release_and_level_change_nothing() {
    let folder = folder();
    let embedded = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../taxonomy/assets/kb.bin");
    let embedded = embedded.display().to_string();
    let texts = [
        TEXT,
        "Something is wrong with the memory of the server, and an attacker may use it",
        "Access control is missing in the interface of the device",
        "Memory corruption while processing an IOCTL call to get the mapping",
        "Buffer overflow in a decoder, and SQL injection in the login form",
        "Stir the butter and the sugar",
    ];
    let lines = texts.map(|text| json!({"description": text}).to_string());
    folder.file("in.jsonl", lines.join("\n"));
    for arguments in [
        &["--format", "jsonl"][..],
        &["--format", "csv"],
        &["--format", "jsonl", "--top-k", "3"],
        &["--format", "table"],
    ] {
        let plain = folder.run(&[&["classify", "in.jsonl"][..], arguments].concat()).code(0).stdout;
        let viewed = [&["classify", "in.jsonl", "--attack-ids", &embedded][..], arguments].concat();
        assert_eq!(folder.run(&viewed).code(0).stdout, plain, "{arguments:?}");
    }
}
