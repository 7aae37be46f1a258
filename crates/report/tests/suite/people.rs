//! What people read: the table, the explanation, entries and changes of the knowledge base.

use vulnlens_model::{
    EvidenceMethod, Explanation, LabelMode, LabelSource, ScoredLabel, Target, WordEvidence,
};
use vulnlens_report::{
    Answer, Changes, Entry, EntryId, Glyphs, JsonLines, Record, RecordKey, Records, Table, TableLayout,
    explanation_text, path_text,
};
use vulnlens_taxonomy::{CweId, TechniqueId, diff};

use crate::sample;

const RECOMMENDED: LabelSource = LabelSource::Spaces(LabelMode::Recommended);
/// Labels of the sample, over all taxonomies.
const LABELS: usize = 6;

const LAYOUT: TableLayout =
    TableLayout { rows: Some(5), derived: Some(2), width: 100, glyphs: Glyphs::Unicode };

/// `text` without ANSI styles.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        out += before;
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    out + rest
}

/// The table of one answer.
fn render(layout: TableLayout, answer: &Answer) -> String {
    let mut out = Vec::new();
    Table::new(&sample::setup(RECOMMENDED).layout(layout)).push(answer, &mut out);
    String::from_utf8(out).unwrap()
}

fn assigned(number: u32) -> Vec<ScoredLabel<CweId>> {
    vec![ScoredLabel::new(CweId(number), 0.93, true)]
}

fn table(layout: TableLayout) -> String {
    let answer = Answer::new(RecordKey::of_id("CVE-2024-1"), sample::prediction());
    render(layout, &answer.with_assigned(assigned(79)))
}

