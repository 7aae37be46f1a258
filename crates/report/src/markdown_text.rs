//! Texts from outside in Markdown, where nothing in them is taken for markup, HTML, a link or a mention.

use crate::layout::{printable, wrapped};

/// Characters in a line of a quoted text.
const WIDTH: usize = 100;

/// `text` on one line, in a paragraph, a heading or a cell.
pub(crate) fn escaped(text: &str) -> String {
    let mut cell = String::new();
    for c in printable(text).chars() {
        match c {
            '<' => cell += "&lt;",
            '>' => cell += "&gt;",
            '&' => cell += "&amp;",
            '@' => cell += "&#64;",
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '#' | '!' => cell.extend(['\\', c]),
            c => cell.push(c),
        }
    }
    cell
}

/// `text` as a block of code: what ends the block is longer than any run of backticks in it. Paragraphs stay, lines are
/// broken between words.
pub(crate) fn quoted(text: &str) -> String {
    let lines: Vec<String> = text
        .lines()
        .flat_map(|line| {
            let wrapped = wrapped(&printable(line), WIDTH);
            if wrapped.is_empty() { vec![String::new()] } else { wrapped }
        })
        .collect();
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", lines.join("\n").trim_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_text_holds_no_markup() {
        assert_eq!(escaped("a|b <i> @me [x](y)\n"), "a\\|b &lt;i&gt; &#64;me \\[x\\](y)\u{FFFD}");
    }

    #[test]
    fn a_quoted_text_does_not_end_its_block() {
        let quoted = quoted("one\n\n````\n# <b>two</b> \u{1b}[1m");
        assert_eq!(quoted, "`````text\none\n\n````\n# <b>two</b> \u{FFFD}[1m\n`````\n");
        assert_eq!(super::quoted(""), "```text\n\n```\n");
    }
}
