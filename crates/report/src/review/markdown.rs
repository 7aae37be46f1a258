//! Reviews as a report in Markdown, to be posted.

use super::judge::Review;
use super::summary::ReviewSummary;
use super::verdict::Verdict;
use crate::label::Label;
use crate::markdown_text::escaped as cell;
use crate::rendering::Setup;
use crate::score::percent;

/// Characters of a reason in the table at most.
const REASON: usize = 300;

/// A disagreement, as a row of the table.
pub(super) fn row(review: &Review, setup: &Setup) -> String {
    let kb = &setup.kb;
    let mapped = review
        .mapped
        .iter()
        .map(|mapped| cell(&format!("{} {}", mapped.cwe, mapped.cwe.name_for_people(kb))));
    let suggested = review.asserted().map(|scored| {
        cell(&format!(
            "{} {} ({})",
            scored.label,
            scored.label.name_for_people(kb),
            percent(scored.score).trim()
        ))
    });
    let assigners = review.by_assigner.iter().map(|(assigner, _)| cell(assigner));
    let join = |cells: Vec<String>| cells.join("<br>");
    let id = review.record.text().unwrap_or_default();
    let reason = setup.layout.glyphs.fit(&review.rationale, REASON);
    let better: Vec<&str> = review.suggestions.iter().map(|better| better.cwe.as_str()).collect();
    let better = if better.is_empty() { String::new() } else { format!(" Rather: {}.", better.join(", ")) };
    format!(
        "| {} | {} | {} | {} | {} | {}{better} |\n",
        cell(&id),
        join(assigners.collect()),
        join(mapped.collect()),
        join(suggested.collect()),
        review.verdict.name(),
        cell(&reason),
    )
}

/// The report: the counts, and the rows of the disagreements, of which `more` were left out.
pub(super) fn report(summary: &ReviewSummary, rows: &str, more: u64, setup: &Setup) -> String {
    let run = &setup.run;
    let mut text = format!(
        "# Review of root cause mappings\n\n\
         Mapped weaknesses against those that vulnlens suggests (model {} {}, {}). {}.\n",
        cell(&run.model),
        run.model_revision,
        run.versions,
        summary.line(),
    );
    text += "\n## By verdict\n\n| verdict | records | share | meaning |\n|---|---:|---:|---|\n";
    let total = summary.records.total().max(1);
    for verdict in Verdict::ALL {
        let count = summary.records.of(verdict);
        let share = percent(count as f32 / total as f32);
        text += &format!("| {} | {count} | {} | {} |\n", verdict.name(), share.trim(), verdict.help());
    }
    text += "\n## By assigner\n\n| assigner | mappings |";
    text += &Verdict::ALL.map(|verdict| format!(" {} |", verdict.name())).concat();
    text += &format!("\n|---|---:|{}\n", "---:|".repeat(Verdict::ALL.len()));
    for (name, counts) in summary.by_assigner() {
        let numbers = Verdict::ALL.map(|verdict| format!(" {} |", counts.of(verdict))).concat();
        text += &format!("| {} | {} |{numbers}\n", cell(name), counts.total());
    }
    if rows.is_empty() {
        return text + "\nNo disagreements.\n";
    }
    text += "\n## Disagreements\n\n";
    text += "| record | assigner | mapped | suggested | verdict | reason |\n|---|---|---|---|---|---|\n";
    text += rows;
    if more > 0 {
        text += &format!("\n{more} more disagreements are not listed; `--format jsonl` lists all.\n");
    }
    text
}
