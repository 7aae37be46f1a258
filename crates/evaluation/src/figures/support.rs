//! F1 of each label over the number of records that have it.

use plotters::prelude::*;
use vulnlens_model::decode::SpaceKind;

use super::style::{CAPTION, COLOURS, SIZE, caption};
use crate::file::EvaluationRun;
use crate::tables::task_title;

/// The labels of a task: support and F1 of each.
type Labels<'n> = (&'n str, Vec<(f64, f64)>);

/// The drawing; `None` where the run has no figures of single labels.
pub(super) fn draw(run: &EvaluationRun) -> Option<String> {
    // Of the two tasks of weaknesses one is enough.
    let tasks = run.tasks.iter().filter(|task| task.task != SpaceKind::ReferenceCwe);
    let labels = tasks.map(|task| {
        let known = task.table.per_label.iter().filter(|row| row.support > 0);
        (task_title(task.task), known.map(|row| (row.support as f64, row.f1)).collect())
    });
    let labels: Vec<Labels<'_>> = labels.collect();
    let most = labels.iter().flat_map(|(_, points)| points).map(|(support, _)| *support).reduce(f64::max)?;
    svg(&caption(run, "F1 of each label"), &labels, most)
}

fn svg(title: &str, labels: &[Labels<'_>], most: f64) -> Option<String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE).ok()?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, CAPTION)
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(56)
            .build_cartesian_2d((0.9..most.max(1.0) * 1.1).log_scale(), 0.0..1.0)
            .ok()?;
        let count = |count: &f64| format!("{count:.0}");
        let mut mesh = chart.configure_mesh();
        mesh.x_desc("records that have the label").y_desc("F1").x_label_formatter(&count);
        mesh.light_line_style(WHITE).draw().ok()?;
        for ((name, points), colour) in labels.iter().zip(COLOURS) {
            let dot = |&at: &(f64, f64)| Circle::new(at, 3, colour.mix(0.5).filled());
            chart
                .draw_series(points.iter().map(dot))
                .ok()?
                .label(*name)
                .legend(move |(x, y)| Circle::new((x + 8, y), 3, colour.filled()));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK)
            .draw()
            .ok()?;
        area.present().ok()?;
    }
    Some(text)
}
