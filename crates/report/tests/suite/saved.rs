//! Answers that were written, read back from every format that is read.

use std::io::Cursor;
use std::sync::Arc;

use proptest::prelude::*;
use vulnlens_model::severity::Severity;
use vulnlens_model::{LabelMode, LabelSource, Labels, ScoredLabel, Task, Tasks};
use vulnlens_report::{Answer, Format, RecordKey, Saved, SavedAnswers, SavedError, SavedPlace, SavedProblem};
use vulnlens_taxonomy::{BaseVector, TacticId};

use crate::sample;

const SPACES: LabelSource = LabelSource::Spaces(LabelMode::Recommended);
const CHECKPOINT: LabelSource =
    LabelSource::Checkpoint { derived: Tasks::NONE.with(Task::Attack), other: true };

/// The samples as answers to records with an id or a line, and one answer at the level of tactics.
fn answers() -> Vec<Answer> {
    let keys = [
        RecordKey::of_id("CVE-2024-1"),
        RecordKey { id: None, line: Some(2) },
        RecordKey::of_id("say \"é\""),
    ];
    let mut answers: Vec<Answer> = sample::answers()
        .into_iter()
        .chain([sample::prediction()])
        .zip(keys.iter().cycle())
        .map(|(prediction, key)| Answer::new(key.clone(), prediction))
        .collect();
    let mut of_tactics = sample::injection();
    (of_tactics.attack, of_tactics.attack_curated) = (None, None);
    of_tactics.attack_tactics = Some(Labels::new(vec![ScoredLabel::new(TacticId(1), 0.5, true)], 0.5));
    answers.push(Answer::new(RecordKey::of_id("tactics"), of_tactics));
    answers
}

fn written(format: &str, source: LabelSource, answers: Vec<Answer>) -> Vec<u8> {
    Format::named(format).unwrap().render(&sample::setup(source), answers).unwrap()
}

fn read(bytes: impl Into<Vec<u8>>) -> Vec<Result<Saved, SavedError>> {
    SavedAnswers::stream("in", Cursor::new(bytes.into()), &sample::knowledge_base()).collect()
}

fn read_well(bytes: impl Into<Vec<u8>>) -> Vec<Answer> {
    read(bytes).into_iter().map(|saved| saved.unwrap().answer).collect()
}

#[test]
fn json_lines_come_back_to_the_byte() {
    let probabilities: Vec<f32> =
        (0..BaseVector::COUNT).map(|number| 1.0 / (number as f32 + 2.0).powi(2)).collect();
    for source in [SPACES, CHECKPOINT] {
        let mut answers = answers();
        answers[0].prediction.severity = Some(Severity::of(&probabilities));
        answers[1].prediction.severity = Some(None);
        if source == CHECKPOINT {
            answers.iter_mut().for_each(|answer| {
                answer.prediction.other = vec![ScoredLabel::new("TA0002".into(), 0.3, false)];
            });
        }
        let bytes = written("jsonl", source, answers.clone());
        let saved: Vec<Saved> = read(bytes.clone()).into_iter().map(Result::unwrap).collect();
        assert_eq!(saved.len(), answers.len());
        for (saved, answer) in saved.iter().zip(&answers) {
            assert_eq!((saved.run.labels, saved.run.model.as_str()), (source, "fast"));
            assert_eq!(saved.answer.prediction.said, answer.prediction.said);
            assert_eq!(saved.answer.prediction.cwe.is_some(), answer.prediction.cwe.is_some());
        }
        let is_one = saved.iter().all(|other| Arc::ptr_eq(&other.run, &saved[0].run));
        assert!(is_one, "one for all answers of a run");
        let again = written("jsonl", source, saved.into_iter().map(|saved| saved.answer).collect());
        assert_eq!(String::from_utf8(again).unwrap(), String::from_utf8(bytes).unwrap());
    }
}

#[test]
fn tables_come_back_with_every_row() {
    for source in [SPACES, CHECKPOINT] {
        let rows = String::from_utf8(written("csv", source, answers())).unwrap();
        for format in ["parquet", "arrow"] {
            let back = read_well(written(format, source, answers()));
            assert_eq!(back.len(), answers().len(), "{format}");
            assert_eq!(String::from_utf8(written("csv", source, back)).unwrap(), rows, "{format}");
        }
    }
}

#[test]
fn records_of_a_table_that_share_an_id_are_told_apart() {
    let twice = || [sample::injection(), sample::injection(), sample::recipe(), sample::recipe()];
    let answers = twice().map(|prediction| Answer::new(RecordKey::of_id("same"), prediction)).to_vec();
    assert_eq!(read_well(written("parquet", SPACES, answers)).len(), 4);
}

