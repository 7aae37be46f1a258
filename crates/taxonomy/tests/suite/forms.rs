//! The other forms of the catalogues: CWE by its REST API, CAPEC in XML. They give what the first forms give.

use std::fmt::Write as _;

use crate::fixture::{CAPEC, CWE, ENTERPRISE, cwes, techniques};
use vulnlens_taxonomy::cwe::{ApiAnswers, CweCatalog};
use vulnlens_taxonomy::{
    AttackPattern, CapecId, CweId, Grouping, GroupingKind, KnowledgeBase, KnowledgeBaseBuilder, MappingNotes,
    Status, Usage, attack, capec, cwe,
};

const WEAKNESS: &str = r#"{"ID": "79", "Name": "Page of others ", "Abstraction": "Base", "Structure": "Simple",
    "Status": "Stable", "Description": "Made up.", "RelatedWeaknesses": [
      {"Nature": "ChildOf", "CweID": "74", "ViewID": "1000", "Ordinal": "Primary"},
      {"Nature": "ChildOf", "CweID": "74", "ViewID": "1003", "Ordinal": "Primary"},
      {"Nature": "PeerOf", "CweID": "352", "ViewID": "1000"}],
    "RelatedAttackPatterns": ["63", "63"], "MappingNotes": {"Usage": "Allowed",
      "Rationale": "\n\nFit &\n ready.\n", "Comments": "", "Reasons": ["Acceptable-Use"],
      "Suggestions": [{"CweID": "80", "Comment": "In a variant"}]}}"#;
const CATEGORY: &str = r#"{"ID": "264", "Name": "Things about doors", "Status": "Obsolete", "Summary": "Made up.",
    "Relationships": [{"CweID": "79", "ViewID": "699"}], "MappingNotes": {"Usage": "Prohibited"}}"#;
const VIEW: &str = r#"{"ID": "1003", "Name": "A simple view", "Type": "Graph", "Status": "Incomplete", "Objective": "Made up.",
    "Members": [{"CweID": "4444", "ViewID": "1003"}, {"CweID": "119", "ViewID": "1003"}]}"#;
const VERSION: &str = r#"{"ContentVersion": "9.1", "ContentDate": "2031-02-03", "TotalWeaknesses": 1}"#;

fn collected(documents: &[(&str, &str)]) -> CweCatalog {
    let mut answers = ApiAnswers::new();
    for (name, document) in documents {
        answers.add(name, document.as_bytes());
    }
    answers.finish("cwe-api").unwrap()
}

