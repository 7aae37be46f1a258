//! A short table for a person at a terminal: the best labels of each taxonomy, and the way the chain takes to them.

use anstyle::{AnsiColor, Style};
use vulnlens_model::{LabelSource, Prediction, ScoredLabel};
use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase, Standing, TechniqueId, Usage};

use crate::glyphs::{Glyphs, path_text};
use crate::label::{Label, name_of_other};
use crate::record_key::RecordKey;
use crate::score::percent;

pub(crate) const HEADING: Style = Style::new().bold();
pub(crate) const PREDICTED: Style = AnsiColor::Green.on_default();
pub(crate) const ASIDE: Style = Style::new().dimmed();

const BAR: usize = 10;
/// Characters before an id: indent, mark, percentage, and the gaps between them.
const BEFORE_ID: usize = 13;
/// An id and the gap behind it.
const ID: usize = 12;
/// Bars are drawn on lines as wide as this.
const WIDTH_WITH_BARS: usize = 60;
/// The narrowest line, which has room for an id.
const NARROWEST: usize = BEFORE_ID + ID;
/// A probability of "none" below this is not worth a line.
const NONE_SHOWN: f32 = 0.05;

/// How a table is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableLayout {
    /// Labels shown of each taxonomy, the best ones; `None` for all.
    pub rows: Option<usize>,
    /// Characters in a line; at least 25 are used, and below 60 there is no room for bars.
    pub width: usize,
    /// The signs to draw with.
    pub glyphs: Glyphs,
}

/// Renders predictions for a terminal. The text has ANSI styles.
pub struct Table<'a> {
    kb: &'a KnowledgeBase,
    layout: TableLayout,
    /// Whether labels are those of a checkpoint, as published.
    is_checkpoint: bool,
}

impl<'a> Table<'a> {
    /// A renderer with the names and paths of `kb`.
    #[must_use]
    pub fn new(kb: &'a KnowledgeBase, layout: TableLayout) -> Self {
        let layout = TableLayout { width: layout.width.max(NARROWEST), ..layout };
        Self { kb, layout, is_checkpoint: false }
    }

    /// The renderer for a model whose labels come from `source`: those of a checkpoint are marked where they are not in
    /// force, and shown with their parents or tactics where there is room.
    #[must_use]
    pub fn of(self, source: LabelSource) -> Self {
        Self { is_checkpoint: matches!(source, LabelSource::Checkpoint { .. }), ..self }
    }

    /// Appends one record: its id, or else its line, as a heading where there is one, then each taxonomy that was asked for.
    ///
    /// `assigned` are the best weaknesses as records assign them, by falling score, whatever the label space of the
    /// prediction: the ways of the chain begin with them, and the first is shown where the prediction leaves it out.
    pub fn push(
        &self,
        record: RecordKey<'_>,
        prediction: &Prediction,
        assigned: &[ScoredLabel<CweId>],
        out: &mut Vec<u8>,
    ) {
        let mut text = String::new();
        if let Some(id) = &record.text() {
            text += &format!("{HEADING}{}{HEADING:#}\n", self.fit(&printable(id), 0));
        }
        self.section::<CweId>("Weaknesses (CWE)", prediction, |_| None, &mut text);
        text += &self.left_out(prediction, assigned);
        let to_pattern = |to| self.way_to_pattern(assigned, to);
        self.section("Attack patterns (CAPEC)", prediction, to_pattern, &mut text);
        let to_technique = |to| self.way_to_technique(assigned, to);
        self.section("Techniques (ATT&CK)", prediction, to_technique, &mut text);
        self.others(prediction, &mut text);
        out.extend_from_slice(text.as_bytes());
    }

    fn section<L: Label>(
        &self,
        title: &str,
        prediction: &Prediction,
        way: impl Fn(L) -> Option<String>,
        text: &mut String,
    ) {
        let Some(labels) = L::of(prediction) else { return };
        *text += &format!("{HEADING}{title}{HEADING:#}\n");
        let shown = self.layout.rows.unwrap_or(usize::MAX).min(labels.labels.len());
        for scored in labels.labels.iter().take(shown) {
            *text += &self.row(scored);
            if let Some(way) = way(scored.label) {
                *text += &self.aside(&way);
            }
            if let Some(mark) = self.mark(scored.label) {
                *text += &self.aside(&mark);
            }
        }
        *text += &self.more(labels.labels.len().saturating_sub(shown));
        if labels.none >= NONE_SHOWN || labels.labels.is_empty() {
            let words = self.fit("that none applies", BEFORE_ID);
            *text += &format!("    {}  {ASIDE}{words}{ASIDE:#}\n", percent(labels.none));
        }
    }

    /// The labels of no taxonomy, as the model writes them.
    fn others(&self, prediction: &Prediction, text: &mut String) {
        let labels = &prediction.other;
        if labels.is_empty() {
            return;
        }
        *text += &format!("{HEADING}Other labels{HEADING:#}\n");
        let shown = self.layout.rows.unwrap_or(usize::MAX).min(labels.len());
        for scored in labels.iter().take(shown) {
            let label = self.fit(&printable(&scored.label), self.before_id());
            let name = name_of_other(&scored.label, self.kb);
            *text += &self.line(scored.score, scored.predicted, &label, name, "");
        }
        *text += &self.more(labels.len().saturating_sub(shown));
    }

