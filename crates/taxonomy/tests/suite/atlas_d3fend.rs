//! ATLAS and D3FEND next to the chain: made-up files, bad entries between good ones, and the official files.

use std::path::Path;

use vulnlens_taxonomy::{
    AtlasTechniqueId, CountermeasureId, CweId, DefensiveTactic, KnowledgeBase, ParseError, TechniqueId,
    Threat, atlas, d3fend, diff,
};

use crate::fixture::{ATLAS, D3FEND, knowledge_base, knowledge_base_with_both};

fn atlas_id(text: &str) -> AtlasTechniqueId {
    text.parse().unwrap()
}

fn technique(text: &str) -> Threat {
    Threat::Technique(text.parse().unwrap())
}

#[test]
fn atlas_has_tactics_techniques_and_mitigations() {
    let kb = knowledge_base_with_both(ATLAS, D3FEND);
    let atlas = kb.atlas().unwrap();
    assert_eq!((atlas.version.as_deref(), atlas.date.as_deref()), (Some("9.9.1"), Some("2026-02-05")));
    let page = atlas_id("AML.T0010.001");
    assert_eq!(atlas.full_name(page).as_deref(), Some("Talking the model round: By a page"));
    assert_eq!(
        atlas.tactics_of(page),
        atlas.tactics_of(page.parent()),
        "a sub-technique serves its parent's"
    );
    assert_eq!(atlas.tactics_of(page).len(), 2);
    let mitigations: Vec<_> = atlas.mitigations_of(page).map(|of| of.id.to_string()).collect();
    assert_eq!(mitigations, ["AML.M0001"]);
    let knock: TechniqueId = "T1190".parse().unwrap();
    assert_eq!(atlas.of_attack(knock).map(|of| of.id.to_string()).collect::<Vec<_>>(), ["AML.T0011"]);
    assert_eq!(atlas.tactics[0].attack.map(|id| id.to_string()).as_deref(), Some("TA0043"));
    let described: Vec<_> = kb.descriptions().atlas.iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!(described, ["AML.T0010", "AML.T0010.001", "AML.T0011"]);
    assert!(kb.descriptions().atlas[0].1.contains("obeys as if"), "lines of a text are joined");
}

#[test]
fn a_bad_entry_of_atlas_leaves_the_others() {
    let broken = ATLAS
        .replace("id: AML.TA0002\n    name: Breaking in", "id: AML.TA0002")
        .replace("subtechnique-of: AML.T0010", "subtechnique-of: AML.T0099")
        .replace("id: T1190\n", "id: T119\n")
        .replace("id: AML.T0010.001\n      use", "id: AML.T0077\n      use");
    let catalog = atlas::parse(broken.as_bytes(), "ATLAS.yaml").unwrap();
    let issues: Vec<String> = catalog.issues.iter().map(ToString::to_string).collect();
    for wanted in [
        "line 18 (AML.TA0002), name: is missing; entry left out",
        "line 32 (AML.T0010.001), subtechnique-of: AML.T0099 is not in the file; reference dropped",
        "(AML.T0011), ATT&CK-reference: \"T119\" is not a ATT&CK technique id",
        "(AML.M0001), techniques: AML.T0077 is not in the file; reference dropped",
        "(AML.T0010), tactics: AML.TA0002 is not in the file; reference dropped",
    ] {
        assert!(issues.iter().any(|issue| issue.contains(wanted)), "{wanted}\n{issues:#?}");
    }
    assert_eq!(catalog.atlas.techniques.len(), 3);
    assert_eq!(catalog.atlas.tactics.len(), 1);
    assert_eq!(catalog.atlas.mitigations[0].techniques, [atlas_id("AML.T0010")]);
}

#[test]
fn other_files_are_refused_by_what_they_are_not() {
    for (file, reason) in [
        ("", "no readable technique"),
        ("a: 1", "no readable technique"),
        ("matrices: 3", "no readable technique"),
        ("matrices: [{techniques: [{id: x}]}]", "no readable technique"),
        ("a: [", "malformed YAML"),
    ] {
        let error = atlas::parse(file.as_bytes(), "f.yaml").unwrap_err().to_string();
        assert!(error.starts_with("f.yaml: ") && error.contains(reason), "{file}: {error}");
    }
    assert!(atlas::parse(&b"\xFF"[..], "f").unwrap_err().to_string().contains("not UTF-8"));
    let error = d3fend::parse(&b":a :b"[..], "f.ttl").unwrap_err();
    assert!(matches!(error, ParseError::Turtle { line: 1, .. }), "{error}");
    let error = d3fend::parse(&b"<http://a> <http://b> <http://c> ."[..], "f.ttl").unwrap_err().to_string();
    assert!(error.contains("no readable countermeasure"), "{error}");
}

