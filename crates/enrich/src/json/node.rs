//! Values of a document with their places in it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A value of a document: its place, and the document that it stands in.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    document: &'a str,
    at: Range<usize>,
}

/// A member of an object, or an item of an array, which has no key.
#[derive(Debug, Clone)]
pub(crate) struct Member<'a> {
    pub(crate) key: Option<Cow<'a, str>>,
    pub(crate) value: Node<'a>,
}

impl<'a> Node<'a> {
    /// The value that the bytes `at` of the document are; none where these are not the bytes of a value.
    pub(crate) fn new(document: &'a str, at: Range<usize>) -> Option<Self> {
        let text = document.get(at.clone())?;
        let start = at.start.checked_add(text.len().checked_sub(text.trim_ascii_start().len())?)?;
        let end = start.checked_add(text.trim_ascii().len())?;
        Some(Self { document, at: start..end })
    }

    /// The value as it is written.
    pub(crate) fn text(&self) -> &'a str {
        self.document.get(self.at.clone()).unwrap_or_default()
    }

    /// The bytes of the document that the value takes up.
    pub(crate) fn at(&self) -> Range<usize> {
        self.at.clone()
    }

    /// The text of the document between two of its bytes.
    pub(crate) fn between(&self, start: usize, end: usize) -> &'a str {
        self.document.get(start..end).unwrap_or_default()
    }

    /// The members of an object in their order, or the items of an array; none of any other value.
    pub(crate) fn members(&self) -> Option<Vec<Member<'a>>> {
        let text = self.text();
        let mut parser = serde_json::Deserializer::from_str(text);
        let members = match text.as_bytes().first()? {
            b'{' => parser.deserialize_map(Members).ok()?,
            b'[' => parser.deserialize_seq(Members).ok()?,
            _ => return None,
        };
        members.into_iter().map(|(key, value)| Some(Member { key, value: self.part(value.get())? })).collect()
    }

    /// A part of the value, by the slice of the document that it is.
    fn part(&self, part: &'a str) -> Option<Self> {
        let start = part.as_ptr().addr().checked_sub(self.document.as_ptr().addr())?;
        Self::new(self.document, start..start.checked_add(part.len())?)
    }

    /// Tests for an object.
    pub(crate) fn is_object(&self) -> bool {
        self.text().starts_with('{')
    }

    /// Tests for an array.
    pub(crate) fn is_list(&self) -> bool {
        self.text().starts_with('[')
    }

    /// The text of a string.
    pub(crate) fn string(&self) -> Option<String> {
        serde_json::from_str(self.text()).ok()
    }
}

/// A key, if there is one, and its value.
type Raw<'de> = (Option<Cow<'de, str>>, &'de RawValue);

/// Reads members without reading their values.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<Raw<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            members.push((Some(key), map.next_value()?));
        }
        Ok(members)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(value) = list.next_element()? {
            members.push((None, value));
        }
        Ok(members)
    }
}

/// A key, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_have_their_places_whatever_is_around() {
        let document = r#" {"a" : 1.50 ,"b\n":[ null,{"c":"}"} ],"a":{}} "#;
        let root = Node::new(document, 0..document.len()).unwrap();
        let members = root.members().unwrap();
        let shown: Vec<_> = members.iter().map(|m| (m.key.as_deref().unwrap(), m.value.text())).collect();
        assert_eq!(shown, [("a", "1.50"), ("b\n", "[ null,{\"c\":\"}\"} ]"), ("a", "{}")]);
        assert!(members.iter().all(|m| document[m.value.at()] == *m.value.text()));
        let items = members[1].value.members().unwrap();
        assert_eq!(items.iter().map(|m| m.value.text()).collect::<Vec<_>>(), ["null", "{\"c\":\"}\"}"]);
        assert!(members[0].value.members().is_none());
        let cut = Node::new("{\"a\":[", 0..6).unwrap();
        assert!(cut.members().is_none());
    }

    #[test]
    fn depth_is_no_danger() {
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        let _ = Node::new(&deep, 0..deep.len()).unwrap().members();
    }
}
