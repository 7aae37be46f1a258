//! MITRE's XML catalogues of CWE and CAPEC, read as a stream of elements.
//!
//! Both have the same outline: a root, lists below it, and entries in these.

use std::io::BufRead;

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::error::{BadField, ParseError, excerpt};
use crate::ids::CweId;

/// The depth of an entry's element: below the root and its list.
pub(crate) const ENTRY_DEPTH: usize = 3;

/// A reader of a catalogue's elements.
pub(crate) trait Elements {
    /// The name of the catalogue's root element.
    const ROOT: &'static str;
    /// The name of the catalogue in messages.
    const EXPECTED: &'static str;

    /// Takes the root element.
    fn root(&mut self, element: &BytesStart<'_>);
    /// Takes the start of an element within the root, at a depth from 2 on; `byte` is where its tag ends.
    fn start(&mut self, element: &BytesStart<'_>, depth: usize, byte: u64);
    /// Takes the end of an element that was at `depth`; `byte` is where its tag ends.
    fn end(&mut self, depth: usize, byte: u64);
    /// Takes text.
    fn text(&mut self, text: &str);
}

/// Hands the elements of a whole catalogue to `elements`; `file` names it in messages.
///
/// # Errors
/// The reader's, malformed or cut-off XML, any document type declaration (entities could expand
/// without end), a root element of another name.
pub(crate) fn read<E: Elements>(
    reader: impl BufRead,
    file: &str,
    elements: &mut E,
) -> Result<(), ParseError> {
    let mut reader = Reader::from_reader(reader);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.check_end_names = true;
    let (mut buffer, mut depth, mut root) = (Vec::new(), 0usize, None);
    loop {
        let event = reader.read_event_into(&mut buffer);
        let byte = reader.buffer_position();
        match event.map_err(|error| xml_error(error, file, byte))? {
            Event::DocType(_) => return Err(ParseError::Doctype { file: file.to_owned(), byte }),
            Event::Start(element) => {
                depth = depth.saturating_add(1);
                if depth == 1 {
                    root = Some(excerpt(element.local_name().as_ref()));
                    elements.root(&element);
                } else {
                    elements.start(&element, depth, byte);
                }
            }
            Event::End(_) => {
                elements.end(depth, byte);
                depth = depth.saturating_sub(1);
            }
            Event::Text(text) => elements.text(&text),
            Event::CData(text) => elements.text(&text),
            Event::GeneralRef(reference) => {
                elements.text(&resolved(&reference).map_err(|error| xml_error(error, file, byte))?);
            }
            Event::Eof => break,
            _ => {}
        }
        buffer.clear();
    }
    let problem = match root.as_deref() {
        None => "it holds no element at all".to_owned(),
        Some(root) if root != E::ROOT => format!("the root element is <{root}>, expected <{}>", E::ROOT),
        Some(_) if depth > 0 => format!("it is cut off inside {depth} open elements; download it again"),
        Some(_) => return Ok(()),
    };
    Err(ParseError::not_catalogue(file, E::EXPECTED, problem))
}

/// The character that a reference in text stands for: a number or one of the five predefined entities; nothing for
/// others.
fn resolved(reference: &BytesRef<'_>) -> Result<String, quick_xml::Error> {
    if let Some(character) = reference.resolve_char_ref()? {
        return Ok(character.to_string());
    }
    Ok(quick_xml::escape::resolve_predefined_entity(reference).unwrap_or_default().to_owned())
}

fn xml_error(error: quick_xml::Error, file: &str, byte: u64) -> ParseError {
    let file = file.to_owned();
    match error {
        quick_xml::Error::Io(error) => {
            let source = std::io::Error::new(error.kind(), error.to_string());
            ParseError::Read { file, source }
        }
        other => ParseError::Xml { file, byte, detail: excerpt(&other.to_string()) },
    }
}

/// The attribute's value with the five predefined entities resolved, and no others.
pub(crate) fn attribute(element: &BytesStart<'_>, field: &'static str) -> Result<String, BadField> {
    let bad = |problem: String| BadField { field, problem };
    let attribute = element
        .try_get_attribute(field)
        .map_err(|error| bad(excerpt(&error.to_string())))?
        .ok_or_else(|| bad("is missing".to_owned()))?;
    let value = attribute.normalized_value(XmlVersion::Implicit1_0);
    Ok(value.map_err(|error| bad(excerpt(&error.to_string())))?.trim().to_owned())
}

/// The attribute's term of a vocabulary, if it is there and `from_word` knows it.
pub(crate) fn term<T>(
    element: &BytesStart<'_>,
    name: &'static str,
    from_word: fn(&str) -> Option<T>,
) -> Option<T> {
    attribute(element, name).ok().and_then(|word| from_word(&word))
}

/// The attribute's value as the number of a CWE or CAPEC entry or of a view.
pub(crate) fn number(element: &BytesStart<'_>, field: &'static str) -> Result<u32, BadField> {
    number_of(&attribute(element, field)?, field)
}

/// `text`, the value of `field`, as the number of a CWE or CAPEC entry or of a view.
pub(crate) fn number_of(text: &str, field: &'static str) -> Result<u32, BadField> {
    let id: Result<CweId, _> = text.parse();
    id.map(|id| id.0).map_err(|_| BadField { field, problem: format!("{:?} is not a number", excerpt(text)) })
}
