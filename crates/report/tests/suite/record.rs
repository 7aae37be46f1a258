//! The record formats: JSON Lines against its frozen schema and against serde_json, CSV and Parquet against both.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use vulnlens_model::severity::Severity;
use vulnlens_model::{LabelMode, LabelSource, Labels, Prediction, ScoredLabel, TopK};
use vulnlens_report::{
    Answer, AttackView, Csv, Document, JsonLines, ParquetTable, Record, RecordKey, Records, Table,
};
use vulnlens_taxonomy::{AttackLevel, AttackRelease, BaseVector, CapecId, CweId, Role, TechniqueId, attack};

use crate::sample;
use crate::schema::check_schema;

const RECOMMENDED: LabelSource = LabelSource::Spaces(LabelMode::Recommended);
/// Labels of the sample, over all taxonomies.
const LABELS: usize = 6;

/// The answer to a record with this id or line.
fn answer(id: Option<&str>, line: Option<u64>, prediction: Prediction) -> Answer {
    Answer::new(RecordKey { id: id.map(str::to_owned), line }, prediction)
}

/// A prediction over two taxonomies, with no label of either.
fn nothing_listed() -> Prediction {
    let mut prediction = Prediction::default();
    prediction.cwe = Some(Labels::new(vec![], 1.0));
    prediction.capec = Some(Labels::new(vec![], 0.75));
    prediction
}

