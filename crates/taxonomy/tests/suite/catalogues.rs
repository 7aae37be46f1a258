//! What the parsers make of whole catalogues, and of the bad entries and files among them.

use crate::fixture::{CAPEC, CWE, ENTERPRISE, MOBILE, cwes, techniques};
use vulnlens_taxonomy::{
    Abstraction, BuildError, CapecId, CweId, Domain, GroupingKind, KnowledgeBaseBuilder, Nature, ParseError,
    PatternAbstraction, Relation, Status, TacticId, Usage, attack, capec, cwe,
};

#[test]
fn cwe_entries_carry_every_field() {
    let catalog = cwe::parse(CWE.as_bytes(), "cwe.xml").unwrap();
    assert_eq!((catalog.version.as_deref(), catalog.date.as_deref()), (Some("9.1"), Some("2031-02-03")));
    assert_eq!(catalog.issues, []);
    assert!(catalog.weaknesses.is_sorted_by_key(|weakness| weakness.id));
    let page = catalog.weaknesses.iter().find(|weakness| weakness.id == CweId(79)).unwrap();
    assert_eq!(
        (page.abstraction, page.status, page.usage),
        (Abstraction::Base, Status::Stable, Usage::Allowed)
    );
    let relation = |nature, target, view, primary| Relation { nature, target: CweId(target), view, primary };
    assert_eq!(
        page.relations,
        [
            relation(Nature::ChildOf, 74, 1000, true),
            relation(Nature::ChildOf, 74, 1003, true),
            relation(Nature::PeerOf, 352, 1000, false)
        ]
    );
    assert_eq!(page.capecs, [CapecId(63)], "a pattern listed twice counts once");
    let [category, view] = catalog.groupings.as_slice() else { panic!("{:?}", catalog.groupings) };
    assert_eq!(
        (category.id, category.kind, category.name.as_str()),
        (CweId(264), GroupingKind::Category, "Things about doors")
    );
    assert_eq!((category.status, category.usage), (Status::Obsolete, Usage::Prohibited));
    assert_eq!(category.members, cwes(&[79]));
    assert_eq!((view.id, view.kind, view.status), (CweId(1003), GroupingKind::View, Status::Incomplete));
    assert_eq!(view.members, cwes(&[119, 4444]), "in order, a member that the catalogue lacks included");
    let notes = &catalog.mapping_notes[&CweId(119)];
    assert_eq!(
        (notes.rationale.as_str(), notes.comments.as_str()),
        ("Too wide & too common.", "Look below. Then choose.")
    );
    assert_eq!(notes.reasons, ["Abstraction", "Frequent Misuse"]);
    let [better] = notes.suggestions.as_slice() else { panic!("{notes:?}") };
    assert_eq!((better.cwe, better.comment.as_str()), (CweId(787), "Writing"));
    assert!(!catalog.mapping_notes.contains_key(&CweId(707)), "a usage alone is no note");
    let implicit = cwe::parse(CWE.replace("\"Graph\"", "\"Implicit\"").as_bytes(), "cwe.xml").unwrap();
    assert_eq!(implicit.groupings[1].kind, GroupingKind::ImplicitView);
}

#[test]
fn capec_entries_carry_every_field() {
    let catalog = capec::parse(CAPEC.as_bytes(), "capec.json").unwrap();
    assert_eq!((catalog.version.as_deref(), catalog.issues.len()), (Some("7.5"), 0));
    let ids: Vec<u32> = catalog.patterns.iter().map(|pattern| pattern.id.0).collect();
    assert_eq!(ids, [3, 9, 63, 100, 267]);
    let meta = &catalog.patterns[4];
    assert_eq!((meta.abstraction, meta.status), (PatternAbstraction::Meta, Status::Stable));
    assert_eq!((&meta.cwes, &meta.techniques), (&cwes(&[74]), &techniques(&["T1027", "T1562.003"])));
    assert_eq!(catalog.patterns[2].parents, [CapecId(267)]);
}

