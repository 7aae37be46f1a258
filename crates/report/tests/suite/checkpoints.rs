//! Records of checkpoints: labels as published, marked where they are not in force, in every format.

use serde_json::{Value, json};
use vulnlens_model::{LabelSource, Labels, Prediction, ScoredLabel, Task, Tasks};
use vulnlens_report::{
    Answer, Csv, Document, Glyphs, JsonLines, ParquetTable, Record, RecordKey, Records, Table, TableLayout,
};
use vulnlens_taxonomy::{CweId, KnowledgeBase, TechniqueId};

use crate::{sample, schema};

const DERIVED: Tasks = Tasks::NONE.with(Task::Attack);
const SOURCE: LabelSource = LabelSource::Checkpoint { derived: DERIVED, other: true };

fn revoked(kb: &KnowledgeBase) -> (TechniqueId, TechniqueId) {
    let old = kb.techniques().find(|technique| technique.revoked_by.is_some()).unwrap().id;
    (old, kb.current(old))
}

fn deprecated(kb: &KnowledgeBase) -> TechniqueId {
    kb.techniques().find(|technique| technique.deprecated && !technique.revoked).unwrap().id
}

fn prediction(kb: &KnowledgeBase) -> Prediction {
    let scored = |label, score| ScoredLabel::new(label, score, score >= 0.5);
    let weakness = |number, score| ScoredLabel::new(CweId(number), score, score >= 0.5);
    let techniques =
        [revoked(kb).0, deprecated(kb), TechniqueId::technique(9999), TechniqueId::technique(1190)];
    let techniques = techniques.into_iter().zip([0.75, 0.5, 0.25, 0.125]);
    let mut prediction = Prediction::default();
    prediction.cwe = Some(Labels::new(vec![weakness(416, 0.75), weakness(999_999, 0.25)], 0.25));
    prediction.attack = Some(Labels::new(techniques.map(|(id, p)| scored(id, p)).collect(), 0.25));
    prediction.other =
        ["TA0005", "a \"label\"\u{1b}[2J"].map(|label| ScoredLabel::new(label.into(), 0.5, true)).to_vec();
    prediction
}

#[test]
fn json_lines_have_marks_and_more_keys_behind_the_others() {
    let kb = sample::knowledge_base();
    let mut out = Vec::new();
    let record = RecordKey { id: None, line: Some(7) };
    JsonLines::new(&sample::setup(SOURCE)).push(&Answer::new(record, prediction(&kb)), &mut out);
    let line = String::from_utf8(out).unwrap();
    let record: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(schema::check_schema(&record), [""; 0]);
    let (old, new) = revoked(&kb);
    assert_eq!(record["attack"][0]["label"], old.to_string());
    assert_eq!(record["attack"][0]["status"], "revoked");
    assert_eq!(record["attack"][0]["replaced_by"], new.to_string());
    assert_eq!(record["attack"][1]["status"], "deprecated");
    let unknown =
        json!({"label": "T9999", "name": "", "score": 0.25, "predicted": false, "status": "unknown"});
    assert_eq!(record["attack"][2], unknown);
    assert!(record["attack"][3].get("status").is_none(), "what is in force is not marked");
    assert_eq!(record["cwe"][1]["status"], "unknown");
    assert_eq!(record["none"], json!({"cwe": 0.25, "attack": 0.25}));
    let tactic = kb.tactic("TA0005".parse().unwrap()).unwrap();
    let want = json!({"label": "TA0005", "name": tactic.name, "score": 0.5, "predicted": true});
    assert_eq!(record["other"][0], want);
    assert_eq!(record["other"][1]["label"], "a \"label\"\u{1b}[2J");
    let setup = sample::setup(SOURCE);
    let answer = Answer::new(RecordKey { id: None, line: Some(7) }, prediction(&kb));
    assert_eq!(serde_json::to_value(Record::new(&answer, &setup)).unwrap(), record);
    assert_eq!(serde_json::to_string(&Record::new(&answer, &setup)).unwrap(), line.trim_end());
    let behind = "\"line\":7,\"derived\":[\"attack\"],\"other\":[{";
    assert!(line.contains(behind) && record.get("labels").is_none(), "{line}");
}

#[test]
fn a_checkpoint_without_other_labels_has_no_key_for_them() {
    let mut out = Vec::new();
    let lines =
        JsonLines::new(&sample::setup(LabelSource::Checkpoint { derived: Tasks::NONE, other: false }));
    lines.push(&Answer::new(RecordKey::default(), sample::prediction()), &mut out);
    let line = String::from_utf8(out).unwrap();
    assert!(line.ends_with("},\"derived\":[]}\n"), "{line}");
}

