//! The chain, its paths both ways and the levels, on made-up catalogues with a diamond, a circle,
//! a category, a revoked technique and a mobile one.

use crate::fixture::{cwes, knowledge_base, knowledge_base_with, published, techniques};
use vulnlens_taxonomy::{
    AttackLevel, CapecId, ChainLabels, ChainPath, CweId, CweLevel, KnowledgeBase, MAX_PATHS, TacticId,
    TechniqueId,
};

#[test]
fn the_chain_gives_what_the_records_say() {
    let kb = knowledge_base();
    for (id, record) in include_str!("../data/records.jsonl").lines().flat_map(published) {
        let leaves: Vec<CweId> =
            record.cwe.iter().copied().filter(|id| is_leaf(&kb, *id, &record.cwe)).collect();
        let mut expected = ChainLabels {
            cwe: record.cwe.clone(),
            capec: record.capec.into_iter().collect(),
            techniques: record.techniques.into_iter().collect(),
        };
        expected.cwe.sort_unstable();
        assert_eq!(kb.chain(&leaves), expected, "{id} from {leaves:?}");
        assert_eq!(kb.chain_of_complete(&record.cwe), expected, "{id} as listed");
    }
}

/// Whether no other id of `ids` implies `id` (two that imply each other both stay).
fn is_leaf(kb: &KnowledgeBase, id: CweId, ids: &[CweId]) -> bool {
    !ids.iter().any(|other| kb.ancestors(*other).contains(&id) && !kb.ancestors(id).contains(other))
}

#[test]
fn ancestors_follow_view_1000_alone_and_survive_circles() {
    let kb = knowledge_base();
    for (id, parents, ancestors) in [
        (79, vec![74], vec![74, 707]),
        (121, vec![787, 788], vec![119, 787, 788]),
        (787, vec![119], vec![119]),
        (900, vec![901], vec![901]),
        (264, vec![], vec![]),
        (31337, vec![], vec![]),
    ] {
        assert_eq!(kb.parents(CweId(id)), cwes(&parents), "parents of {id}");
        assert_eq!(kb.ancestors(CweId(id)), cwes(&ancestors), "ancestors of {id}");
    }
}

#[test]
fn paths_lead_up_to_the_weakness_that_carries_the_pattern() {
    let kb = knowledge_base();
    let path = |cwe: &[u32], capec| ChainPath {
        cwe: cwes(cwe),
        capec: CapecId(capec),
        technique: technique("T1027"),
    };
    assert_eq!(kb.paths(CweId(80), technique("T1027")), [path(&[80, 79, 74], 3), path(&[80, 79, 74], 267)]);
    assert_eq!(kb.paths(CweId(74), technique("T1027")), [path(&[74], 3), path(&[74], 267)]);
    assert_eq!(kb.paths(CweId(901), technique("T1027")), [path(&[901, 900], 3)]);
    assert_eq!(kb.paths(CweId(79), technique("T1574.002")), []);
    assert_eq!(kb.paths(CweId(264), technique("T1027")), []);
}

#[test]
fn a_diamond_has_both_its_ways() {
    let kb = knowledge_base();
    let ways = [cwes(&[121, 787, 119]), cwes(&[121, 788, 119])];
    assert_eq!(kb.paths_to_capec(CweId(121), CapecId(9)), ways);
    assert_eq!(kb.paths_to_capec(CweId(121), CapecId(63)), Vec::<Vec<CweId>>::new());
}

