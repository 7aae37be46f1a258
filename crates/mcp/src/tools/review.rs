//! `review_mapping`: the ids that a vulnerability is mapped to against those that its description tells.

use vulnlens::records::review_options;
use vulnlens::report::{MappedCwe, Review, ReviewFormat, ReviewReport, Setup};
use vulnlens::stream::shown;
use vulnlens::{Answerer, AskedOptions, AskedRecord, CweId, Input};

use super::common::{model, not_empty};
use crate::arguments::Arguments;
use crate::error::ToolError;
use crate::limits::Limits;
use crate::models::Models;

/// Ids of a mapping at most.
const MOST_IDS: usize = 100;
/// The assigner of ids that stand with their text, as in tables.
const ASSIGNER: &str = "given";

/// A mapping, reviewed.
pub(crate) fn review_mapping(
    models: &dyn Models,
    _: &Limits,
    mut arguments: Arguments,
) -> Result<String, ToolError> {
    let text = not_empty(arguments.need("text")?)?;
    let mapped = mapped(&arguments.need::<Vec<String>>("cwes")?)?;
    let mut record = AskedRecord::default();
    record.id = arguments.take("id")?;
    record.text = text;
    let record = record.text_record()?;
    let asked: AskedOptions = arguments.options()?;
    let given = asked.options()?;
    let options = review_options().threshold(given.threshold).as_of(given.as_of);
    let classifier = model(models, asked.model.as_deref())?;
    let kb = classifier.knowledge_base();
    let input = Input::text(shown(&record.text)).year(record.year);
    let mut answers = Answerer::new(&classifier, &options, false).answer(&[input], [record.key]);
    models.add_texts(1);
    let fault = || ToolError::new("the model gave no answer; this is a fault of vulnlens");
    let answer = answers.pop().ok_or_else(fault)?;
    let review = Review::of(answer, mapped, kb).ok_or_else(fault)?;
    let mut out = Vec::new();
    let setup = Setup::new(classifier.run(&options), kb.clone());
    let added = ReviewReport::new(ReviewFormat::JsonLines, setup).add(&review, &mut out);
    added.map_err(|error| ToolError::new(error.to_string()))?;
    Ok(String::from_utf8_lossy(&out).trim_end().to_owned())
}

/// The ids of a mapping, each once.
fn mapped(ids: &[String]) -> Result<Vec<MappedCwe>, ToolError> {
    if ids.is_empty() || ids.len() > MOST_IDS {
        let message = format!("cwes: {} ids are not from 1 to {MOST_IDS}", ids.len());
        return Err(ToolError::new(message).hint("give the ids that the vulnerability is mapped to"));
    }
    let mut mapped: Vec<MappedCwe> = vec![];
    for (place, text) in ids.iter().enumerate() {
        let upper = text.trim().to_ascii_uppercase();
        let id: CweId = upper.parse().map_err(|_| {
            ToolError::new(format!("cwes[{place}]: {text:?} is not the id of a weakness"))
                .hint("write ids as CWE-79")
        })?;
        if mapped.iter().all(|other| other.cwe != id) {
            mapped.push(MappedCwe::new(id, ASSIGNER));
        }
    }
    Ok(mapped)
}
