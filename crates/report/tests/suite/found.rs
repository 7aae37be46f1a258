//! Finding in answers: ids with what is below them, lists, least probabilities, counts, and each format.

use std::sync::Arc;

use serde_json::{Value, json};
use vulnlens_model::{LabelMode, LabelSource, Labels, Prediction, ScoredLabel, Task, Tasks};
use vulnlens_report::{Answer, EntryId, Find, FindFormat, FindReport, FindSummary, Format, RecordKey, Setup};
use vulnlens_taxonomy::{CweId, TacticId, TechniqueId};

use crate::sample;

fn ids(ids: &[&str]) -> Vec<EntryId> {
    ids.iter().map(|id| id.parse().unwrap()).collect()
}

fn find() -> Find {
    Find::new(sample::knowledge_base())
}

/// The labels that are found in a prediction, with the lists that they stand in.
fn found(find: &Find, prediction: &Prediction) -> Vec<String> {
    let labels = find.labels(prediction).into_iter();
    labels.map(|found| format!("{} {}", found.taxonomy, found.label)).collect()
}

#[test]
fn a_technique_finds_what_is_below_it_and_a_weakness_only_if_asked() {
    let prediction = sample::curated();
    for (sought, want) in [
        ("T1190", &["attack_curated T1190"][..]),
        ("T1574", &["attack_curated T1574.006"]),
        ("T1574.006", &["attack_curated T1574.006"]),
        ("T1574.007", &[]),
        ("T1059", &[]),
        ("CWE-89", &["cwe CWE-89"]),
        ("CWE-943", &[]),
    ] {
        let find = find().ids(&ids(&[sought]), false).tasks(Tasks::ALL.without(Task::Attack));
        assert_eq!(found(&find, &prediction), want, "{sought}");
    }
    let below = find().ids(&ids(&["CWE-943"]), true);
    assert_eq!(found(&below, &prediction), ["cwe CWE-89"]);
    let listed = find().ids(&ids(&["T1059"]), false).all_listed(true).tasks(Task::AttackCurated.into());
    assert_eq!(found(&listed, &prediction), ["attack_curated T1059"]);
    assert!(found(&listed.min_score(0.7), &prediction).is_empty());
}

#[test]
fn a_tactic_finds_the_techniques_that_serve_it() {
    let tactic = find().ids(&ids(&["TA0001"]), false).tasks(Task::AttackCurated.into());
    assert_eq!(found(&tactic, &sample::curated()), ["attack_curated T1190"]);
    let mut of_tactics = Prediction::default();
    of_tactics.attack_tactics = Some(Labels::new(vec![ScoredLabel::new(TacticId(1), 0.5, true)], 0.5));
    of_tactics.other =
        vec![ScoredLabel::new("TA0001".into(), 0.5, true), ScoredLabel::new("x".into(), 0.5, true)];
    assert_eq!(found(&find().ids(&ids(&["TA0001"]), false), &of_tactics), ["attack TA0001", "other TA0001"]);
    assert_eq!(found(&find(), &of_tactics), ["attack TA0001", "other TA0001", "other x"]);
}

#[test]
fn a_revoked_technique_counts_as_its_successor() {
    let kb = sample::knowledge_base();
    let revoked = kb.techniques().find(|technique| kb.current(technique.id) != technique.id).unwrap().id;
    let current = kb.current(revoked);
    for (sought, listed) in [(revoked, current), (current, revoked)] {
        let mut prediction = Prediction::default();
        prediction.attack = Some(Labels::new(vec![ScoredLabel::new(listed, 0.5, true)], 0.5));
        let find = find().ids(&[EntryId::Technique(sought)], false);
        assert_eq!(found(&find, &prediction), [format!("attack {listed}")]);
    }
    let unknown = TechniqueId::technique(9999);
    assert_eq!(find().ids(&[EntryId::Technique(unknown)], false).unknown(), [EntryId::Technique(unknown)]);
}

/// The output of a search over an answer of each kind.
fn output(find: Find, format: FindFormat) -> (String, FindSummary) {
    let run = Arc::new(sample::setup(LabelSource::Spaces(LabelMode::Recommended)).run);
    let mut report = FindReport::new(find, format);
    let mut out = vec![];
    report.begin(&mut out);
    for (number, prediction) in sample::answers().into_iter().enumerate() {
        let key = match number {
            0 => RecordKey { id: None, line: Some(1) },
            _ => RecordKey::of_id(format!("=CVE-2024-{number}")),
        };
        report.add("a.jsonl", Answer::new(key, prediction), &run, &mut out).unwrap();
    }
    let summary = report.summary();
    report.finish(&mut out).unwrap();
    (String::from_utf8(out).unwrap(), summary)
}

