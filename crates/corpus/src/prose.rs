//! Prose told from lists: whether the lines of a text are one text, or a text each.

/// The least width at which lines are wrapped.
const NARROWEST: usize = 40;
/// The greatest width at which lines are wrapped.
const WIDEST: usize = 200;

/// Tests whether the lines of `text` belong together: wrapped lines, paragraphs between blank lines, or fields. A list
/// is what has a text on each line and little else.
pub(crate) fn is_one_text(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let written: Vec<&str> = lines.iter().copied().filter(|line| !line.trim().is_empty()).collect();
    if written.len() < 2 {
        // A single line is one text either way.
        return false;
    }
    let last = lines.iter().rposition(|line| !line.is_empty()).unwrap_or_default();
    let blank = lines.iter().take(last).filter(|line| line.is_empty()).count();
    is_wrapped(&lines) || blank.saturating_mul(10) >= lines.len() || has_fields(&written)
}

/// Tests for lines that go on on the next one: the first word of this would hardly have fitted in the longest line, no
/// sentence ends there, and the words on both sides of many a break belong together.
fn is_wrapped(lines: &[&str]) -> bool {
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or_default();
    if !(NARROWEST..=WIDEST).contains(&width) {
        return false;
    }
    let pairs =
        lines.iter().zip(lines.iter().skip(1)).filter(|(line, next)| !line.is_empty() && !next.is_empty());
    // Whoever begins a list in capitals does not go on in small letters.
    let begins_big = lines
        .iter()
        .find_map(|line| line.chars().find(|c| c.is_alphabetic()))
        .is_some_and(char::is_uppercase);
    let (mut all, mut full, mut going_on, mut bound) = (0usize, 0usize, 0usize, 0usize);
    for (line, next) in pairs {
        let last = line.split_whitespace().next_back().unwrap_or_default();
        let first = next.split_whitespace().next().unwrap_or_default();
        let length = line.chars().count().saturating_add(first.chars().count());
        // Who wraps by hand leaves some room.
        let is_full = length.saturating_mul(10) >= width.saturating_mul(8);
        let begins_small = first.starts_with(|c: char| c.is_lowercase() || c.is_ascii_digit() || c == '(');
        let is_open = last.ends_with([',', '-', ':', '(']) || is_binding(last);
        let goes_on = is_full && !line.ends_with(['.', '!', '?']) && (begins_small || is_open);
        all = all.saturating_add(1);
        full = full.saturating_add(usize::from(is_full));
        going_on = going_on.saturating_add(usize::from(goes_on));
        bound = bound.saturating_add(usize::from(goes_on && (is_open || begins_big || is_binding(first))));
    }
    let share = |part: usize, tenths: usize| part.saturating_mul(10) >= all.saturating_mul(tenths);
    all > 0 && share(full, 7) && share(going_on, 5) && share(bound, 2)
}

/// Tests for a word that neither ends nor begins a text of its own.
fn is_binding(word: &str) -> bool {
    const WORDS: [&str; 48] = [
        "a", "an", "and", "are", "as", "at", "be", "because", "been", "before", "but", "by", "can", "could",
        "does", "for", "from", "has", "have", "if", "in", "into", "is", "it", "its", "may", "might", "not",
        "of", "on", "or", "so", "than", "that", "the", "their", "then", "this", "to", "was", "when", "where",
        "which", "who", "will", "with", "without", "would",
    ];
    WORDS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// Tests for fields such as `Severity: high` on at least half of the lines.
fn has_fields(lines: &[&str]) -> bool {
    let is_field = |line: &&&str| {
        line.split_once(':').is_some_and(|(name, value)| {
            let is_name = !name.is_empty() && name.len() <= 30 && name.split_whitespace().count() <= 3;
            is_name
                && name.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '-' | '_'))
                && value.starts_with([' ', '\t'])
        })
    };
    let fields = lines.iter().filter(is_field).count();
    // Texts that name their product first have a colon, too, and mostly the same length.
    fields >= 2 && fields.saturating_mul(2) >= lines.len() && lines.iter().any(|line| line.len() < 40)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_lines_paragraphs_and_fields_are_one_text() {
        for text in [
            "A flaw in the login form of Acme Portal before 2.1 lets remote\nattackers execute SQL commands by the parameter id, which is\nnot escaped.\n",
            "Acme Portal advisory\n\nThe login form passes the parameter id to the database without escaping it.\n\nUpdate to 2.1.\n",
            "Title: SQL injection\nSeverity: high\nCredits: J. Doe\nDescription: the parameter id is not escaped",
            "The search page of Acme Shop 2.1 echoes\nthe parameter q without encoding, so that a link\ncan run script in a visitor's browser.\n",
            "The parser of image files does not check the number of planes, so that a crafted file\nwrites beyond the end of a buffer on the heap.",
        ] {
            assert!(is_one_text(text), "{text}");
        }
    }

    #[test]
    fn a_text_on_each_line_is_a_list() {
        for text in [
            "SQL injection\nUse after free\n",
            "SQL injection in login.php\nbuffer overflow in the parser of images\nxss\n",
            "SQL injection in login.php lets attackers execute SQL commands.\nThe parser of images writes beyond a buffer on the heap.\nA race between two threads frees an object twice.\n",
            "Acme: SQL injection in login.php lets attackers execute SQL commands\nZlib: the parser writes beyond the end of a buffer on the heap of it\n",
            "buffer overflow in the parser of images of acme\nsql injection in the login form of the portal\ncross-site scripting in the search page of shop\n",
            "one line alone",
            "one line alone\n\n\n",
            "",
        ] {
            assert!(!is_one_text(text), "{text}");
        }
        let long = "The parser of images writes beyond a buffer.\n".repeat(30)
            + "\n"
            + &"A race frees twice.\n".repeat(30);
        assert!(!is_one_text(&long), "a gap in a list");
    }
}
