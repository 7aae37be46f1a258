//! The rows of a table that comes in: texts, ids and dates in whatever type of Arrow's they have.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType};
use arrow_schema::{DataType, Schema, TimeUnit};
use std::borrow::Cow;
use vulnlens_corpus::When;

use crate::errors::{Class, exception};

/// The name of the column of ids that is used where none is named.
const USUAL_ID: &str = "id";

/// The places of the columns that are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places {
    pub(crate) text: usize,
    pub(crate) id: Option<usize>,
    pub(crate) published: Option<usize>,
}

impl Places {
    /// The places of columns by their names, which have to be of types that can be read.
    pub(crate) fn new(
        schema: &Schema,
        (text, id, published): (&str, Option<&str>, Option<&str>),
    ) -> Result<Self, pyo3::PyErr> {
        let named = |argument: &str, name: &str, types: &str, is_fit: fn(&DataType) -> bool| {
            let names =
                || schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", ");
            let place = schema.fields().iter().position(|field| field.name() == name).ok_or_else(|| {
                let message = format!("{argument}: the table has no column {name:?}, but {}", names());
                exception(Class::Argument, &message, None)
            })?;
            match schema.field(place).data_type() {
                fit if is_fit(fit) => Ok(place),
                other => {
                    let message = format!("{argument}: the column {name:?} is of type {other}; give {types}");
                    Err(exception(Class::Argument, &message, None))
                }
            }
        };
        let is_id = |kind: &DataType| is_text(kind) || kind.is_integer();
        let usual = schema.fields().iter().position(|field| field.name() == USUAL_ID);
        let usual = usual.filter(|place| is_id(schema.field(*place).data_type()));
        Ok(Self {
            text: named("text", text, "text", is_text)?,
            id: match id {
                None => usual,
                Some(id) => Some(named("id", id, "text or whole numbers", is_id)?),
            },
            published: match published {
                None => None,
                Some(name) => Some(named("published", name, "dates, years or text", |kind| {
                    let is_time =
                        matches!(kind, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64);
                    is_time || is_text(kind) || kind.is_integer()
                })?),
            },
        })
    }
}

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// The text of each row of a column, and of whole numbers their digits; none where it is null.
pub(crate) fn texts(column: &ArrayRef) -> Vec<Option<Cow<'_, str>>> {
    fn numbers<T: ArrowPrimitiveType>(column: &ArrayRef) -> Vec<Option<Cow<'_, str>>>
    where
        T::Native: ToString,
    {
        let numbers = column.as_primitive_opt::<T>().into_iter().flatten();
        numbers.map(|number| number.map(|number| Cow::Owned(number.to_string()))).collect()
    }
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().iter().map(|text| text.map(Cow::Borrowed)).collect(),
        DataType::LargeUtf8 => column.as_string::<i64>().iter().map(|text| text.map(Cow::Borrowed)).collect(),
        DataType::Utf8View => column.as_string_view().iter().map(|text| text.map(Cow::Borrowed)).collect(),
        DataType::Dictionary(..) => of_dictionary(column),
        DataType::Int8 => numbers::<Int8Type>(column),
        DataType::Int16 => numbers::<Int16Type>(column),
        DataType::Int32 => numbers::<Int32Type>(column),
        DataType::Int64 => numbers::<Int64Type>(column),
        DataType::UInt8 => numbers::<UInt8Type>(column),
        DataType::UInt16 => numbers::<UInt16Type>(column),
        DataType::UInt32 => numbers::<UInt32Type>(column),
        DataType::UInt64 => numbers::<UInt64Type>(column),
        _ => vec![None; column.len()],
    }
}

fn of_dictionary(column: &ArrayRef) -> Vec<Option<Cow<'_, str>>> {
    let Some(dictionary) = column.as_any_dictionary_opt() else { return vec![None; column.len()] };
    let values = texts(dictionary.values());
    // Without values there are no keys to be normalised.
    if values.is_empty() {
        return vec![None; column.len()];
    }
    let keys = dictionary.normalized_keys().into_iter().enumerate();
    keys.map(|(row, key)| if column.is_null(row) { None } else { values.get(key).cloned().flatten() })
        .collect()
}

/// The year of each row of a column of dates; none where it is null or cannot be read.
pub(crate) fn years(column: &ArrayRef) -> Vec<Option<u16>> {
    fn times<T: ArrowPrimitiveType>(column: &ArrayRef, of_day: i64) -> Vec<Option<u16>>
    where
        T::Native: Into<i64>,
    {
        let times = column.as_primitive_opt::<T>().into_iter().flatten();
        times.map(|time| time.and_then(|time| year_of_day(time.into().div_euclid(of_day)))).collect()
    }
    const SECONDS: i64 = 86_400;
    match column.data_type() {
        DataType::Date32 => times::<Date32Type>(column, 1),
        DataType::Date64 => times::<Date64Type>(column, SECONDS * 1_000),
        DataType::Timestamp(TimeUnit::Second, _) => times::<TimestampSecondType>(column, SECONDS),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            times::<TimestampMillisecondType>(column, SECONDS * 1_000)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            times::<TimestampMicrosecondType>(column, SECONDS * 1_000_000)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            times::<TimestampNanosecondType>(column, SECONDS * 1_000_000_000)
        }
        _ => {
            let year = |text: Option<Cow<'_, str>>| text.and_then(|text| When::read(&text).year());
            texts(column).into_iter().map(year).collect()
        }
    }
}

/// The year of a day, counted from 1970-01-01, in the Gregorian calendar.
fn year_of_day(day: i64) -> Option<u16> {
    /// Days of 400 years, after which the calendar repeats itself.
    const CYCLE: i64 = 146_097;
    // Counted from 0000-03-01, so that a leap day ends its year.
    let day = day.checked_add(719_468)?;
    let (cycle, day) = (day.div_euclid(CYCLE), day.rem_euclid(CYCLE));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    // January and February belong to the next year of the calendar: they are the last 60 days or so from day 306 on.
    let year = cycle * 400 + year + i64::from(day_of_year >= 306);
    u16::try_from(year).ok()
}
