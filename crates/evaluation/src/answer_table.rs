//! The table of answers: one row a figure, one column a system.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use vulnlens_model::decode::SpaceKind;

use crate::answers::{Answers, FalseAnswers};
use crate::cells::{by_system, cell, seeds};
use crate::file::EvaluationRun;
use crate::first_cwe::FirstCwe;
use crate::risk::Risk;

/// The cell of a system that lacks a figure.
const NONE: &str = "–";

/// A figure of a run with its title.
struct Row {
    title: String,
    value: Value,
}

/// A figure by the way it is written.
#[derive(Clone, Copy)]
enum Value {
    Ratio(f64),
    Count(u64),
}

/// The rows of one run.
#[derive(Default)]
struct Rows(Vec<Row>);

impl Rows {
    fn ratio(&mut self, title: impl Into<String>, value: f64) {
        self.0.push(Row { title: title.into(), value: Value::Ratio(value) });
    }

    fn count(&mut self, title: impl Into<String>, value: u64) {
        self.0.push(Row { title: title.into(), value: Value::Count(value) });
    }
}

/// The tasks whose calibration errors are shown, one a taxonomy.
const CALIBRATED: [(SpaceKind, &str); 3] = [
    (SpaceKind::ReferenceWeaknesses, "CWE with ancestors"),
    (SpaceKind::ReferenceCapec, "CAPEC"),
    (SpaceKind::ReferenceAttack, "ATT&CK"),
];

/// Writes the table, if a run has such figures; those by year, and those of false answers by style, only if it is
/// `full`.
pub(crate) fn answer_table(out: &mut String, runs: &[&EvaluationRun], full: bool) {
    let systems: Vec<(String, Vec<Rows>)> = by_system(runs)
        .into_iter()
        .map(|(system, runs)| {
            let rows = runs.iter().map(|run| rows_of(run, full)).collect();
            (format!("{system}{}", seeds(runs.len())), rows)
        })
        .collect();
    let titles = titles(systems.iter().flat_map(|(_, runs)| runs));
    if titles.is_empty() {
        return;
    }
    let names: Vec<&str> = systems.iter().map(|(name, _)| name.as_str()).collect();
    let _ = writeln!(out, "| answers | {} |", names.join(" | "));
    let _ = writeln!(out, "|---|{}", "--:|".repeat(names.len()));
    for title in titles {
        let cells: Vec<String> = systems.iter().map(|(_, runs)| cell_of(runs, title)).collect();
        let _ = writeln!(out, "| {title} | {} |", cells.join(" | "));
    }
    out.push('\n');
    if full {
        by_year(out, &by_system(runs));
    }
}

/// The titles of all runs. One that an earlier run lacks comes behind the one that it follows.
fn titles<'r>(runs: impl Iterator<Item = &'r Rows>) -> Vec<&'r str> {
    let mut titles: Vec<&str> = vec![];
    for Rows(rows) in runs {
        let mut next = 0;
        for row in rows {
            match titles.iter().position(|title| *title == row.title) {
                Some(at) => next = at + 1,
                None => {
                    titles.insert(next, &row.title);
                    next += 1;
                }
            }
        }
    }
    titles
}

/// The figures of a system's runs under one title.
fn cell_of(runs: &[Rows], title: &str) -> String {
    let found = runs.iter().filter_map(|Rows(rows)| rows.iter().find(|row| row.title == title));
    let values: Vec<Value> = found.map(|row| row.value).collect();
    match values[..] {
        [] => NONE.to_owned(),
        [Value::Count(count)] => count.to_string(),
        _ => cell(&values.iter().map(|value| value.number()).collect::<Vec<_>>()),
    }
}

impl Value {
    fn number(self) -> f64 {
        match self {
            Self::Ratio(ratio) => ratio,
            Self::Count(count) => count as f64,
        }
    }
}

fn rows_of(run: &EvaluationRun, full: bool) -> Rows {
    let mut rows = Rows::default();
    if let Some(answers) = &run.answers {
        answered(&mut rows, answers);
    }
    if let Some(figures) = run.hierarchical {
        rows.ratio("hierarchical micro-P", figures.micro_precision);
        rows.ratio("hierarchical micro-R", figures.micro_recall);
        rows.ratio("hierarchical micro-F1", figures.micro_f1);
        rows.ratio("hierarchical macro-F1", figures.macro_f1);
    }
    if let Some(rare) = run.rare {
        let labels = format!("rare CWEs ({} to {} records)", rare.fewest_rows, rare.most_rows);
        rows.ratio(format!("{labels}: R@1"), rare.recall_at_1);
        rows.ratio(format!("{labels}: R@3"), rare.recall_at_3);
        rows.ratio(format!("{labels}: R@5"), rare.recall_at_5);
        rows.ratio(format!("{labels}: macro R@5"), rare.macro_recall_at_5);
        rows.count(format!("{labels}: never among the first 5, of {}", rare.labels), rare.never_found);
    }
    if let Some(risk) = &run.risk {
        risks(&mut rows, risk);
    }
    for (task, name) in CALIBRATED {
        let task = run.tasks.iter().find(|figures| figures.task == task);
        if let Some(reliability) = task.and_then(|task| task.reliability.as_ref()) {
            rows.ratio(format!("calibration error, {name}"), reliability.expected_calibration_error);
        }
    }
    if let Some(answers) = &run.answers {
        others(&mut rows, answers, full);
    }
    rows
}