#[test]
fn countermeasures_are_found_by_the_artifacts_that_both_touch() {
    let kb = knowledge_base_with_both(ATLAS, D3FEND);
    let d3fend = kb.d3fend().unwrap();
    assert_eq!((d3fend.version.as_deref(), d3fend.date.as_deref()), (Some("9.9"), Some("2025-08-01")));
    let against = |threat| -> Vec<(String, u8)> {
        let counters = d3fend.against(threat).into_iter();
        counters.map(|counter| (counter.countermeasure.id.to_string(), counter.distance)).collect()
    };
    let both = [("D3-LO".to_owned(), 0), ("D3-DW".to_owned(), 1)];
    assert_eq!(against(technique("T1190")), both, "the nearer artifact first; not by what all artifacts are");
    assert_eq!(against(technique("T1190.001")), both, "a sub-technique does what its technique does");
    assert_eq!(against(technique("T1027")), [("D3-DW".to_owned(), 1)], "a circle of classes ends");
    assert_eq!(
        against(Threat::Weakness(CweId(79))),
        [("D3-DW".to_owned(), 0)],
        "not by a kind of the artifact"
    );
    assert!(against(technique("T1539")).is_empty() && against(technique("T0001")).is_empty());
    let way = d3fend.against(technique("T1190"))[1];
    assert_eq!((way.threat_relation, way.threat_artifact), ("modifies", "Front Door"));
    assert_eq!((way.relation, way.artifact), ("analyzes", "Door"));
    let watching: CountermeasureId = "D3-DW".parse().unwrap();
    let countermeasure = d3fend.countermeasure(watching).unwrap();
    assert_eq!(countermeasure.tactic, DefensiveTactic::Detect, "by what it is a kind of");
    assert_eq!(countermeasure.parent.unwrap().to_string(), "D3-WA");
    let threats = d3fend.threats(watching);
    assert_eq!(threats.len(), 5);
    assert!(threats.iter().all(|threat| {
        d3fend.against(*threat).iter().any(|counter| counter.countermeasure.id == watching)
    }));
    let issues = d3fend::parse(D3FEND.as_bytes(), "f").unwrap().issues;
    let [issue] = issues.as_slice() else { panic!("{issues:?}") };
    assert!(
        issue.to_string().contains("(Wrong), d3fend-id: \"wrong id\" is not a D3FEND countermeasure id"),
        "{issue}"
    );
}

#[test]
fn the_compiled_form_keeps_atlas_and_d3fend() {
    let kb = knowledge_base_with_both(ATLAS, D3FEND);
    let loaded = KnowledgeBase::from_bytes(&kb.to_bytes()).unwrap();
    assert_eq!(loaded, kb);
    assert_eq!((loaded.atlas(), loaded.d3fend()), (kb.atlas(), kb.d3fend()));
    assert_eq!(loaded.descriptions(), kb.descriptions());
    assert_eq!(knowledge_base_with_both(ATLAS, D3FEND).to_bytes(), kb.to_bytes(), "same files, same bytes");
    let without = knowledge_base();
    assert!(without.atlas().is_none() && without.d3fend().is_none());
    assert_ne!(without.fingerprint(), kb.fingerprint());
    let releases: Vec<_> = kb.releases().iter().map(|release| release.catalogue).collect();
    assert_eq!(releases, ["CWE", "CAPEC", "ATT&CK", "ATLAS", "D3FEND"]);
}

#[test]
fn diff_knows_atlas_and_d3fend() {
    let old = knowledge_base_with_both(ATLAS, D3FEND);
    assert!(diff(&old, &old).is_empty());
    let atlas = ATLAS.replace("By a page", "By a sheet").replace("id: T1190\n", "id: T1027\n");
    let atlas = atlas.replace("    - id: AML.T0010.001\n      use: Filters the page.\n", "");
    let new = knowledge_base_with_both(&atlas, &D3FEND.replace(":blocks :FrontDoor", ":blocks :Window"));
    let changes = diff(&old, &new);
    assert_eq!(changes.atlas_techniques.renamed[0].to, "By a sheet");
    assert_eq!(changes.atlas_moved, [atlas_id("AML.T0011")]);
    assert_eq!(changes.atlas_remapped.len(), 1);
    let countered: Vec<_> = changes.countered.iter().map(ToString::to_string).collect();
    assert_eq!(countered, ["D3-LO"]);
    assert_eq!(diff(&knowledge_base(), &old).countermeasures.added.len(), 4);
}

#[test]
fn the_official_files_are_read_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !folder.join("atlas").is_dir() || !folder.join("d3fend").is_dir() {
        eprintln!("skipped: {} is absent", folder.display());
        return;
    }
    let text = std::fs::read(folder.join("atlas/ATLAS.yaml")).unwrap();
    let catalog = atlas::parse(&*text, "ATLAS.yaml").unwrap();
    assert_eq!(catalog.issues, []);
    let atlas = &catalog.atlas;
    assert_eq!((atlas.tactics.len(), atlas.techniques.len(), atlas.mitigations.len()), (16, 170, 35));
    assert_eq!(atlas.version.as_deref(), Some("5.6.0"));
    assert_eq!(atlas.techniques.iter().filter(|of| of.attack.is_some()).count(), 34);
    assert!(atlas.techniques.iter().all(|of| !atlas.tactics_of(of.id).is_empty()));
    let file = std::fs::File::open(folder.join("d3fend/d3fend-protege.ttl.gz")).unwrap();
    let reader = std::io::BufReader::new(flate2::read::MultiGzDecoder::new(file));
    let catalog = d3fend::parse(reader, "d3fend.ttl").unwrap();
    assert_eq!(catalog.issues, []);
    let d3fend = &catalog.d3fend;
    assert!(d3fend.countermeasures.len() >= 249);
    assert!(d3fend.countermeasures.iter().all(|of| of.tactic != DefensiveTactic::Unstated));
    let names = |threat| -> Vec<&str> {
        d3fend.against(threat).iter().map(|counter| counter.countermeasure.name.as_str()).collect()
    };
    assert!(names(technique("T1190")).contains(&"Inbound Traffic Filtering"));
    assert!(names(technique("T1566.001")).contains(&"Email Filtering"));
    assert!(!names(Threat::Weakness(CweId(787))).is_empty());
}
