//! Values of JSON as schemas mean them, where serde takes more or less.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A value that is an object: structures would be read from lists, too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

/// A whole number from 0, which may be written with a fraction of 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole(pub(crate) u64);

impl Whole {
    /// The number, if it has no fraction and is not too great to be told from its neighbours.
    pub(crate) fn of(number: f64) -> Option<Self> {
        const MOST: f64 = (1_u64 << f64::MANTISSA_DIGITS) as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the number was checked")]
        let whole = |number: f64| Self(number as u64);
        (number.fract() == 0.0 && (0.0..MOST).contains(&number)).then(|| whole(number))
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WholeVisitor;
        impl Visitor<'_> for WholeVisitor {
            type Value = Whole;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 0")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Whole, E> {
                Ok(Whole(number))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Whole, E> {
                Whole::of(number).ok_or_else(|| E::invalid_value(de::Unexpected::Float(number), &self))
            }
        }
        deserializer.deserialize_any(WholeVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_no_object() {
        #[derive(Deserialize)]
        struct One {
            one: u8,
        }
        let one = |json: &str| serde_json::from_str::<Object<One>>(json).map(|object| object.0.one).ok();
        assert_eq!((one(r#"{"one":1}"#), one("[1]"), one("null")), (Some(1), None, None));
    }

    #[test]
    fn a_number_without_a_fraction_is_whole() {
        let whole = |json: &str| serde_json::from_str::<Whole>(json).map(|whole| whole.0).ok();
        assert_eq!((whole("3"), whole("3.0"), whole("2e2")), (Some(3), Some(3), Some(200)));
        for bad in ["3.5", "-1", "-1.0", "1e300", "\"3\"", "null", "true"] {
            assert_eq!(whole(bad), None, "{bad}");
        }
    }
}
