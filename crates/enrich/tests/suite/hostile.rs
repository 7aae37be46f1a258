//! Documents that are wrong in every way: nothing panics, nothing that is there is lost.

use proptest::prelude::*;
use serde_json::{Value, json};
use vulnlens_enrich::EnrichOptions;

use crate::oracle::{Oracle, enrich, holds, try_enrich};
use crate::samples::{SQLI, all};

/// Every document that `document` is with one of its values replaced by `other`.
fn replaced(document: &Value, other: &Value) -> Vec<Value> {
    let mut all = vec![other.clone()];
    match document {
        Value::Object(members) => {
            for (key, value) in members {
                all.extend(replaced(value, other).into_iter().map(|value| {
                    let mut members = members.clone();
                    members.insert(key.clone(), value);
                    Value::Object(members)
                }));
            }
        }
        Value::Array(items) => {
            for (place, value) in items.iter().enumerate() {
                all.extend(replaced(value, other).into_iter().map(|value| {
                    let mut items = items.clone();
                    items[place] = value;
                    Value::Array(items)
                }));
            }
        }
        _ => {}
    }
    all
}

#[test]
fn wrong_types_at_every_place_lose_nothing() {
    let others = [
        json!(null),
        json!(7),
        json!("x"),
        json!(""),
        json!([]),
        json!({}),
        json!(true),
        json!([[{"a": "SQL"}]]),
    ];
    let mut oracle = Oracle::new();
    for sample in all() {
        for other in &others {
            for document in replaced(&sample.document, other) {
                let text = document.to_string();
                // A number or a text alone is not a document.
                let Ok(outcome) =
                    try_enrich(&mut oracle, "in.json", text.as_bytes(), EnrichOptions::default())
                else {
                    assert!(!document.is_object() && !document.is_array(), "{text}");
                    continue;
                };
                assert!(holds(&outcome.json(), &document), "{}: {text} {}", sample.format, outcome.text());
                let again =
                    try_enrich(&mut oracle, "in.json", &outcome.bytes, EnrichOptions::default()).unwrap();
                assert_eq!(again.text(), outcome.text(), "{}: {text}", sample.format);
            }
        }
    }
}

#[test]
fn a_document_that_is_cut_off_is_passed_on() {
    let mut oracle = Oracle::new();
    for sample in all().into_iter().filter(|sample| sample.document.is_object()) {
        let text = sample.document.to_string();
        for end in (1..text.len()).filter(|end| text.is_char_boundary(*end)) {
            let cut = &text[..end];
            let outcome =
                try_enrich(&mut oracle, "in.json", cut.as_bytes(), EnrichOptions::default()).unwrap();
            assert_eq!(outcome.text(), cut, "{}", sample.format);
            assert_eq!(outcome.summary.bad, 1, "{}: {cut}", sample.format);
        }
    }
}

#[test]
fn keys_that_stand_twice_are_not_chosen_between() {
    for text in [
        r#"{"bomFormat":"CycloneDX","vulnerabilities":[{"id":"A","description":"SQL","affects":[],"properties":[],"properties":[]}]}"#,
        r#"{"id":"X-1","text":"SQL","cwe":null,"cwe":null}"#,
        r#"{"schema_version":"1","id":"X-1","details":"SQL","database_specific":{},"database_specific":{}}"#,
    ] {
        let outcome = enrich("in.json", text);
        assert_eq!((outcome.text(), outcome.summary.bad), (text, 1), "{:?}", outcome.errors);
    }
}

#[test]
fn depth_and_odd_bytes_are_passed_on() {
    let deep = format!(r#"{{"id":1,"text":"SQL","x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let outcome = enrich("in.json", &deep);
    assert!(holds_bytes(&outcome.bytes, deep.as_bytes()));
    let mut bytes = br#"[{"id":1,"text":"SQL "#.to_vec();
    bytes.extend_from_slice(b"\xFF\"},{\"id\":2,\"text\":\"XSS\"}]");
    let outcome = enrich("in.json", &bytes);
    assert_eq!((outcome.summary.filled, outcome.summary.bad), (1, 1), "{:?}", outcome.errors);
    assert!(outcome.bytes.starts_with(&bytes[..30]));
    for (name, bytes, problem) in [
        (
            "in.json",
            &b"\xFF\xFE{\0"[..],
            "in.json: is in UTF-16; convert it, as by `iconv -f UTF-16 -t UTF-8`",
        ),
        ("in.zip", b"PK\x03\x04..", "in.zip: is an archive; unpack it, and give a file of it"),
        ("in.json", b"  \n", "in.json: is empty; give an advisory, a report of a scanner, or records"),
        (
            "in.txt",
            b"SQL injection",
            "in.txt: is neither JSON nor a table, so that there is no place for a weakness; docs/enrich.md lists the formats",
        ),
    ] {
        let error = try_enrich(&mut Oracle::new(), name, bytes, EnrichOptions::default()).unwrap_err();
        assert_eq!(error.to_string(), problem);
    }
}

fn holds_bytes(new: &[u8], old: &[u8]) -> bool {
    crate::oracle::is_subsequence(new, old)
}

#[test]
fn indentation_without_end_is_not_imitated() {
    let text = format!("{{\n{}\"id\": 1, \"text\": \"SQL\"}}", " ".repeat(100_000));
    assert!(enrich("in.json", &text).bytes.len() < text.len() + 2000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_text_is_passed_on_or_refused(text in "[\\[\\]{}\",:0a \n]{0,40}") {
        if let Ok(outcome) = try_enrich(&mut Oracle::new(), "in.json", text.as_bytes(), EnrichOptions::default()) {
            prop_assert_eq!(outcome.text(), &text);
        }
    }

    #[test]
    fn extra_keys_of_any_kind_stay(key in "[a-z\"\\\\é]{1,6}", value in "[0-9]{1,20}|\"[a-z\\\\n]{0,9}\"|-0\\.10e\\+2", space in "[ \n\t]{0,3}") {
        let value = if serde_json::from_str::<Value>(&value).is_ok() { value } else { "1.0".to_owned() };
        let quoted = serde_json::to_string(&format!("x-{key}")).unwrap();
        let text = format!("{{{space}{quoted}{space}:{space}{value}{space},{space}\"id\":1,\"text\":{}{space}}}", json!(SQLI));
        let outcome = enrich("in.json", &text);
        prop_assert_eq!(outcome.summary.filled, 1);
        let kept = text.trim_end_matches(['}', ' ', '\n', '\t']);
        prop_assert!(outcome.text().starts_with(kept));
        prop_assert!(holds(&outcome.json(), &serde_json::from_str(&text).unwrap()));
        prop_assert_eq!(enrich("in.json", &outcome.bytes).bytes, outcome.bytes);
    }
}
