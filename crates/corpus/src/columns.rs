//! Cells of Arrow columns, of whichever of the usual types the writer chose.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType, OffsetSizeTrait};
use arrow_schema::{DataType, Field, TimeUnit};

use crate::date::{Date, When};
use crate::error::CorpusError;

/// What a column is read as.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Text,
    Date,
    List,
    Structures,
}

/// Refuses a column whose type cannot be read as `kind`.
pub(crate) fn check(file: &str, field: &Field, kind: Kind) -> Result<(), CorpusError> {
    let found = field.data_type();
    let (fits, expected) = match kind {
        Kind::Text => (is_text(found), "strings or numbers"),
        Kind::Date => {
            let is_date = matches!(found, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..));
            (is_text(found) || is_date, "dates, timestamps, years, or strings such as 2021-12-10")
        }
        Kind::List => {
            let is_list = match found {
                DataType::List(item) | DataType::LargeList(item) => is_text(item.data_type()),
                _ => false,
            };
            (is_text(found) || is_list, "lists of strings, or strings such as CWE-79;CWE-89")
        }
        Kind::Structures => {
            let is_list = match found {
                DataType::List(item) | DataType::LargeList(item) => {
                    matches!(item.data_type(), DataType::Struct(_))
                }
                _ => false,
            };
            (is_list, "lists of structures")
        }
    };
    // A column of nothing but gaps has no other type.
    if fits || *found == DataType::Null {
        return Ok(());
    }
    let (file, column, found) = (file.to_owned(), field.name().clone(), found.to_string());
    Err(CorpusError::ColumnType { file, column, found, expected })
}

/// Tests for strings and numbers, in a dictionary or not.
fn is_text(found: &DataType) -> bool {
    use DataType::{Binary, BinaryView, LargeBinary, LargeUtf8, Utf8, Utf8View};
    match found {
        DataType::Dictionary(_, values) => is_text(values),
        Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView => true,
        other => other.is_integer() || matches!(other, DataType::Float32 | DataType::Float64),
    }
}

/// The text in a cell of strings or numbers; bytes that are not UTF-8 are replaced.
pub(crate) fn text(column: &dyn Array, row: usize) -> Option<Cow<'_, str>> {
    if row >= column.len() || column.is_null(row) {
        return None;
    }
    Some(match column.data_type() {
        DataType::Utf8 => Cow::Borrowed(column.as_string_opt::<i32>()?.value(row)),
        DataType::LargeUtf8 => Cow::Borrowed(column.as_string_opt::<i64>()?.value(row)),
        DataType::Utf8View => Cow::Borrowed(column.as_string_view_opt()?.value(row)),
        DataType::Binary => String::from_utf8_lossy(column.as_binary_opt::<i32>()?.value(row)),
        DataType::LargeBinary => String::from_utf8_lossy(column.as_binary_opt::<i64>()?.value(row)),
        DataType::BinaryView => String::from_utf8_lossy(column.as_binary_view_opt()?.value(row)),
        DataType::Dictionary(..) => {
            let dictionary = column.as_any_dictionary_opt()?;
            let key = text(dictionary.keys(), row)?.parse().ok()?;
            return text(dictionary.values().as_ref(), key);
        }
        DataType::Int8 => digits::<Int8Type>(column, row)?,
        DataType::Int16 => digits::<Int16Type>(column, row)?,
        DataType::Int32 => digits::<Int32Type>(column, row)?,
        DataType::Int64 => digits::<Int64Type>(column, row)?,
        DataType::UInt8 => digits::<UInt8Type>(column, row)?,
        DataType::UInt16 => digits::<UInt16Type>(column, row)?,
        DataType::UInt32 => digits::<UInt32Type>(column, row)?,
        DataType::UInt64 => digits::<UInt64Type>(column, row)?,
        // Rust writes a whole number without a point, as it was before a gap in the column made it a float.
        DataType::Float32 => digits::<Float32Type>(column, row)?,
        DataType::Float64 => digits::<Float64Type>(column, row)?,
        _ => return None,
    })
}

fn digits<T: ArrowPrimitiveType<Native: ToString>>(column: &dyn Array, row: usize) -> Option<Cow<'_, str>> {
    number::<T>(column, row).map(|number| Cow::Owned(number.to_string()))
}

fn number<T: ArrowPrimitiveType>(column: &dyn Array, row: usize) -> Option<T::Native> {
    column.as_primitive_opt::<T>().map(|values| values.value(row))
}

/// When a cell of dates, timestamps (their day in UTC), strings or numbers says that it was.
pub(crate) fn when(column: &dyn Array, row: usize) -> When {
    if row >= column.len() || column.is_null(row) {
        return When::Unknown;
    }
    let days = match column.data_type() {
        DataType::Date32 => number::<Date32Type>(column, row).map(i64::from),
        DataType::Date64 => number::<Date64Type>(column, row).map(|ticks| ticks.div_euclid(86_400_000)),
        DataType::Timestamp(unit, _) => ticks(column, *unit, row),
        _ => return text(column, row).map_or(When::Unknown, |text| When::read(&text)),
    };
    let date = days.and_then(|days| Date::from_epoch_days(i32::try_from(days).ok()?));
    date.map_or(When::Unreadable, When::Day)
}

/// The day of a timestamp, in days since 1970-01-01.
fn ticks(column: &dyn Array, unit: TimeUnit, row: usize) -> Option<i64> {
    let (ticks, per_second) = match unit {
        TimeUnit::Second => (number::<TimestampSecondType>(column, row)?, 1),
        TimeUnit::Millisecond => (number::<TimestampMillisecondType>(column, row)?, 1_000),
        TimeUnit::Microsecond => (number::<TimestampMicrosecondType>(column, row)?, 1_000_000),
        TimeUnit::Nanosecond => (number::<TimestampNanosecondType>(column, row)?, 1_000_000_000),
    };
    Some(ticks.div_euclid(86_400 * per_second))
}

/// The strings in a cell: those of a list, or the one that it is.
pub(crate) fn list(column: &dyn Array, row: usize) -> Vec<Cow<'_, str>> {
    match column.data_type() {
        DataType::List(_) => column.as_list_opt::<i32>().map(|lists| items(lists, row)).unwrap_or_default(),
        DataType::LargeList(_) => {
            column.as_list_opt::<i64>().map(|lists| items(lists, row)).unwrap_or_default()
        }
        _ => text(column, row).into_iter().collect(),
    }
}

fn items<O: OffsetSizeTrait>(lists: &arrow_array::GenericListArray<O>, row: usize) -> Vec<Cow<'_, str>> {
    list_range(lists, row).filter_map(|at| text(lists.values().as_ref(), at)).collect()
}

/// Where the items of the list in `row` stand among the column's values.
pub(crate) fn list_range<O: OffsetSizeTrait>(
    lists: &arrow_array::GenericListArray<O>,
    row: usize,
) -> std::ops::Range<usize> {
    let offset = |at: usize| lists.value_offsets().get(at).map(|offset| offset.as_usize());
    let range = || (!lists.is_null(row)).then(|| Some(offset(row)?..offset(row.checked_add(1)?)?)).flatten();
    if row < lists.len() { range().unwrap_or_default() } else { 0..0 }
}
