//! The terminal and the environment: read once, here, and nowhere else.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anstream::ColorChoice;
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use vulnlens::report::{Glyphs, TableLayout, is_unseen};

use crate::failure::Failure;
use crate::options::{Color, GlobalArguments};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

/// The width of tables where no terminal says one.
const USUAL_WIDTH: usize = 100;
/// The widest a table gets: longer lines are hard to read.
const WIDEST: usize = 160;

/// The terminal: its streams, its width, and the verbosity of messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    pub(crate) stdin_is_terminal: bool,
    pub(crate) stdout_is_terminal: bool,
    pub(crate) stderr_is_terminal: bool,
    pub(crate) width: usize,
    pub(crate) glyphs: Glyphs,
    /// Negative: errors alone; 0: what matters; above: details.
    verbosity: i8,
}

impl Terminal {
    /// Looks at the streams and the environment, and sets the choice of colour for both streams.
    pub(crate) fn new(arguments: &GlobalArguments) -> Self {
        match arguments.color {
            // anstream heeds NO_COLOR, CLICOLOR and CLICOLOR_FORCE.
            Color::Auto => {}
            Color::Always => ColorChoice::Always.write_global(),
            Color::Never => ColorChoice::Never.write_global(),
        }
        // A terminal that does not know its size says 0.
        let columns = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        let columns = columns.filter(|columns| *columns > 0).unwrap_or(USUAL_WIDTH);
        Self {
            stdin_is_terminal: io::stdin().is_terminal(),
            stdout_is_terminal: io::stdout().is_terminal(),
            stderr_is_terminal: io::stderr().is_terminal(),
            width: columns.min(WIDEST),
            glyphs: glyphs(locale().as_deref()),
            verbosity: arguments.verbosity(),
        }
    }

    /// The usual layout of tables.
    pub(crate) fn layout(&self) -> TableLayout {
        TableLayout { width: self.width, glyphs: self.glyphs, ..TableLayout::default() }
    }

    /// Says something worth knowing, on standard error.
    pub(crate) fn note(&self, text: &str) {
        if self.verbosity >= 0 {
            say(None, text);
        }
    }

    /// Says something that only `--verbose` asks for.
    pub(crate) fn detail(&self, text: &str) {
        if self.verbosity > 0 {
            say(None, text);
        }
    }

    /// The same terminal for what was said before: errors alone.
    pub(crate) fn silent(self) -> Self {
        Self { verbosity: -1, ..self }
    }

    pub(crate) fn is_verbose(&self) -> bool {
        self.verbosity > 0
    }

    /// Says that something is wrong which stops nothing.
    pub(crate) fn warn(&self, text: &str) {
        if self.verbosity >= 0 {
            say(Some((WARNING, "warning")), text);
        }
    }

    /// A sign of life for long work, in `template`'s form; none where nobody would see it. The key `rate` is a number
    /// without decimals, whose unit the template states.
    pub(crate) fn progress(&self, template: &str) -> ProgressBar {
        if self.verbosity < 0 || !self.stderr_is_terminal {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        restyle(&bar, template);
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}

/// Gives a bar another form.
pub(crate) fn restyle(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.with_key("rate", rate));
    }
}

/// Writes the rate of a bar.
fn rate(state: &ProgressState, out: &mut dyn fmt::Write) {
    // A template has no way to tell of a failure.
    let _ = write!(out, "{:.0}", state.per_sec());
}

/// Sets the choice of colours from `--color` on the command line, where its arguments were not parsed: help and
/// messages about arguments heed it, too.
pub(crate) fn choose_colors(arguments: &[OsString]) {
    let arguments = arguments.iter().map(|argument| argument.to_string_lossy().into_owned());
    let arguments: Vec<String> = arguments.take_while(|argument| argument != "--").collect();
    let separate = arguments.windows(2).filter(|pair| pair[0] == "--color").map(|pair| pair[1].as_str());
    let joined = arguments.iter().filter_map(|argument| argument.strip_prefix("--color="));
    match separate.chain(joined).next_back() {
        Some("always") => ColorChoice::Always.write_global(),
        Some("never") => ColorChoice::Never.write_global(),
        // anstream heeds NO_COLOR, CLICOLOR and CLICOLOR_FORCE.
        _ => {}
    }
}

