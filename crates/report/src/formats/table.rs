//! A short table for a person at a terminal: the best labels of each taxonomy, and the way the chain takes to them.

use std::sync::Arc;

use anstyle::Style;
use vulnlens_model::severity::Severity;
use vulnlens_model::{Basis, Family, LabelSource, Labels, Prediction, Said, ScoredLabel, Task};
use vulnlens_taxonomy::{CweId, KnowledgeBase, Role, Standing, Usage};

use crate::answer::Answer;
use crate::column::{self, Column, each_column};
use crate::format::Format;
use crate::label::{Label, name_of_other};
use crate::layout::{ASIDE, HEADING, PREDICTED, TableLayout, printable, wrapped};
use crate::origins::{groups, origin};
use crate::rendering::{Records, Setup};
use crate::score::percent;

pub(super) const FORMAT: Format =
    Format::records("table", "A short table for people", |setup| Box::new(Table::new(setup)))
        .own_ending("txt")
        .for_people();

const BAR: usize = 10;
/// Characters before an id: indent, mark, percentage, and the gaps between them.
const BEFORE_ID: usize = 13;
/// An id and the gap behind it.
const ID: usize = 12;
/// The least room in which the beginning of a name says anything.
const NAME: usize = 12;
/// Bars are drawn on lines as wide as this.
const WIDTH_WITH_BARS: usize = 60;
/// The narrowest line, which has room for an id.
const NARROWEST: usize = BEFORE_ID + ID;
/// A probability of "none" below this is not worth a line.
const NONE_SHOWN: f32 = 0.05;

/// Predictions for a terminal, as text with ANSI styles: a record's id, or else its line, as a heading where there is
/// one, then each task that was asked for.
///
/// A severity that was asked for has a line in front of the tasks.
///
/// An answer in a word has its sentence in front, unless it tells a weakness; then a text by itself is followed by the
/// meaning of the marks. Techniques that analysts assign stand in front of what follows from weaknesses, of which little is
/// then shown. Derived labels stand in groups of equal distance from the weakness that they follow from.
///
/// In other answers the ways of the chain begin with the weaknesses as assigned. The first of these is shown where the
/// prediction leaves it out. Labels of a checkpoint are marked where they are not in force, and shown with their parents or
/// tactics where there is room.
pub struct Table {
    kb: Arc<KnowledgeBase>,
    layout: TableLayout,
    /// Whether labels are those of a checkpoint, as published.
    is_checkpoint: bool,
}

impl Table {
    /// The format made ready for a run.
    #[must_use]
    pub fn new(setup: &Setup) -> Self {
        let layout = TableLayout { width: setup.layout.width.max(NARROWEST), ..setup.layout };
        let is_checkpoint = matches!(setup.run.labels, LabelSource::Checkpoint { .. });
        Self { kb: Arc::clone(&setup.kb), layout, is_checkpoint }
    }
}

impl Records for Table {
    fn push(&self, answer: &Answer, out: &mut Vec<u8>) {
        let text = self.body(answer) + &self.legend(answer);
        out.extend_from_slice(text.as_bytes());
    }
}

impl Table {
    /// The table of an answer without the meaning of its marks.
    pub(crate) fn body(&self, answer: &Answer) -> String {
        let Answer { record, prediction, assigned, .. } = answer;
        let mut text = String::new();
        if let Some(id) = &record.text() {
            text += &format!("{HEADING}{}{HEADING:#}\n", self.fit(&printable(id), 0));
        }
        if let Some(said) = prediction.said.filter(|said| *said != Said::Weaknesses) {
            text.extend(wrapped(said.sentence(), self.layout.width).into_iter().map(|line| line + "\n"));
        }
        if let Some(severity) = &prediction.severity {
            text += &self.severity(severity.as_ref());
        }
        self.section::<column::Cwe>(prediction, assigned, &mut text);
        self.section::<column::AttackCurated>(prediction, assigned, &mut text);
        self.section::<column::AttackCuratedTactics>(prediction, assigned, &mut text);
        self.section::<column::Capec>(prediction, assigned, &mut text);
        self.section::<column::Attack>(prediction, assigned, &mut text);
        self.section::<column::AttackTactics>(prediction, assigned, &mut text);
        self.others(prediction, &mut text);
        self.additions(prediction, &mut text);
        text
    }

