//! Evaluations as Markdown: one table a task and split, systems side by side, seeds averaged.

use std::fmt::Write as _;

use vulnlens_metrics::Table;
use vulnlens_model::decode::SpaceKind;

use crate::file::{Evaluation, EvaluationRun};

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

/// What a task is called in a table.
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
        let parts = if split == "random" {
            "60/20/20 by text"
        } else {
            "fitted on CVE years to 2023, thresholds from 2024, tested on 2025"
        };
        let _ = writeln!(out, "### {split} split, {} part ({parts})\n", first.part);
        heading(&mut out, &COLUMNS);
        for (index, task) in first.tasks.iter().enumerate() {
            rows(&mut out, &runs, task.task, index, &COLUMNS);
        }
        out.push('\n');
        if detail == Detail::Full {
            heading(&mut out, &MORE_COLUMNS);
            for (index, task) in first.tasks.iter().enumerate() {
                rows(&mut out, &runs, task.task, index, &MORE_COLUMNS);
            }
            out.push('\n');
        }
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

fn rows(out: &mut String, runs: &[&EvaluationRun], task: SpaceKind, index: usize, columns: &[Column]) {
    let mut systems: Vec<&str> = vec![];
    for run in runs {
        if !systems.contains(&run.system.as_str()) {
            systems.push(&run.system);
        }
    }
    for system in systems {
        let tables: Vec<&Table> = runs
            .iter()
            .filter(|run| run.system == system)
            .filter_map(|run| run.tasks.get(index).filter(|t| t.task == task).map(|t| &t.table))
            .collect();
        let seeds = if tables.len() > 1 { format!(" ({} seeds)", tables.len()) } else { String::new() };
        let cells: Vec<String> = columns.iter().map(|(_, figure)| cell(&tables, figure)).collect();
        let _ = writeln!(out, "| {} | {system}{seeds} | {} |", task_title(task), cells.join(" | "));
    }
}

fn cell(tables: &[&Table], figure: &fn(&Table) -> f64) -> String {
    let n = tables.len() as f64;
    let mean = tables.iter().map(|t| figure(t)).sum::<f64>() / n;
    let digits = if mean >= 2.0 { 2 } else { 4 };
    if tables.len() < 2 {
        return format!("{mean:.digits$}");
    }
    let squares: f64 = tables.iter().map(|t| (figure(t) - mean).powi(2)).sum();
    format!("{mean:.digits$} ± {:.digits$}", (squares / (n - 1.0)).sqrt())
}

/// What the tables leave out, said beside them.
fn beside(out: &mut String, run: &EvaluationRun) {
    for task in &run.tasks {
        let _ = writeln!(
            out,
            "- {}: {} rows, {} labels. Labels without a training text: {} occurrences, left out of the table \
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
