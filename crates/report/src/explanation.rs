//! An explanation: the answers, the words that carried the first, and the chain's ways from it.

use serde::Serialize;
use vulnlens_model::Explanation;
use vulnlens_taxonomy::{ChainPath, CweId, KnowledgeBase};

use crate::glyphs::{Glyphs, path_text};
use crate::label::Label;
use crate::run::Run;
use crate::score::percent;
use crate::table::{ASIDE, HEADING, PREDICTED, TableLayout, printable};

const BAR: usize = 10;
/// Lines of a section where the layout does not say how many.
const ROWS: usize = 12;

/// The explanation for a person at a terminal, with ANSI styles.
#[must_use]
pub fn explanation_text(explanation: &Explanation, kb: &KnowledgeBase, layout: TableLayout) -> String {
    let rows = layout.rows.unwrap_or(ROWS);
    let mut text = format!("{HEADING}Answers{HEADING:#}\n");
    for answer in explanation.answers.iter().take(rows) {
        let cwes = answer.cwes.iter().map(|cwe| named(*cwe, kb)).collect::<Vec<_>>().join(" + ");
        let cwes = if cwes.is_empty() { "no weakness".to_owned() } else { cwes };
        let line = format!("    {}  {cwes}", percent(answer.probability));
        text += &layout.glyphs.fit(&line, layout.width);
        text.push('\n');
    }
    text += &format!("{HEADING}Words that carried the first answer{HEADING:#}\n");
    text += &words_text(explanation, layout.glyphs, rows);
    text += &format!("{HEADING}Ways of the chain{HEADING:#}\n");
    for path in explanation.paths.iter().take(rows) {
        let name = path.technique.name(kb);
        let line = format!("    {}  {name}", path_text(path, layout.glyphs));
        text += &layout.glyphs.fit(&line, layout.width);
        text.push('\n');
    }
    let more = explanation.paths.len().saturating_sub(rows);
    if explanation.paths.is_empty() {
        text += &format!("    {ASIDE}none: the chain leads from the first answer to no technique{ASIDE:#}\n");
    } else if more > 0 {
        text += &format!("    {ASIDE}{} {more} more{ASIDE:#}\n", layout.glyphs.ellipsis());
    }
    text
}

fn named(cwe: CweId, kb: &KnowledgeBase) -> String {
    format!("{cwe} {}", cwe.name(kb)).trim_end().to_owned()
}

fn words_text(explanation: &Explanation, glyphs: Glyphs, rows: usize) -> String {
    let mut words: Vec<_> = explanation.words.iter().collect();
    words.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()).then(a.start.cmp(&b.start)));
    let largest = words.first().map_or(1.0, |word| word.weight.abs().max(f32::MIN_POSITIVE));
    let line = |word: &&vulnlens_model::WordEvidence| {
        let style = if word.weight > 0.0 { PREDICTED } else { ASIDE };
        let bar = glyphs.bar(word.weight.abs() / largest, BAR);
        format!("    {style}{:+7.2}  {bar}  {}{style:#}\n", word.weight, printable(&word.text))
    };
    words.iter().take(rows).map(line).collect()
}

#[derive(Serialize)]
struct ExplanationV1<'a> {
    schema_version: u32,
    model: &'a str,
    model_revision: &'a str,
    answers: Vec<AnswerV1<'a>>,
    words: Vec<WordV1<'a>>,
    paths: Vec<Vec<String>>,
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

/// The explanation as one JSON object and a line feed; `start` and `end` are byte offsets into the text.
///
/// # Errors
/// None that an explanation can cause; serialisation as such is fallible.
pub fn explanation_json(explanation: &Explanation, run: &Run) -> Result<String, serde_json::Error> {
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
    };
    Ok(serde_json::to_string(&object)? + "\n")
}