    /// What is added to the model's answers: techniques of ATLAS, of ICS and Mobile, and countermeasures.
    fn additions(&self, prediction: &Prediction, text: &mut String) {
        let shown = self.layout.rows.unwrap_or(usize::MAX);
        let heading = |title: &str| format!("{HEADING}{}{HEADING:#}\n", self.fit(title, 0));
        let none = || format!("  {ASIDE}none{ASIDE:#}\n");
        let like = |similarity: Option<f64>| {
            format!("{:>4}", similarity.map_or(String::new(), |it| format!("{it:.2}")))
        };
        if let Some(atlas) = &prediction.atlas {
            *text += &heading("Techniques of ATLAS");
            if atlas.opened_by.is_empty() {
                *text += &self.aside("the text is not about a component of artificial intelligence");
            } else {
                *text += &self.aside(&format!("the text is about AI, by: {}", atlas.opened_by.join(", ")));
                *text += &if atlas.techniques.is_empty() { none() } else { String::new() };
            }
            for label in atlas.techniques.iter().take(shown) {
                match (label.score, &label.via) {
                    (Some(score), Some(via)) => {
                        let mark = self.layout.glyphs.check();
                        let score = percent(score as f32);
                        *text += &self.plain_row(&format!("{mark} {score}"), &label.label, &label.name);
                        *text += &self.aside(&format!("derived from {via}, which is answered"));
                    }
                    _ => *text += &self.plain_row(&like(label.similarity), &label.label, &label.name),
                }
            }
        }
        if let Some(labels) = &prediction.other_domains {
            *text += &heading("Techniques of other matrices, by similarity alone (ATT&CK)");
            for domain in ["ics", "mobile"] {
                for label in labels.iter().filter(|label| label.domain == domain).take(shown) {
                    let name = format!("{} ({domain})", label.name);
                    *text += &self.plain_row(&like(Some(label.similarity)), &label.label, &name);
                }
            }
            *text += &if labels.is_empty() { none() } else { String::new() };
        }
        if let Some(countermeasures) = &prediction.d3fend {
            *text += &heading("Countermeasures (D3FEND)");
            *text += &if countermeasures.is_empty() { none() } else { String::new() };
            for of in countermeasures.iter().take(shown) {
                let name = format!("{} ({})", of.name, of.tactic);
                *text += &self.plain_row(&format!("{:>4.2}", of.weight), &of.label, &name);
                let against = of.against.iter().map(|of| format!("{} by {}", of.label, of.artifact));
                *text += &self.aside(&format!("against {}", against.collect::<Vec<_>>().join(", ")));
            }
        }
    }

    /// A row without a bar: a number, an id and a name.
    fn plain_row(&self, number: &str, label: &str, name: &str) -> String {
        let gap = BEFORE_ID.saturating_sub(2);
        let before_name = self.before_id() + label.chars().count().max(ID - 2) + 2;
        let indent = self.before_id().saturating_sub(BEFORE_ID);
        let number = format!("  {number:>gap$.gap$}", gap = gap.saturating_sub(2));
        format!("{number}  {:indent$}{label:<10}  {}\n", "", self.fit(name, before_name))
    }

    /// The line of a severity.
    fn severity(&self, severity: Option<&Severity>) -> String {
        let words = match severity {
            Some(severity) => format!(
                "{} {:.1} ({:.0} %)  {}  predicted from the text",
                severity.band(),
                severity.score(),
                f64::from(severity.confidence) * 100.0,
                severity.vector
            ),
            None => "none".to_owned(),
        };
        let heading = "Severity";
        format!("{HEADING}{heading}{HEADING:#}  {}\n", self.fit(&words, heading.len() + 2))
    }

