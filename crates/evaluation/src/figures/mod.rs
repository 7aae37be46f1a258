//! Figures of an evaluation as SVG: reliability, risk against coverage, F1 over the threshold, F1 of each label over
//! its support, confusions among siblings, and figures by year.

mod siblings;
mod style;
mod support;
mod years;

use plotters::prelude::*;
use vulnlens_metrics::{Calibration as Reliability, RiskPoint};
use vulnlens_model::decode::SpaceKind;

use self::style::{CAPTION, COLOURS, GREY, SIZE, caption};
use crate::evaluate::LabelRule;
use crate::file::{Evaluation, EvaluationRun};
use crate::tables::task_title;

/// A drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// The name of its file.
    pub file: String,
    /// The SVG.
    pub svg: String,
}

/// A line by its name.
type Line<'n> = (&'n str, Vec<(f64, f64)>);

/// The axes of a drawing, both from 0 to 1.
struct Axes {
    title: String,
    x: &'static str,
    y: &'static str,
    /// True if a grey diagonal shows where both are equal.
    diagonal: bool,
    /// A corner that no line comes near.
    legend: SeriesLabelPosition,
}

/// The figures of all runs. Drawings for which a run has no numbers are left out.
#[must_use]
pub fn figures(evaluation: &Evaluation) -> Vec<Figure> {
    let mut figures: Vec<Figure> = vec![];
    for run in evaluation.runs.iter().filter(|run| is_own(run)) {
        let name = unused(&figures, &run_name(run));
        let drawings = [
            ("reliability", lines(&reliability(run))),
            ("risk", lines(&risk(run))),
            ("f1", lines(&f1(run))),
            ("support", support::draw(run)),
            ("siblings", siblings::draw(run)),
            ("years", years::draw(run)),
        ];
        let figure = |(kind, svg): (&str, Option<String>)| {
            svg.map(|svg| Figure { file: format!("{name}-{kind}.svg"), svg })
        };
        figures.extend(drawings.into_iter().filter_map(figure));
    }
    figures
}

/// True for figures of a system as it answers itself; its scores by other thresholds are for tables alone.
fn is_own(run: &EvaluationRun) -> bool {
    let is_other = |rule: LabelRule| rule == LabelRule::Half || rule.is_fitted();
    !run.tasks.iter().filter_map(|task| task.label_rule).any(is_other)
}

