//! Values of JSON documents, read leniently: null is absence, and a number stands for its digits. Strings are borrowed
//! wherever they hold no escape.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::date::When;

/// A string; a number stands for its decimal digits, and null for the empty string.
#[derive(Debug, Default)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

/// A list; null stands for the empty one, and a value for the list of it alone. Members that are null are left out.
#[derive(Debug)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// The value of a field that may be null, which stands for the default.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text)))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Text::default())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(List::default())
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        T::deserialize(serde::de::value::BorrowedStrDeserializer::new(text)).map(|value| List(vec![value]))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        T::deserialize(serde::de::value::StrDeserializer::new(text)).map(|value| List(vec![value]))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        T::deserialize(serde::de::value::U64Deserializer::new(number)).map(|value| List(vec![value]))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        T::deserialize(serde::de::value::F64Deserializer::new(number)).map(|value| List(vec![value]))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        T::deserialize(serde::de::value::I64Deserializer::new(number)).map(|value| List(vec![value]))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(List::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|value| List(vec![value]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = list.next_element::<Option<T>>()? {
            members.extend(member);
        }
        Ok(List(members))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

/// Ids of weaknesses: strings or numbers, or objects that hold one under a usual name, in a list or alone.
#[derive(Debug, Default)]
pub(crate) struct IdList<'a>(pub(crate) Vec<Cow<'a, str>>);

struct WeaknessId<'a>(Text<'a>);

struct WeaknessIdVisitor;

impl<'de> Visitor<'de> for WeaknessIdVisitor {
    type Value = WeaknessId<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the id of a weakness")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        TextVisitor.visit_borrowed_str(text).map(WeaknessId)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        TextVisitor.visit_str(text).map(WeaknessId)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        TextVisitor.visit_u64(number).map(WeaknessId)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        TextVisitor.visit_i64(number).map(WeaknessId)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        TextVisitor.visit_f64(number).map(WeaknessId)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(WeaknessId(Text::default()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut id = Text::default();
        while let Some(member) = list.next_element::<Text<'de>>()? {
            id = member;
        }
        Ok(WeaknessId(id))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut id = Text::default();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            let is_id = |known: &&str| known.eq_ignore_ascii_case(&key.0);
            if ["id", "cwe", "cwe_id", "cweid"].iter().any(is_id) {
                id = map.next_value()?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(WeaknessId(id))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for WeaknessId<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WeaknessIdVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for IdList<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ids = List::<WeaknessId<'a>>::deserialize(deserializer)?;
        Ok(Self(ids.0.into_iter().map(|id| id.0.0).collect()))
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

    fn visit_i64<E: Error>(self, number: i64) -> Result<When, E> {
        Ok(When::read(&number.to_string()))
    }

    fn visit_f64<E: Error>(self, year: f64) -> Result<When, E> {
        // pandas writes a column of years with gaps as 2019.0.
        Ok(When::read(&year.to_string()))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<When, E> {
        Ok(When::Unreadable)
    }

    fn visit_unit<E: Error>(self) -> Result<When, E> {
        Ok(When::Unknown)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<When, A::Error> {
        IgnoredAny.visit_seq(list).map(|_| When::Unreadable)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<When, A::Error> {
        IgnoredAny.visit_map(map).map(|_| When::Unreadable)
    }
}

impl<'de> Deserialize<'de> for When {
    /// Reads any value: what is no date and no year is unknown.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WhenVisitor)
    }
}