#[test]
fn attack_entries_are_linked_within_their_domain() {
    let catalog = attack::parse(ENTERPRISE.as_bytes(), "enterprise.json").unwrap();
    assert_eq!((catalog.version.as_deref(), catalog.date.as_deref()), (Some("31.2"), Some("2031-04-05")));
    assert_eq!(catalog.issues, []);
    let find = |id: &str| catalog.techniques.iter().find(|t| t.id.to_string() == id).unwrap();
    assert_eq!(find("T1562.003").parent, Some(find("T1562").id));
    assert_eq!(find("T1562.003").tactics, [TacticId(1), TacticId(5)]);
    assert_eq!((find("T1574.002").revoked, find("T1574.002").revoked_by), (true, Some(find("T1574.001").id)));
    let columns: Vec<_> = catalog.tactics.iter().map(|tactic| (tactic.id.0, tactic.column)).collect();
    assert_eq!(columns, [(1, Some(0)), (5, Some(2))], "a tactic that the bundle lacks keeps its column");

    let mobile = attack::parse(MOBILE.as_bytes(), "mobile.json").unwrap();
    let old = &mobile.techniques[0];
    assert_eq!(
        (old.domain, old.deprecated),
        (Domain::Mobile, true),
        "the domain comes from the id's catalogue"
    );
    assert_eq!(mobile.techniques[1].tactics, [TacticId(30)]);
}

