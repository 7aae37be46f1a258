//! Records and labels that are found, for people at a terminal.

use vulnlens_taxonomy::KnowledgeBase;

use super::counts::LabelCount;
use super::find::FoundLabel;
use crate::answer::RecordKey;
use crate::column::{Column, each_column};
use crate::entry::EntryId;
use crate::layout::{HEADING, PREDICTED, TableLayout, printable};
use crate::score::percent;

use super::find::AnswerLabel;

/// Characters for the id of a record; longer ones are shown whole.
const ID: usize = 18;
/// Characters for a label.
const LABEL: usize = 10;
/// The heading of labels of no taxonomy.
const OTHERS: &str = "Other labels";

/// The labels of a record, one a line; the id stands in the first.
pub(super) fn record(
    key: &RecordKey,
    found: &[FoundLabel],
    kb: &KnowledgeBase,
    layout: TableLayout,
) -> String {
    let id = key.text().map_or_else(|| "(no id)".to_owned(), |id| printable(&id));
    let mut text = String::new();
    for (number, found) in found.iter().enumerate() {
        let id = if number == 0 { id.as_str() } else { "" };
        let label = printable(&found.label.to_string());
        let (style, check) = match found.predicted {
            true => (PREDICTED, layout.glyphs.check()),
            false => (anstyle::Style::new(), ' '),
        };
        let score = percent(found.score);
        let line = format!(
            "{id:<ID$}  {label:<LABEL$} {score} {check}  {:<14}  {}",
            found.taxonomy,
            found.label.name(kb)
        );
        text += &format!("{style}{}{style:#}\n", layout.glyphs.fit(line.trim_end(), layout.width));
    }
    text
}

/// The counts of the labels, list by list.
pub(super) fn counts(counts: &[LabelCount], of: u64, kb: &KnowledgeBase, layout: TableLayout) -> String {
    let mut text = String::new();
    let line = |label: &str, numbers: [&str; 3], name: &str| {
        let [records, share, greatest] = numbers;
        let line = format!("  {label:<LABEL$} {records:>9} {share:>8} {greatest:>9}  {name}");
        layout.glyphs.fit(line.trim_end(), layout.width)
    };
    let mut last = None;
    for count in counts {
        let title = title(count);
        if last != Some(title) {
            let gap = if last.is_some() { "\n" } else { "" };
            let head = line("", ["records", "share", "greatest"], "");
            text += &format!("{gap}{HEADING}{title}{HEADING:#}\n{HEADING}{head}{HEADING:#}\n");
            last = Some(title);
        }
        let share = percent((count.records as f64 / of.max(1) as f64) as f32);
        let (records, greatest) = (count.records.to_string(), percent(count.greatest));
        let numbers = [records.as_str(), &share, &greatest];
        text += &(line(&printable(&count.label.to_string()), numbers, &count.label.name(kb)) + "\n");
    }
    text
}

/// The heading of a label's list.
fn title(count: &LabelCount) -> &'static str {
    let is_tactic = matches!(count.label, AnswerLabel::Entry(EntryId::Tactic(_)));
    let mut title = OTHERS;
    // Tactics stand in place of techniques, and their column behind that of these.
    each_column!(C => if C::TASK.key() == count.taxonomy && (title == OTHERS || is_tactic) {
        title = C::TITLE;
    });
    title
}