#[test]
fn the_number_of_paths_is_bounded() {
    // Twelve diamonds on top of one another: 2^12 shortest ways.
    let rung = |id: u32, parents: &[u32]| {
        let parents: String = parents.iter().map(|p| relation(*p)).collect();
        format!(
            "<Weakness ID=\"{id}\" Name=\"rung\"><Related_Weaknesses>{parents}</Related_Weaknesses></Weakness>"
        )
    };
    let ladder: String = (0..12)
        .flat_map(|k| {
            let (low, high) = (5000 + 10 * k, 5010 + 10 * k);
            [rung(low, &[low + 1, low + 2]), rung(low + 1, &[high]), rung(low + 2, &[high])]
        })
        .chain([rung(5120, &[74])])
        .collect();
    let kb = knowledge_base_with(|file| file.replace("</Weaknesses>", &format!("{ladder}</Weaknesses>")));
    let ways = kb.paths_to_capec(CweId(5000), CapecId(267));
    assert_eq!(ways.len(), MAX_PATHS);
    assert!(ways.is_sorted_by(|a, b| a < b), "in order, each once");
    assert!(ways.iter().all(|way| way.len() == 26 && way.ends_with(&cwes(&[5120, 74]))));
}

fn relation(parent: u32) -> String {
    format!("<Related_Weakness Nature=\"ChildOf\" CWE_ID=\"{parent}\" View_ID=\"1000\"/>")
}

#[test]
fn backwards_finds_exactly_the_weaknesses_whose_chain_reaches() {
    let kb = knowledge_base();
    assert_eq!(kb.cwes_reaching(technique("T1027")), cwes(&[74, 79, 80, 900, 901]));
    assert_eq!(kb.cwes_reaching(technique("T1513")), cwes(&[119, 121, 787, 788]));
    assert_eq!(kb.cwes_reaching(technique("T1425")), []);
}

#[test]
fn cwe_levels() {
    let kb = knowledge_base();
    let assigned = cwes(&[121, 80, 788, 264, 31337]);
    for (level, expected) in [
        (CweLevel::Assigned, vec![80, 121, 264, 788, 31337]),
        (CweLevel::WithAncestors, vec![74, 79, 80, 119, 121, 264, 707, 787, 788, 31337]),
        (CweLevel::View1003, vec![79, 119]),
        // 121 states no usage; 788 is prohibited; 264 and 31337 are no weaknesses.
        (CweLevel::Allowed, vec![80, 121]),
    ] {
        assert_eq!(kb.cwe_at(level, &assigned), cwes(&expected), "{level:?}");
    }
}

#[test]
fn attack_levels_lift_to_parents_and_tactics() {
    let kb = knowledge_base();
    let given = techniques(&["T1562.003", "T1562", "T1574.002", "T1513", "T9999.001"]);
    let labels =
        |level| kb.attack_at(level, &given).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    assert_eq!(labels(AttackLevel::SubTechnique), "T1513 T1562 T1562.003 T1574.002 T9999.001");
    assert_eq!(labels(AttackLevel::Technique), "T1513 T1562 T1574 T9999");
    assert_eq!(labels(AttackLevel::Tactic), "TA0001 TA0005 TA0030");
    assert_eq!(
        kb.tactics_of(technique("T1574.002")),
        [TacticId(1)],
        "the replacement's, having none of its own"
    );
}

#[test]
fn current_follows_what_revoked_a_technique() {
    let kb = knowledge_base();
    for (old, new) in [("T1574.002", "T1574.001"), ("T1027", "T1027"), ("T9999", "T9999")] {
        assert_eq!(kb.current(technique(old)), technique(new));
    }
}

#[test]
fn weaknesses_reach_patterns_by_their_ancestors() {
    let kb = knowledge_base();
    assert_eq!(kb.cwes_reaching_capec(CapecId(267)), cwes(&[74, 79, 80]));
    assert_eq!(kb.cwes_reaching_capec(CapecId(1)), []);
}

#[test]
fn names_of_weaknesses_and_of_categories() {
    let kb = knowledge_base();
    for (id, name) in [(74, Some("Mixed & unmixed")), (264, Some("Things about doors")), (31337, None)] {
        assert_eq!(kb.name_of_cwe(CweId(id)), name);
    }
    assert!(kb.is_weakness(CweId(74)) && !kb.is_weakness(CweId(264)));
}

fn technique(text: &str) -> TechniqueId {
    text.parse().unwrap()
}
