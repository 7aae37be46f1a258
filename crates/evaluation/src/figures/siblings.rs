//! The most frequent confusions among siblings as a heat map: a row for each assigned weakness, a column for each
//! answer.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::style::{CAPTION, caption};
use crate::confusions::Confusion;
use crate::file::EvaluationRun;

/// Pixels of a cell's side.
const CELL: i32 = 30;
/// Pixels that the names of the weaknesses take.
const NAMES: i32 = 96;
/// Pixels that the captions take.
const CAPTIONS: i32 = 76;
const MARGIN: i32 = 16;
/// The least width, which the captions need.
const NARROWEST: i32 = 720;
/// The font of names and numbers, and its size.
const FONT: (&str, i32) = ("sans-serif", 12);
/// The colour of the most frequent pair.
const DARKEST: RGBColor = RGBColor(0, 90, 181);

/// The drawing; `None` where no siblings were confused.
pub(super) fn draw(run: &EvaluationRun) -> Option<String> {
    let confusions = run.confusions.as_ref()?;
    let most = confusions.pairs.iter().map(|pair| pair.records).max()?;
    let rows = ids(confusions.pairs.iter().map(|pair| pair.assigned.as_str()));
    let columns = ids(confusions.pairs.iter().map(|pair| pair.answered.as_str()));
    let captions = [
        caption(run, "Confusions among siblings"),
        format!(
            "first CWE: a sibling of the assigned one in {} of {} records; the {} most frequent pairs, rows assigned, \
             columns answered",
            confusions.siblings,
            confusions.records,
            confusions.pairs.len()
        ),
    ];
    svg(&captions, (&rows, &columns), &confusions.pairs, most)
}

/// The ids, each once, by their numbers.
fn ids<'p>(ids: impl Iterator<Item = &'p str>) -> Vec<&'p str> {
    let mut ids: Vec<&str> = ids.collect();
    let number = |id: &str| id.trim_start_matches(|c: char| !c.is_ascii_digit()).parse::<u32>().unwrap_or(0);
    ids.sort_unstable_by(|a, b| number(a).cmp(&number(b)).then(a.cmp(b)));
    ids.dedup();
    ids
}

fn svg(
    captions: &[String; 2],
    (rows, columns): (&[&str], &[&str]),
    pairs: &[Confusion],
    most: u64,
) -> Option<String> {
    let along = |cells: usize| CELL * cells as i32;
    let width = (MARGIN + NAMES + along(columns.len()) + MARGIN).max(NARROWEST);
    let height = CAPTIONS + NAMES + along(rows.len()) + MARGIN;
    let (left, top) = (MARGIN + NAMES, CAPTIONS + NAMES);
    let mut text = String::new();
    {
        let size = (width.unsigned_abs(), height.unsigned_abs());
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        area.fill(&WHITE).ok()?;
        let plain = |size: i32| TextStyle::from(("sans-serif", size).into_font());
        area.draw(&Text::new(captions[0].clone(), (MARGIN, 14), plain(CAPTION.1.cast_signed()))).ok()?;
        area.draw(&Text::new(captions[1].clone(), (MARGIN, 44), plain(FONT.1))).ok()?;
        let name = plain(FONT.1).pos(Pos::new(HPos::Right, VPos::Center));
        for (number, id) in rows.iter().enumerate() {
            let at = (left - 6, top + along(number) + CELL / 2);
            area.draw(&Text::new((*id).to_owned(), at, name.clone())).ok()?;
        }
        let upright = FONT.into_font().transform(FontTransform::Rotate270);
        let name = TextStyle::from(upright).pos(Pos::new(HPos::Left, VPos::Center));
        for (number, id) in columns.iter().enumerate() {
            let at = (left + along(number) + CELL / 2, top - 6);
            area.draw(&Text::new((*id).to_owned(), at, name.clone())).ok()?;
        }
        for pair in pairs {
            let row = rows.iter().position(|id| *id == pair.assigned)?;
            let column = columns.iter().position(|id| *id == pair.answered)?;
            let (x, y) = (left + along(column), top + along(row));
            let share = pair.records as f64 / most as f64;
            let colour = DARKEST.mix(0.1 + 0.9 * share);
            area.draw(&Rectangle::new([(x, y), (x + CELL - 1, y + CELL - 1)], colour.filled())).ok()?;
            let on_dark = if share > 0.5 { WHITE } else { BLACK };
            let number = plain(FONT.1 - 1).color(&on_dark).pos(Pos::new(HPos::Center, VPos::Center));
            let at = (x + CELL / 2, y + CELL / 2);
            area.draw(&Text::new(pair.records.to_string(), at, number)).ok()?;
        }
        area.present().ok()?;
    }
    Some(text)
}
