//! Colours, sizes and captions that all drawings share.

use plotters::style::RGBColor;

use crate::file::EvaluationRun;

/// The colours of lines: told apart by most colour-blind eyes, too.
pub(super) const COLOURS: [RGBColor; 4] =
    [RGBColor(0, 90, 181), RGBColor(220, 50, 32), RGBColor(0, 130, 80), RGBColor(150, 90, 0)];
pub(super) const GREY: RGBColor = RGBColor(160, 160, 160);
pub(super) const SIZE: (u32, u32) = (720, 480);
/// The font of captions and its size.
pub(super) const CAPTION: (&str, u32) = ("sans-serif", 18);

/// The caption of a drawing of a run.
pub(super) fn caption(run: &EvaluationRun, title: &str) -> String {
    format!("{title}: {}, {} split, {} part", run.system, run.split, run.part)
}