#[test]
fn answers_of_the_rest_api_are_the_entries_of_the_xml() {
    let xml = cwe::parse(CWE.as_bytes(), "cwe.xml").unwrap();
    let mut wanted = CweCatalog {
        groupings: xml.groupings,
        version: xml.version,
        date: xml.date,
        ..CweCatalog::default()
    };
    wanted.weaknesses.extend(xml.weaknesses.into_iter().filter(|weakness| weakness.id == CweId(79)));
    wanted.mapping_notes.extend(xml.mapping_notes.into_iter().filter(|(id, _)| *id == CweId(79)));
    assert_eq!(wanted.mapping_notes.len(), 1);

    let single =
        [("V/1003.json", VIEW), ("version.json", VERSION), ("C/264.json", CATEGORY), ("W/79.json", WEAKNESS)];
    assert_eq!(collected(&single), wanted);
    let lists = format!(r#"{{"Weaknesses": [{WEAKNESS}], "Categories": [{CATEGORY}], "Views": [{VIEW}]}}"#);
    assert_eq!(collected(&[("all.json", &lists), ("version.json", VERSION)]), wanted);
    let list = format!("\u{FEFF}[{CATEGORY}, {VIEW}, {WEAKNESS}]");
    assert_eq!(collected(&[("list.json", &list), ("version.json", VERSION)]), wanted);
    let alone = cwe::parse(list.trim_start_matches('\u{FEFF}').as_bytes(), "list.json").unwrap();
    assert_eq!((alone.weaknesses, alone.groupings), (wanted.weaknesses, wanted.groupings));
}

#[test]
fn a_bad_suggestion_is_reported_and_the_rest_kept() {
    let answer = WEAKNESS.replace("{\"CweID\": \"80\"", "{\"CweID\": \"many\"}, {\"CweID\": \"80\"");
    let file =
        CWE.replace("<Suggestion CWE_ID=\"80\"", "<Suggestion CWE_ID=\"many\"/><Suggestion CWE_ID=\"80\"");
    let read = [collected(&[("W/79.json", &answer)]), cwe::parse(file.as_bytes(), "cwe.xml").unwrap()];
    for catalog in read {
        let [issue] = catalog.issues.as_slice() else { panic!("{:?}", catalog.issues) };
        assert!(issue.to_string().contains("\"many\" is not a number"), "{issue}");
        assert_eq!(catalog.mapping_notes[&CweId(79)].suggestions.len(), 1);
    }
}

#[test]
fn a_bad_answer_is_reported_and_the_rest_kept() {
    let broken = &WEAKNESS[..60];
    for (name, document, weaknesses, report) in [
        ("W/80.json", broken.to_owned(), 1, "entry 2 (W/80.json), JSON: line 1: EOF while parsing"),
        ("W/80.json", "7".to_owned(), 1, "entry 2 (W/80.json), JSON: line 1: invalid type: integer `7`"),
        ("W/79.json", WEAKNESS.to_owned(), 1, "entry 2 (CWE-79), ID: an earlier entry has it; left out"),
        (
            "W/x.json",
            WEAKNESS.replace("\"79\"", "\"7x9\""),
            1,
            "entry 2 (W/x.json), ID: \"7x9\" is not a number; left out",
        ),
        (
            "W/80.json",
            WEAKNESS.replace("\"79\", \"Name\": \"Page of others \"", "\"80\""),
            1,
            "(CWE-80), Name: is missing",
        ),
        (
            "package.json",
            "{\"ID\": \"80\", \"Name\": \"x\"}".to_owned(),
            1,
            "(CWE-80), Abstraction: is missing, as are",
        ),
        (
            "W/80.json",
            WEAKNESS.replace("\"79\"", "\"80\"").replace("PeerOf", "CousinOf"),
            2,
            "entry 2 (CWE-80), Nature: \"CousinOf\" is unknown; dropped",
        ),
        (
            "W/80.json",
            WEAKNESS.replace("\"79\"", "80").replace("\"63\", \"63\"", "63, -9"),
            2,
            "(CWE-80), RelatedAttackPatterns: \"-9\" is not a number; dropped",
        ),
        (
            "C/264.json",
            CATEGORY.replace("[{\"CweID\": \"79\"", "[3, {\"CweID\": \"79\""),
            1,
            "(CWE-264), JSON: invalid type: integer `3`",
        ),
        (
            "C/264.json",
            CATEGORY.replace("\"Relationships\": [", "\"Relationships\": 3, \"x\": ["),
            1,
            "(CWE-264), Relationships: invalid type",
        ),
    ] {
        let catalog = collected(&[("W/79.json", WEAKNESS), (name, &document), ("V/1003.json", VIEW)]);
        let [issue] = catalog.issues.as_slice() else { panic!("{document}: {:?}", catalog.issues) };
        assert!(issue.to_string().contains(report), "{issue}");
        assert_eq!(catalog.weaknesses.len(), weaknesses, "{document}");
        assert!(catalog.groupings.iter().any(|view| view.id == CweId(1003)), "{document}");
    }
    assert!(ApiAnswers::new().finish("f").is_err());
}

/// The patterns as CAPEC's XML writes them.
fn capec_xml(patterns: &[AttackPattern]) -> String {
    let mut xml = "<Attack_Pattern_Catalog Name=\"CAPEC\" Version=\"7.5\" xmlns=\"http://capec.mitre.org/capec-3\"><Attack_Patterns>".to_owned();
    for pattern in patterns.iter().rev() {
        let AttackPattern { id, name, abstraction, status, .. } = pattern;
        write!(
            xml,
            "<Attack_Pattern ID=\"{}\" Name=\"{name}\" Abstraction=\"{abstraction}\" Status=\"{status}\">",
            id.0
        )
        .unwrap();
        xml += "<Related_Attack_Patterns><Related_Attack_Pattern Nature=\"CanPrecede\" CAPEC_ID=\"1\"/>";
        for parent in &pattern.parents {
            write!(xml, "<Related_Attack_Pattern Nature=\"ChildOf\" CAPEC_ID=\"{}\"/>", parent.0).unwrap();
        }
        xml += "</Related_Attack_Patterns><Related_Weaknesses>";
        for weakness in &pattern.cwes {
            write!(xml, "<Related_Weakness CWE_ID=\"{}\"/>", weakness.0).unwrap();
        }
        xml += "</Related_Weaknesses><Taxonomy_Mappings>";
        for technique in &pattern.techniques {
            let number = technique.to_string();
            let number = number.trim_start_matches('T');
            write!(xml, "<Taxonomy_Mapping Taxonomy_Name=\"ATTACK\"><Entry_Name>x</Entry_Name><Entry_ID>{number}</Entry_ID></Taxonomy_Mapping>").unwrap();
        }
        xml += "<Taxonomy_Mapping Taxonomy_Name=\"WASC\"><Entry_ID>08</Entry_ID></Taxonomy_Mapping></Taxonomy_Mappings></Attack_Pattern>";
    }
    xml + "</Attack_Patterns><Categories><Category ID=\"63\" Name=\"x\"/></Categories></Attack_Pattern_Catalog>"
}

#[test]
fn capec_in_xml_is_capec_in_stix() {
    let stix = capec::parse(CAPEC.as_bytes(), "capec.json").unwrap();
    let xml = capec_xml(&stix.patterns);
    assert_eq!(capec::parse(xml.as_bytes(), "capec.xml").unwrap(), stix);
    let namespaced = format!("\u{FEFF}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{xml}");
    assert_eq!(capec::parse(namespaced.as_bytes(), "capec.xml").unwrap(), stix);
}

#[test]
fn a_bad_pattern_of_the_xml_is_reported_and_the_rest_kept() {
    let xml = capec_xml(&capec::parse(CAPEC.as_bytes(), "capec.json").unwrap().patterns);
    for (from, to, lost, report) in [
        ("ID=\"100\"", "ID=\"1x0\"", 1, "(1x0), ID: \"1x0\" is not a number; entry left out"),
        ("ID=\"100\"", "ID=\"267\"", 1, "(267), ID: an earlier entry has it; entry left out"),
        ("Name=\"Overfill\"", "", 1, "(100), Name: is missing; entry left out"),
        (
            "CWE_ID=\"79\"",
            "CWE_ID=\"x\"",
            0,
            "(CAPEC-63), CWE_ID: \"x\" is not a number; <Related_Weakness> dropped",
        ),
        (">1027<", ">10270<", 0, "Entry_ID: \"10270\" is not a ATT&CK technique id"),
        ("Nature=\"ChildOf\"", "", 0, "Nature: is missing; <Related_Attack_Pattern> dropped"),
    ] {
        assert!(xml.contains(from), "{from}");
        let catalog = capec::parse(xml.replacen(from, to, 1).as_bytes(), "f").unwrap();
        let [issue] = catalog.issues.as_slice() else { panic!("{to}: {:?}", catalog.issues) };
        assert!(issue.to_string().contains(report), "{issue}");
        assert_eq!(5 - catalog.patterns.len(), lost, "{to}");
    }
}

#[test]
fn categories_may_come_from_a_second_catalogue_and_the_versions_say_so() {
    let builder = || {
        KnowledgeBaseBuilder::new()
            .cwe(cwe::parse(CWE.as_bytes(), "cwe.xml").unwrap())
            .capec(capec::parse(CAPEC.as_bytes(), "capec.json").unwrap())
            .attack(attack::parse(ENTERPRISE.as_bytes(), "enterprise.json").unwrap())
    };
    let second = |version: &str| {
        let mut category = Grouping::new(CweId(16), "Settings", GroupingKind::Category);
        (category.status, category.usage, category.members) =
            (Status::Deprecated, Usage::Prohibited, cwes(&[79]));
        let clash = Grouping::new(CweId(74), "A weakness of the first", GroupingKind::Category);
        let version = Some(version.to_owned());
        CweCatalog { version, groupings: vec![clash, category], ..CweCatalog::default() }
    };
    let kb = builder().categories(second("9.2")).build().unwrap();
    assert_eq!((kb.versions().cwe.as_str(), kb.versions().cwe_categories.as_deref()), ("9.1", Some("9.2")));
    assert_eq!(kb.groupings().map(|grouping| grouping.id.0).collect::<Vec<_>>(), [16]);
    assert_eq!(
        (kb.name_of_cwe(CweId(16)), kb.name_of_cwe(CweId(74))),
        (Some("Settings"), Some("Mixed & unmixed"))
    );
    assert_eq!(kb.chain(&cwes(&[16])).techniques, techniques(&[]), "a category leads nowhere");
    assert!(kb.pattern(CapecId(63)).is_some());
    assert_eq!(builder().categories(second("9.1")).build().unwrap().versions().cwe_categories, None);
    assert_eq!(builder().cwe_version("9.3").build().unwrap().versions().cwe, "9.3");
}

#[test]
fn mapping_notes_of_a_second_catalogue_stand_in_where_the_usages_are_the_same() {
    let notes = |rationale: &str| MappingNotes { rationale: rationale.to_owned(), ..MappingNotes::default() };
    let first = cwe::parse(CWE.as_bytes(), "cwe.xml").unwrap();
    let mut second = first.clone();
    second.mapping_notes = [79, 74, 80, 264].map(|id| (CweId(id), notes("Of the second."))).into();
    let other = second.weaknesses.iter_mut().find(|weakness| weakness.id == CweId(80)).unwrap();
    other.usage = Usage::Prohibited;
    let kb = KnowledgeBaseBuilder::new()
        .cwe(first)
        .categories(second)
        .capec(capec::parse(CAPEC.as_bytes(), "capec.json").unwrap())
        .attack(attack::parse(ENTERPRISE.as_bytes(), "enterprise.json").unwrap())
        .build()
        .unwrap();
    let rationale = |id| kb.mapping_notes(CweId(id)).map(|notes| notes.rationale);
    assert_eq!(rationale(79).as_deref(), Some("Fit & ready."), "the first has notes of its own");
    assert_eq!(rationale(74).as_deref(), Some("Of the second."));
    assert_eq!(rationale(80), None, "notes on another usage would mislead");
    assert_eq!(rationale(264).as_deref(), Some("Of the second."));
    assert_eq!(KnowledgeBase::from_bytes(&kb.to_bytes()).unwrap(), kb);
}
