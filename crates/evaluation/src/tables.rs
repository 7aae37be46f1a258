//! Evaluations as Markdown: one table a task and split, systems side by side, seeds averaged.

use std::fmt::Write as _;

use vulnlens_metrics::Table;
use vulnlens_model::decode::SpaceKind;

use crate::answer_table::answer_table;
use crate::cells::{by_system, cell, seeds};
use crate::evaluate::LabelRule;
use crate::file::{Evaluation, EvaluationRun};
use crate::first_cwe::FirstCwe;

/// The columns of the published tables.
type Column = (&'static str, fn(&Table) -> f64);

const COLUMNS: [Column; 6] = [
    ("micro-F1", |t| t.micro_f1),
    ("macro-F1", |t| t.macro_f1),
    ("weighted F1", |t| t.weighted_f1),
    ("subset acc.", |t| t.subset_accuracy),
    ("LRAP", |t| t.lrap),
    ("MRR", |t| t.mrr),
];

const MORE_COLUMNS: [Column; 14] = [
    ("micro-P", |t| t.micro_precision),
    ("micro-R", |t| t.micro_recall),
    ("macro-P", |t| t.macro_precision),
    ("macro-R", |t| t.macro_recall),
    ("samples F1", |t| t.samples_f1),
    ("Hamming", |t| t.hamming_loss),
    ("CovErr", |t| t.coverage_error),
    ("LRLoss", |t| t.label_ranking_loss),
    ("P@1", |t| t.precision_at_1),
    ("P@3", |t| t.precision_at_3),
    ("P@5", |t| t.precision_at_5),
    ("R@1", |t| t.recall_at_1),
    ("R@3", |t| t.recall_at_3),
    ("R@5", |t| t.recall_at_5),
];

/// The headline figures, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Six columns.
    Headline,
    /// The whole table of the reference system's model card, in two rows of columns.
    Full,
}

/// The name of a task in a table.
#[must_use]
pub fn task_title(task: SpaceKind) -> &'static str {
    match task {
        SpaceKind::ReferenceAttack => "ATT&CK through the chain",
        SpaceKind::ReferenceWeaknesses => "CWE with ancestors, records whose ids are all weaknesses",
        SpaceKind::ReferenceCwe => "CWE with ancestors, NVD's categories included",
        SpaceKind::ReferenceCapec => "CAPEC through the chain",
        SpaceKind::AssignedCwe => "CWE as assigned",
        SpaceKind::RecommendedCwe => "CWE allowed for mapping, none included",
        SpaceKind::RecommendedCapec => "CAPEC, none included",
        SpaceKind::RecommendedAttack => "ATT&CK in force, none included",
    }
}

/// Renders the tables of an evaluation. Figures of several seeds are given as mean ± standard
/// deviation (of the sample); those of one as they are.
#[must_use]
pub fn tables(evaluation: &Evaluation, detail: Detail) -> String {
    let mut out = String::new();
    for split in ["random", "temporal"] {
        let runs: Vec<&EvaluationRun> = evaluation.runs.iter().filter(|run| run.split == split).collect();
        let Some(first) = runs.first() else { continue };
        let tasks = tasks_of(&runs);
        let parts = if split == "random" {
            "60/20/20 by text"
        } else {
            "fitted on CVE years to 2023, thresholds from 2024, tested on 2025"
        };
        let _ = writeln!(out, "### {split} split, {} part ({parts})\n", first.part);
        heading(&mut out, &COLUMNS);
        for &task in &tasks {
            rows(&mut out, &runs, task, &COLUMNS);
        }
        out.push('\n');
        if detail == Detail::Full {
            heading(&mut out, &MORE_COLUMNS);
            for &task in &tasks {
                rows(&mut out, &runs, task, &MORE_COLUMNS);
            }
            out.push('\n');
        }
        first_cwes(&mut out, &runs);
        answer_table(&mut out, &runs, detail == Detail::Full);
        let combined = runs.iter().filter_map(|run| Some((&run.system, run.combination.as_ref()?)));
        for (system, made_of) in combined.filter(|(system, made_of)| system != made_of) {
            let _ = writeln!(out, "- {system} is {made_of}.");
        }
        beside(&mut out, first);
    }
    out
}

fn heading(out: &mut String, columns: &[Column]) {
    let names: Vec<&str> = columns.iter().map(|column| column.0).collect();
    let _ = writeln!(out, "| task | system | {} |", names.join(" | "));
    let _ = writeln!(out, "|---|---|{}", "--:|".repeat(columns.len()));
}

/// The tasks of some runs, in their order: systems may lack some of them.
fn tasks_of(runs: &[&EvaluationRun]) -> Vec<SpaceKind> {
    let mut tasks = vec![];
    for task in runs.iter().flat_map(|run| &run.tasks) {
        if !tasks.contains(&task.task) {
            tasks.push(task.task);
        }
    }
    tasks
}

fn rows(out: &mut String, runs: &[&EvaluationRun], task: SpaceKind, columns: &[Column]) {
    for (system, runs) in by_system(runs) {
        let tables: Vec<&Table> = runs
            .iter()
            .filter_map(|run| run.tasks.iter().find(|figures| figures.task == task))
            .map(|figures| &figures.table)
            .collect();
        if tables.is_empty() {
            continue;
        }
        let seeds = seeds(tables.len());
        let cell = |(_, figure): &Column| cell(&tables.iter().map(|table| figure(table)).collect::<Vec<_>>());
        let cells: Vec<String> = columns.iter().map(cell).collect();
        let _ = writeln!(out, "| {} | {system}{seeds} | {} |", task_title(task), cells.join(" | "));
    }
}

/// First-CWE accuracy, of the runs that have it.
fn first_cwes(out: &mut String, runs: &[&EvaluationRun]) {
    if runs.iter().all(|run| run.first_cwe.is_none()) {
        return;
    }
    out.push_str(
        "| system | first CWE is assigned | … or an ancestor or descendant of one | records |\n|---|--:|--:|--:|\n",
    );
    for (system, runs) in by_system(runs) {
        let figures: Vec<FirstCwe> = runs.iter().filter_map(|run| run.first_cwe).collect();
        let Some(first) = figures.first() else { continue };
        let [exact, related] = [|f: &FirstCwe| f.exact, |f: &FirstCwe| f.related]
            .map(|figure| cell(&figures.iter().map(figure).collect::<Vec<_>>()));
        let _ =
            writeln!(out, "| {system}{} | {exact} | {related} | {} |", seeds(figures.len()), first.records);
    }
    out.push('\n');
}

/// The records and labels that the tables leave out.
fn beside(out: &mut String, run: &EvaluationRun) {
    for task in &run.tasks {
        let missing = match task.label_rule {
            Some(LabelRule::AsWritten) | None => "Labels without a training text",
            Some(_) => "Labels that the model does not have",
        };
        let _ = writeln!(
            out,
            "- {}: {} rows, {} labels. {missing}: {} occurrences, left out of the table \
             (micro-recall with them as misses: {:.4}); {} rows have such labels alone.",
            task_title(task.task),
            task.table.rows,
            task.table.labels,
            task.unseen_label_occurrences,
            task.micro_recall_with_unseen,
            task.rows_with_unseen_labels_only,
        );
    }
    let _ = writeln!(
        out,
        "- The counts are those of {}{}.\n",
        run.system,
        run.seed.map_or_else(String::new, |seed| format!(", seed {seed}"))
    );
}
