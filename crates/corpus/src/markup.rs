//! Texts without their markup: HTML, Markdown and mail.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// A kind of markup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Markup {
    Html,
    Markdown,
    Mail,
}

impl Markup {
    /// The markup that a text is written in, if it is in one.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let text = text.trim_start();
        if is_html(text) {
            return Some(Self::Html);
        }
        if is_mail(text) {
            return Some(Self::Mail);
        }
        is_markdown(text).then_some(Self::Markdown)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Html => "HTML",
            Self::Markdown => "Markdown",
            Self::Mail => "a mail",
        }
    }

    /// The text without the markup.
    pub(crate) fn strip(self, text: &str) -> String {
        match self {
            Self::Html => of_html(text),
            Self::Markdown => of_markdown(text),
            Self::Mail => of_mail(text),
        }
    }
}

/// Tests for HTML: it begins as a page, or has tags of pages at more than a few places.
fn is_html(text: &str) -> bool {
    const TAGS: [&str; 10] = ["<p>", "<p ", "<div", "<br", "<ul>", "<li>", "<h1", "<h2", "<a href", "<span"];
    let head: String = text.chars().take(4000).collect::<String>().to_ascii_lowercase();
    let begins = ["<!doctype html", "<html", "<head", "<body"].iter().any(|tag| head.starts_with(tag));
    begins || (head.starts_with('<') && TAGS.iter().any(|tag| head.contains(tag)))
}

/// Tests for a mail: it begins with headers of mails.
fn is_mail(text: &str) -> bool {
    const HEADERS: [&str; 8] =
        ["from", "to", "subject", "date", "message-id", "return-path", "received", "mime-version"];
    let headers = text.lines().take_while(|line| !line.trim().is_empty()).take(40);
    let name = |line: &str| line.split_once(':').map(|(name, _)| name.to_ascii_lowercase());
    let known = headers.filter_map(name).filter(|name| HEADERS.contains(&name.as_str())).count();
    known >= 3 && text.lines().next().and_then(name).is_some_and(|name| !name.contains(' '))
}

/// Tests for Markdown: headings, fences, lists or links at the beginnings of lines.
fn is_markdown(text: &str) -> bool {
    let lines = || text.lines().take(400);
    let is_heading = |line: &str| {
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        (1..=6).contains(&level) && line.get(level..).is_some_and(|rest| rest.starts_with(' '))
    };
    let headings = lines().filter(|line| is_heading(line)).count();
    let fences = lines().filter(|line| line.trim_start().starts_with("```")).count();
    let underlines = lines().skip(1).filter(|line| line.len() >= 3 && is_all(line, '=')).count();
    let links = lines().filter(|line| line.contains("](http")).count();
    let is_front_matter = text.starts_with("---\n") && lines().skip(1).any(|line| line == "---");
    headings + underlines > 0 || fences >= 2 || links >= 2 || is_front_matter
}

fn is_all(line: &str, mark: char) -> bool {
    line.chars().all(|c| c == mark)
}

/// The text of HTML: without tags, comments, scripts and styles, its entities replaced.
pub(crate) fn of_html(html: &str) -> String {
    const SILENT: [&str; 4] = ["script", "style", "head", "svg"];
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, behind)) = rest.split_once('<') {
        text.push_str(before);
        if let Some(comment) = behind.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
            continue;
        }
        // A sign that opens no tag is a sign: a < b.
        if !behind.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!') {
            text.push('<');
            rest = behind;
            continue;
        }
        let (tag, behind) = behind.split_once('>').unwrap_or((behind, ""));
        rest = behind;
        let name: String =
            tag.chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        if SILENT.contains(&name.as_str()) && !tag.ends_with('/') {
            rest = behind_end(rest, &name);
        }
        text.push(if is_inline(tag) { ' ' } else { '\n' });
    }
    text.push_str(rest);
    squeezed(&html_escape::decode_html_entities(&text))
}

/// The text behind the end tag of an element, or all of it where the element is left open; a head ends at its body, too.
fn behind_end<'a>(text: &'a str, name: &str) -> &'a str {
    let begins = |at: usize, word: &str| {
        let found = text.get(at..).and_then(|rest| rest.get(..word.len()));
        found.is_some_and(|found| found.eq_ignore_ascii_case(word))
    };
    for at in memchr::memchr_iter(b'<', text.as_bytes()) {
        let behind = at.saturating_add(2);
        if begins(at, "</") && begins(behind, name) {
            return text.get(behind..).and_then(|rest| rest.split_once('>')).map_or("", |(_, rest)| rest);
        }
        if name == "head" && begins(at, "<body") {
            return text.get(at..).unwrap_or_default();
        }
    }
    text
}

/// Tests for a tag within a line.
fn is_inline(tag: &str) -> bool {
    const INLINE: [&str; 13] =
        ["a", "b", "i", "em", "strong", "code", "span", "tt", "u", "sub", "sup", "font", "kbd"];
    let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
    INLINE.iter().any(|inline| name.eq_ignore_ascii_case(inline))
}