    /// The meaning of the marks, for a text by itself: of many records it would be most of the output.
    pub(crate) fn legend(&self, answer: &Answer) -> String {
        let Answer { record, prediction, .. } = answer;
        let mut has_marks = false;
        each_column!(C => {
            let labels = C::of(prediction).map_or(&[][..], |labels| &labels.labels);
            has_marks |= labels.iter().any(|scored| scored.predicted);
        });
        if record.text().is_some() || prediction.said.is_none() || !has_marks {
            return String::new();
        }
        let check = self.layout.glyphs.check();
        let meaning = if lists_curated(prediction) {
            format!(
                "{check} marks answers: weaknesses by the rule fitted on validation; techniques that analysts assign by a \
                 rule fitted on their mappings; patterns and derived techniques linked to one of these weaknesses, or to \
                 its nearest ancestor with links"
            )
        } else {
            format!(
                "{check} marks answers: weaknesses by the rule fitted on validation; patterns and techniques linked to \
                 one of these, or to its nearest ancestor with links"
            )
        };
        let lines = wrapped(&meaning, self.layout.width).into_iter();
        lines.map(|line| format!("{ASIDE}{line}{ASIDE:#}\n")).collect()
    }

    fn section<C: Column>(
        &self,
        prediction: &Prediction,
        assigned: &[ScoredLabel<CweId>],
        text: &mut String,
    ) {
        let labels = C::of(prediction).filter(|labels| {
            // Of a text that tells no weakness, that none applies has been said.
            !labels.labels.is_empty() || tells_weakness(prediction.said)
        });
        if let Some(labels) = labels {
            *text += &format!("{HEADING}{}{HEADING:#}\n", self.fit(C::TITLE, 0));
            let shown = self.most(C::TASK, prediction).min(labels.labels.len());
            match (C::TASK, &prediction.family) {
                (Task::AttackCurated, _) => self.curated::<C>(labels, shown, text),
                (task, _) if is_derived(task) && prediction.said.is_some() => {
                    self.derived::<C>(prediction, labels, shown, text);
                }
                (Task::Cwe, Some(family)) => {
                    let listed = prediction.cwe.as_ref().map_or(&[][..], |cwe| &cwe.labels);
                    self.family(family, listed, text);
                }
                _ => self.rows::<C>(labels, shown, assigned, text),
            }
            if labels.none >= NONE_SHOWN || (labels.labels.is_empty() && C::TASK != Task::AttackCurated) {
                let words = self.fit("that none applies", BEFORE_ID);
                *text += &format!("    {}  {ASIDE}{words}{ASIDE:#}\n", percent(labels.none));
            }
        }
        if C::TASK == Task::Cwe && prediction.family.is_none() && tells_weakness(prediction.said) {
            *text += &self.left_out(prediction, assigned);
        }
    }

    /// The number of labels of a task that are shown at most.
    fn most(&self, task: Task, prediction: &Prediction) -> usize {
        let rows = self.layout.rows.unwrap_or(usize::MAX);
        match self.layout.derived {
            Some(derived) if is_derived(task) && lists_curated(prediction) => rows.min(derived),
            _ => rows,
        }
    }

    /// Labels that are the model's own, or that follow in the reference's label spaces and from a checkpoint's labels.
    fn rows<C: Column>(
        &self,
        labels: &Labels<C::Id>,
        shown: usize,
        assigned: &[ScoredLabel<CweId>],
        text: &mut String,
    ) {
        for scored in labels.labels.iter().take(shown) {
            *text += &self.row(scored);
            *text += &self.counterpart(scored);
            if let Some(way) = C::way(assigned, scored.label, &self.kb) {
                *text += &self.aside(&self.layout.glyphs.joined(way));
            }
            if let Some(mark) = self.mark(scored.label) {
                *text += &self.aside(&mark);
            }
        }
        *text += &self.more(labels.labels.len().saturating_sub(shown));
    }

