//! Markdown for tickets: a section a record.

use std::fmt::Write as _;

use crate::answer::Answer;
use crate::findings::{Findings, title};
use crate::format::Format;
use crate::label::Label;
use crate::markdown_text::{escaped, quoted};
use crate::rendering::{Records, Setup};
use crate::score::percent;

pub(super) const FORMAT: Format = Format::records(
    "markdown",
    "A section of Markdown a record, for tickets: its text, and what is answered, with links",
    |setup| Box::new(Markdown(setup.clone())),
)
.own_ending("md")
.endings(&["md"])
.media("text/markdown; charset=utf-8")
.with_texts()
.of_techniques();

/// Sections of Markdown. Texts from outside are escaped or stand in blocks of code.
struct Markdown(Setup);

/// A table of labels; nothing where there are none.
fn table(heading: &str, rows: impl Iterator<Item = [String; 4]>) -> String {
    let mut table = String::new();
    for [id, name, score, reason] in rows {
        if table.is_empty() {
            table = format!("\n### {heading}\n\n| | name | probability | |\n|---|---|---:|---|\n");
        }
        // A string takes all that is written.
        let _ = writeln!(table, "| {id} | {} | {score} | {} |", escaped(&name), escaped(&reason));
    }
    table
}

/// A reason without the probability, which has a column of its own.
fn behind_score(reason: &str) -> String {
    reason.split_once(", ").map_or("", |(_, rest)| rest).to_owned()
}

impl Records for Markdown {
    fn push(&self, answer: &Answer, out: &mut Vec<u8>) {
        let (findings, Setup { run, kb, .. }) = (Findings::of(answer, &self.0), &self.0);
        let link = |id: String, url: String| format!("[{id}]({url})");
        let score = |score: f32| percent(score).trim().to_owned();
        let mut text = format!("## {}\n", escaped(&title(answer)));
        if let Some(quote) = answer.text.as_ref().filter(|text| !text.trim().is_empty()) {
            text += &format!("\n{}", quoted(quote));
        }
        if let Some(said) = answer.prediction.said {
            text += &format!("\n{}\n", said.sentence());
        }
        if let Some(family) = &answer.prediction.family {
            let (id, name) = (family.label, family.label.name(kb));
            let link = link(id.to_string(), id.url());
            text += &format!("\nFamily: {link} {}, {}\n", escaped(&name), score(family.score));
        }
        text += &table(
            "Weaknesses (CWE)",
            findings.weaknesses.iter().map(|w| {
                let (id, name) = (w.label, w.label.name(kb));
                [link(id.to_string(), id.url()), name.into_owned(), score(w.score), String::new()]
            }),
        );
        text += &table(
            "Techniques (ATT&CK)",
            findings.techniques.iter().map(|t| {
                let name = t.id.name(kb).into_owned();
                [link(t.id.to_string(), t.id.url()), name, score(t.score), behind_score(&t.reason())]
            }),
        );
        text += &table(
            "Attack patterns (CAPEC)",
            findings.patterns.iter().map(|p| {
                let (id, name) = (p.label, p.label.name(kb).into_owned());
                [link(id.to_string(), id.url()), name, score(p.score), behind_score(&p.reason())]
            }),
        );
        text += &format!(
            "\nPredicted from the text by vulnlens (model {} {}; {}); nothing here was observed.\n",
            escaped(&run.model),
            escaped(&run.model_revision),
            escaped(&run.versions.to_string()),
        );
        out.extend_from_slice(text.as_bytes());
    }

    fn separator(&self) -> &'static [u8] {
        b"\n"
    }
}