#[test]
fn packed_answers_are_unpacked() {
    for format in ["jsonl", "parquet", "arrow"] {
        let packed = zstd::encode_all(&*written(format, SPACES, answers()), 1).unwrap();
        assert_eq!(read_well(packed), read_well(written(format, SPACES, answers())), "{format}");
    }
}

#[test]
fn a_bad_line_names_its_field_and_loses_no_other() {
    let text = String::from_utf8(written("jsonl", SPACES, answers())).unwrap();
    let good = text.lines().next().unwrap();
    let cases = [
        (good.replacen("CWE-89", "CWE-x", 1), "in:2: field cwe[0].label is wrong: \"CWE-x\" is not a CWE id"),
        (
            good.replacen("\"score\":0.9", "\"score\":1.9", 1),
            "in:2: field cwe[0].score is 1.9, not from 0 to 1",
        ),
        (
            good.replacen("\"score\":0.9", "\"score\":\"0.9\"", 1),
            "in:2: field cwe is wrong: invalid type: string",
        ),
        (good.replacen("\"model\":", "\"mode\":", 1), "in:2: field model is missing"),
        (good.replacen("\"capec\":[", "\"capecs\":[", 1), "in:2: field capec is missing"),
        (good.replacen("\"schema_version\":1", "\"schema_version\":2", 1), "in:2: field schema_version is 2"),
        (good[..good.len() / 2].to_owned(), "in:2: malformed JSON: EOF"),
        (
            "{\"id\":\"x\",\"description\":\"y\"}".to_owned(),
            "in:2: not an answer: it has no number schema_version",
        ),
        ("[1]".to_owned(), "in:2: not an answer: it is not a JSON object"),
    ];
    for (bad, message) in cases {
        let newer = good.replacen("\"model\":", "\"later\":{\"a\":[1]},\"model\":", 1);
        let saved = read(format!("{good}\r\n{bad}\n\n{newer}"));
        let [first, error, last] = saved.try_into().unwrap();
        let (first, last) = (first.unwrap(), last.unwrap());
        assert_eq!(first.answer, last.answer, "keys of later releases are passed over");
        let error = error.unwrap_err();
        assert!(error.to_string().starts_with(message), "{error}");
        assert_eq!(error.place, SavedPlace::Line(2));
    }
    let damaged_first = read(format!("{}\n{good}", &good[..99]));
    assert!(damaged_first[0].is_err() && damaged_first[1].is_ok() && damaged_first.len() == 2);
}

#[test]
fn what_holds_no_answers_says_so_once() {
    assert_eq!(read("").len(), 0);
    assert_eq!(read("\n \n").len(), 0);
    let records = "{\"id\":\"CVE-2024-1\",\"description\":\"XSS\"}\n".repeat(3);
    let rows = String::from_utf8(written("csv", SPACES, answers())).unwrap();
    let osv = "{\"schema_version\":\"1.6.0\",\"id\":\"GHSA-x\",\"details\":\"XSS\"}\n";
    for text in [
        records.as_str(),
        &rows,
        osv,
        "SQL injection in login.php",
        "{\n\"schema_version\": 1\n}",
        "PK\u{3}\u{4}zip",
        "ARROW1",
    ] {
        let [error] = read(text).try_into().unwrap();
        let error: SavedError = error.unwrap_err();
        assert!(matches!(error.problem, SavedProblem::NoAnswers(_)), "{text}: {error}");
        assert!(error.to_string().starts_with("in"), "{error}");
    }
    let [error] = read(records).try_into().unwrap();
    assert!(error.unwrap_err().to_string().contains("classify them first: `vulnlens classify"));
}

#[test]
fn damaged_tables_end_with_an_error() {
    for format in ["parquet", "arrow"] {
        let bytes = written(format, SPACES, answers());
        for end in [4, 12, bytes.len() / 2, bytes.len() - 9] {
            let read = read(&bytes[..end]);
            let errors = read.iter().filter(|saved| saved.is_err()).count();
            assert!(errors <= 1 && (errors == 1 || format == "arrow"), "{format} cut at {end}: {read:?}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_answers_or_errors(at in any::<prop::sample::Index>(), byte in any::<u8>(), end in any::<prop::sample::Index>()) {
        let mut bytes = written("jsonl", SPACES, answers());
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
        let read = read(bytes.clone());
        prop_assert!(read.len() == lines || read.len() == 1 && read[0].is_err());
        prop_assert!(read.iter().filter(|saved| saved.is_err()).count() <= 2, "one line, or the halves of one");
        let length = end.index(bytes.len());
        bytes.truncate(length);
        self::read(bytes);
    }
}
