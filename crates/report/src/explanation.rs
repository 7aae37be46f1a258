//! An explanation for people: the answer, what carried it, and the chain's ways from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use vulnlens_model::curated::{CuratedEvidence, NearCve};
use vulnlens_model::{Explanation, NearRecord, ScoredLabel, Target, WordEvidence};
use vulnlens_taxonomy::{ChainPath, CweId, KnowledgeBase};

use crate::answer::Answer;
use crate::formats::Table;
use crate::glyphs::path_text;
use crate::label::Label;
use crate::layout::{ASIDE, HEADING, PREDICTED, TableLayout, printable, wrapped};
use crate::mapping::mapping_text;
use crate::rendering::Setup;
use crate::score::percent;

const BAR: usize = 10;
/// Lines of a section at least.
const ROWS: usize = 12;
/// The least weight that is listed: weights are shown with two decimals.
const LEAST_WEIGHT: f32 = 0.005;
/// Techniques that analysts assign whose reasons are shown.
const TECHNIQUES: usize = 3;
/// Reasons of each kind that are shown of such a technique, and words.
const REASONS: usize = 3;
const REASON_WORDS: usize = 8;
/// The least weight that fills a bar: half a unit of a logit moves an even probability by about an eighth.
const FULL_BAR: f32 = 0.5;

/// The answer and its explanation for a person at a terminal, with ANSI styles: the [`Table`] of the answer, the words
/// and the ways, the reasons of techniques that analysts assign, and CWE's advice on weaknesses that should not be
/// mapped to; in front the sentence of an answer that does not tell
/// a weakness. Without an explanation the table alone.
#[must_use]
pub fn explanation_text(answer: &Answer, setup: &Setup) -> String {
    let (layout, table) = (setup.layout, Table::new(setup));
    let text = table.body(answer);
    let Some(explanation) = &answer.explanation else { return text + &table.legend(answer) };
    text + &target_text(explanation, setup)
        + &curated_text(&explanation.curated, &setup.kb, layout)
        + &mapping_text(answer, setup)
        + &records_text(explanation, &setup.kb, layout)
        + &table.legend(answer)
}

fn heading(words: &str, layout: TableLayout) -> String {
    format!("{HEADING}{}{HEADING:#}\n", layout.glyphs.fit(words, layout.width))
}

/// The words and the ways of the best label.
fn target_text(explanation: &Explanation, setup: &Setup) -> String {
    let (layout, Some(target)) = (setup.layout, &explanation.target) else { return String::new() };
    let heading = |words: &str| heading(words, layout);
    let mut text = String::new();
    text += &heading(&format!("Words that speak for {}", printable(&target.to_string())));
    text += &words_text(explanation, layout);
    text += &check_text(explanation, layout);
    text += &parents_text(explanation, layout);
    if matches!(target, Target::Cwe(_)) {
        text += &heading("Ways of the chain");
        text += &ways_text(explanation, &setup.kb, layout);
    }
    text
}

/// The reasons of techniques that analysts assign: what adds to the score, in hundredths, and the CVEs most like the text
/// that analysts assigned it to.
fn curated_text(curated: &[CuratedEvidence], kb: &KnowledgeBase, layout: TableLayout) -> String {
    let mut text = String::new();
    for evidence in curated.iter().take(TECHNIQUES) {
        let CuratedEvidence { technique, rules, weaknesses, words, nearest, .. } = evidence;
        text += &heading(&format!("Reasons for {technique} {}", technique.name(kb)), layout);
        let mut reasons: Vec<(f32, String)> = vec![];
        reasons.extend(rules.iter().take(REASONS).map(|rule| {
            let named = if rule.is_named { ", for which CTID's method names it" } else { "" };
            (rule.weight, format!("method: {}{named}", rule.name))
        }));
        reasons.extend(weaknesses.iter().take(REASONS).map(|weakness| {
            let (cwe, share) = (weakness.cwe, percent(weakness.probability));
            (weakness.weight, format!("{cwe} {} at {}", cwe.name(kb), share.trim()))
        }));
        let all: f32 = words.iter().map(|word| word.weight).sum();
        let named = heaviest_words(words);
        if !named.is_empty() {
            reasons.push((all, format!("the words, most of all: {}", named.join(", "))));
        }
        reasons
            .push((evidence.base + evidence.year, "how often analysts assign it, and the year".to_owned()));
        text += &aside("in hundredths of the score", layout);
        reasons.retain(|(weight, _)| is_seen(*weight));
        for (weight, reason) in reasons {
            let line = format!("    {:+7.0}  {reason}", 100.0 * weight);
            text += &(layout.glyphs.fit(&line, layout.width) + "\n");
        }
        nearest.iter().for_each(|near| text += &near_text(near, layout));
    }
    text
}

/// The words of the greatest weight, however often each stands in the text.
fn heaviest_words(words: &[WordEvidence]) -> Vec<String> {
    let mut weights: BTreeMap<String, f32> = BTreeMap::new();
    words.iter().for_each(|word| *weights.entry(word.text.to_lowercase()).or_default() += word.weight);
    let mut weights: Vec<(String, f32)> =
        weights.into_iter().filter(|(_, weight)| is_seen(*weight)).collect();
    weights.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    weights.iter().take(REASON_WORDS).map(|(word, _)| printable(word)).collect()
}

/// The records most like the text, with their weaknesses.
fn records_text(explanation: &Explanation, kb: &KnowledgeBase, layout: TableLayout) -> String {
    if explanation.records.is_empty() {
        return String::new();
    }
    let named = |cwe: &CweId| format!("{cwe} {}", cwe.name(kb));
    let line = |near: &NearRecord| {
        let cwes = near.cwes.iter().map(named).collect::<Vec<_>>().join(", ");
        layout.glyphs.fit(&format!("    {}, {:.2} alike: {cwes}", near.cve, near.similarity), layout.width)
            + "\n"
    };
    heading("Records with a text like it", layout) + &explanation.records.iter().map(line).collect::<String>()
}

/// True for a weight that is not rounded to nothing.
fn is_seen(weight: f32) -> bool {
    weight.abs() >= LEAST_WEIGHT
}

/// A mapped CVE with what analysts wrote of it.
fn near_text(near: &NearCve, layout: TableLayout) -> String {
    let NearCve { mapped, similarity } = near;
    let mut text = String::new();
    for (number, pair) in mapped.pairs.iter().enumerate() {
        if number == 0 {
            let line = format!(
                "    {}, {similarity:.2} alike: {} ({})",
                mapped.cve,
                pair.role,
                printable(&pair.project)
            );
            text += &(layout.glyphs.fit(&line, layout.width) + "\n");
        }
        for line in wrapped(pair.reason.as_deref().unwrap_or_default(), layout.width.saturating_sub(8)) {
            text += &format!(
                "        {ASIDE}{}{ASIDE:#}\n",
                layout.glyphs.fit(&printable(&line), layout.width.saturating_sub(8))
            );
        }
    }
    text
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

/// The labels of a hierarchy above the one that is explained.
fn parents_text(explanation: &Explanation, layout: TableLayout) -> String {
    if explanation.parents.is_empty() {
        return String::new();
    }
    let line = |parent: &ScoredLabel<Arc<str>>| {
        let style = if parent.predicted { PREDICTED } else { ASIDE };
        let line = format!("    {}  {}", percent(parent.score), printable(&parent.label));
        format!("{style}{}{style:#}\n", layout.glyphs.fit(&line, layout.width))
    };
    let lines: String = explanation.parents.iter().take(rows(layout)).map(line).collect();
    heading("Parents in the hierarchy", layout) + &lines
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
