//! `classify` and `explain`: descriptions in, record output out.

use serde_json::Value;
use vulnlens::report::{JsonLines, Records as _, Setup};
use vulnlens::stream::shown;
use vulnlens::{Answerer, AskedOptions, AskedRecord, Input, TextRecord};

use super::common::{model, not_empty};
use crate::arguments::{Arguments, parsed};
use crate::error::ToolError;
use crate::limits::Limits;
use crate::models::Models;

/// Records, or one text, classified.
pub(crate) fn classify(
    models: &dyn Models,
    limits: &Limits,
    mut arguments: Arguments,
) -> Result<String, ToolError> {
    let text: Option<String> = arguments.take("text")?;
    let records: Option<Vec<Value>> = arguments.take("records")?;
    let texts = match (text, records) {
        (Some(text), None) => vec![TextRecord::new(not_empty(text)?, ())],
        (None, Some(records)) if records.len() > limits.records => {
            let message = format!("records: {} are more than {}", records.len(), limits.records);
            return Err(ToolError::new(message).hint("send them in several calls"));
        }
        (None, Some(records)) => records
            .into_iter()
            .enumerate()
            .map(text_record)
            .collect::<Result<Vec<TextRecord>, ToolError>>()?,
        _ => {
            return Err(ToolError::new("the call has neither or both of text and records")
                .hint("give text for one description, or records for several"));
        }
    };
    let lines = answers(models, arguments.options()?, &texts, false)?;
    let records: Vec<&str> = lines.lines().collect();
    Ok(format!("{{\"records\":[{}]}}", records.join(",")))
}

/// A text, classified with reasons.
pub(crate) fn explain(
    models: &dyn Models,
    _: &Limits,
    mut arguments: Arguments,
) -> Result<String, ToolError> {
    let text = not_empty(arguments.need("text")?)?;
    let lines = answers(models, arguments.options()?, &[TextRecord::new(text, ())], true)?;
    Ok(lines.trim_end().to_owned())
}

/// The record at a place in the list.
fn text_record((place, value): (usize, Value)) -> Result<TextRecord, ToolError> {
    let place = format!("records[{place}]");
    let record: AskedRecord = parsed(value, &place)?;
    record.text_record().map_err(|error| ToolError::from(error).at(&place))
}

/// Answers as JSON Lines.
fn answers(
    models: &dyn Models,
    asked: AskedOptions,
    texts: &[TextRecord],
    explains: bool,
) -> Result<String, ToolError> {
    let options = asked.options()?;
    let classifier = model(models, asked.model.as_deref())?;
    let answerer = Answerer::new(&classifier, &options, false);
    let mut answerer = if explains { answerer.explaining() } else { answerer };
    let inputs: Vec<Input<'_>> =
        texts.iter().map(|record| Input::text(shown(&record.text)).year(record.year)).collect();
    let answers = answerer.answer(&inputs, texts.iter().map(|record| record.key.clone()));
    models.add_texts(answers.len() as u64);
    let lines = JsonLines::new(&Setup::new(classifier.run(&options), classifier.knowledge_base().clone()));
    let mut out = Vec::new();
    answers.iter().for_each(|answer| lines.push(answer, &mut out));
    Ok(String::from_utf8_lossy(&out).into_owned())
}
