//! The compiled form: same in, same out; everything else is refused by name.

use crate::fixture::{CAPEC, CWE, ENTERPRISE, cwes, knowledge_base, knowledge_base_with, techniques};
use sha2::{Digest, Sha256};
use vulnlens_taxonomy::{
    AttackRelease, CapecId, CweId, KbFormatError, KnowledgeBase, KnowledgeBaseBuilder, Usage, attack, capec,
    cwe, diff,
};

#[test]
fn the_compiled_form_is_the_knowledge_base() {
    let kb = knowledge_base();
    let bytes = kb.to_bytes();
    let loaded = KnowledgeBase::from_bytes(&bytes).unwrap();
    assert_eq!(loaded, kb);
    assert_eq!(loaded.to_bytes(), bytes);
    assert_eq!(knowledge_base().to_bytes(), bytes, "the same catalogues give the same bytes");
    assert_eq!(loaded.fingerprint(), kb.fingerprint());
    assert_eq!(kb.fingerprint().len(), 12);
    let other = knowledge_base_with(|file| file.replace("Beyond", "Past"));
    assert_ne!(other.fingerprint(), kb.fingerprint());
}

#[test]
fn damaged_bytes_are_refused_by_name() {
    let bytes = knowledge_base().to_bytes();
    let refusal = |bytes: &[u8]| KnowledgeBase::from_bytes(bytes).unwrap_err();
    assert_eq!(refusal(b""), KbFormatError::NotAKnowledgeBase);
    assert_eq!(refusal(b"{\"type\": \"bundle\"}"), KbFormatError::NotAKnowledgeBase);
    assert_eq!(refusal(&bytes[..10]), KbFormatError::Truncated(10));
    assert_eq!(refusal(&bytes[..43]), KbFormatError::Truncated(43));
    assert_eq!(refusal(&bytes[..bytes.len() - 1]), KbFormatError::Checksum);
    let mut future = bytes.clone();
    future[8] = 99;
    assert_eq!(refusal(&future), KbFormatError::Version { found: 99 });
    assert!(refusal(&future).to_string().starts_with("format version 99, but this program reads version "));
    for position in [12, 44, 100, bytes.len() - 1] {
        let mut flipped = bytes.clone();
        flipped[position] ^= 1;
        assert_eq!(refusal(&flipped), KbFormatError::Checksum, "bit flipped at {position}");
    }
}

/// The tables of a compiled knowledge base, and the sections behind them.
fn parts(bytes: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let length = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let (tables, rest) = bytes[52..].split_at(length(44));
    let (supplement, descriptions) = rest.split_at(length(48));
    (tables, supplement, descriptions)
}

/// A compiled knowledge base of these sections, with a right checksum.
fn sealed(tables: &[u8], supplement: &[u8], descriptions: &[u8]) -> Vec<u8> {
    let length = |part: &[u8]| u32::try_from(part.len()).unwrap().to_le_bytes();
    let content = [&length(tables), &length(supplement), tables, supplement, descriptions].concat();
    let head = knowledge_base().to_bytes();
    [&head[..12], &Sha256::digest(&content), &content].concat()
}

#[test]
fn content_with_a_right_checksum_is_still_checked() {
    let bytes = knowledge_base().to_bytes();
    let (tables, supplement, descriptions) = parts(&bytes);
    assert_eq!(sealed(tables, supplement, descriptions), bytes);
    let surplus = [tables, b"\0"].concat();
    // The first byte is the length of CWE's version: the same number in two bytes.
    let long_number = [&[tables[0] | 0x80, 0], &tables[1..]].concat();
    let enormous_length = [&[0xFF, 0xFF, 0xFF, 0xFF, 0x0F], &tables[1..]].concat();
    let refused = |bytes: &[u8]| {
        let refusal = KnowledgeBase::from_bytes(bytes).unwrap_err();
        assert!(matches!(refusal, KbFormatError::Content(_)), "{refusal}");
    };
    for tables in [&tables[..tables.len() / 2], &surplus, &long_number, &enormous_length, b""] {
        refused(&sealed(tables, supplement, descriptions));
    }
    for broken in [&b"x"[..], b"", &supplement[..supplement.len() / 2]] {
        refused(&sealed(tables, broken, descriptions));
        refused(&sealed(tables, supplement, broken));
    }
    let mut too_long = Vec::from(&bytes[44..]);
    too_long[3] = 0x7F;
    refused(&[&bytes[..12], &Sha256::digest(&too_long), &too_long].concat());
}

#[test]
fn a_list_out_of_order_is_refused() {
    let bytes = knowledge_base().to_bytes();
    let (tables, supplement, descriptions) = parts(&bytes);
    // Ids below 128 take one byte, right before the length of the name.
    let name = tables.windows(7).position(|window| window == b"Mixed &").unwrap();
    let mut swapped = Vec::from(tables);
    assert_eq!(swapped[name - 2], 74);
    swapped[name - 2] = 80;
    let refusal = KnowledgeBase::from_bytes(&sealed(&swapped, supplement, descriptions)).unwrap_err();
    assert_eq!(refusal, KbFormatError::Unordered("weaknesses"));
}

#[test]
fn a_knowledge_base_does_not_differ_from_itself() {
    assert!(diff(&knowledge_base(), &knowledge_base()).is_empty());
}