fn line(id: Option<&str>, prediction: &Prediction, mode: LabelMode) -> String {
    let mut out = Vec::new();
    JsonLines::new(&sample::setup(LabelSource::Spaces(mode)))
        .push(&answer(id, None, prediction.clone()), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_severity_that_was_asked_for_stands_behind_all_else() {
    let mut prediction = sample::prediction();
    let without = line(Some("CVE-2024-1"), &prediction, LabelMode::Recommended);
    let mut probabilities = vec![0.0; BaseVector::COUNT];
    let vector: BaseVector = "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H".parse().unwrap();
    probabilities[vector.number()] = 1.0;
    for (severity, end) in
        [(None, "null"), (Severity::of(&probabilities), r#""A":{"H":1.0,"L":0.0,"N":0.0}}}"#)]
    {
        prediction.severity = Some(severity);
        let line = line(Some("CVE-2024-1"), &prediction, LabelMode::Recommended);
        let (before, behind) = line.split_once(",\"severity\":").unwrap();
        assert_eq!(without, format!("{before}}}\n"));
        assert!(behind.ends_with(&format!("{end}}}\n")), "{behind}");
        assert_eq!(check_schema(&serde_json::from_str(&line).unwrap()), [""; 0]);
        let answer = answer(Some("CVE-2024-1"), None, prediction.clone());
        let record = serde_json::to_string(&Record::new(&answer, &sample::setup(RECOMMENDED))).unwrap();
        assert_eq!(line, record + "\n");
    }
    let setup = sample::setup(RECOMMENDED);
    let answer = answer(Some("CVE-2024-1"), None, prediction);
    let (mut csv, mut table) = (Vec::new(), Vec::new());
    Csv::new(&setup).push(&answer, &mut csv);
    Table::new(&setup).push(&answer, &mut table);
    let [csv, table] = [csv, table].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(csv.ends_with(&format!("CVE-2024-1,severity,{vector},HIGH 8.8,1.0,true,,,,\n")), "{csv}");
    assert!(table.contains(&format!("HIGH 8.8 (100 %)  {vector}")), "{table}");
}

#[test]
fn a_record_is_what_the_design_says_to_the_byte() {
    let line = line(Some("CVE-2024-1"), &sample::prediction(), LabelMode::Recommended);
    let kb = sample::knowledge_base();
    let name = kb.name_of_cwe(CweId(79)).unwrap();
    let start = format!(
        "{{\"schema_version\":1,\"id\":\"CVE-2024-1\",\"model\":\"fast\",\"model_revision\":\"0123456789ab\",\
         \"taxonomies\":{{\"cwe\":\"4.18\",\"capec\":\"3.9\",\"attack\":\"18.1\"}},\
         \"cwe\":[{{\"label\":\"CWE-79\",\"name\":{},\"score\":0.93,\"predicted\":true}},",
        serde_json::to_string(name).unwrap()
    );
    assert!(line.starts_with(&start), "{line}\ndoes not start with\n{start}");
    let end = "\"attack_curated\":[],\"none\":{\"cwe\":0.01,\"capec\":0.25,\"attack\":0.5},\"labels\":\"recommended\"}\n";
    assert!(line.ends_with(end), "{line}");
}

#[test]
fn a_taxonomy_that_was_not_asked_for_has_an_empty_list() {
    let mut prediction = sample::prediction();
    (prediction.capec, prediction.attack) = (None, None);
    let record: Value = serde_json::from_str(&line(None, &prediction, LabelMode::Reference)).unwrap();
    assert_eq!(check_schema(&record), [""; 0]);
    assert_eq!((&record["capec"], &record["attack"]), (&json!([]), &json!([])));
    assert_eq!(record["none"], json!({"cwe": 0.01}));
    assert_eq!(record["id"], Value::Null);
    assert_eq!(record["labels"], "reference");
}

#[test]
fn a_record_without_an_id_has_its_line_as_the_last_key() {
    let lines = JsonLines::new(&sample::setup(RECOMMENDED));
    for (id, line, end) in [
        (None, Some(7), "\"labels\":\"recommended\",\"line\":7}\n"),
        (None, None, "\"labels\":\"recommended\"}\n"),
        (Some("x"), Some(7), "\"labels\":\"recommended\"}\n"),
    ] {
        let mut out = Vec::new();
        lines.push(&answer(id, line, sample::prediction()), &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(text.ends_with(end), "{text}");
        assert_eq!(check_schema(&serde_json::from_str(&text).unwrap()), [""; 0]);
    }
}

#[test]
fn the_schema_refuses_what_is_no_record() {
    let good: Value =
        serde_json::from_str(&line(Some("x"), &sample::prediction(), LabelMode::Recommended)).unwrap();
    assert_eq!(check_schema(&good), [""; 0]);
    for (key, wrong) in [
        ("schema_version", json!(2)),
        ("id", json!(7)),
        ("cwe", json!([{"label": "CWE-79", "name": "x", "score": 1.5, "predicted": true}])),
        ("capec", json!([{"label": "CAPEC-63"}])),
        ("labels", json!("other")),
        ("taxonomies", json!({})),
        ("line", json!(0)),
    ] {
        let mut bad = good.clone();
        bad[key] = wrong;
        assert!(!check_schema(&bad).is_empty(), "{key}");
    }
}

/// The record that serde_json would build.
fn expected(id: Option<&str>, prediction: &Prediction) -> Value {
    fn list<L: Copy + ToString>(labels: &Labels<L>, name: impl Fn(L) -> String) -> Value {
        let objects = labels.labels.iter().map(|scored| {
            let score = (f64::from(scored.score) * 1e6).round() / 1e6;
            json!({"label": scored.label.to_string(), "name": name(scored.label), "score": score,
                   "predicted": scored.predicted})
        });
        objects.collect()
    }
    let kb = sample::knowledge_base();
    let mut record = json!({"schema_version": 1, "id": id, "model": "fast", "model_revision": "0123456789ab",
        "taxonomies": {"cwe": "4.18", "capec": "3.9", "attack": "18.1"}, "cwe": [], "capec": [], "attack": [], "attack_curated": [],
        "none": {}, "labels": "recommended"});
    let none = |score: f32| json!((f64::from(score) * 1e6).round() / 1e6);
    if let Some(cwe) = &prediction.cwe {
        record["cwe"] = list(cwe, |id| kb.name_of_cwe(id).unwrap_or_default().to_owned());
        record["none"]["cwe"] = none(cwe.none);
    }
    if let Some(capec) = &prediction.capec {
        record["capec"] = list(capec, |id| kb.pattern(id).map(|p| p.name.clone()).unwrap_or_default());
        record["none"]["capec"] = none(capec.none);
    }
    let lists = [("attack", &prediction.attack), ("attack_curated", &prediction.attack_curated)];
    for (key, labels) in lists.into_iter().filter_map(|(key, labels)| Some((key, labels.as_ref()?))) {
        record[key] = list(labels, |id| {
            let technique = kb.technique(id);
            let parent = technique.and_then(|t| t.parent).and_then(|parent| kb.technique(parent));
            let parent = parent.map(|parent| format!("{}: ", parent.name)).unwrap_or_default();
            technique.map(|technique| parent + &technique.name).unwrap_or_default()
        });
        for (item, scored) in record[key].as_array_mut().unwrap().iter_mut().zip(&labels.labels) {
            if kb.technique(scored.label).is_some() {
                let tactics = kb.tactics_of(scored.label).iter().map(|id| kb.tactic(*id).unwrap());
                item["tactics"] = tactics.map(|tactic| tactic.shortname.as_str()).collect();
            }
            if let Some(role) = scored.role {
                item["role"] = role.name().into();
            }
        }
        record["none"][key] = none(labels.none);
    }
    record
}

fn any_labels<L: std::fmt::Debug + Clone>(
    label: impl Strategy<Value = L>,
) -> impl Strategy<Value = Option<Labels<L>>> {
    let scored = (label, 0.0f32..=1.0, any::<bool>())
        .prop_map(|(label, score, predicted)| ScoredLabel::new(label, score, predicted));
    let labels = (prop::collection::vec(scored, 0..6), 0.0f32..=1.0);
    prop::option::of(labels.prop_map(|(labels, none)| Labels::new(labels, none)))
}

fn any_prediction() -> impl Strategy<Value = Prediction> {
    let technique = (1001u16..1700, prop::option::of(1u16..12)).prop_map(|(number, sub)| match sub {
        Some(sub) => TechniqueId::sub_technique(number, sub),
        None => TechniqueId::technique(number),
    });
    let cwe = any_labels((1u32..1500).prop_map(CweId));
    let capec = any_labels((1u32..800).prop_map(CapecId));
    let role = (0..Role::ALL.len()).prop_map(|at| Role::ALL[at]);
    (cwe, capec, any_labels(technique.clone()), any_labels(technique), role).prop_map(
        |(cwe, capec, attack, mut curated, role)| {
            for scored in curated.iter_mut().flat_map(|curated| &mut curated.labels) {
                scored.role = Some(role);
            }
            let mut prediction = Prediction::default();
            (prediction.cwe, prediction.capec, prediction.attack) = (cwe, capec, attack);
            prediction.attack_curated = curated;
            prediction
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_record_equals_what_serde_json_builds(id in prop::option::of(any::<String>()), prediction in any_prediction()) {
        let line = line(id.as_deref(), &prediction, LabelMode::Recommended);
        prop_assert_eq!(line.matches('\n').count(), 1);
        let record: Value = serde_json::from_str(&line).unwrap();
        prop_assert_eq!(check_schema(&record), Vec::<String>::new());
        prop_assert_eq!(&record, &expected(id.as_deref(), &prediction));
        let answer = answer(id.as_deref(), None, prediction);
        let value = serde_json::to_value(Record::new(&answer, &sample::setup(RECOMMENDED))).unwrap();
        prop_assert_eq!(record, value);
    }
}

#[test]
fn csv_has_one_row_a_label() {
    let mut out = Vec::new();
    let csv = Csv::new(&sample::setup(RECOMMENDED));
    csv.head(&mut out);
    assert_eq!(out, Csv::HEADER.as_bytes());
    csv.push(&answer(Some("a,b"), None, sample::prediction()), &mut out);
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "id,taxonomy,label,name,score,predicted,via,distance,outcome,role");
    assert!(
        lines[1].starts_with("\"a,b\",cwe,CWE-79,") && lines[1].ends_with(",0.93,true,,,,"),
        "{}",
        lines[1]
    );
    assert_eq!(lines.len(), 1 + LABELS);
    assert!(lines.iter().skip(1).all(|line| line.starts_with("\"a,b\",")), "every row has the id: {text}");
}

#[test]
fn safe_csv_has_no_formulas() {
    let setup = sample::setup(RECOMMENDED);
    for (id, safe) in
        [("=1+1", "'=1+1"), ("@x", "'@x"), ("-1,2", "\"'-1,2\""), ("\tx", "'\tx"), ("a=b", "a=b")]
    {
        for (setup, want) in [(setup.clone().safe_csv(true), safe), (setup.clone(), id)] {
            let mut out = Vec::new();
            Csv::new(&setup).push(&answer(Some(id), None, nothing_listed()), &mut out);
            let text = String::from_utf8(out).unwrap();
            assert!(text.starts_with(want) || text.starts_with(&format!("\"{want}\"")), "{text}");
        }
    }
}

#[test]
fn parquet_holds_the_rows_of_the_csv() {
    use parquet::record::RowAccessor as _;
    let mut table = Box::new(ParquetTable::new(&sample::setup(RECOMMENDED)).unwrap());
    let mut out = Vec::new();
    table.push(&answer(Some("CVE-2024-1"), None, sample::prediction()), &mut out).unwrap();
    table.push(&answer(None, None, sample::prediction()), &mut out).unwrap();
    table.push(&answer(None, Some(7), nothing_listed()), &mut out).unwrap();
    table.finish(&mut out).unwrap();
    let path = std::env::temp_dir().join(format!("vulnlens-report-{}.parquet", std::process::id()));
    std::fs::write(&path, out).unwrap();
    let reader = parquet::file::reader::SerializedFileReader::try_from(path.as_path()).unwrap();
    let rows: Vec<_> = reader.into_iter().map(Result::unwrap).collect();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(rows.len(), 2 * LABELS + 2);
    let columns: BTreeMap<usize, &String> =
        rows[0].get_column_iter().map(|(name, _)| name).enumerate().collect();
    let names: Vec<&str> = columns.values().map(|name| name.as_str()).collect();
    let own = ["id", "taxonomy", "label", "name", "score", "predicted", "model", "revision"];
    assert_eq!(names, [&own[..], &["via", "distance", "outcome", "role"]].concat());
    assert_eq!(rows[0].get_string(0).unwrap(), "CVE-2024-1");
    assert_eq!(rows[0].get_string(2).unwrap(), "CWE-79");
    assert_eq!(rows[0].get_float(4).unwrap(), 0.93);
    assert!(rows[0].get_bool(5).unwrap());
    assert!(rows[LABELS].get_string(0).is_err(), "a record without an id has a null");
    let last = rows.last().unwrap();
    let texts = [0, 1, 2, 3].map(|column| last.get_string(column).unwrap().as_str());
    assert_eq!(texts, ["#7", "capec", "", "none of them"]);
    assert_eq!((last.get_float(4).unwrap(), last.get_bool(5).unwrap()), (0.75, false));
}

#[test]
fn a_taxonomy_of_which_nothing_is_listed_has_one_row() {
    let mut out = Vec::new();
    let csv = Csv::new(&sample::setup(RECOMMENDED));
    csv.push(&answer(None, Some(7), nothing_listed()), &mut out);
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text, "#7,cwe,,none of them,1.0,false,,,,\n#7,capec,,none of them,0.75,false,,,,\n");
}

#[test]
fn a_long_table_is_given_out_in_parts_that_make_a_whole() {
    // More than a row group.
    let records = (1 << 19) / LABELS + 10_000;
    let mut table = Box::new(ParquetTable::new(&sample::setup(RECOMMENDED)).unwrap());
    let answer = answer(Some("a"), None, sample::prediction());
    let (mut whole, mut parts) = (Vec::new(), 0);
    for _ in 0..records {
        let mut part = Vec::new();
        table.push(&answer, &mut part).unwrap();
        parts += usize::from(!part.is_empty());
        whole.append(&mut part);
    }
    assert!(parts > 0);
    table.finish(&mut whole).unwrap();
    let path = std::env::temp_dir().join(format!("vulnlens-report-long-{}.parquet", std::process::id()));
    std::fs::write(&path, whole).unwrap();
    let reader = parquet::file::reader::SerializedFileReader::try_from(path.as_path()).unwrap();
    let rows = parquet::file::reader::FileReader::metadata(&reader).file_metadata().num_rows();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(rows as usize, records * LABELS);
}

#[test]
fn a_view_of_attack_is_the_same_in_both_writers_and_fits_the_schema() {
    let bundle = r#"{"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "attack-pattern", "id": "attack-pattern--1", "name": "Mumble", "x_mitre_domains": ["enterprise-attack"],
         "external_references": [{"source_name": "mitre-attack", "external_id": "T1777"}]},
        {"type": "attack-pattern", "id": "attack-pattern--2", "name": "Old", "x_mitre_domains": ["enterprise-attack"],
         "revoked": true, "external_references": [{"source_name": "mitre-attack", "external_id": "T1027"}]},
        {"type": "relationship", "id": "relationship--1", "relationship_type": "revoked-by",
         "source_ref": "attack-pattern--2", "target_ref": "attack-pattern--1"}]}"#;
    let release = AttackRelease::new(vec![attack::parse(bundle.as_bytes(), "bundle").unwrap()], "19.0");
    for (level, release, first) in [
        (AttackLevel::SubTechnique, Some(&release), json!(["T1777", "Mumble", "T1027"])),
        (AttackLevel::Technique, None, json!(["T1027", "Obfuscated Files or Information", null])),
        (AttackLevel::Tactic, None, json!(["TA0005", "Defense Evasion", null])),
    ] {
        let view = AttackView::new(sample::knowledge_base(), level, TopK::All);
        let view = release.into_iter().fold(view, |view, release| view.as_of(release).unwrap());
        let mut prediction = sample::prediction();
        view.apply(&mut prediction);
        let setup = view.names(sample::setup(RECOMMENDED));
        let answer = answer(Some("x"), None, prediction);
        let mut line = Vec::new();
        JsonLines::new(&setup).push(&answer, &mut line);
        let whole = serde_json::to_string(&Record::new(&answer, &setup)).unwrap() + "\n";
        assert_eq!(String::from_utf8(line).unwrap(), whole);
        let record: Value = serde_json::from_str(&whole).unwrap();
        assert_eq!(check_schema(&record), [""; 0]);
        let label = &record["attack"][0];
        assert_eq!(json!([label["label"], label["name"], label.get("original")]), first);
        assert_eq!(label["score"], 0.5);
        let is_unmapped = record["attack"][1].get("unmapped") == Some(&json!(true));
        assert_eq!(is_unmapped, release.is_some(), "T1562.003 is not in the bundle: {record}");
        assert_eq!(record["taxonomies"]["attack"], release.map_or("18.1", AttackRelease::version));
    }
}
