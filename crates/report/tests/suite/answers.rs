//! Answers in a word, families and ways to derived labels, in every format.

use serde_json::{Value, json};
use vulnlens_model::{LabelMode, LabelSource, Labels, Prediction, Via};
use vulnlens_report::{
    Answer, Csv, Document, Glyphs, JsonLines, ParquetTable, Record, RecordKey, Records, Table, TableLayout,
};
use vulnlens_taxonomy::{CapecId, CweId, TechniqueId};

use crate::{sample, schema};

const SOURCE: LabelSource = LabelSource::Spaces(LabelMode::Recommended);

fn answer(prediction: Prediction) -> Answer {
    Answer::new(RecordKey { id: None, line: Some(7) }, prediction)
}

fn line(answer: &Answer) -> String {
    let mut out = Vec::new();
    JsonLines::new(&sample::setup(SOURCE)).push(answer, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn both_writers_of_json_agree_to_the_byte() {
    for prediction in sample::answers() {
        let answer = answer(prediction);
        let line = line(&answer);
        let record: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(schema::check_schema(&record), [""; 0]);
        assert_eq!(record["outcome"], answer.prediction.said.unwrap().name());
        let by_serde = serde_json::to_string(&Record::new(&answer, &sample::setup(SOURCE))).unwrap();
        assert_eq!(line.trim_end(), by_serde);
        assert!(line.ends_with(",\"line\":7}\n"), "{line}");
    }
}

#[test]
fn json_has_the_way_to_each_derived_label() {
    let answer = answer(sample::injection());
    let record: Value = serde_json::from_str(&line(&answer)).unwrap();
    let first = &record["capec"][0];
    assert_eq!((&first["via"], &first["distance"]), (&json!(["CWE-89"]), &json!(0)));
    let attack = answer.prediction.attack.as_ref().unwrap();
    let last = attack.labels.last().unwrap().via.unwrap();
    let listed = record["attack"].as_array().unwrap().last().unwrap();
    assert_eq!(listed["via"], last.entries().collect::<Value>());
    assert_eq!(listed["distance"], last.distance);
    assert!(record["cwe"][0].get("via").is_none());
    assert_eq!(record["outcomes"], json!({"not-a-vulnerability": 0.02, "not-told": 0.01}));
    assert!(record.get("family").is_none());
}

#[test]
fn json_has_a_family_with_its_members() {
    let line = line(&answer(sample::family()));
    let record: Value = serde_json::from_str(&line).unwrap();
    let family = &record["family"];
    assert_eq!((&family["label"], &family["usage"]), (&json!("CWE-285"), &json!("discouraged")));
    assert_eq!(family["members"].as_array().unwrap().len(), 2);
    assert_eq!(family["members"][0]["name"], "Missing Authorization");
    let order = ["\"labels\":", "\"outcome\":", "\"said\":", "\"outcomes\":", "\"family\":", "\"line\":"];
    let places = order.map(|key| line.find(key).unwrap());
    assert!(places.is_sorted(), "{line}");
}

#[test]
fn an_answer_in_no_word_has_no_more_keys() {
    let record: Value = serde_json::from_str(&line(&answer(sample::prediction()))).unwrap();
    for key in ["outcome", "said", "outcomes", "family"] {
        assert!(record.get(key).is_none(), "{key}");
    }
}

#[test]
fn json_has_the_role_of_what_analysts_assign_and_the_tactics_of_every_technique() {
    let line = line(&answer(sample::curated()));
    let record: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(schema::check_schema(&record), [""; 0]);
    let want = json!({
        "label": "T1190", "name": "Exploit Public-Facing Application", "score": 0.8, "predicted": true,
        "role": "exploitation", "tactics": ["initial-access"],
    });
    assert_eq!(record["attack_curated"][0], want);
    assert_eq!(record["none"]["attack_curated"], 0.02);
    let kb = sample::knowledge_base();
    for key in ["attack", "attack_curated"] {
        for label in record[key].as_array().unwrap() {
            let id: TechniqueId = label["label"].as_str().unwrap().parse().unwrap();
            let names = kb.tactics_of(id).iter().map(|id| kb.tactic(*id).unwrap().shortname.as_str());
            assert_eq!(label["tactics"], names.collect::<Value>());
            assert_eq!(label.get("role").is_some(), key == "attack_curated");
        }
    }
    assert!(record["cwe"][0].get("tactics").is_none() && record["capec"][0].get("tactics").is_none());
}

fn csv(prediction: Prediction) -> Vec<Vec<String>> {
    let mut out = Vec::new();
    Csv::new(&sample::setup(SOURCE)).push(&Answer::new(RecordKey::of_id("x"), prediction), &mut out);
    let text = String::from_utf8(out).unwrap();
    // No name of the samples' first columns has a comma in it; those behind the score are counted from the end.
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn rows_have_the_way_the_distance_and_the_outcome() {
    let mut prediction = sample::injection();
    let via = Via { weakness: CweId(89), ancestor: CweId(943), pattern: Some(CapecId(66)), distance: 1 };
    for scored in prediction.attack.iter_mut().flat_map(|attack| &mut attack.labels) {
        scored.via = Some(via);
    }
    let attack = prediction.attack.as_ref().unwrap().labels.len();
    assert!(attack > 0);
    let rows = csv(prediction);
    for row in &rows {
        let [.., way, distance, outcome, role] = &row[..] else { panic!("{row:?}") };
        assert_eq!((outcome.as_str(), role.as_str()), ("weaknesses", ""));
        match row[1].as_str() {
            "attack" => assert_eq!((way.as_str(), distance.as_str()), ("CWE-89 > CWE-943 > CAPEC-66", "1")),
            "cwe" => assert_eq!((way.as_str(), distance.as_str()), ("", "")),
            _ => assert!(way.starts_with("CWE-89"), "{row:?}"),
        }
    }
    let rows = csv(sample::link());
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert!(rows.iter().all(|row| row[3..] == ["none of them", "1.0", "false", "", "", "no-text", ""]));
}

#[test]
fn rows_of_what_analysts_assign_have_a_role() {
    let rows = csv(sample::curated());
    let curated = rows.iter().filter(|row| row[1] == "attack_curated");
    let ends: Vec<&[String]> = curated.map(|row| &row[5..]).collect();
    let end = |predicted: &'static str, role: &'static str| [predicted, "", "", "weaknesses", role];
    let want = [end("true", "exploitation"), end("false", "primary-impact"), end("true", "secondary-impact")];
    assert_eq!(ends, want);
    let others = rows.iter().filter(|row| row[1] != "attack_curated");
    assert!(others.map(|row| row.last().unwrap()).all(String::is_empty));
}

#[test]
fn a_family_has_one_row_behind_the_weaknesses() {
    let rows = csv(sample::family());
    let at = rows.iter().position(|row| row[1] == "cwe-family").unwrap();
    assert_eq!(
        rows[at],
        ["x", "cwe-family", "CWE-285", "Improper Authorization", "0.75", "false", "", "", "family", ""]
    );
    assert_eq!((&rows[at - 1][1], &rows[at + 1][1]), (&"cwe".to_owned(), &"capec".to_owned()));
}

#[test]
fn parquet_has_nulls_where_the_csv_has_nothing() {
    use parquet::record::RowAccessor as _;
    let mut table = Box::new(ParquetTable::new(&sample::setup(SOURCE)).unwrap());
    let mut out = Vec::new();
    table.push(&answer(sample::curated()), &mut out).unwrap();
    table.push(&answer(sample::prediction()), &mut out).unwrap();
    table.finish(&mut out).unwrap();
    let path = std::env::temp_dir().join(format!("vulnlens-answers-{}.parquet", std::process::id()));
    std::fs::write(&path, out).unwrap();
    let reader = parquet::file::reader::SerializedFileReader::try_from(path.as_path()).unwrap();
    let rows: Vec<_> = reader.into_iter().map(Result::unwrap).collect();
    std::fs::remove_file(&path).unwrap();
    let first = rows.iter().find(|row| row.get_string(1).unwrap() == "capec").unwrap();
    assert_eq!((first.get_string(8).unwrap().as_str(), first.get_ubyte(9).unwrap()), ("CWE-89", 0));
    assert_eq!(first.get_string(10).unwrap(), "weaknesses");
    assert!(rows[0].get_string(8).is_err() && rows[0].get_ubyte(9).is_err());
    assert!(rows.last().unwrap().get_string(10).is_err(), "in no word");
    let roles = rows.iter().filter(|row| row.get_string(1).unwrap() == "attack_curated");
    let roles: Vec<&String> = roles.map(|row| row.get_string(11).unwrap()).collect();
    assert_eq!(roles, ["exploitation", "primary-impact", "secondary-impact"]);
    assert!(first.get_string(11).is_err(), "only techniques that analysts assign have a role");
}

fn table(record: RecordKey, prediction: Prediction, width: usize) -> String {
    let layout = TableLayout { rows: Some(5), derived: Some(2), width, glyphs: Glyphs::Ascii };
    let mut out = Vec::new();
    let table = Table::new(&sample::setup(SOURCE).layout(layout));
    table.push(&Answer::new(record, prediction), &mut out);
    let text = String::from_utf8(out).unwrap();
    // Without ANSI styles.
    text.split('\u{1b}')
        .map(|part| part.split_once('m').filter(|_| part.starts_with('[')).map_or(part, |p| p.1))
        .collect()
}

fn of_text(prediction: Prediction) -> String {
    table(RecordKey::default(), prediction, 100)
}

#[test]
fn a_table_groups_derived_labels_and_explains_its_marks() {
    let text = of_text(sample::injection());
    for wanted in [
        "Weaknesses (CWE)\n  *  90.0 %  #########   CWE-89 ",
        "Attack patterns (CAPEC)\n    derived from CWE-89 through MITRE's catalogues\n    linked to CWE-89 itself\n  *",
        "\n    inherited from CWE-",
        ", an ancestor of CWE-89\n",
        "\n* marks answers: ",
    ] {
        assert!(text.contains(wanted), "{text}\nlacks {wanted:?}");
    }
    assert!(text.starts_with("Weaknesses"), "what is told needs no sentence: {text}");
    let with_id = table(RecordKey::of_id("x"), sample::injection(), 100);
    assert!(!with_id.contains("marks answers"), "{with_id}");
}

/// The rows of a table whose ids begin so.
fn rows(text: &str, id: &str) -> usize {
    let id = format!("  {id}");
    text.lines().filter(|line| line.contains(" %  ") && line.contains(&id)).count()
}

#[test]
fn a_table_shows_what_analysts_assign_first_and_folds_what_is_derived() {
    let text = of_text(sample::curated());
    let sections =
        ["Weaknesses (CWE)", "Techniques that analysts assign", "Attack patterns", "Techniques (ATT&CK)"];
    let places = sections.map(|heading| text.find(heading).unwrap());
    assert!(places.is_sorted(), "{text}");
    for wanted in [
        "    what analysts assign to such vulnerabilities\n  *  80.0 %  ########    T1190 ",
        "Exploit Public-Facing Application  exploitation\n",
        "Hijack Execution Flow: Dynamic Linker Hija...  secondary-impact\n",
        "rule fitted on their mappings; patterns and derived techniques",
    ] {
        assert!(text.contains(wanted), "{text}\nlacks {wanted:?}");
    }
    let capec = sample::injection().capec.unwrap().labels.len();
    assert!(capec > 5);
    assert_eq!(rows(&text, "CAPEC-"), 2, "{text}");
    assert!(text.contains(&format!("... {} more (--top-k all)", capec - 2)), "{text}");
    assert_eq!(rows(&of_text(sample::injection()), "CAPEC-"), 5, "a model without the list folds nothing");
    let layout = TableLayout { derived: None, width: 100, ..TableLayout::default() };
    let mut out = Vec::new();
    let unfolded = Table::new(&sample::setup(SOURCE).layout(layout));
    unfolded.push(&Answer::new(RecordKey::default(), sample::curated()), &mut out);
    assert_eq!(rows(&String::from_utf8(out).unwrap(), "CAPEC-"), 5);
}

#[test]
fn what_analysts_assign_and_is_answered_is_shown_before_what_is_not() {
    let mut text = vec![];
    for rows in [1, 2, 3] {
        let layout = TableLayout { rows: Some(rows), width: 100, ..TableLayout::default() };
        let mut out = Vec::new();
        let table = Table::new(&sample::setup(SOURCE).layout(layout));
        table.push(&Answer::new(RecordKey::default(), sample::curated()), &mut out);
        let table = String::from_utf8(out).unwrap();
        text.push(["T1190", "T1059", "T1574.006"].map(|id| table.contains(&format!("{id:<10}  "))));
    }
    assert_eq!(text, [[true, false, false], [true, false, true], [true; 3]]);
}

#[test]
fn a_table_says_that_nothing_is_likely_to_be_assigned_and_then_folds_nothing() {
    let mut prediction = sample::injection();
    prediction.attack_curated = Some(Labels::new(vec![], 0.02));
    let text = of_text(prediction);
    assert!(
        text.contains("analysts assign (ATT&CK)\n    none is likely enough to be listed\nAttack"),
        "{text}"
    );
    assert_eq!(rows(&text, "CAPEC-"), 5, "{text}");
}

#[test]
fn of_a_text_without_a_vulnerability_a_table_lists_no_techniques() {
    let mut prediction = sample::predicted("Stir it.", &[(79, 0.1), (89, 0.1)], [0.75, 0.05]);
    prediction.attack_curated = Some(Labels::new(vec![], 1.0));
    let text = of_text(prediction);
    assert!(text.starts_with("The text does not describe a vulnerability.\nWeaknesses (CWE)\n"), "{text}");
    assert!(!text.contains("ATT&CK") && !text.contains("CAPEC"), "{text}");
}

#[test]
fn a_table_shows_the_family_and_what_follows_from_it() {
    let text = of_text(sample::family());
    let start = "The text tells the family of its weakness, not which one of it.\nWeaknesses (CWE)\n";
    assert!(text.starts_with(start), "{text}");
    for wanted in [
        "  family  75.0 %         CWE-285     Improper Authorization\n",
        "CWE discourages mapping to it\n     40.0 %  ####        CWE-862     Missing Authorization\n",
        "     20.0 %  ##          CWE-79 ",
        "    derived from the family CWE-285 through MITRE's catalogues\n    linked to CWE-285 itself\n",
    ] {
        assert!(text.contains(wanted), "{text}\nlacks {wanted:?}");
    }
    assert_eq!(text.matches("CWE-862").count(), 1, "a member is listed once: {text}");
    assert!(!text.contains("marks answers"), "nothing is marked: {text}");
}

#[test]
fn a_table_says_where_no_weakness_is_sure() {
    let text = of_text(sample::unsure());
    assert!(text.starts_with("The text may tell a weakness, but no single one is sure.\n"), "{text}");
    assert!(text.contains("    no weakness is sure: derived from the likeliest\n"), "{text}");
    assert!(text.contains("  from CWE-"), "{text}");
}

#[test]
fn of_what_was_not_classified_a_table_has_a_sentence() {
    assert_eq!(of_text(sample::recipe()), "The text does not describe a vulnerability.\n");
    let want = "The text has no words besides links, identifiers, scores and dates: nothing to classify.\n";
    assert_eq!(of_text(sample::link()), want);
    assert_eq!(table(RecordKey::of_id("x"), sample::recipe(), 100).lines().next(), Some("x"));
}

#[test]
fn no_line_of_an_answer_is_wider_than_the_terminal() {
    for width in [25, 40, 59, 60, 80] {
        for prediction in sample::answers() {
            let text = table(RecordKey::default(), prediction, width);
            assert!(text.is_ascii() && text.lines().all(|line| line.len() <= width), "{width}: {text}");
        }
    }
}
