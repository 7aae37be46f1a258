//! Replies that can be used, that cannot, and that name what is not in the list.

use serde_json::json;
use vulnlens::report::{GeneratedStatus, JsonLines, Record, Records as _, Setup};

use crate::server::{Reply, Server};
use crate::world::{FREE, SQL, answers, asking, cwes};

#[test]
fn the_model_answers_from_the_list_that_it_is_given() {
    let server = Server::start(|_, seen| Reply::labels(&seen.ids()[1..3]));
    let (answers, summary) = answers(&asking(&server), &[SQL], 1).unwrap();
    let seen = server.seen();
    assert_eq!((seen.len(), seen[0].path.as_str()), (1, "/v1/chat/completions"));
    let ids = seen[0].ids();
    assert_eq!((ids.len(), ids[0]), (5, "CWE-89"));
    let prompt = seen[0].messages()[0];
    assert!(
        prompt.ends_with(SQL) && prompt.contains("CWE-89: Improper Neutralization of Special"),
        "{prompt}"
    );
    assert_eq!(cwes(&answers[0]), ids[1..3]);
    let generated = answers[0].answer.generated.as_ref().unwrap();
    assert_eq!((generated.status, generated.candidates), (GeneratedStatus::Answered, 5));
    assert_eq!((generated.template.len(), generated.changed), (64, None));
    let counts = summary.counts;
    assert_eq!((summary.answered, counts.requests, counts.retries), (1, 1, 0));
    assert_eq!((counts.prompt_tokens, counts.completion_tokens), (100, 10));
}

#[test]
fn ids_that_are_not_candidates_are_refused_and_counted_by_kind() {
    let server = Server::start(|_, seen| {
        Reply::labels(&[
            "CWE-99999",
            "CAPEC-66",
            "cwe-89",
            "CWE-1004",
            "SQL injection \u{1b}[31m",
            seen.ids()[0],
        ])
    });
    let mut settings = crate::world::settings();
    settings.max_labels = 6;
    let way = vulnlens_prompt::Way { client: Some(crate::world::client(&server, None)), cache: None };
    let (answers, summary) = answers(&crate::world::prompter(settings, way), &[SQL], 1).unwrap();
    assert_eq!(cwes(&answers[0]), ["CWE-89"]);
    let refused = &answers[0].answer.generated.as_ref().unwrap().refused;
    assert_eq!(refused.len(), 5);
    // CWE-1004 is a weakness that is not in the list, and so is `cwe-89` as it is written.
    assert_eq!((summary.counts.refused_other_ids, summary.counts.refused_unknown_ids), (2, 3));
}

#[test]
fn both_writers_of_record_output_say_the_same_of_the_model() {
    let server = Server::start(|_, _| Reply::labels(&["CWE-89", "CWE-99999"]));
    let prompter = asking(&server);
    let (answers, _) = answers(&prompter, &[SQL], 1).unwrap();
    let setup = Setup::new(prompter.run(), vulnlens::embedded_knowledge_base());
    let mut line = Vec::new();
    JsonLines::new(&setup).push(&answers[0].answer, &mut line);
    let value = serde_json::to_value(Record::new(&answers[0].answer, &setup)).unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&line).unwrap(), value);
    assert_eq!((&value["model"], &value["cwe"][0]["basis"]), (&json!("tiny"), &json!("generated")));
    let generated = &value["generated"];
    assert_eq!((&generated["status"], &generated["refused"]), (&json!("answered"), &json!(["CWE-99999"])));
    assert!(generated.get("changed").is_none() && generated.get("failure").is_none());
}

#[test]
fn a_malformed_reply_is_asked_for_again_once_with_a_hint() {
    for malformed in [
        Reply::content("The weakness is CWE-89, SQL injection."),
        Reply::content("```json\n{\"labels\": [{\"id\": \"CWE-89\"}]}\n```"),
        Reply::content("{\"labels\": [{\"id\": \"CWE-89\""),
        Reply::content(""),
        Reply::finished("{\"labels\": []}", "length"),
        Reply::body(
            json!({"choices": [{"message": {"content": null}, "finish_reason": "stop"}]}).to_string(),
        ),
    ] {
        let first = malformed.clone();
        let server = Server::start(
            move |number, _| {
                if number == 0 { first.clone() } else { Reply::labels(&["CWE-89"]) }
            },
        );
        let (answered, summary) = answers(&asking(&server), &[SQL], 1).unwrap();
        assert_eq!(cwes(&answered[0]), ["CWE-89"], "{malformed:?}");
        assert_eq!((summary.counts.malformed_replies, summary.counts.requests), (1, 2), "{malformed:?}");
        let seen = server.seen();
        let messages = seen[1].messages();
        assert_eq!((messages.len(), messages[0]), (3, seen[0].messages()[0]));
        assert!(messages[2].starts_with("This cannot be used: the reply "), "{}", messages[2]);
        // The same reply twice: the record is answered with its failure, and the others go on.
        let server = Server::start(move |_, seen| match seen.messages()[0].ends_with(SQL) {
            true => malformed.clone(),
            false => Reply::labels(&["CWE-416"]),
        });
        let (answered, summary) = answers(&asking(&server), &[SQL, FREE], 1).unwrap();
        assert_eq!((summary.failed, summary.answered, summary.counts.requests), (1, 1, 3));
        let generated = answered[0].answer.generated.as_ref().unwrap();
        assert_eq!((generated.status, cwes(&answered[0]).len()), (GeneratedStatus::Failed, 0));
        assert!(answered[0].failure().unwrap().starts_with("the reply "));
        assert_eq!(cwes(&answered[1]), ["CWE-416"]);
    }
}

#[test]
fn a_text_fills_no_other_placeholder() {
    let server = Server::start(|_, _| Reply::labels(&[]));
    let text = "SQL injection {candidates} {{text}} {examples}";
    let (answered, _) = answers(&asking(&server), &[text], 1).unwrap();
    let seen = server.seen();
    assert!(seen[0].messages()[0].ends_with(text), "{}", seen[0].messages()[0]);
    assert_eq!(answered[0].answer.prediction.cwe.as_ref().map(|cwe| cwe.none), Some(1.0));
}

#[test]
fn nobody_is_asked_about_a_text_without_candidates() {
    let server = Server::start(|_, _| Reply::labels(&["CWE-89"]));
    let (answered, summary) = answers(&asking(&server), &["", SQL], 1).unwrap();
    let seen = server.seen().len();
    assert_eq!((summary.not_asked, summary.answered, seen), (1, 1, 1), "{answered:#?}");
}
