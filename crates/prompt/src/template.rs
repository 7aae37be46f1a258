//! Templates of prompts: text with placeholders, each filled once.
//!
//! A filled-in text is never read again: a placeholder in the text of a record stays as it is.

use std::path::Path;

use vulnlens_files::{read_at_most, sha256_hex};

use crate::error::PromptError;

/// The longest template, so that a wrong file is not taken for one.
const LONGEST: u64 = 1 << 20;
/// The template that ships.
const BUILT_IN: &str = include_str!("../assets/template.txt");
/// The name of the template that ships, in messages.
const BUILT_IN_NAME: &str = "the built-in template";

/// A template of prompts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
    sha256: String,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(Placeholder),
}

/// A place of a template that is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placeholder {
    /// The text of the record.
    Text,
    /// The ids and names of the candidates, a line each.
    Candidates,
    /// The definitions of the candidates, a line each.
    Definitions,
    /// Other texts with their answers.
    Examples,
}

impl Placeholder {
    const ALL: [Self; 4] = [Self::Text, Self::Candidates, Self::Definitions, Self::Examples];

    const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Candidates => "candidates",
            Self::Definitions => "definitions",
            Self::Examples => "examples",
        }
    }
}

/// The values of the placeholders.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Values<'a> {
    pub(crate) text: &'a str,
    pub(crate) candidates: &'a str,
    pub(crate) definitions: &'a str,
    pub(crate) examples: &'a str,
}

impl Default for Template {
    /// The template that ships, for every task.
    fn default() -> Self {
        // A test parses it.
        Self::parse(BUILT_IN, Path::new(BUILT_IN_NAME))
            .unwrap_or_else(|_| Self { parts: vec![], sha256: String::new() })
    }
}

impl Template {
    /// Reads the template in a file.
    ///
    /// # Errors
    /// The file cannot be read, or is not a template.
    pub fn read(path: &Path) -> Result<Self, PromptError> {
        let bytes = read_at_most(path, LONGEST)?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
            let line = valid.iter().filter(|byte| **byte == b'\n').count().saturating_add(1);
            let problem = "is not UTF-8; save the template in that encoding".to_owned();
            PromptError::Template { file: path.to_owned(), line, problem }
        })?;
        Self::parse(&text, path)
    }

    /// Parses the text of a template; `file` names it in messages.
    ///
    /// # Errors
    /// A placeholder is unknown, a brace is alone, or the text or the candidates have no place.
    pub fn parse(text: &str, file: &Path) -> Result<Self, PromptError> {
        let (mut parts, mut literal, mut rest) = (vec![], String::new(), text);
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            literal += before;
            let wrong = |problem: String| {
                let read = text.len().saturating_sub(brace.len());
                let line = text.bytes().take(read).filter(|byte| *byte == b'\n').count().saturating_add(1);
                PromptError::Template { file: file.to_owned(), line, problem }
            };
            if let Some(after) = brace.strip_prefix("{{").or_else(|| brace.strip_prefix("}}")) {
                literal.push_str(brace.get(..1).unwrap_or_default());
                rest = after;
                continue;
            }
            let inside = brace.strip_prefix('{').and_then(|inside| inside.split_once('}'));
            let (name, after) = inside.ok_or_else(|| wrong(ALONE.to_owned()))?;
            let placeholder = Placeholder::ALL.into_iter().find(|placeholder| placeholder.name() == name);
            let placeholder = placeholder.ok_or_else(|| wrong(unknown(name)))?;
            parts.push(Part::Text(std::mem::take(&mut literal)));
            parts.push(Part::Placeholder(placeholder));
            rest = after;
        }
        literal += rest;
        parts.push(Part::Text(literal));
        let template = Self { parts, sha256: sha256_hex(text) };
        let has = |placeholder| template.has(placeholder);
        let is_whole =
            has(Placeholder::Text) && (has(Placeholder::Candidates) || has(Placeholder::Definitions));
        is_whole.then_some(template).ok_or_else(|| PromptError::Template {
            file: file.to_owned(),
            line: text.lines().count().max(1),
            problem: "the template ends without {text}, or without both of {candidates} and {definitions}; \
                      write where they are to stand"
                .to_owned(),
        })
    }

    /// SHA-256 of the template's text, in hex.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// True if the template has such a placeholder.
    pub(crate) fn has(&self, placeholder: Placeholder) -> bool {
        self.parts.contains(&Part::Placeholder(placeholder))
    }

    /// The template with its placeholders filled, each once.
    pub(crate) fn fill(&self, values: Values<'_>) -> String {
        let piece = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Placeholder(Placeholder::Text) => values.text.to_owned(),
            Part::Placeholder(Placeholder::Candidates) => values.candidates.to_owned(),
            Part::Placeholder(Placeholder::Definitions) => values.definitions.to_owned(),
            Part::Placeholder(Placeholder::Examples) => values.examples.to_owned(),
        };
        self.parts.iter().map(piece).collect()
    }
}

const ALONE: &str = "a brace stands alone; write `{{` for `{` and `}}` for `}`";

fn unknown(name: &str) -> String {
    let known = Placeholder::ALL.map(|placeholder| format!("{{{}}}", placeholder.name())).join(", ");
    let name: String = name.chars().take(40).collect();
    format!("{{{name}}} is not one of {known}; write `{{{{` and `}}}}` where braces are meant")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Template, PromptError> {
        Template::parse(text, Path::new("t.txt"))
    }

    #[test]
    fn the_template_that_ships_is_one() {
        let template = Template::parse(BUILT_IN, Path::new(BUILT_IN_NAME)).unwrap();
        assert!(Placeholder::ALL.into_iter().all(|placeholder| template.has(placeholder)));
        assert_eq!(template, Template::default());
    }

    #[test]
    fn placeholders_are_filled_once_and_braces_stay() {
        let template = parse("{candidates}|{text}|{examples}|{{\"labels\": []}}").unwrap();
        let values = Values { text: "{candidates} {{ }", candidates: "{text}", ..Values::default() };
        assert_eq!(template.fill(values), "{text}|{candidates} {{ }||{\"labels\": []}");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, expected) in [
            ("{text}\n{candidates}\n{label}\n", "t.txt:3: {label} is not one of {text}, {candidates}"),
            ("{text}\n{\"labels\": []}", "t.txt:2: {\"labels\": []} is not one of"),
            ("{text} }", "t.txt:1: a brace stands alone"),
            ("a\nb\n{text", "t.txt:3: a brace stands alone"),
            ("{text}\nno list", "t.txt:2: the template ends without"),
            ("{candidates}", "t.txt:1: the template ends without"),
            ("", "t.txt:1: the template ends without"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text:?}: {error}");
        }
    }
}
