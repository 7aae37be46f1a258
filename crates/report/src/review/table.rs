//! Reviews for people at a terminal.

use vulnlens_taxonomy::CweId;

use super::judge::Review;
use super::objection::Objection;
use super::summary::ReviewSummary;
use super::verdict::Verdict;
use crate::label::Label;
use crate::layout::{ASIDE, HEADING, PREDICTED, printable, wrapped};
use crate::rendering::Setup;
use crate::score::percent;

/// Assigners listed in the summary.
const ASSIGNERS: usize = 20;
/// Entries that CWE suggests in place of others, listed at most.
const SUGGESTIONS: usize = 8;
/// Characters before the content of a block's line: indent, title, gap.
const BEFORE: usize = 14;
/// The longest name of an assigner that is shown whole.
const NAME: usize = 28;

/// A disagreement, as a block of lines.
pub(super) fn block(review: &Review, setup: &Setup) -> String {
    let (kb, layout) = (&setup.kb, setup.layout);
    let (width, glyphs) = (layout.width, layout.glyphs);
    let id = review.record.text().unwrap_or("(no id)".into());
    let heading = glyphs.fit(&format!("{}  {}", printable(&id), review.verdict.name()), width);
    let mut text = format!("{HEADING}{heading}{HEADING:#}\n");
    let mut line = |title: &str, content: &str| {
        text += &(glyphs.fit(format!("  {title:<10}  {content}").trim_end(), width) + "\n");
    };
    for (number, mapped) in review.mapped.iter().enumerate() {
        let title = if number == 0 { "mapped" } else { "" };
        let objection = Objection::to(mapped.cwe, kb).map_or(String::new(), |of| format!(", {}", of.name()));
        let by = format!("({}{objection})", printable(&mapped.assigner));
        let name = mapped.cwe.name_for_people(kb);
        line(title, &format!("{:<9}  {by}  {name}", mapped.cwe.to_string()));
    }
    let name = |id: CweId| id.name_for_people(kb);
    let mut suggested: Vec<String> = review
        .asserted()
        .map(|scored| {
            format!("{:<9} {}  {}", scored.label.to_string(), percent(scored.score), name(scored.label))
        })
        .collect();
    if suggested.is_empty() {
        suggested.extend(review.family.iter().map(|family| {
            format!(
                "{:<9} {}  family: {}",
                family.label.to_string(),
                percent(family.score),
                name(family.label)
            )
        }));
    }
    if suggested.is_empty() {
        suggested.extend(review.suggested.first().map(|scored| {
            let (id, score) = (scored.label.to_string(), percent(scored.score));
            format!("{id:<9} {score}  not sure: {}", name(scored.label))
        }));
    }
    if suggested.is_empty() {
        suggested.push("none".to_owned());
    }
    for (number, suggestion) in suggested.iter().enumerate() {
        line(if number == 0 { "suggested" } else { "" }, suggestion);
    }
    for (number, prose) in wrapped(&review.rationale, width.saturating_sub(BEFORE).max(1)).iter().enumerate()
    {
        line(if number == 0 { "why" } else { "" }, prose);
    }
    for (number, better) in review.suggestions.iter().take(SUGGESTIONS).enumerate() {
        line(if number == 0 { "rather" } else { "" }, &format!("{:<9}  {}", better.cwe, better.comment));
    }
    text + "\n"
}

/// The counts, by verdict and by assigner.
pub(super) fn summary(summary: &ReviewSummary, setup: &Setup) -> String {
    let (width, glyphs) = (setup.layout.width, setup.layout.glyphs);
    let total = summary.records.total();
    let mut text = format!("{HEADING}{:<16}{:>9}{HEADING:#}\n", "Verdict", "records");
    for verdict in Verdict::ALL {
        let count = summary.records.of(verdict);
        let style = if verdict == Verdict::Agree { PREDICTED } else { anstyle::Style::new() };
        let share = if total == 0 { 0.0 } else { count as f32 / total as f32 };
        let line = format!("{style}  {:<14}{count:>9}{style:#}  {}", verdict.name(), percent(share));
        text += &(line + "\n");
    }
    text += &format!(
        "  {ASIDE}{:<14}{:>9}  without a weakness, not reviewed{ASIDE:#}\n",
        "unmapped", summary.unmapped
    );
    let assigners = summary.by_assigner();
    if assigners.is_empty() {
        return text;
    }
    let row = |name: &str, numbers: [&str; 5]| {
        let numbers = numbers.map(|number| format!("{number:>12}")).concat();
        glyphs.fit(&format!("{:<NAME$}{numbers}", glyphs.fit(name, NAME)), width)
    };
    let heading = row("Assigner", ["mappings", "agree", "disagree", "discouraged", "unsure"]);
    text += &format!("{HEADING}{heading}{HEADING:#}\n");
    for (name, counts) in assigners.iter().take(ASSIGNERS) {
        let [agree, discouraged, unsure] =
            [Verdict::Agree, Verdict::Discouraged, Verdict::Unsure].map(|verdict| counts.of(verdict));
        let disagree = counts.total().saturating_sub(agree + discouraged + unsure);
        let numbers = [counts.total(), agree, disagree, discouraged, unsure].map(|number| number.to_string());
        let numbers = numbers.each_ref().map(String::as_str);
        text += &(row(&format!("  {}", printable(name)), numbers) + "\n");
    }
    let more = assigners.len().saturating_sub(ASSIGNERS);
    if more > 0 {
        let line = format!("  {} {more} more (--format markdown lists all)", glyphs.ellipsis());
        text += &format!("{ASIDE}{}{ASIDE:#}\n", glyphs.fit(&line, width));
    }
    text
}