#[test]
fn a_bad_cwe_entry_is_reported_and_the_rest_kept() {
    let good = cwe::parse(CWE.as_bytes(), "cwe.xml").unwrap().weaknesses.len();
    for (from, to, lost, report) in [
        (r#"ID="79" "#, r#"ID="7x9" "#, 1, "(7x9), ID: \"7x9\" is not a number; entry left out"),
        (r#"ID="79" "#, r#"ID="74" "#, 1, "(74), ID: an earlier entry has it; entry left out"),
        (r#"ID="79" Name="Page of others""#, r#"ID="79""#, 1, "(79), Name: is missing; entry left out"),
        ("Page of others\"", "&unknown;\"", 1, "(79), Name: "),
        ("PeerOf", "CousinOf", 0, "(CWE-79), Nature: \"CousinOf\" is unknown; <Related_Weakness> dropped"),
        (r#"CWE_ID="352""#, "", 0, "(CWE-79), CWE_ID: is missing; <Related_Weakness> dropped"),
        (r#"CAPEC_ID="9""#, r#"CAPEC_ID="-9""#, 0, "(CWE-119), CAPEC_ID: \"-9\" is not a number"),
        (
            r#"CWE_ID="4444""#,
            r#"CWE_ID="""#,
            0,
            "(CWE-1003), CWE_ID: \"\" is not a number; <Has_Member> dropped",
        ),
    ] {
        assert!(CWE.contains(from), "{from}");
        let catalog = cwe::parse(CWE.replacen(from, to, 1).as_bytes(), "cwe.xml").unwrap();
        let [issue] = catalog.issues.as_slice() else { panic!("{to}: {:?}", catalog.issues) };
        assert!(issue.to_string().contains(report), "{issue}");
        assert_eq!(good - catalog.weaknesses.len(), lost, "{to}");
    }
}

#[test]
fn an_unknown_term_of_cwe_costs_nothing_else() {
    let file = CWE.replace("\"Variant\"", "\"Nuance\"").replace("<Usage>Allowed<", "<Usage>Tolerated<");
    let catalog = cwe::parse(file.as_bytes(), "cwe.xml").unwrap();
    let variant = catalog.weaknesses.iter().find(|weakness| weakness.id == CweId(80)).unwrap();
    assert_eq!((variant.abstraction, variant.usage), (Abstraction::Unstated, Usage::Unstated));
}

#[test]
fn a_file_that_is_no_cwe_catalogue_is_refused() {
    let bomb = CWE.replace("<Weakness_Catalog", "<!DOCTYPE x [<!ENTITY a \"&a;&a;\">]><Weakness_Catalog");
    let error = cwe::parse(bomb.as_bytes(), "bomb.xml").unwrap_err();
    assert!(matches!(error, ParseError::Doctype { .. }), "{error}");
    assert!(
        error.to_string().starts_with("bomb.xml: document type declaration (DOCTYPE) at byte "),
        "{error}"
    );

    let cut = &CWE[..CWE.len() / 2];
    let rest = CWE.replace("<Weaknesses>", "<Weaknesses");
    for (bytes, message) in [
        (&b""[..], "f: not a CWE catalogue: it holds no element at all"),
        (
            CAPEC.as_bytes(),
            "f: not a CWE catalogue: it is CAPEC's bundle in STIX; give cwec_*.xml of https://cwe.mitre.org",
        ),
        (ENTERPRISE.as_bytes(), "f: not a CWE catalogue: it is a bundle of ATT&CK in STIX; give cwec_*.xml"),
        (b"[1, 2]", "f: not a CWE catalogue: it is JSON of another kind; give "),
        (b"{\"type\": \"bundle\"", "f: malformed JSON at line 1, column 17"),
        (b"<html></html>", "f: not a CWE catalogue: the root element is <html>, expected <Weakness_Catalog>"),
        (b"<Weakness_Catalog/>", "f: not a CWE catalogue: it holds no readable weakness"),
        (b"<Weakness_Catalog><a></b></Weakness_Catalog>", "f: malformed XML at byte "),
        (b"<Weakness_Catalog Name=\"\xFF\"/>", "f: malformed XML at byte "),
        (cut.as_bytes(), "f: "),
        (rest.as_bytes(), "f: malformed XML at byte "),
    ] {
        let error = cwe::parse(bytes, "f").unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn a_bad_object_of_a_bundle_is_reported_and_the_rest_kept() {
    for (from, to, lost, report) in [
        (r#""name": "Mumble""#, r#""name": 3"#, 1, "objects[6] (T1027), name: invalid type: integer `3`"),
        (r#""name": "Mumble","#, "", 1, "objects[6] (T1027), name: is missing; object left out"),
        (
            r#""revoked": true"#,
            r#""revoked": "yes""#,
            1,
            "(T1574.002), revoked: invalid type: string \"yes\"",
        ),
        ("\"T1027\"", "\"T10\"", 1, "(T10), external_references: \"T10\" is not a ATT&CK technique id"),
        ("\"T1574\"", "\"T1027\"", 1, "(T1027), external_references: gives an id that an earlier object has"),
        (
            r#""phase_name": "hide""#,
            r#""phase_name": "seek""#,
            0,
            "(T1027), kill_chain_phases: \"seek\" is not a tactic",
        ),
        (
            r#""target_ref": "attack-pattern--1562""#,
            r#""target_ref": "x""#,
            0,
            "(T1562.003), target_ref: \"x\" is no",
        ),
        (
            r#"{"type": "x-mitre-collection","#,
            r#"7, {"type": "x-mitre-collection","#,
            0,
            "objects[0], objects: holds",
        ),
    ] {
        assert!(ENTERPRISE.contains(from), "{from}");
        let catalog = attack::parse(ENTERPRISE.replacen(from, to, 1).as_bytes(), "f").unwrap();
        let reports: Vec<String> = catalog.issues.iter().map(ToString::to_string).collect();
        assert!(reports.iter().any(|r| r.contains(report)), "{to}: {reports:?}");
        assert_eq!(6 - catalog.techniques.len(), lost, "{to}");
    }
}

#[test]
fn a_bad_reference_of_a_pattern_is_dropped_alone() {
    for (from, to, report) in [
        ("\"CWE-79\"", "\"CWE-x\"", "objects[1] (CAPEC-63), external_references: \"CWE-x\" is not a CWE id"),
        (
            "[\"attack-pattern--267\"]",
            "[\"gone\"]",
            "objects[1] (CAPEC-63), x_capec_child_of_refs: \"gone\" is no",
        ),
    ] {
        let catalog = capec::parse(CAPEC.replacen(from, to, 1).as_bytes(), "f").unwrap();
        let [issue] = catalog.issues.as_slice() else { panic!("{:?}", catalog.issues) };
        assert!(issue.to_string().starts_with(report), "{issue}");
        assert_eq!(catalog.patterns.len(), 5);
    }
}

#[test]
fn a_file_that_is_no_bundle_is_refused() {
    let cut = &CAPEC[..CAPEC.len() / 2];
    let deep = "[".repeat(100_000);
    let deep_object = format!("{{\"objects\": [{deep}");
    for (text, message) in [
        ("", "f: malformed JSON at line 1, column 0: EOF"),
        (cut, "f: malformed JSON at line "),
        ("VLENS-KB", "f: malformed JSON at line 1, column 1: expected value"),
        (
            CWE,
            "f: not a CAPEC catalogue: the root element is <Weakness_Catalog>, expected <Attack_Pattern_Catalog>",
        ),
        ("<Attack_Pattern_Catalog/>", "f: not a CAPEC catalogue: it holds no readable <Attack_Pattern>"),
        ("<!DOCTYPE x><Attack_Pattern_Catalog/>", "f: document type declaration (DOCTYPE)"),
        (
            "[1, 2]",
            "f: malformed JSON at line 1, column 2: invalid type: sequence, expected a STIX 2.1 bundle",
        ),
        (deep.as_str(), "f: malformed JSON at line 1"),
        (deep_object.as_str(), "f: malformed JSON at line 1"),
        (
            "{\"objects\": []}",
            "f: not a STIX 2.1 bundle of CAPEC: the top level is not an object with \"type\": \"bundle\"",
        ),
        ("{\"type\": \"bundle\"}", "f: not a STIX 2.1 bundle of CAPEC: it has no list of \"objects\""),
        (ENTERPRISE, "f: not a STIX 2.1 bundle of CAPEC: it has no readable attack-pattern with a CAPEC id"),
    ] {
        let error = capec::parse(text.as_bytes(), "f").unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
    assert!(attack::parse(CAPEC.as_bytes(), "f").unwrap_err().to_string().contains("with an ATT&CK id"));
    let error = attack::parse(CWE.as_bytes(), "f").unwrap_err().to_string();
    assert_eq!(error, "f: not a STIX 2.1 bundle of ATT&CK: it is CWE's catalogue in XML");
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let marked = |text: &str| format!("\u{FEFF}{text}");
    assert!(cwe::parse(marked(CWE).as_bytes(), "f").is_ok());
    assert!(capec::parse(marked(CAPEC).as_bytes(), "f").is_ok());
}

#[test]
fn a_knowledge_base_needs_all_three_catalogues_and_their_versions() {
    let cwe = || cwe::parse(CWE.as_bytes(), "f").unwrap();
    let capec = || capec::parse(CAPEC.as_bytes(), "f").unwrap();
    let attack = |text: &str| attack::parse(text.as_bytes(), "f").unwrap();
    let builder = || KnowledgeBaseBuilder::new().cwe(cwe()).capec(capec());
    assert_eq!(builder().build().unwrap_err(), BuildError::MissingCatalogue("ATT&CK"));
    assert_eq!(builder().attack(attack(MOBILE)).build().unwrap_err(), BuildError::MissingVersion("ATT&CK"));
    let named = builder().attack(attack(MOBILE)).attack_version("40.0").build().unwrap();
    assert_eq!(named.versions().attack, "40.0");
    let other = attack(&ENTERPRISE.replace("31.2", "31.1"));
    let mixed = builder().attack(attack(ENTERPRISE)).attack(other).build().unwrap_err();
    assert_eq!(mixed, BuildError::MixedVersions("31.1".to_owned(), "31.2".to_owned()));
    let without_cwe = KnowledgeBaseBuilder::new().capec(capec()).attack(attack(ENTERPRISE));
    assert_eq!(without_cwe.build().unwrap_err(), BuildError::MissingCatalogue("CWE"));
}