/// Says that something failed; that is said whatever the verbosity.
pub(crate) fn error(text: &str) {
    say(Some((ERROR, "error")), text);
}

/// Says why the command failed.
pub(crate) fn failure(failure: &Failure) {
    error(&failure.message);
    if let Some(hint) = &failure.hint {
        say(Some((HINT, "hint")), hint);
    }
}

/// Says what is wrong with the arguments: without styles where the arguments themselves could bring some.
pub(crate) fn usage(error: &clap::Error, arguments: &[OsString]) {
    let is_harmful = |argument: &OsString| matches!(harmless(&argument.to_string_lossy()), Cow::Owned(_));
    // Nothing can be said about a standard error that cannot be written to.
    let _ = match arguments.iter().any(is_harmful) {
        true => write!(anstream::stderr().lock(), "{}", harmless(&error.render().to_string())),
        false => error.print(),
    };
}

/// The one place where text goes to standard error: file names and the contents of files are part of it.
fn say(label: Option<(Style, &str)>, text: &str) {
    let label = label.map_or_else(String::new, |(style, label)| format!("{style}{label}:{style:#} "));
    // Nothing can be said about a standard error that cannot be written to.
    let _ = writeln!(anstream::stderr().lock(), "{label}{}", harmless(text));
}

/// `text` with its control characters written out, so that it cannot command a terminal: escape sequences, and marks that
/// change the direction of writing or that nobody sees. Line feeds and tabs stay.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    let is_harmful = |c: char| c.is_control() && !matches!(c, '\n' | '\t') || is_unseen(c);
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let written_out = |c: char| if is_harmful(c) { c.escape_default().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(written_out).collect())
}

/// As [`harmless`], with styles left as they are: `text` has its own, and maybe names from outside.
pub(crate) fn harmless_but_styled(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default();
    parts.fold(harmless(first).into_owned(), |shown, part| {
        let style = part.strip_prefix('[').and_then(|rest| rest.split_once('m'));
        match style.filter(|(codes, _)| codes.bytes().all(|byte| byte.is_ascii_digit() || byte == b';')) {
            Some((codes, rest)) => format!("{shown}\u{1b}[{codes}m{}", harmless(rest)),
            None => format!("{shown}{}", harmless(&format!("\u{1b}{part}"))),
        }
    })
}

/// The locale that the environment names, by POSIX's order.
pub(crate) fn locale() -> Option<String> {
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
}

/// A locale that names another encoding than UTF-8 gets ASCII; most terminals without a locale show UTF-8.
fn glyphs(locale: Option<&str>) -> Glyphs {
    let is_utf8 = |locale: &str| locale.to_ascii_lowercase().replace('-', "").contains("utf8");
    if locale.is_none_or(is_utf8) { Glyphs::Unicode } else { Glyphs::Ascii }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_commands_the_terminal() {
        assert_eq!(harmless("a\tb\nc é ✓"), "a\tb\nc é ✓");
        let text = "i\u{1b}]0;PWNED\u{7}d\r\u{9b}31m\u{202e}";
        assert_eq!(harmless(text), r"i\u{1b}]0;PWNED\u{7}d\r\u{9b}31m\u{202e}");
    }

    #[test]
    fn styles_are_all_that_is_left_of_escape_sequences() {
        let text = "\u{1b}[1mhead\u{1b}[0m a\u{1b}]0;PWNED\u{7}\u{1b}[2J\u{202e}b\u{1b}[38;5;1mc";
        let want =
            concat!("\u{1b}[1mhead\u{1b}[0m a", r"\u{1b}]0;PWNED\u{7}\u{1b}[2J\u{202e}b", "\u{1b}[38;5;1mc");
        assert_eq!(harmless_but_styled(text), want);
        assert_eq!(harmless("zero\u{200b}width"), r"zero\u{200b}width");
    }

    #[test]
    fn the_locale_chooses_the_signs() {
        for (locale, want) in [
            (None, Glyphs::Unicode),
            (Some("en_GB.UTF-8"), Glyphs::Unicode),
            (Some("C.utf8"), Glyphs::Unicode),
            (Some("C"), Glyphs::Ascii),
            (Some("de_DE.ISO-8859-1"), Glyphs::Ascii),
        ] {
            assert_eq!(glyphs(locale), want, "{locale:?}");
        }
    }
}