    /// Techniques that analysts assign, one line each with the role at its end. Those that are answered come before better
    /// ones that are not, as each has a threshold of its own, and stand where their scores put them.
    fn curated<C: Column>(&self, labels: &Labels<C::Id>, shown: usize, text: &mut String) {
        if labels.labels.is_empty() {
            *text += &self.note("none is likely enough to be listed");
            return;
        }
        *text += &self.note("what analysts assign to such vulnerabilities");
        let answered = labels.labels.iter().filter(|scored| scored.predicted).count();
        let mut others = shown.saturating_sub(answered);
        let rows = labels.labels.iter().filter(|scored| {
            let is_other = !scored.predicted && others > 0;
            others = others.saturating_sub(usize::from(is_other));
            scored.predicted || is_other
        });
        for scored in rows.take(shown) {
            let (label, name) = (scored.label.to_string(), scored.label.name_for_people(&self.kb));
            let role = scored.role.map_or("by its description", Role::name);
            // The role says more than the end of a long name.
            let name = match self.layout.width.checked_sub(self.before_id() + ID + 2 + role.len()) {
                Some(room) if room >= NAME => self.layout.glyphs.fit(&name, room),
                _ => name.into_owned(),
            };
            *text += &self.line(scored.score, scored.predicted, &label, &name, role);
            *text += &self.counterpart(scored);
        }
        *text += &self.more(labels.labels.len().saturating_sub(shown));
    }

    /// Labels that follow from weaknesses, one line each, in groups of equal distance.
    fn derived<C: Column>(
        &self,
        prediction: &Prediction,
        labels: &Labels<C::Id>,
        shown: usize,
        text: &mut String,
    ) {
        if labels.labels.is_empty() {
            return;
        }
        *text += &self.note(&origin(prediction, &labels.labels));
        for group in groups(prediction.said, labels.labels.get(..shown).unwrap_or_default()) {
            if let Some(heading) = &group.heading {
                *text += &self.note(heading);
            }
            for scored in group.labels {
                let (label, name) = (scored.label.to_string(), scored.label.name_for_people(&self.kb));
                let beside = group.beside(scored, self.layout.glyphs);
                *text += &self.line(scored.score, scored.predicted, &label, &name, &beside);
                *text += &self.counterpart(scored);
            }
        }
        *text += &self.more(labels.labels.len().saturating_sub(shown));
    }

    /// The family with its members, and behind them the weaknesses that are listed and do not belong to it.
    fn family(&self, family: &Family, listed: &[ScoredLabel<CweId>], text: &mut String) {
        let (indent, before) = if self.has_bars() { ("  ", self.before_id()) } else { ("", 0) };
        let share = format!("{indent}family {}  ", percent(family.score));
        let name = family.label.name_for_people(&self.kb);
        let line = format!("{share:<before$}{:<10}  {name}", family.label.to_string());
        *text += &(self.fit(line.trim_end(), 0) + "\n");
        if let Some(note) = self.restriction(family.label) {
            *text += &self.aside(note);
        }
        let is_member = |id: CweId| family.members.iter().any(|member| member.label == id);
        let others = listed.iter().filter(|scored| scored.label != family.label && !is_member(scored.label));
        let all: Vec<_> = family.members.iter().chain(others).collect();
        let shown = self.layout.rows.unwrap_or(usize::MAX).min(all.len());
        *text += &all.iter().take(shown).map(|scored| self.row(scored)).collect::<String>();
        *text += &self.more(all.len().saturating_sub(shown));
    }

    /// A line about the labels below it.
    fn note(&self, text: &str) -> String {
        format!("    {ASIDE}{}{ASIDE:#}\n", self.fit(text, 4))
    }