#[test]
fn the_table_shows_labels_names_marks_and_ways() {
    let text = plain(&table(LAYOUT));
    for wanted in [
        "CVE-2024-1\nWeaknesses (CWE)\n",
        "  ✓  93.0 %  █████████   CWE-79      ",
        "  ✓  50.0 %  █████       T1027       Obfuscated Files or Information\n",
        "CWE-79 ▸ CAPEC-63\n",
        "CWE-79 ▸ CWE-74 ▸ CAPEC-267 ▸ T1027\n",
        "     50.0 %  that none applies\n",
    ] {
        assert!(text.contains(wanted), "{text}\nlacks {wanted:?}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let rows = text.lines().filter(|line| line.contains('%') && !line.contains("none applies")).count();
    assert_eq!(rows, LABELS, "{text}");
}

#[test]
fn the_table_says_how_many_labels_it_leaves_out() {
    let text = plain(&table(TableLayout { rows: Some(1), ..LAYOUT }));
    assert_eq!(text.matches("… 1 more").count(), 3, "{text}");
    assert!(!plain(&table(TableLayout { rows: None, ..LAYOUT })).contains("more"));
}

#[test]
fn without_unicode_the_table_is_ascii_and_narrow_terminals_are_kept_to() {
    let text = plain(&table(TableLayout { glyphs: Glyphs::Ascii, width: 70, ..LAYOUT }));
    assert!(text.is_ascii(), "{text}");
    assert!(text.contains("CWE-79 > CWE-74 > CAPEC-267 > T1027"), "{text}");
    assert!(text.lines().all(|line| line.len() <= 70), "{text}");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [25, 30, 40, 59, 60, 61, 80] {
        let layout = TableLayout { width, ..LAYOUT };
        let record = RecordKey::of_id(
            "an id that is much longer than a line of a narrow terminal could ever be, and longer",
        );
        let answer = Answer::new(record.clone(), sample::prediction()).with_assigned(assigned(119));
        let setup = sample::setup(RECOMMENDED).layout(layout);
        let text = plain(&explanation_text(&answer.with_explanation(explanation()), &setup));
        assert!(text.lines().all(|line| line.chars().count() <= width), "{width}: {text}");
        assert!(text.contains("CWE-79") && text.contains("T1562.003"), "{text}");
    }
}

#[test]
fn a_category_has_its_name() {
    let text = plain(&table(LAYOUT));
    assert!(text.contains("CWE-264     Permissions, Privileges, and Access Controls\n"), "{text}");
}

#[test]
fn the_best_weakness_is_shown_even_where_it_must_not_be_mapped_to() {
    for (number, why) in [(119, "discourages"), (264, "a category"), (80, "below the threshold")] {
        let mut prediction = sample::prediction();
        prediction.cwe.iter_mut().for_each(|cwe| cwe.labels.truncate(1));
        let answer = Answer::new(RecordKey::default(), prediction).with_assigned(assigned(number));
        let text = plain(&render(LAYOUT, &answer));
        assert!(text.contains(&format!("CWE-{number}")) && text.contains(why), "{text}");
    }
}

#[test]
fn an_id_cannot_command_the_terminal() {
    let record = RecordKey::of_id("a\u{1b}]0;owned\u{7}b\nc\u{202e}d\u{200b}");
    let text = render(LAYOUT, &Answer::new(record, sample::prediction()));
    assert!(text.contains("a\u{FFFD}]0;owned\u{FFFD}b\u{FFFD}c\u{FFFD}d\u{FFFD}"), "{text}");
}

fn explanation() -> Explanation {
    let kb = sample::knowledge_base();
    let word = |text: &str, start: usize, weight: f32| WordEvidence {
        text: text.to_owned(),
        start,
        end: start + text.len(),
        weight,
    };
    let mut explanation = Explanation::default();
    explanation.target = Some(Target::Cwe(CweId(79)));
    (explanation.score, explanation.score_without, explanation.named) = (0.93, 0.002, 1);
    explanation.words = vec![word("the", 0, -0.1), word("scripting", 4, 2.5)];
    explanation.paths = kb.paths(CweId(79), TechniqueId::technique(1027));
    explanation.method = Some(EvidenceMethod::Occlusion);
    explanation.parents = vec![ScoredLabel::new("CWE-707".into(), 0.75, true)];
    explanation
}

fn explained(explanation: &Explanation) -> String {
    let answer =
        Answer::new(RecordKey::default(), sample::prediction()).with_explanation(explanation.clone());
    plain(&explanation_text(&answer, &sample::setup(RECOMMENDED).layout(LAYOUT)))
}

#[test]
fn an_explanation_names_the_answer_words_and_ways() {
    let text = explained(&explanation());
    for wanted in [
        "93.0 %  █████████   CWE-79",
        "Words that speak for CWE-79\n",
        "+2.50  ██████████  scripting",
        "without the word that speaks most for it: 0.2 % where it was 93.0 %",
        "Parents in the hierarchy\n",
        "75.0 %  CWE-707",
        "▸ T1027",
    ] {
        assert!(text.contains(wanted), "{text}\nlacks {wanted:?}");
    }
    assert!(text.find("scripting") < text.find("the\n"), "the heaviest word stands first: {text}");
}

#[test]
fn words_of_no_weight_are_not_shown_and_light_ones_have_short_bars() {
    let text = |weights: [f32; 2]| {
        let mut explanation = explanation();
        for (word, weight) in explanation.words.iter_mut().zip(weights) {
            word.weight = weight;
        }
        let text = explained(&explanation);
        text.split_once("Words that speak").unwrap().1.to_owned()
    };
    for weights in [[0.0, 0.0], [-0.0, 0.0], [-0.004, 1e-20]] {
        let text = text(weights);
        assert!(text.contains("knows no word") && !text.contains('█') && !text.contains("0.00"), "{text}");
    }
    assert!(text([-0.001, 0.05]).contains("+0.05  █           scripting\n"), "{}", text([-0.001, 0.05]));
}

#[test]
fn an_explanation_in_json_keeps_the_order_of_the_text() {
    let answer = Answer::new(RecordKey::of_id("a"), sample::prediction()).with_explanation(explanation());
    let (setup, mut json) = (sample::setup(RECOMMENDED), vec![]);
    JsonLines::new(&setup).push(&answer, &mut json);
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json, serde_json::to_value(Record::new(&answer, &setup)).unwrap(), "the same as a value");
    assert_eq!(
        json["words"][1],
        serde_json::json!({"text": "scripting", "start": 4, "end": 13, "weight": 2.5})
    );
    assert_eq!(json["cwe"][0]["score"], 0.93, "the keys of a record");
    assert_eq!(json["explained"], serde_json::json!({"taxonomy": "cwe", "label": "CWE-79", "score": 0.93}));
    assert_eq!(json["without"], serde_json::json!({"words": 1, "score": 0.002}));
    assert_eq!(json["paths"][0][0], "CWE-79");
    assert_eq!((&json["id"], &json["method"]), (&"a".into(), &"occlusion".into()));
    let parents = serde_json::json!([{"label": "CWE-707", "score": 0.75, "predicted": true}]);
    assert_eq!(json["parents"], parents);
    assert_eq!(json.get("line"), None);
}

#[test]
fn every_kind_of_entry_can_be_shown() {
    let kb = sample::knowledge_base();
    for (id, wanted) in [
        ("cwe-79", "mapping usage     Allowed"),
        ("CAPEC-63", "CWE-79"),
        ("T1027", "cwe reaching"),
        ("T1562.003", "Impair Defenses: "),
        ("TA0005", "enterprise-attack"),
    ] {
        let id: EntryId = id.parse().unwrap();
        let entry = Entry::of(id, &kb).unwrap();
        let text = plain(&entry.text(100, Glyphs::Unicode));
        assert!(text.contains(wanted), "{text}\nlacks {wanted:?}");
        let json = serde_json::to_value(&entry).unwrap();
        assert_eq!(json["id"], id.to_string());
    }
    assert_eq!(Entry::of(EntryId::Cwe(CweId(999_999)), &kb), None);
}

#[test]
fn what_is_no_id_is_refused() {
    assert_eq!("79".parse(), Ok(EntryId::Cwe(CweId(79))), "a bare number is CWE's");
    for text in ["", "79x", "CWE-", "CWE-x", "T12", "TA", "CVE-2024-1", "\u{130}WE-79", "é"] {
        assert!(text.parse::<EntryId>().is_err(), "{text}");
    }
}

#[test]
fn a_knowledge_base_does_not_differ_from_itself() {
    let kb = sample::knowledge_base();
    let changes = Changes::new(&diff(&kb, &kb), &kb, &kb);
    assert!(changes.changes.is_empty());
    assert!(plain(&changes.text()).contains("nothing changed"));
}

#[test]
fn a_path_is_drawn_in_order() {
    let kb = sample::knowledge_base();
    let paths = kb.paths(CweId(79), TechniqueId::technique(1027));
    assert!(path_text(&paths[0], Glyphs::Ascii).starts_with("CWE-79 > "));
}