#[test]
fn diff_names_what_changed_and_where_the_chain_leads_elsewhere() {
    let old = knowledge_base();
    let new = knowledge_base_with(|file| {
        file.replace(
            "ID=\"788\" Name=\"Beyond the edge, after\"",
            "ID=\"786\" Name=\"Beyond the edge, before\"",
        )
        .replace("Page of others\"", "Page of strangers\"")
        .replacen("<Usage>Discouraged<", "<Usage>Prohibited<", 1)
        .replace("CWE_ID=\"74\" View_ID=\"1000\"", "CWE_ID=\"119\" View_ID=\"1000\"")
    });
    let changes = diff(&old, &new);
    assert_eq!(changes.weaknesses.added, cwes(&[786]));
    assert_eq!(changes.weaknesses.removed, cwes(&[788]));
    let [rename] = changes.weaknesses.renamed.as_slice() else { panic!("{changes:?}") };
    assert_eq!((rename.id, rename.to.as_str()), (CweId(79), "Page of strangers"));
    let [usage] = changes.usage.as_slice() else { panic!("{changes:?}") };
    assert_eq!((usage.id, usage.from, usage.to), (CweId(707), Usage::Discouraged, Usage::Prohibited));
    let [relation] = changes.relations.as_slice() else { panic!("{changes:?}") };
    assert_eq!(
        (relation.id, relation.added[0].target, relation.removed[0].target),
        (CweId(79), CweId(119), CweId(74))
    );
    let chain: Vec<_> =
        changes.chain.iter().map(|change| (change.id.0, change.added.len(), change.removed.len())).collect();
    assert_eq!(chain, [(79, 2, 2), (80, 2, 2), (786, 2, 0), (788, 0, 2)]);
    assert!(changes.patterns.is_empty() && changes.techniques.is_empty());
}

#[test]
fn diff_names_categories_and_views_that_changed() {
    let renamed = knowledge_base_with(|file| file.replace("Things about doors", "Things about gates"));
    let changes = diff(&knowledge_base(), &renamed);
    assert_eq!(changes.groupings.renamed.first().map(|rename| rename.id), Some(CweId(264)));
    assert!(changes.regrouped.is_empty() && !changes.is_empty());
    let moved = knowledge_base_with(|file| {
        file.replace("CWE_ID=\"79\" View_ID=\"699\"", "CWE_ID=\"80\" View_ID=\"699\"")
    });
    assert_eq!(diff(&knowledge_base(), &moved).regrouped, cwes(&[264]));
    let removed = knowledge_base_with(|file| file.replace("<Category ID=\"264\"", "<Category ID=\"265\""));
    let changes = diff(&knowledge_base(), &removed).groupings;
    assert_eq!((changes.added, changes.removed), (cwes(&[265]), cwes(&[264])));
}

#[test]
fn diff_names_withdrawn_techniques_and_patterns_that_lead_elsewhere() {
    let build = |capec: &str, attack: &str| {
        KnowledgeBaseBuilder::new()
            .cwe(cwe::parse(CWE.as_bytes(), "f").unwrap())
            .capec(capec::parse(capec.as_bytes(), "f").unwrap())
            .attack(attack::parse(attack.as_bytes(), "f").unwrap())
            .build()
            .unwrap()
    };
    let withdrawn = ENTERPRISE.replace("\"name\": \"Blunt the guards\"", "\"name\": \"Blunt all guards\"");
    let withdrawn = withdrawn.replace("\"x_mitre_deprecated\": false", "\"x_mitre_deprecated\": true");
    let unrevoked = ENTERPRISE.replace("\"revoked\": true", "\"revoked\": false");
    let relinked = CAPEC.replace("\"1027\"", "\"T1574\"");
    let changes = diff(&build(CAPEC, &unrevoked), &build(&relinked, &withdrawn));
    assert_eq!(changes.revoked, [(techniques(&["T1574.002"])[0], Some(techniques(&["T1574.001"])[0]))]);
    assert_eq!(changes.deprecated, techniques(&["T1562"]));
    assert_eq!(changes.techniques.renamed[0].to, "Blunt all guards");
    let [change] = changes.pattern_techniques.as_slice() else { panic!("{changes:?}") };
    assert_eq!((change.id, &change.added), (CapecId(267), &techniques(&["T1574"])));
    assert_eq!(change.removed, techniques(&["T1027"]));
}

#[test]
fn entries_are_known_by_their_objects_in_stix() {
    let kb = KnowledgeBase::embedded();
    assert!(kb.techniques().all(|technique| kb.stix_of_technique(technique.id).is_some()));
    assert!(kb.patterns().all(|pattern| kb.stix_of_pattern(pattern.id).is_some()));
    // As MITRE publishes it.
    let object = kb.stix_of_technique("T1190".parse().unwrap()).unwrap();
    assert_eq!(object.id(), "attack-pattern--3f886f2a-874f-4333-b794-aa6075009b1c");
    assert_eq!(object.created.to_string(), "2018-04-18T17:59:24.739Z");
    // Another release keeps them.
    let release = AttackRelease::of(&kb);
    let other = kb.with_attack(&release).unwrap();
    assert!(kb.techniques().all(|t| other.stix_of_technique(t.id) == kb.stix_of_technique(t.id)));
}