    /// The labels of no task, as the model writes them.
    fn others(&self, prediction: &Prediction, text: &mut String) {
        let labels = &prediction.other;
        if labels.is_empty() {
            return;
        }
        *text += &format!("{HEADING}Other labels{HEADING:#}\n");
        let shown = self.layout.rows.unwrap_or(usize::MAX).min(labels.len());
        for scored in labels.iter().take(shown) {
            let label = self.fit(&printable(&scored.label), self.before_id());
            let name = name_of_other(&scored.label, &self.kb);
            *text += &self.line(scored.score, scored.predicted, &label, name, "");
        }
        *text += &self.more(labels.len().saturating_sub(shown));
    }

    fn more(&self, more: usize) -> String {
        if more == 0 {
            return String::new();
        }
        self.note(&self.layout.glyphs.more(more))
    }

    /// The note on a checkpoint's label that is not in force.
    fn mark(&self, label: impl Label) -> Option<String> {
        let standing = Some(label.standing(&self.kb)).filter(|_| self.is_checkpoint)?;
        match standing {
            Standing::Current => None,
            Standing::Revoked { by: Some(by) } => {
                Some(format!("revoked; today it is {by} {}", by.name_for_people(&self.kb)))
            }
            Standing::Revoked { by: None } => Some("revoked".to_owned()),
            Standing::Deprecated => Some("deprecated".to_owned()),
            Standing::Unknown => Some("not known to the knowledge base".to_owned()),
        }
    }

    fn row<L: Label>(&self, scored: &ScoredLabel<L>) -> String {
        let beside = if self.is_checkpoint { scored.label.belongs_to(&self.kb) } else { String::new() };
        let name = match scored.label.name_for_people(&self.kb) {
            // What such an id is, the mark says.
            _ if self.is_checkpoint && scored.label.standing(&self.kb) == Standing::Unknown => "".into(),
            name => name,
        };
        let line = self.line(scored.score, scored.predicted, &scored.label.to_string(), &name, &beside);
        match scored.basis {
            Some(Basis::Catalogue) => line + &self.aside("no record taught it: known from CWE's own words"),
            _ => line,
        }
    }

    /// The line under a label of another release of ATT&CK than the knowledge base's, or that this one has no label
    /// for.
    fn counterpart<L: Label>(&self, scored: &ScoredLabel<L>) -> String {
        match scored.original {
            Some(original) => self.aside(&format!("{original} in the release that the model was made with")),
            None if scored.unmapped => self.aside("without a counterpart in the release that was asked for"),
            None => String::new(),
        }
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
        let why = match self.restriction(best.label) {
            Some(restriction) => restriction,
            None if self.kb.weakness(best.label).is_some() => "below the threshold",
            None if self.kb.grouping(best.label).is_some() => "a category, no weakness",
            None => "not in the knowledge base",
        };
        let row = self.row(&ScoredLabel::new(best.label, best.score, false));
        row + &self.aside(&format!("as records assign it; {why}"))
    }

    /// CWE's restriction of mapping to a weakness, in words.
    fn restriction(&self, id: CweId) -> Option<&'static str> {
        match self.kb.weakness(id)?.usage {
            Usage::Discouraged => Some("CWE discourages mapping to it"),
            Usage::Prohibited => Some("CWE prohibits mapping to it"),
            _ => None,
        }
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
}

/// True for an answer that tells a weakness, or might; and for one in no word.
fn tells_weakness(said: Option<Said>) -> bool {
    matches!(said, None | Some(Said::Weaknesses | Said::Family | Said::Unsure))
}

/// True for labels that follow from weaknesses, unless the model has labels of its own for the task.
fn is_derived(task: Task) -> bool {
    matches!(task, Task::Capec | Task::Attack)
}

/// True where techniques that analysts assign are listed.
fn lists_curated(prediction: &Prediction) -> bool {
    let techniques = prediction.attack_curated.as_ref().is_some_and(|curated| !curated.labels.is_empty());
    let tactics = prediction.attack_curated_tactics.as_ref();
    techniques || tactics.is_some_and(|curated| !curated.labels.is_empty())
}