#[test]
fn csv_has_three_columns_more() {
    let kb = sample::knowledge_base();
    let csv = Csv::new(&sample::setup(SOURCE));
    let mut out = Vec::new();
    csv.head(&mut out);
    let header = String::from_utf8(out).unwrap();
    let more = ",status,replaced_by,derived,via,distance,outcome,role\n";
    assert_eq!(header, Csv::HEADER.replace(",via,distance,outcome,role\n", more));
    let mut out = Vec::new();
    csv.push(&Answer::new(RecordKey::of_id("x"), prediction(&kb)), &mut out);
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = text.split_terminator('\n').collect();
    let (old, new) = revoked(&kb);
    assert!(lines[0].starts_with("x,cwe,CWE-416,") && lines[0].ends_with(",0.75,true,,,false,,,,"), "{text}");
    assert_eq!(lines[1], "x,cwe,CWE-999999,,0.25,false,unknown,,false,,,,");
    assert!(lines[2].starts_with(&format!("x,attack,{old},")), "{text}");
    assert!(lines[2].ends_with(&format!(",0.75,true,revoked,{new},true,,,,")), "{text}");
    assert!(lines[6].starts_with("x,other,TA0005,") && lines[6].ends_with(",0.5,true,,,false,,,,"), "{text}");
    assert!(lines[7].starts_with("x,other,\"a \"\"label\"\""), "{text}");
    assert_eq!(lines.len(), 8, "{text}");
}

#[test]
fn parquet_has_the_columns_of_the_csv() {
    use parquet::record::RowAccessor as _;
    let kb = sample::knowledge_base();
    let mut table = Box::new(ParquetTable::new(&sample::setup(SOURCE)).unwrap());
    let mut out = Vec::new();
    table.push(&Answer::new(RecordKey::default(), prediction(&kb)), &mut out).unwrap();
    table.finish(&mut out).unwrap();
    let file = tempfile(out);
    let reader = parquet::file::reader::SerializedFileReader::try_from(file.as_path()).unwrap();
    let rows: Vec<_> = reader.into_iter().map(Result::unwrap).collect();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(rows.len(), 8);
    let names: Vec<&String> = rows[0].get_column_iter().map(|(name, _)| name).skip(8).collect();
    assert_eq!(names, ["status", "replaced_by", "derived", "via", "distance", "outcome", "role"]);
    assert!(rows[0].get_string(8).is_err(), "what is in force has a null");
    assert_eq!(rows[2].get_string(8).unwrap(), "revoked");
    assert_eq!(*rows[2].get_string(9).unwrap(), revoked(&kb).1.to_string());
    assert_eq!([0, 2, 7].map(|row: usize| rows[row].get_bool(10).unwrap()), [false, true, false]);
    assert_eq!(rows[6].get_string(1).unwrap(), "other");
}

fn tempfile(bytes: Vec<u8>) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("vulnlens-checkpoints-{}.parquet", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    path
}

fn table(kb: &KnowledgeBase, width: usize) -> String {
    let layout = TableLayout { rows: Some(5), derived: Some(2), width, glyphs: Glyphs::Unicode };
    let mut out = Vec::new();
    let table = Table::new(&sample::setup(SOURCE).layout(layout));
    table.push(&Answer::new(RecordKey::default(), prediction(kb)), &mut out);
    let text = String::from_utf8(out).unwrap();
    // Without ANSI styles.
    text.split('\u{1b}')
        .map(|part| part.split_once('m').filter(|_| part.starts_with('[')).map_or(part, |p| p.1))
        .collect()
}

#[test]
fn a_table_marks_labels_and_says_what_they_belong_to() {
    let kb = sample::knowledge_base();
    let text = table(&kb, 120);
    let (_, new) = revoked(&kb);
    for wanted in [
        &format!("revoked; today it is {new} ") as &str,
        "  deprecated\n",
        "T9999\n",
        "not known to the knowledge base\n",
        "CWE-416     Use After Free  child of ",
        "Exploit Public-Facing Application  Initial Access\n",
        "Other labels\n",
        "a \"label\"\u{FFFD}[2J",
    ] {
        assert!(text.contains(wanted), "{text}\nlacks {wanted:?}");
    }
    for width in [25, 40, 60, 80, 120] {
        let text = table(&kb, width);
        assert!(text.lines().all(|line| line.chars().count() <= width), "{width}: {text}");
    }
}
