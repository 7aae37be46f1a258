//! YAML as values with their lines. Anchors and aliases are refused where they stand: nothing is copied, so that the
//! values are bounded by the file.

use saphyr_parser::{Event, Parser, ScanError, Span};

use crate::error::{BadField, ParseError, excerpt};

/// Depth of values within values that is read; ATLAS has eight.
const DEPTH: usize = 64;

/// A value and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) line: usize,
    pub(crate) content: Content,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
    /// A reference to another value, or a key that is no text: not read.
    Refused,
}

/// Reads the first document of a file.
pub(crate) fn parse(text: &str, file: &str) -> Result<Value, ParseError> {
    let mut events = Parser::new_from_str(text);
    loop {
        match next(&mut events, file)? {
            (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
            (event, span) => return value(event, span, &mut events, file, DEPTH),
        }
    }
}

fn next<'t>(
    events: &mut impl Iterator<Item = Result<(Event<'t>, Span), ScanError>>,
    file: &str,
) -> Result<(Event<'t>, Span), ParseError> {
    match events.next() {
        Some(Ok(event)) => Ok(event),
        Some(Err(error)) => Err(malformed(file, error.marker(), error.info())),
        None => Err(ParseError::not_catalogue(file, "YAML", "it ends before its first value does")),
    }
}

fn malformed(file: &str, at: &saphyr_parser::Marker, detail: &str) -> ParseError {
    let (line, column) = (at.line(), at.col().saturating_add(1));
    ParseError::Yaml { file: file.to_owned(), line, column, detail: excerpt(detail) }
}

fn value<'t>(
    event: Event<'t>,
    span: Span,
    events: &mut impl Iterator<Item = Result<(Event<'t>, Span), ScanError>>,
    file: &str,
    depth: usize,
) -> Result<Value, ParseError> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(malformed(file, &span.start, "values stand within values too deeply"));
    };
    let content = match event {
        Event::Scalar(text, ..) => Content::Text(text.into_owned()),
        Event::SequenceStart(..) => {
            let mut list = vec![];
            loop {
                match next(events, file)? {
                    (Event::SequenceEnd, _) => break Content::List(list),
                    (event, span) => list.push(value(event, span, events, file, depth)?),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut map = vec![];
            loop {
                let key = match next(events, file)? {
                    (Event::MappingEnd, _) => break Content::Map(map),
                    (event, span) => value(event, span, events, file, depth)?,
                };
                let (event, span) = next(events, file)?;
                let of_key = value(event, span, events, file, depth)?;
                if let Content::Text(key) = key.content {
                    map.push((key, of_key));
                }
            }
        }
        _ => Content::Refused,
    };
    Ok(Value { line: span.start.line(), content })
}

impl Value {
    /// The value of a key; none where this is no map or lacks the key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Content::Map(map) = &self.content else { return None };
        map.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The items of a list.
    pub(crate) fn list(&self) -> Option<&[Self]> {
        let Content::List(list) = &self.content else { return None };
        Some(list)
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        let Content::Text(text) = &self.content else { return None };
        Some(text)
    }

    /// The text of a key that has to be there.
    pub(crate) fn required(&self, key: &'static str) -> Result<&str, BadField> {
        let bad = |problem: &str| BadField { field: key, problem: problem.to_owned() };
        let value = self.get(key).ok_or_else(|| bad("is missing"))?;
        value.text().filter(|text| !text.is_empty()).ok_or_else(|| bad("is not a text"))
    }

    /// The items of the list of a key; none where the key is missing.
    pub(crate) fn items(&self, key: &'static str) -> Result<&[Self], BadField> {
        let Some(value) = self.get(key) else { return Ok(&[]) };
        value.list().ok_or_else(|| BadField { field: key, problem: "is not a list".to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_their_lines() {
        let value = parse("---\nname: A\nlist:\n- x: 'one\n\n    two'\n- y\n", "f").unwrap();
        assert_eq!(value.required("name").unwrap(), "A");
        let list = value.items("list").unwrap();
        assert_eq!((list[0].line, list[0].required("x").unwrap()), (4, "one\ntwo"));
        assert_eq!((list[1].line, list[1].text()), (7, Some("y")));
        assert_eq!(value.required("list").unwrap_err().problem, "is not a text");
        assert!(value.items("name").is_err() && value.items("none").unwrap().is_empty());
    }

    #[test]
    fn what_aliases_stand_for_is_not_copied() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..40 {
            let below = format!("*a{}", level - 1);
            bomb += &format!("a{level}: &a{level} [{}]\n", vec![below; 9].join(", "));
        }
        let value = parse(&bomb, "f").unwrap();
        let last = value.get("a39").unwrap().list().unwrap();
        assert!(last.iter().all(|item| item.content == Content::Refused));
    }

    #[test]
    fn malformed_files_are_refused_by_place() {
        let error = parse("a: [1, 2\nb: }", "atlas.yaml").unwrap_err().to_string();
        assert!(error.starts_with("atlas.yaml: malformed YAML at line 2"), "{error}");
        let deep = parse(&"[".repeat(100), "f").unwrap_err().to_string();
        assert!(deep.contains("too deeply"), "{deep}");
        for text in ["", "---\n", "a: \"", "? - b\n: c\n"] {
            let _ = parse(text, "f");
        }
    }
}
