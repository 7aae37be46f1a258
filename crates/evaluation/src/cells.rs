//! Cells of tables: runs by their systems, and the figures of several seeds.

use crate::file::EvaluationRun;

/// The systems, in their order, each with its runs.
pub(crate) fn by_system<'r>(runs: &[&'r EvaluationRun]) -> Vec<(&'r str, Vec<&'r EvaluationRun>)> {
    let mut systems: Vec<(&str, Vec<&EvaluationRun>)> = vec![];
    for run in runs {
        match systems.iter_mut().find(|(system, _)| *system == run.system) {
            Some((_, runs)) => runs.push(run),
            None => systems.push((&run.system, vec![run])),
        }
    }
    systems
}

/// The number of seeds, behind a system's name.
pub(crate) fn seeds(count: usize) -> String {
    if count > 1 { format!(" ({count} seeds)") } else { String::new() }
}

/// The mean of the seeds' figures, and their standard deviation (of the sample) where there are several.
pub(crate) fn cell(figures: &[f64]) -> String {
    let n = figures.len() as f64;
    let mean = figures.iter().sum::<f64>() / n;
    let digits = if mean >= 2.0 { 2 } else { 4 };
    if figures.len() < 2 {
        return format!("{mean:.digits$}");
    }
    let squares: f64 = figures.iter().map(|figure| (figure - mean).powi(2)).sum();
    format!("{mean:.digits$} ± {:.digits$}", (squares / (n - 1.0)).sqrt())
}
