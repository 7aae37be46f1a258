//! Whatever bytes come in: no parser panics, and what parses means the same when written again.

use crate::fixture::{CAPEC, CWE, ENTERPRISE, knowledge_base};
use proptest::prelude::*;
use vulnlens_taxonomy::{
    CapecId, CveId, CweId, KnowledgeBase, KnowledgeBaseBuilder, TacticId, TechniqueId, attack, capec, cwe,
};

/// A good file with a few bytes overwritten, and perhaps cut off.
fn damaged(file: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8);
    (edits, any::<prop::sample::Index>(), any::<bool>()).prop_map(move |(edits, end, cut)| {
        let mut bytes = Vec::from(file);
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let end = if cut { end.index(bytes.len()) } else { bytes.len() };
        bytes.truncate(end);
        bytes
    })
}

fn any_technique() -> impl Strategy<Value = TechniqueId> {
    (0..=9999_u16, prop::option::of(0..=999_u16)).prop_map(|(number, sub)| match sub {
        None => TechniqueId::technique(number),
        Some(sub) => TechniqueId::sub_technique(number, sub),
    })
}

proptest! {
    #[test]
    fn parsers_answer_whatever_the_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(cwe::parse(bytes.as_slice(), "f").is_err());
        prop_assert!(capec::parse(bytes.as_slice(), "f").is_err());
        prop_assert!(attack::parse(bytes.as_slice(), "f").is_err());
        prop_assert!(KnowledgeBase::from_bytes(&bytes).is_err());
    }

    #[test]
    fn a_damaged_cwe_catalogue_invents_no_order(bytes in damaged(CWE)) {
        if let Ok(catalog) = cwe::parse(bytes.as_slice(), "f") {
            prop_assert!(catalog.weaknesses.is_sorted_by(|a, b| a.id < b.id));
        }
    }

    #[test]
    fn a_damaged_bundle_invents_no_order(patterns in damaged(CAPEC), techniques in damaged(ENTERPRISE)) {
        if let Ok(catalog) = capec::parse(patterns.as_slice(), "f") {
            prop_assert!(catalog.patterns.is_sorted_by(|a, b| a.id < b.id));
        }
        if let Ok(catalog) = attack::parse(techniques.as_slice(), "f") {
            prop_assert!(catalog.techniques.is_sorted_by(|a, b| a.id < b.id));
        }
    }

    #[test]
    fn what_builds_survives_the_compiled_form(weaknesses in damaged(CWE), patterns in damaged(CAPEC)) {
        let cwe = cwe::parse(weaknesses.as_slice(), "f").or_else(|_| cwe::parse(CWE.as_bytes(), "f")).unwrap();
        let capec = capec::parse(patterns.as_slice(), "f").or_else(|_| capec::parse(CAPEC.as_bytes(), "f")).unwrap();
        let attack = attack::parse(ENTERPRISE.as_bytes(), "f").unwrap();
        if let Ok(kb) = KnowledgeBaseBuilder::new().cwe(cwe).capec(capec).attack(attack).build() {
            prop_assert_eq!(KnowledgeBase::from_bytes(&kb.to_bytes()), Ok(kb));
        }
    }

    #[test]
    fn ids_read_back_what_they_print(year in 0..=9999_u16, number in 0..=999_999_u32, technique in any_technique()) {
        prop_assert_eq!(CveId::new(year, number).to_string().parse(), Ok(CveId::new(year, number)));
        prop_assert_eq!(CweId(number).to_string().parse(), Ok(CweId(number)));
        prop_assert_eq!(CapecId(number).to_string().parse(), Ok(CapecId(number)));
        prop_assert_eq!(TacticId(year).to_string().parse(), Ok(TacticId(year)));
        prop_assert_eq!(technique.to_string().parse(), Ok(technique));
    }

    #[test]
    fn ids_never_read_what_prints_differently_twice(text in "\\PC{0,14}|(CWE-|CVE-|T|TA|CAPEC-)[0-9.-]{0,12}") {
        if let Ok(id) = text.parse::<CveId>() { prop_assert_eq!(id.to_string().parse(), Ok(id)); }
        if let Ok(id) = text.parse::<CweId>() { prop_assert_eq!(id.to_string().parse(), Ok(id)); }
        if let Ok(id) = text.parse::<TechniqueId>() { prop_assert_eq!(id.to_string().parse(), Ok(id)); }
        if let Ok(id) = text.parse::<TacticId>() { prop_assert_eq!(id.to_string().parse(), Ok(id)); }
    }

    #[test]
    fn the_chain_of_a_set_is_the_union_of_its_members(a in 0..1000_u32, pick in any::<prop::sample::Index>()) {
        let kb = knowledge_base();
        let ids: Vec<CweId> = kb.weaknesses().map(|weakness| weakness.id).collect();
        let b = *pick.get(&ids);
        let both = kb.chain(&[CweId(a), b]);
        let (one, other) = (kb.chain(&[CweId(a)]), kb.chain(&[b]));
        let mut union: Vec<TechniqueId> = one.techniques.into_iter().chain(other.techniques).collect();
        union.sort_unstable();
        union.dedup();
        prop_assert_eq!(both.techniques, union);
        prop_assert_eq!(kb.chain(&both.cwe).cwe, both.cwe, "a chain's ids hold all their ancestors");
    }
}