    fn more(&self, more: usize) -> String {
        if more == 0 {
            return String::new();
        }
        format!("    {ASIDE}{} {more} more{ASIDE:#}\n", self.layout.glyphs.ellipsis())
    }

    /// What is to be said of a checkpoint's label that is not in force.
    fn mark(&self, label: impl Label) -> Option<String> {
        let standing = Some(label.standing(self.kb)).filter(|_| self.is_checkpoint)?;
        match standing {
            Standing::Current => None,
            Standing::Revoked { by: Some(by) } => {
                Some(format!("revoked; today it is {by} {}", by.name_for_people(self.kb)))
            }
            Standing::Revoked { by: None } => Some("revoked".to_owned()),
            Standing::Deprecated => Some("deprecated".to_owned()),
            Standing::Unknown => Some("not known to the knowledge base".to_owned()),
        }
    }

    fn row<L: Label>(&self, scored: &ScoredLabel<L>) -> String {
        let beside = if self.is_checkpoint { scored.label.belongs_to(self.kb) } else { String::new() };
        let name = match scored.label.name_for_people(self.kb) {
            // What such an id is, the mark says.
            _ if self.is_checkpoint && scored.label.standing(self.kb) == Standing::Unknown => "".into(),
            name => name,
        };
        self.line(scored.score, scored.predicted, &scored.label.to_string(), &name, &beside)
    }

    /// A label's line, with `beside` at its end if it has room there.
    fn line(&self, score: f32, predicted: bool, label: &str, name: &str, beside: &str) -> String {
        let glyphs = self.layout.glyphs;
        let bar = if self.has_bars() { glyphs.bar(score, BAR) + "  " } else { String::new() };
        let (mark, style) = if predicted { (glyphs.check(), PREDICTED) } else { (' ', Style::new()) };
        let label = format!("{label:<10}");
        let before_name = self.before_id() + label.chars().count().max(ID - 2) + 2;
        let name = self.fit(name, before_name);
        let room = self.layout.width.saturating_sub(before_name + name.chars().count() + 2);
        let beside = match beside.chars().count() {
            0 => String::new(),
            length if length > room => String::new(),
            _ => format!("  {ASIDE}{beside}{ASIDE:#}"),
        };
        let label = format!("{label}  {name}");
        let line = format!("  {style}{mark} {}  {bar}{}{style:#}", percent(score), label.trim_end());
        line + &beside + "\n"
    }

    /// The best weakness as records assign it, where the label space has it not: CWE discourages many a common one.
    fn left_out(&self, prediction: &Prediction, assigned: &[ScoredLabel<CweId>]) -> String {
        let (Some(cwe), Some(best)) = (&prediction.cwe, assigned.first()) else { return String::new() };
        if cwe.labels.iter().any(|scored| scored.label == best.label) {
            return String::new();
        }
        let why = match self.kb.weakness(best.label).map(|weakness| weakness.usage) {
            Some(Usage::Discouraged) => "CWE discourages mapping to it",
            Some(Usage::Prohibited) => "CWE prohibits mapping to it",
            Some(_) => "below the threshold",
            None => "a category, no weakness",
        };
        let row = self.row(&ScoredLabel::new(best.label, best.score, false));
        row + &self.aside(&format!("as records assign it; {why}"))
    }

    /// A line under a row, about its label.
    fn aside(&self, text: &str) -> String {
        let indent = self.before_id();
        format!("{:indent$}{ASIDE}{}{ASIDE:#}\n", "", self.fit(text, indent))
    }

    fn has_bars(&self) -> bool {
        self.layout.width >= WIDTH_WITH_BARS
    }

    fn before_id(&self) -> usize {
        if self.has_bars() { BEFORE_ID + BAR + 2 } else { BEFORE_ID }
    }

    /// `text` as far as it fits behind `indent` characters.
    fn fit(&self, text: &str, indent: usize) -> String {
        self.layout.glyphs.fit(text, self.layout.width.saturating_sub(indent))
    }

    fn way_to_pattern(&self, assigned: &[ScoredLabel<CweId>], to: CapecId) -> Option<String> {
        let way =
            assigned.iter().find_map(|from| self.kb.paths_to_capec(from.label, to).into_iter().next())?;
        let steps = way.iter().map(CweId::to_string).chain([to.to_string()]);
        Some(self.layout.glyphs.joined(steps))
    }

    fn way_to_technique(&self, assigned: &[ScoredLabel<CweId>], to: TechniqueId) -> Option<String> {
        // Patterns may lead to an older id that `to` stands for today.
        let older =
            self.kb.techniques().map(|t| t.id).filter(|old| *old != to && self.kb.current(*old) == to);
        let ids: Vec<TechniqueId> = [to].into_iter().chain(older).collect();
        assigned.iter().find_map(|from| {
            let path = ids.iter().find_map(|id| self.kb.paths(from.label, *id).into_iter().next())?;
            let way = path_text(&path, self.layout.glyphs);
            let today = (path.technique != to).then(|| format!("{}{to}", self.layout.glyphs.step()));
            Some(way + &today.unwrap_or_default())
        })
    }
}

/// `text` from outside without characters that would command the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}
