//! An explanation: the answers, the words that carried the first, and the chain's ways from it.

use serde::Serialize;
use vulnlens_model::{Explanation, Run, SetAnswer, WordEvidence};
use vulnlens_taxonomy::{ChainPath, CweId, KnowledgeBase};

use crate::answer::RecordKey;
use crate::glyphs::path_text;
use crate::label::Label;
use crate::layout::{ASIDE, HEADING, PREDICTED, TableLayout, printable};
use crate::score::percent;

const BAR: usize = 10;
/// Lines of a section, unless the layout sets their number.
const ROWS: usize = 12;
/// The least weight that is listed: weights are shown with two decimals.
const LEAST_WEIGHT: f32 = 0.005;
/// The least weight that fills a bar: half a unit of a logit moves an even probability by about an eighth.
const FULL_BAR: f32 = 0.5;
/// Characters before an id: indent, percentage and a gap.
const BEFORE_ID: usize = 13;

/// The explanation for a person at a terminal, with ANSI styles, headed by the record's id or line where it has one.
#[must_use]
pub fn explanation_text(
    record: &RecordKey,
    explanation: &Explanation,
    kb: &KnowledgeBase,
    layout: TableLayout,
) -> String {
    let rows = layout.rows.unwrap_or(ROWS);
    let mut text = String::new();
    let heading = |words: &str| format!("{HEADING}{}{HEADING:#}\n", layout.glyphs.fit(words, layout.width));
    if let Some(id) = record.text() {
        text += &heading(&printable(&id));
    }
    text += &heading("Answers");
    text.extend(explanation.answers.iter().take(rows).map(|answer| answer_text(answer, kb, layout)));
    text += &heading("Words that carried the first answer");
    text += &words_text(explanation, layout, rows);
    text += &heading("Ways of the chain");
    text + &ways_text(explanation, kb, layout, rows)
}

/// A set's probability and its ids, each on a line of its own so that none is cut.
fn answer_text(answer: &SetAnswer, kb: &KnowledgeBase, layout: TableLayout) -> String {
    let mut text = format!("    {}  ", percent(answer.probability));
    if answer.cwes.is_empty() {
        text += "no weakness\n";
    }
    for (number, cwe) in answer.cwes.iter().enumerate() {
        if number > 0 {
            text += &format!("{:>BEFORE_ID$}", "+ ");
        }
        let line = format!("{cwe} {}", cwe.name_for_people(kb));
        text += &layout.glyphs.fit(&line, layout.width.saturating_sub(BEFORE_ID));
        text.push('\n');
    }
    text
}

fn words_text(explanation: &Explanation, layout: TableLayout, rows: usize) -> String {
    let heavy = |word: &&WordEvidence| word.weight.abs() >= LEAST_WEIGHT;
    let mut words: Vec<_> = explanation.words.iter().filter(heavy).collect();
    words.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()).then(a.start.cmp(&b.start)));
    let Some(heaviest) = words.first() else {
        return aside("none: the model knows no word of the text", layout);
    };
    let full = heaviest.weight.abs().max(FULL_BAR);
    let line = |word: &&WordEvidence| {
        let style = if word.weight > 0.0 { PREDICTED } else { ASIDE };
        let bar = layout.glyphs.bar(word.weight.abs() / full, BAR);
        let line = format!("    {:+7.2}  {bar}  {}", word.weight, printable(&word.text));
        format!("{style}{}{style:#}\n", layout.glyphs.fit(&line, layout.width))
    };
    words.iter().take(rows).map(line).collect()
}

fn ways_text(explanation: &Explanation, kb: &KnowledgeBase, layout: TableLayout, rows: usize) -> String {
    if explanation.paths.is_empty() {
        return aside("none: the chain leads from the first answer to no technique", layout);
    }
    let way = |path: &ChainPath| {
        let line = format!("    {}  {}", path_text(path, layout.glyphs), path.technique.name(kb));
        layout.glyphs.fit(&line, layout.width) + "\n"
    };
    let mut text: String = explanation.paths.iter().take(rows).map(way).collect();
    let more = explanation.paths.len().saturating_sub(rows);
    if more > 0 {
        text += &aside(&format!("{} {more} more", layout.glyphs.ellipsis()), layout);
    }
    text
}

/// A line in place of a section's rows, or below them.
fn aside(text: &str, layout: TableLayout) -> String {
    format!("    {ASIDE}{}{ASIDE:#}\n", layout.glyphs.fit(text, layout.width.saturating_sub(4)))
}

#[derive(Serialize)]
struct ExplanationV1<'a> {
    schema_version: u32,
    model: &'a str,
    model_revision: &'a str,
    answers: Vec<AnswerV1<'a>>,
    words: Vec<WordV1<'a>>,
    paths: Vec<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
}

#[derive(Serialize)]
struct AnswerV1<'a> {
    cwes: &'a [CweId],
    probability: f64,
}

#[derive(Serialize)]
struct WordV1<'a> {
    text: &'a str,
    start: usize,
    end: usize,
    weight: f64,
}

/// The explanation as one JSON object and a line feed; `start` and `end` are byte offsets into the text. The
/// record's id and line are left out where it has none.
///
/// # Errors
/// None that an explanation can cause; serialisation as such is fallible.
pub fn explanation_json(
    record: &RecordKey,
    explanation: &Explanation,
    run: &Run,
) -> Result<String, serde_json::Error> {
    let round = |number: f32| (f64::from(number) * 1e6).round() / 1e6;
    let steps = |path: &ChainPath| {
        let cwes = path.cwe.iter().map(CweId::to_string);
        cwes.chain([path.capec.to_string(), path.technique.to_string()]).collect()
    };
    let answers = explanation.answers.iter();
    let words = explanation.words.iter();
    let object = ExplanationV1 {
        schema_version: 1,
        model: &run.model,
        model_revision: &run.model_revision,
        answers: answers
            .map(|answer| AnswerV1 { cwes: &answer.cwes, probability: round(answer.probability) })
            .collect(),
        words: words
            .map(|word| WordV1 {
                text: &word.text,
                start: word.start,
                end: word.end,
                weight: round(word.weight),
            })
            .collect(),
        paths: explanation.paths.iter().map(steps).collect(),
        id: record.id.as_deref(),
        line: record.line,
    };
    Ok(serde_json::to_string(&object)? + "\n")
}
