//! Layout and styles of text for people.

use anstyle::{AnsiColor, Style};

use crate::glyphs::Glyphs;

pub(crate) const HEADING: Style = Style::new().bold();
pub(crate) const PREDICTED: Style = AnsiColor::Green.on_default();
pub(crate) const ASIDE: Style = Style::new().dimmed();

/// The layout of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableLayout {
    /// Labels shown of each taxonomy, the best ones; `None` for all.
    pub rows: Option<usize>,
    /// Attack patterns and techniques shown at most that follow from weaknesses, where techniques that analysts assign
    /// are listed in front of them; `None` for as many as of the others.
    pub derived: Option<usize>,
    /// Characters in a line; at least 25 are used, and below 60 there is no room for bars.
    pub width: usize,
    /// The signs to draw with.
    pub glyphs: Glyphs,
}

impl Default for TableLayout {
    fn default() -> Self {
        Self { rows: Some(5), derived: Some(2), width: 100, glyphs: Glyphs::default() }
    }
}

/// The words of `text` in lines of at most `width` characters, except for a word that is longer.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// `text` from outside without characters that would command the terminal, or that nobody sees.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_unseen(c) { '\u{FFFD}' } else { c }).collect()
}

/// True for marks that change the direction of writing, and characters of no width.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}
