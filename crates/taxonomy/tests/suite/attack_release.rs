//! Counterparts of ids in another release of ATT&CK, both ways.

use crate::fixture::{CAPEC, CWE, ENTERPRISE, techniques};
use vulnlens_taxonomy::{
    AttackRelease, Counterpart, KnowledgeBase, KnowledgeBaseBuilder, TechniqueId, attack, capec, cwe,
};

fn knowledge_base(attack: &str) -> KnowledgeBase {
    KnowledgeBaseBuilder::new()
        .cwe(cwe::parse(CWE.as_bytes(), "f").unwrap())
        .capec(capec::parse(CAPEC.as_bytes(), "f").unwrap())
        .attack(attack::parse(attack.as_bytes(), "f").unwrap())
        .build()
        .unwrap()
}

fn release(attack: &str) -> AttackRelease {
    AttackRelease::new(vec![attack::parse(attack.as_bytes(), "f").unwrap()], "unstated")
}

fn id(text: &str) -> TechniqueId {
    text.parse().unwrap()
}

/// The release before T1574.002 was revoked by T1574.001, which did not exist.
fn before() -> String {
    let start =
        ENTERPRISE.find("{\"type\": \"attack-pattern\", \"id\": \"attack-pattern--1574-001\"").unwrap();
    let end = ENTERPRISE.find("{\"type\": \"attack-pattern\", \"id\": \"attack-pattern--1574-002\"").unwrap();
    let mut text = ENTERPRISE.to_owned();
    text.replace_range(start..end, "");
    text.replace("\"revoked\": true,", "\"revoked\": false,").replace("31.2", "30.1")
}

#[test]
fn a_revoked_id_has_its_successor_in_a_newer_release_and_its_forerunner_in_an_older_one() {
    let (older, newer) = (before(), ENTERPRISE);
    let forwards = release(newer).counterparts(&knowledge_base(&older));
    assert_eq!(forwards.of(id("T1574.002")), &Counterpart::Others(techniques(&["T1574.001"])));
    assert_eq!(forwards.of(id("T1027")), &Counterpart::Same);
    assert_eq!(forwards.of(id("T9999")), &Counterpart::None);
    let backwards = release(&older).counterparts(&knowledge_base(newer));
    assert_eq!(backwards.of(id("T1574.001")), &Counterpart::Others(techniques(&["T1574.002"])));
    assert_eq!(backwards.of(id("T1574.002")), &Counterpart::Same, "in force there");
}

#[test]
fn an_id_that_is_gone_has_no_counterpart_unless_it_is_gone_here_too() {
    let gone = ENTERPRISE.replace("\"x_mitre_deprecated\": false", "\"x_mitre_deprecated\": true");
    assert_eq!(release(&gone).counterparts(&knowledge_base(ENTERPRISE)).of(id("T1562")), &Counterpart::None);
    assert_eq!(release(&gone).counterparts(&knowledge_base(&gone)).of(id("T1562")), &Counterpart::Same);
}

#[test]
fn a_knowledge_base_with_another_release_has_its_names_and_keeps_its_own_ids() {
    let kb = knowledge_base(ENTERPRISE);
    let older = before().replace("\"Mumble\"", "\"Mutter\"");
    let other = kb.with_attack(&release(&older)).unwrap();
    assert_eq!(other.technique(id("T1027")).unwrap().name, "Mutter");
    assert_eq!(other.technique(id("T1574.001")).unwrap().name, "Take the library's way");
    assert_eq!((other.versions().attack.as_str(), release(&older).version()), ("30.1", "30.1"));
    assert_eq!(KnowledgeBase::from_bytes(&other.to_bytes()).unwrap(), other);
    assert_eq!(AttackRelease::of(&kb).counterparts(&kb).of(id("T1562")), &Counterpart::Same);
}
