//! Curves of a run as SVG: loss, learning rate, and validation F1.

use plotters::prelude::*;

use super::state::LogEntry;

/// The drawings: file name, title, and the lines with the names of their columns.
const DRAWINGS: [(&str, &str, &[&str]); 3] = [
    ("loss.svg", "Loss", &["loss", "eval_loss"]),
    ("learning-rate.svg", "Learning rate", &["learning_rate"]),
    ("f1.svg", "Validation F1", &["eval_micro_f1", "eval_macro_f1"]),
];
const COLOURS: [RGBColor; 2] = [RGBColor(0, 90, 181), RGBColor(220, 50, 32)];
const SIZE: (u32, u32) = (720, 420);

/// The drawings of which the log has at least two points: file names and contents.
pub(crate) fn draw(log: &[LogEntry]) -> Vec<(&'static str, String)> {
    let drawing = |&(file, title, columns): &(&'static str, &str, &[&str])| {
        let lines: Vec<(&str, Vec<(f64, f64)>)> =
            columns.iter().map(|&column| (column, points(log, column))).collect();
        let enough = lines.iter().any(|(_, points)| points.len() >= 2);
        // A drawing that cannot be made is left out: the numbers stand in the log.
        enough.then(|| svg(title, &lines)).flatten().map(|svg| (file, svg))
    };
    DRAWINGS.iter().filter_map(drawing).collect()
}

fn points(log: &[LogEntry], column: &str) -> Vec<(f64, f64)> {
    let number = |entry: &LogEntry, name: &str| entry.get(name)?.as_f64();
    log.iter().filter_map(|entry| Some((number(entry, "step")?, number(entry, column)?))).collect()
}

fn svg(title: &str, lines: &[(&str, Vec<(f64, f64)>)]) -> Option<String> {
    let all = lines.iter().flat_map(|(_, points)| points);
    let (mut last, mut top) = (1.0f64, f64::MIN_POSITIVE);
    all.for_each(|&(step, value)| (last, top) = (last.max(step), top.max(value)));
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE).ok()?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(36)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..last, 0.0..top * 1.05)
            .ok()?;
        chart.configure_mesh().x_desc("step").light_line_style(WHITE).draw().ok()?;
        for ((name, points), colour) in
            lines.iter().zip(COLOURS).filter(|((_, points), _)| !points.is_empty())
        {
            let series =
                chart.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2))).ok()?;
            series
                .label(*name)
                .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], colour.stroke_width(2)));
        }
        chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK).draw().ok()?;
        area.present().ok()?;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(value: &serde_json::Value) -> LogEntry {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn what_the_log_has_is_drawn() {
        let log = [
            entry(&json!({"step": 10, "loss": 3.5, "learning_rate": 1e-4})),
            entry(&json!({"step": 20, "loss": 2.5, "learning_rate": 5e-5})),
            entry(&json!({"step": 20, "eval_loss": 2.25})),
        ];
        let drawn = draw(&log);
        assert_eq!(drawn.iter().map(|drawn| drawn.0).collect::<Vec<_>>(), ["loss.svg", "learning-rate.svg"]);
        assert!(drawn[0].1.starts_with("<svg") && drawn[0].1.trim_end().ends_with("</svg>"));
        assert!(drawn[0].1.contains("eval_loss"));
        assert!(draw(&[]).is_empty());
    }
}