#[test]
fn records_are_written_in_each_format() {
    let find = || {
        find()
            .ids(&ids(&["CWE-89", "T1190"]), false)
            .tasks([Task::Cwe, Task::AttackCurated].into_iter().collect())
    };
    let (lines, summary) = output(find(), FindFormat::JsonLines);
    assert_eq!((summary.records, summary.found, summary.only_listed), (6, 2, 1));
    assert_eq!(summary.line(), "found in 2 of 6 records; 1 more list it without answering it (--all)");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sql = json!({"taxonomy": "cwe", "label": "CWE-89",
        "name": "Improper Neutralization of Special Elements used in an SQL Command ('SQL Injection')",
        "score": 0.9, "predicted": true});
    assert_eq!(lines[0], json!({"id": null, "line": 1, "file": "a.jsonl", "found": [sql]}));
    assert_eq!(lines[1]["id"], "=CVE-2024-1");
    assert_eq!(lines[1]["found"][1]["label"], "T1190");
    let (csv, _) = output(find(), FindFormat::Csv);
    let csv: Vec<&str> = csv.lines().collect();
    assert_eq!(csv[0], "id,taxonomy,label,name,score,predicted,file");
    assert!(
        csv[1].starts_with("#1,cwe,CWE-89,Improper") && csv[1].ends_with(",0.9,true,a.jsonl"),
        "{}",
        csv[1]
    );
    assert_eq!(csv[3], "=CVE-2024-1,attack_curated,T1190,Exploit Public-Facing Application,0.8,true,a.jsonl");
    assert_eq!(output(find(), FindFormat::Ids).0, "#1\n=CVE-2024-1\n");
    let (table, _) = output(find(), FindFormat::Table);
    assert!(table.contains("=CVE-2024-1") && table.lines().count() == 3, "{table}");
    let (all, summary) = output(find().all_listed(true), FindFormat::Ids);
    assert_eq!((summary.found, summary.only_listed, all.lines().count()), (3, 0, 3));
}

#[test]
fn labels_are_counted_the_most_frequent_first() {
    let (csv, summary) = output(find().tasks(Task::Cwe.into()), FindFormat::Csv);
    assert_eq!(summary.found, 2);
    assert_eq!(csv.lines().next().unwrap(), "taxonomy,label,name,records,greatest_score");
    assert!(csv.lines().nth(1).unwrap().ends_with(",2,0.9"), "{csv}");
    assert_eq!(csv.lines().count(), 2, "{csv}");
    let (lines, _) = output(find().tasks(Task::AttackCurated.into()).all_listed(true), FindFormat::JsonLines);
    let counts: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let labels: Vec<&Value> = counts.iter().map(|count| &count["label"]).collect();
    assert_eq!(labels, ["T1190", "T1059", "T1574.006"], "of one record each, by falling probability");
    assert_eq!((&counts[0]["records"], &counts[0]["greatest_score"]), (&json!(1), &json!(0.8)));
    let (table, _) = output(find(), FindFormat::Table);
    let headings = [
        "Weaknesses (CWE)",
        "Attack patterns (CAPEC)",
        "Techniques (ATT&CK)",
        "Techniques that analysts assign",
    ];
    let places: Vec<usize> = headings.iter().map(|heading| table.find(heading).unwrap()).collect();
    assert!(places.is_sorted(), "{table}");
    let mut of_tactics = Prediction::default();
    of_tactics.attack_tactics = Some(Labels::new(vec![ScoredLabel::new(TacticId(1), 0.5, true)], 0.5));
    let run = Arc::new(sample::setup(LabelSource::Spaces(LabelMode::Recommended)).run);
    let (mut report, mut out) = (FindReport::new(find(), FindFormat::Table), vec![]);
    report.add("a", Answer::new(RecordKey::default(), of_tactics), &run, &mut out).unwrap();
    report.finish(&mut out).unwrap();
    assert!(String::from_utf8(out).unwrap().contains("Tactics (ATT&CK)"));
}

#[test]
fn a_layer_holds_the_records_that_are_found() {
    let setup: Setup = sample::setup(LabelSource::Spaces(LabelMode::Recommended));
    let navigator = |answers: Vec<Answer>| {
        String::from_utf8(Format::named("navigator").unwrap().render(&setup, answers).unwrap()).unwrap()
    };
    let key = |number: usize| match number {
        0 => RecordKey { id: None, line: Some(1) },
        _ => RecordKey::of_id(format!("=CVE-2024-{number}")),
    };
    let all = sample::answers().into_iter().enumerate();
    let all: Vec<Answer> = all.map(|(number, prediction)| Answer::new(key(number), prediction)).collect();
    assert_eq!(output(find(), FindFormat::Navigator).0, navigator(all.clone()));
    let (layer, summary) =
        output(find().ids(&ids(&["T1190"]), false).tasks(Task::AttackCurated.into()), FindFormat::Navigator);
    assert_eq!(summary.found, 1);
    let layer: Value = serde_json::from_str(&layer).unwrap();
    assert_eq!(layer["name"], "=CVE-2024-1");
    let techniques: Vec<&Value> =
        layer["techniques"].as_array().unwrap().iter().map(|t| &t["techniqueID"]).collect();
    assert_eq!(techniques, ["T1190", "T1574.006"], "the lists that are asked for");
    let (none, summary) = output(find().ids(&[EntryId::Cwe(CweId(12345))], false), FindFormat::Navigator);
    assert_eq!(
        (summary.found, serde_json::from_str::<Value>(&none).unwrap()["techniques"].clone()),
        (0, json!([]))
    );
}
