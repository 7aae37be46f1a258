//! First-CWE accuracy and micro-F1 of the tasks by the years of the CVE ids.

use plotters::prelude::*;
use vulnlens_model::decode::SpaceKind;

use super::style::{CAPTION, COLOURS, SIZE, caption};
use crate::file::EvaluationRun;
use crate::tables::task_title;

/// A figure by years.
type Line = (String, Vec<(f64, f64)>);

/// Records that a year must have: figures of fewer are chance.
const FEWEST_RECORDS: u64 = 10;

/// The drawing; `None` where the run has no two years.
pub(super) fn draw(run: &EvaluationRun) -> Option<String> {
    let first = run.first_cwe_by_year.iter().filter(|(_, first)| first.records >= FEWEST_RECORDS);
    let first = first.map(|(&year, first)| (f64::from(year), first.exact)).collect();
    let mut lines: Vec<Line> = vec![("first CWE, accuracy".to_owned(), first)];
    for task in run.tasks.iter().filter(|task| task.task != SpaceKind::ReferenceCwe) {
        let years = task.by_year.iter().filter(|(_, year)| year.rows >= FEWEST_RECORDS);
        let points = years.map(|(&year, figures)| (f64::from(year), figures.micro_f1)).collect();
        lines.push((format!("{}, micro-F1", task_title(task.task)), points));
    }
    let years = || lines.iter().flat_map(|(_, points)| points).map(|(year, _)| *year);
    let (oldest, newest) = (years().reduce(f64::min)?, years().reduce(f64::max)?);
    if oldest >= newest {
        return None;
    }
    svg(&caption(run, "By year"), &lines, (oldest, newest))
}

fn svg(title: &str, lines: &[Line], (oldest, newest): (f64, f64)) -> Option<String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE).ok()?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, CAPTION)
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(56)
            .build_cartesian_2d(oldest..newest, 0.0..1.0)
            .ok()?;
        let year = |year: &f64| format!("{year:.0}");
        let mut mesh = chart.configure_mesh();
        // A label for each year at most: a tick between two would be called like one of them.
        mesh.x_labels((newest - oldest) as usize + 1).x_label_formatter(&year);
        mesh.x_desc("year of the CVE id").light_line_style(WHITE).draw().ok()?;
        for ((name, points), colour) in
            lines.iter().zip(COLOURS).filter(|((_, points), _)| !points.is_empty())
        {
            chart
                .draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))
                .ok()?
                .label(name)
                .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], colour.stroke_width(2)));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerLeft)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK)
            .draw()
            .ok()?;
        area.present().ok()?;
    }
    Some(text)
}
