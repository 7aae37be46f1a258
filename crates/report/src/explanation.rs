//! An explanation: the answer, the words that carried it, and the chain's ways from it.

use serde::Serialize;
use vulnlens_model::{Explanation, Target, Task, WordEvidence};
use vulnlens_taxonomy::{ChainPath, CweId, KnowledgeBase};

use crate::answer::Answer;
use crate::formats::Table;
use crate::glyphs::path_text;
use crate::label::{Label, OTHER};
use crate::layout::{ASIDE, HEADING, PREDICTED, TableLayout, printable};
use crate::mapping::{MappingAdvice, mapping_of, mapping_text};
use crate::record::Record;
use crate::rendering::Setup;
use crate::score::{percent, rounded};

const BAR: usize = 10;
/// Lines of a section at least.
const ROWS: usize = 12;
/// The least weight that is listed: weights are shown with two decimals.
const LEAST_WEIGHT: f32 = 0.005;
/// The least weight that fills a bar: half a unit of a logit moves an even probability by about an eighth.
const FULL_BAR: f32 = 0.5;

/// The answer and its explanation for a person at a terminal, with ANSI styles: the [`Table`] of the answer, the words,
/// the ways, and CWE's advice on weaknesses that should not be mapped to; in front the sentence of an answer that does
/// not tell a weakness.
#[must_use]
pub fn explanation_text(answer: &Answer, explanation: &Explanation, setup: &Setup) -> String {
    let (layout, table) = (setup.layout, Table::new(setup));
    let mut text = table.body(answer);
    let mapping = mapping_text(answer, setup);
    let Some(target) = &explanation.target else { return text + &mapping + &table.legend(answer) };
    let heading = |words: &str| format!("{HEADING}{}{HEADING:#}\n", layout.glyphs.fit(words, layout.width));
    text += &heading(&format!("Words that speak for {}", printable(&target.to_string())));
    text += &words_text(explanation, layout);
    text += &check_text(explanation, layout);
    if matches!(target, Target::Cwe(_)) {
        text += &heading("Ways of the chain");
        text += &ways_text(explanation, &setup.kb, layout);
    }
    text + &mapping + &table.legend(answer)
}

/// The number of lines of a section: more than of labels, unless all are shown.
fn rows(layout: TableLayout) -> usize {
    layout.rows.map_or(usize::MAX, |rows| rows.max(ROWS))
}

/// The score of the label without the words that were named.
fn check_text(explanation: &Explanation, layout: TableLayout) -> String {
    let Explanation { named, score, score_without, .. } = explanation;
    let words = match named {
        0 => return String::new(),
        1 => "the word that speaks".to_owned(),
        _ => format!("the {named} words that speak"),
    };
    let (before, after) = (percent(*score), percent(*score_without));
    let words = format!("without {words} most for it: {} where it was {}", after.trim(), before.trim());
    aside(&words, layout)
}

fn words_text(explanation: &Explanation, layout: TableLayout) -> String {
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
    words.iter().take(rows(layout)).map(line).collect()
}

fn ways_text(explanation: &Explanation, kb: &KnowledgeBase, layout: TableLayout) -> String {
    let rows = rows(layout);
    if explanation.paths.is_empty() {
        return aside("none: the chain leads from the answer to no technique", layout);
    }
    let way = |path: &ChainPath| {
        let line = format!("    {}  {}", path_text(path, layout.glyphs), path.technique.name(kb));
        layout.glyphs.fit(&line, layout.width) + "\n"
    };
    let mut text: String = explanation.paths.iter().take(rows).map(way).collect();
    let more = explanation.paths.len().saturating_sub(rows);
    if more > 0 {
        text += &aside(&layout.glyphs.more(more), layout);
    }
    text
}

/// A line in place of a section's rows, or below them.
fn aside(text: &str, layout: TableLayout) -> String {
    format!("    {ASIDE}{}{ASIDE:#}\n", layout.glyphs.fit(text, layout.width.saturating_sub(4)))
}

#[derive(Serialize)]
struct ExplanationV1<'a> {
    #[serde(flatten)]
    record: Record<'a>,
    explained: Option<ExplainedV1>,
    words: Vec<WordV1<'a>>,
    without: WithoutV1,
    paths: Vec<Vec<String>>,
    mapping: Vec<MappingAdvice>,
}

#[derive(Serialize)]
struct ExplainedV1 {
    taxonomy: &'static str,
    label: String,
    score: f64,
}

#[derive(Serialize)]
struct WithoutV1 {
    words: usize,
    score: f64,
}

#[derive(Serialize)]
struct WordV1<'a> {
    text: &'a str,
    start: usize,
    end: usize,
    weight: f64,
}

/// The answer and its explanation as one JSON object and a line feed: the keys of record output, version 1, and behind
/// them `explained`, `words` (`start` and `end` are byte offsets into the text), `without`, `paths` and `mapping`,
/// CWE's advice on the weaknesses that the answer tells.
///
/// # Errors
/// None that an explanation can cause; serialisation as such is fallible.
pub fn explanation_json(
    answer: &Answer,
    explanation: &Explanation,
    setup: &Setup,
) -> Result<String, serde_json::Error> {
    let Explanation { target, words, named, .. } = explanation;
    let steps = |path: &ChainPath| {
        let cwes = path.cwe.iter().map(CweId::to_string);
        cwes.chain([path.capec.to_string(), path.technique.to_string()]).collect()
    };
    let word = |word: &'_ WordEvidence| (f64::from(word.weight) * 1e6).round() / 1e6;
    let object = ExplanationV1 {
        record: Record::new(answer, setup),
        explained: target.as_ref().map(|target| ExplainedV1 {
            taxonomy: target.task().map_or(OTHER, Task::key),
            label: target.to_string(),
            score: rounded(explanation.score),
        }),
        words: words
            .iter()
            .map(|w| WordV1 { text: &w.text, start: w.start, end: w.end, weight: word(w) })
            .collect(),
        without: WithoutV1 { words: *named, score: rounded(explanation.score_without) },
        paths: explanation.paths.iter().map(steps).collect(),
        mapping: mapping_of(answer, &setup.kb),
    };
    Ok(serde_json::to_string(&object)? + "\n")
}