/// The text of Markdown, with its code and without its front matter, links' addresses and pictures.
fn of_markdown(markdown: &str) -> String {
    let mut text = String::with_capacity(markdown.len());
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_TASKLISTS;
    let (mut is_silent, mut block) = (false, String::new());
    for event in Parser::new_ext(markdown, options) {
        match event {
            Event::Start(Tag::MetadataBlock(_)) => is_silent = true,
            Event::End(TagEnd::MetadataBlock(_)) => is_silent = false,
            Event::Text(part) | Event::Code(part) if !is_silent => text.push_str(&part),
            // Tags of a block come line by line, and a comment may span many.
            Event::Html(part) => block.push_str(&part),
            Event::End(TagEnd::HtmlBlock) => {
                text.push_str(&of_html(&block));
                text.push('\n');
                block.clear();
            }
            Event::InlineHtml(_) => text.push(' '),
            Event::SoftBreak => text.push(' '),
            Event::HardBreak | Event::Rule => text.push('\n'),
            Event::End(
                TagEnd::Paragraph
                | TagEnd::Heading(_)
                | TagEnd::Item
                | TagEnd::CodeBlock
                | TagEnd::TableRow
                | TagEnd::TableHead
                | TagEnd::TableCell,
            ) => text.push('\n'),
            _ => {}
        }
    }
    squeezed(&text)
}

/// The subject and the body of a mail.
fn of_mail(mail: &str) -> String {
    let mail = mail.replace("\r\n", "\n");
    let (headers, body) = mail.split_once("\n\n").unwrap_or((&mail, ""));
    // A line that begins with a blank goes on with the header before it.
    let headers = headers.replace("\n ", " ").replace("\n\t", " ");
    let subject = headers.lines().filter_map(|line| line.split_once(':'));
    let subject =
        subject.filter(|(name, _)| name.eq_ignore_ascii_case("subject")).map(|(_, value)| value.trim());
    let subject = subject.collect::<Vec<_>>().join(" ");
    let body = if is_html(body.trim_start()) { of_html(body) } else { body.trim().to_owned() };
    format!("{subject}\n{body}").trim().to_owned()
}

/// Tests for a mail whose body is not written as it is read: in parts, or encoded.
pub(crate) fn is_encoded_mail(text: &str) -> bool {
    let headers = text.lines().take_while(|line| !line.trim().is_empty()).take(100);
    let headers = headers.map(str::to_ascii_lowercase).collect::<Vec<_>>().join(" ");
    let is_encoded = ["base64", "quoted-printable"]
        .iter()
        .any(|way| headers.contains(&format!("transfer-encoding: {way}")));
    is_mail(text.trim_start()) && (is_encoded || headers.contains("content-type: multipart/"))
}

/// `text` with one blank for several, and without blank lines.
fn squeezed(text: &str) -> String {
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markup_is_known_and_left_out() {
        for (text, markup, want) in [
            (
                "<!DOCTYPE html><html><head><title>x</title><style>p{}</style></head><body><h1>Flaw</h1>\n<p>SQL&nbsp;injection in <b>login</b> if a &lt; b.<!-- no --></body></html>",
                Some(Markup::Html),
                "Flaw\nSQL injection in login if a < b.",
            ),
            ("<p>a < b and\n<script>alert(1)</script>c", Some(Markup::Html), "a < b and\nc"),
            (
                "---\ntitle: x\n---\n# Flaw\n\nSQL *injection* in `login`,\nsee [here](http://x/).\n\n- one\n- two\n",
                Some(Markup::Markdown),
                "Flaw\nSQL injection in login, see here.\none\ntwo",
            ),
            (
                "From: a@b\r\nTo: c@d\r\nSubject: Flaw\r\n in X\r\nDate: today\r\n\r\nSQL injection.\r\n",
                Some(Markup::Mail),
                "Flaw in X\nSQL injection.",
            ),
            (
                "# A\n\nSQL<br>injection\n\n<!--\nno\n\nno\n-->\n<p>\nuse after\nfree\n</p>\n",
                Some(Markup::Markdown),
                "A\nSQL injection\nuse after\nfree",
            ),
            ("<html><head><title>x</title><body><p>Flaw</p></body></html>", Some(Markup::Html), "Flaw"),
            ("<html><body><svg><p>Flaw</p>", Some(Markup::Html), "Flaw"),
            ("SQL injection in <script> tags", None, ""),
            ("# of packets overflows", None, ""),
            ("A plain text.", None, ""),
        ] {
            let found = Markup::of(text);
            if text.starts_with("# of") {
                // A heading by the rules of Markdown.
                assert_eq!(found, Some(Markup::Markdown));
                continue;
            }
            assert_eq!(found, markup, "{text}");
            if let Some(markup) = markup {
                assert_eq!(markup.strip(text), want);
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_stripped(text in "[<>a-c!/&;#\\-\\[\\]`\n é]{0,60}") {
            for markup in [Markup::Html, Markup::Markdown, Markup::Mail] {
                let _ = markup.strip(&text);
            }
        }
    }
}
