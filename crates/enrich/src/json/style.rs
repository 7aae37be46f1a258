//! The way in which a document is laid out around a place.

use super::node::{Member, Node};

/// Longest indentation that is imitated: more is a slip, or meant to blow a document up.
const LONGEST: usize = 512;
/// The indentation of a level, where nothing shows another.
const UNIT: &str = "  ";

/// The layout of the members of an object, or of the items of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Style {
    /// Line end and indentation of each member; none where all stand on one line.
    lines: Option<Lines>,
    /// The blanks behind a comma, on one line.
    comma: String,
    /// The text between a key and its value.
    colon: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Lines {
    end: &'static str,
    indent: String,
    /// The indentation that one more level gets.
    unit: String,
}

impl Default for Style {
    fn default() -> Self {
        Self { lines: None, comma: String::new(), colon: ":".to_owned() }
    }
}

impl Style {
    /// The style of a document that has none: a member a line.
    pub(crate) fn pretty() -> Self {
        let lines = Lines { end: "\n", indent: String::new(), unit: UNIT.to_owned() };
        Self { lines: Some(lines), comma: " ".to_owned(), colon: ": ".to_owned() }
    }

    /// The style of the members of a node; none where it has none.
    pub(crate) fn of(node: &Node<'_>, members: &[Member<'_>]) -> Option<Self> {
        let (first, last) = (members.first()?, members.last()?);
        let at = node.at();
        let opening = blanks(node.between(at.start.saturating_add(1), first.value.at().start));
        let closing = node.between(last.value.at().end, at.end.saturating_sub(1));
        let lines = lines(opening, closing);
        let colon = first.key.as_ref().and_then(|_| colon(node, first)).unwrap_or_else(|| ":".to_owned());
        let second = members.get(1).map(|second| {
            let behind = node.between(first.value.at().end, second.value.at().start);
            blanks(behind.trim_start().strip_prefix(',').unwrap_or_default()).to_owned()
        });
        let usual = || if colon.ends_with(' ') { " ".to_owned() } else { String::new() };
        let comma = second.filter(|comma| comma.len() <= 8 && !comma.contains('\n')).unwrap_or_else(usual);
        Some(Self { lines, comma, colon })
    }

    /// The style with the colons of another one: an array has none of its own.
    pub(crate) fn colons_of(self, other: &Self) -> Self {
        Self { colon: other.colon.clone(), ..self }
    }

    /// The style one level deeper.
    pub(crate) fn within(&self) -> Self {
        let lines = self
            .lines
            .as_ref()
            .map(|lines| Lines { indent: format!("{}{}", lines.indent, lines.unit), ..lines.clone() });
        Self { lines, ..self.clone() }
    }

    /// Appends what stands before a member: nothing, or the beginning of a line.
    pub(crate) fn write_start(&self, is_first: bool, out: &mut String) {
        match &self.lines {
            Some(lines) => {
                out.push_str(lines.end);
                out.push_str(&lines.indent);
            }
            None if is_first => {}
            None => out.push_str(&self.comma),
        }
    }

    /// Appends a key that is quoted, and what stands behind it.
    pub(crate) fn write_key(&self, key: &str, out: &mut String) {
        out.push_str(key);
        out.push_str(&self.colon);
    }

    /// Appends items in their brackets, of which the outer style ends the last line.
    pub(super) fn write_all<T>(
        &self,
        items: impl Iterator<Item = T>,
        (open, close): (char, char),
        outer: &Self,
        out: &mut String,
        write: impl Fn(T, &mut String),
    ) {
        out.push(open);
        let mut is_empty = true;
        for item in items {
            if !is_empty {
                out.push(',');
            }
            self.write_start(is_empty, out);
            write(item, out);
            is_empty = false;
        }
        if !is_empty {
            outer.write_end(out);
        }
        out.push(close);
    }

    /// Appends what stands before the closing bracket of something that holds members of the next level.
    pub(crate) fn write_end(&self, out: &mut String) {
        if let Some(lines) = &self.lines {
            out.push_str(lines.end);
            out.push_str(&lines.indent);
        }
    }
}

/// The blanks that a text begins with.
fn blanks(text: &str) -> &str {
    let length = text.len().saturating_sub(text.trim_ascii_start().len());
    text.get(..length).unwrap_or_default()
}

/// The lines of members, by what stands before the first one and behind the last one.
fn lines(opening: &str, closing: &str) -> Option<Lines> {
    let (before, indent) = opening.rsplit_once('\n')?;
    if indent.len() > LONGEST {
        return None;
    }
    let outer = closing.rsplit_once('\n').map(|(_, outer)| outer);
    let unit =
        outer.and_then(|outer| indent.strip_prefix(outer)).filter(|unit| !unit.is_empty()).unwrap_or(UNIT);
    let end = if before.ends_with('\r') { "\r\n" } else { "\n" };
    Some(Lines { end, indent: indent.to_owned(), unit: unit.to_owned() })
}

/// The colon behind the key of a member, with its blanks.
fn colon(node: &Node<'_>, member: &Member<'_>) -> Option<String> {
    let head = node.between(node.at().start, member.value.at().start);
    let before = head.trim_ascii_end().strip_suffix(':')?.trim_ascii_end();
    let colon = head.get(before.len()..)?;
    (colon.len() <= 8 && !colon.contains(['\n', '\r'])).then(|| colon.to_owned())
}