/// Writes first-CWE accuracy by the years of the CVE ids, if a run has it.
fn by_year(out: &mut String, systems: &[(&str, Vec<&EvaluationRun>)]) {
    let years = systems.iter().flat_map(|(_, runs)| runs).flat_map(|run| &run.first_cwe_by_year);
    let years: BTreeMap<u16, u64> = years.map(|(&year, first)| (year, first.records)).collect();
    if years.is_empty() {
        return;
    }
    let names: Vec<String> =
        systems.iter().map(|(system, runs)| format!("{system}{}", seeds(runs.len()))).collect();
    let _ = writeln!(out, "| first CWE is assigned / … or related, by CVE year | {} |", names.join(" | "));
    let _ = writeln!(out, "|---|{}", "--:|".repeat(names.len()));
    for (year, records) in years {
        let cell_of = |(_, runs): &(&str, Vec<&EvaluationRun>)| {
            let found: Vec<&FirstCwe> =
                runs.iter().filter_map(|run| run.first_cwe_by_year.get(&year)).collect();
            let [exact, related] = [|first: &FirstCwe| first.exact, |first: &FirstCwe| first.related]
                .map(|figure| cell(&found.iter().map(|first| figure(first)).collect::<Vec<_>>()));
            if found.is_empty() { NONE.to_owned() } else { format!("{exact} / {related}") }
        };
        let cells: Vec<String> = systems.iter().map(cell_of).collect();
        let _ = writeln!(out, "| {year} ({records} records) | {} |", cells.join(" | "));
    }
    out.push('\n');
}

fn answered(rows: &mut Rows, answers: &Answers) {
    rows.ratio("records with a predicted CWE", answers.coverage);
    rows.ratio("predicted patterns a record", answers.mean_patterns);
    rows.ratio("predicted techniques a record", answers.mean_techniques);
    rows.count("records with a pattern or technique, but without a CWE", answers.without_cwe);
    if answers.linked_records > 0 {
        rows.ratio("first pattern is linked to a predicted CWE", answers.linked_first);
    }
}

fn risks(rows: &mut Rows, risk: &Risk) {
    let mut curve = |name: &str, curve: &vulnlens_metrics::RiskCoverage| {
        rows.ratio(format!("{name}: coverage at 90 % right"), curve.coverage);
        rows.ratio(format!("{name}: AURC"), curve.area);
    };
    curve("first CWE", &risk.first_cwe);
    if let Some(families) = &risk.families {
        curve(&format!("with families, level {}", families.level), &families.fixed);
        curve("with families, all levels", &families.swept);
    }
}

/// Answers to other texts than the records as they are.
fn others(rows: &mut Rows, answers: &Answers, full: bool) {
    for tail in &answers.tails {
        rows.ratio(format!("first CWE changed by {}", tail.tail.title()), tail.changed);
    }
    let mut shares = |name: &str, said: &FalseAnswers| {
        rows.ratio(format!("{name} ({} texts): CWE predicted", said.texts), said.cwe);
        rows.ratio(format!("{name}: CAPEC predicted"), said.capec);
        rows.ratio(format!("{name}: ATT&CK predicted"), said.attack);
    };
    if let Some(said) = &answers.negatives {
        shares("no vulnerability", said);
    }
    for (style, said) in answers.negatives_by_style.iter().filter(|_| full) {
        shares(&format!("no vulnerability, {style}"), said);
    }
    for (style, figures) in &answers.styles {
        let first = &figures.first_cwe;
        rows.ratio(format!("{style} ({} texts): first CWE is assigned", first.records), first.exact);
        rows.ratio(format!("{style}: … or related"), first.related);
        rows.ratio(
            format!("{style}: first CWE is the record's ({} pairs)", figures.pairs),
            figures.agreement,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(titles: &[&str]) -> Rows {
        let mut rows = Rows::default();
        titles.iter().for_each(|title| rows.count(*title, 3));
        rows
    }

    #[test]
    fn figures_that_a_system_lacks_are_dashes_and_new_ones_keep_their_place() {
        let runs = [rows(&["a", "c"]), rows(&["a", "b", "c", "d"])];
        assert_eq!(titles(runs.iter()), ["a", "b", "c", "d"]);
        assert_eq!(cell_of(&runs[..1], "b"), "–");
        assert_eq!(cell_of(&runs[..1], "a"), "3");
        assert_eq!(cell_of(&runs, "a"), "3.00 ± 0.00");
    }
}