/// A drawing of lines, unless all of them are empty.
fn lines((axes, lines): &(Axes, Vec<Line<'_>>)) -> Option<String> {
    let is_empty = lines.iter().all(|(_, points)| points.is_empty());
    if is_empty { None } else { svg(axes, lines) }
}

/// The name of a run in file names.
fn run_name(run: &EvaluationRun) -> String {
    let seed = run.seed.map_or_else(String::new, |seed| format!("-{seed}"));
    let name = format!("{}-{}-{}{seed}", run.split, run.part, run.system);
    let plain =
        |letter: char| if letter.is_ascii_alphanumeric() || ".-_".contains(letter) { letter } else { '-' };
    name.chars().map(plain).collect()
}

/// `name`, or with a number behind it if there are figures of that name.
fn unused(figures: &[Figure], name: &str) -> String {
    let is_used = |name: &str| {
        let kind = |figure: &Figure| figure.file.rsplit_once('-').is_some_and(|(of, _)| of == name);
        figures.iter().any(kind)
    };
    let numbered = (2..).map(|number| format!("{name}.{number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !is_used(name)).unwrap_or_default()
}

fn axes(run: &EvaluationRun, title: &str, x: &'static str, y: &'static str, diagonal: bool) -> Axes {
    // Reliability lies above its diagonal or near it, risk low and to the right.
    let legend = if diagonal { SeriesLabelPosition::LowerRight } else { SeriesLabelPosition::UpperLeft };
    Axes { legend, title: caption(run, title), x, y, diagonal }
}

fn reliability(run: &EvaluationRun) -> (Axes, Vec<Line<'_>>) {
    let points = |reliability: &Reliability| {
        let bins = reliability.bins.iter().filter(|bin| bin.pairs > 0);
        bins.map(|bin| (bin.mean_probability, bin.observed_frequency)).collect()
    };
    let lines = run.tasks.iter().filter(|task| task.task != SpaceKind::ReferenceCwe);
    let lines = lines.filter_map(|task| Some((task_title(task.task), points(task.reliability.as_ref()?))));
    let axes = axes(run, "Reliability", "probability of the best label", "share that applies", true);
    (axes, lines.collect())
}

fn risk(run: &EvaluationRun) -> (Axes, Vec<Line<'_>>) {
    let points = |points: &[RiskPoint]| {
        points.iter().map(|point| (point.coverage, 1.0 - point.precision)).collect::<Vec<_>>()
    };
    let mut lines = vec![];
    if let Some(risk) = &run.risk {
        lines.push(("first CWE", points(&risk.first_cwe.points)));
        if let Some(families) = &risk.families {
            lines.push(("with families, one level", points(&families.fixed.points)));
            lines.push(("with families, all levels", points(&families.swept.points)));
        }
    }
    (axes(run, "Risk against coverage", "share of records answered", "share of answers wrong", false), lines)
}

fn f1(run: &EvaluationRun) -> (Axes, Vec<Line<'_>>) {
    let lines = run.tasks.iter().map(|task| {
        let points = task.f1_curve.iter().map(|point| (point.threshold, point.f1)).collect();
        (task_title(task.task), points)
    });
    let axes = axes(run, "F1 over the threshold", "threshold", "micro-F1", false);
    (Axes { legend: SeriesLabelPosition::LowerLeft, ..axes }, lines.collect())
}

fn svg(axes: &Axes, lines: &[Line<'_>]) -> Option<String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE).ok()?;
        let mut chart = ChartBuilder::on(&area)
            .caption(&axes.title, CAPTION)
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(56)
            .build_cartesian_2d(0.0..1.0, 0.0..1.0)
            .ok()?;
        chart.configure_mesh().x_desc(axes.x).y_desc(axes.y).light_line_style(WHITE).draw().ok()?;
        if axes.diagonal {
            chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], GREY.stroke_width(1))).ok()?;
        }
        for ((name, points), colour) in lines.iter().zip(COLOURS) {
            let series = LineSeries::new(points.iter().copied(), colour.stroke_width(2));
            chart
                .draw_series(series)
                .ok()?
                .label(*name)
                .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], colour.stroke_width(2)));
        }
        chart
            .configure_series_labels()
            .position(axes.legend.clone())
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK)
            .draw()
            .ok()?;
        area.present().ok()?;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use vulnlens_metrics::{LabelRow, RiskCoverage};

    use super::*;
    use crate::by_year::YearF1;
    use crate::confusions::{Confusion, Confusions};
    use crate::first_cwe::FirstCwe;
    use crate::risk::Risk;

    const PUBLISHED: &str = include_str!("../../../model-fast/fast.evaluation.json");

    #[test]
    fn runs_with_numbers_are_drawn_and_files_differ() {
        let mut evaluation: Evaluation = serde_json::from_str(PUBLISHED).unwrap();
        for run in &mut evaluation.runs {
            run.risk = None;
            (run.confusions, run.first_cwe_by_year) = Default::default();
            for task in &mut run.tasks {
                (task.reliability, task.f1_curve, task.by_year) = Default::default();
                task.table.per_label.clear();
            }
        }
        assert!(figures(&evaluation).is_empty(), "no curves, no figures");
        evaluation.runs.truncate(1);
        let first_cwe = RiskCoverage::of_answers(&[(0.9, true), (0.5, false)], 0).unwrap();
        evaluation.runs[0].risk = Some(Risk { first_cwe, families: None });
        evaluation.runs[0].system = "a/b".to_owned();
        evaluation.runs.push(evaluation.runs[0].clone());
        let drawn = figures(&evaluation);
        let names: Vec<&str> = drawn.iter().map(|figure| figure.file.as_str()).collect();
        assert_eq!(names, ["random-test-a-b-1-risk.svg", "random-test-a-b-1.2-risk.svg"]);
        assert!(drawn[0].svg.starts_with("<svg") && drawn[0].svg.contains("first CWE"));
    }

    #[test]
    fn labels_siblings_and_years_are_drawn_from_the_file() {
        let mut evaluation: Evaluation = serde_json::from_str(PUBLISHED).unwrap();
        evaluation.runs.truncate(1);
        let run = &mut evaluation.runs[0];
        let pair = |assigned: &str, answered: &str, records| Confusion {
            assigned: assigned.to_owned(),
            answered: answered.to_owned(),
            records,
        };
        let pairs =
            vec![pair("CWE-787", "CWE-125", 7), pair("CWE-79", "CWE-80", 2), pair("CWE-787", "CWE-1000", 1)];
        run.confusions = Some(Confusions { records: 100, siblings: 10, pairs });
        let first = |exact| FirstCwe { records: 50, exact, related: exact };
        run.first_cwe_by_year = [(2019, first(0.5)), (2020, first(0.75))].into();
        let row = LabelRow {
            label: 0,
            support: 12,
            predicted: 10,
            true_positives: 8,
            precision: 0.8,
            recall: 0.66,
            f1: 0.73,
        };
        let task = &mut run.tasks[0];
        task.table.per_label = vec![row];
        task.by_year =
            [(2019, YearF1 { rows: 40, micro_f1: 0.25 }), (2020, YearF1 { rows: 9, micro_f1: 1.0 })].into();
        let drawn = figures(&evaluation);
        let of = |kind: &str| &drawn.iter().find(|figure| figure.file.ends_with(kind)).unwrap().svg;
        assert!(of("-support.svg").contains("<circle"));
        let siblings = of("-siblings.svg");
        assert!(siblings.contains("10 of 100 records") && siblings.contains("rotate(270"), "{siblings}");
        let [first, second] = ["CWE-125", "CWE-1000"].map(|id| siblings.find(id).unwrap());
        assert!(first < second, "columns stand in the order of numbers");
        assert!(of("-years.svg").contains("2020") && of("-years.svg").contains("first CWE, accuracy"));
        assert_eq!(figures(&evaluation), drawn, "the same figures, the same bytes");
    }
}
