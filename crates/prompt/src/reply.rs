//! The reply of a model: one JSON object with a list of labels, read strictly.

use serde::Deserialize;

use crate::client::Completion;

/// A label that a model states.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stated {
    pub(crate) id: String,
    pub(crate) confidence: Option<f32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    labels: Vec<Stated>,
}

/// The labels of a completion, each once and in its order.
///
/// # Errors
/// The reason why it cannot be used, in words that the model and people understand.
pub(crate) fn read(completion: &Completion, most: usize) -> Result<Vec<Stated>, String> {
    if completion.finish_reason.as_deref() == Some("length") {
        return Err("the reply was cut off before its end".to_owned());
    }
    let content = completion.content.trim();
    if content.is_empty() {
        return Err("the reply is empty".to_owned());
    }
    if content.starts_with("```") {
        return Err("the reply is fenced as code; it has to be the JSON object alone".to_owned());
    }
    let reply: Reply = serde_json::from_str(content)
        .map_err(|error| format!("the reply is not the JSON object that was asked for: {error}"))?;
    if reply.labels.len() > most {
        return Err(format!("the reply has {} labels, and at most {most} are allowed", reply.labels.len()));
    }
    let is_wrong = |stated: &&Stated| stated.confidence.is_some_and(|it| !(0.0..=1.0).contains(&it));
    if let Some(Stated { confidence: Some(confidence), .. }) = reply.labels.iter().find(is_wrong) {
        return Err(format!("the reply has the confidence {confidence}, which is not from 0 to 1"));
    }
    let mut labels: Vec<Stated> = vec![];
    for stated in reply.labels {
        if !labels.iter().any(|earlier| earlier.id == stated.id) {
            labels.push(stated);
        }
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(content: &str, finish_reason: &str) -> Result<Vec<Stated>, String> {
        let finish_reason = Some(finish_reason.to_owned());
        read(&Completion { content: content.to_owned(), finish_reason, ..Completion::default() }, 2)
    }

    #[test]
    fn the_object_that_was_asked_for_is_read() {
        let labels =
            of(" {\"labels\":[{\"id\":\"CWE-79\",\"confidence\":0.5},{\"id\":\"CWE-79\"}]}\n", "stop")
                .unwrap();
        assert_eq!(labels, [Stated { id: "CWE-79".to_owned(), confidence: Some(0.5) }]);
        assert_eq!(of("{\"labels\":[]}", "stop").unwrap(), []);
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        for (content, finish, expected) in [
            ("", "stop", "is empty"),
            ("{\"labels\":[]}", "length", "was cut off"),
            ("```json\n{\"labels\":[]}\n```", "stop", "fenced"),
            ("The weakness is CWE-79.", "stop", "not the JSON object"),
            ("{\"labels\":[]} I hope this helps", "stop", "not the JSON object"),
            ("{\"labels\":[{\"id\":\"CWE-79\"}", "stop", "not the JSON object"),
            ("{\"labels\":[\"CWE-79\"]}", "stop", "not the JSON object"),
            ("{\"labels\":[{\"id\":\"CWE-79\",\"why\":\"x\"}]}", "stop", "not the JSON object"),
            ("[{\"id\":\"CWE-79\"}]", "stop", "not the JSON object"),
            ("{\"labels\":[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"}]}", "stop", "at most 2"),
            ("{\"labels\":[{\"id\":\"a\",\"confidence\":1.5}]}", "stop", "not from 0 to 1"),
        ] {
            let problem = of(content, finish).unwrap_err();
            assert!(problem.contains(expected), "{content}: {problem}");
        }
    }
}
