//! Strings of a JSON document, borrowed from it wherever they hold no escape.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::rows::split_cwes;
use crate::date::When;

/// A string.
#[derive(Debug, Default)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

/// An id: a string, or a number that stands for its decimal digits.
#[derive(Debug)]
pub(crate) struct Id<'a>(pub(crate) Cow<'a, str>);

/// Ids of weaknesses: a list of strings or numbers, one string that lists them, or null.
#[derive(Debug, Default)]
pub(crate) struct IdList<'a>(pub(crate) Vec<Cow<'a, str>>);

struct TextVisitor {
    numbers: bool,
}

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.numbers { "a string or a number" } else { "a string" })
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        self.number(number)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        self.number(number)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        self.number(number)
    }
}

impl TextVisitor {
    fn number<E: Error>(self, number: impl fmt::Display) -> Result<Cow<'static, str>, E> {
        if self.numbers {
            Ok(Cow::Owned(number.to_string()))
        } else {
            Err(E::custom(format_args!("found the number {number} where a string is expected")))
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor { numbers: false }).map(Self)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Id<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor { numbers: true }).map(Self)
    }
}

struct WhenVisitor;

impl<'de> Visitor<'de> for WhenVisitor {
    type Value = When;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a date or a year")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<When, E> {
        Ok(When::read(text))
    }

    fn visit_u64<E: Error>(self, year: u64) -> Result<When, E> {
        Ok(When::read(&year.to_string()))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<When, E> {
        Ok(When::Unknown)
    }

    fn visit_f64<E: Error>(self, year: f64) -> Result<When, E> {
        // pandas writes a column of years with gaps as 2019.0.
        Ok(When::read(&year.to_string()))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<When, E> {
        Ok(When::Unknown)
    }

    fn visit_unit<E: Error>(self) -> Result<When, E> {
        Ok(When::Unknown)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<When, A::Error> {
        IgnoredAny.visit_seq(list).map(|_| When::Unknown)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<When, A::Error> {
        IgnoredAny.visit_map(map).map(|_| When::Unknown)
    }
}

impl<'de> Deserialize<'de> for When {
    /// Reads any value: what is no date and no year is unknown.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WhenVisitor)
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = IdList<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of strings")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(IdList::default())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let ids = split_cwes(text);
        Ok(IdList(ids.into_iter().map(|id| Cow::Owned(id.into_owned())).collect()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut ids = Vec::new();
        while let Some(id) = list.next_element::<Id<'de>>()? {
            ids.push(id.0);
        }
        Ok(IdList(ids))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for IdList<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor)
    }
}
