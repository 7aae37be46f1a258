//! Cells of Arrow columns, of whichever of the usual types the writer chose.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{Array, ArrowPrimitiveType};
use arrow_schema::{DataType, Field, TimeUnit};

use crate::date::{Date, When};
use crate::error::CorpusError;
use crate::sources::rows::split_cwes;

/// What a column is read as.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Text,
    Date,
    List,
}

/// Refuses a column whose type cannot be read as `kind`.
pub(crate) fn check(file: &str, field: &Field, kind: Kind) -> Result<(), CorpusError> {
    let found = field.data_type();
    let text = matches!(found, DataType::Utf8);
    let (fits, expected) = match kind {
        Kind::Text => (text || matches!(found, DataType::Int32 | DataType::Int64), "strings"),
        Kind::Date => {
            let date = matches!(found, DataType::Date32 | DataType::Timestamp(..));
            let year = matches!(found, DataType::Int32 | DataType::Int64);
            (text || date || year, "dates, timestamps, years, or strings such as 2021-12-10")
        }
        Kind::List => {
            let list = matches!(found, DataType::List(item) if item.data_type() == &DataType::Utf8);
            (text || list, "lists of strings, or strings such as CWE-79;CWE-89")
        }
    };
    if fits {
        return Ok(());
    }
    let (file, column, found) = (file.to_owned(), field.name().clone(), found.to_string());
    Err(CorpusError::ColumnType { file, column, found, expected })
}

/// The text in a cell of strings or whole numbers.
pub(crate) fn text(column: &dyn Array, row: usize) -> Option<Cow<'_, str>> {
    if row >= column.len() || column.is_null(row) {
        return None;
    }
    if let Some(strings) = column.as_string_opt::<i32>() {
        return Some(Cow::Borrowed(strings.value(row)));
    }
    let long = number::<Int64Type>(column, row);
    let number = long.or_else(|| number::<Int32Type>(column, row).map(i64::from))?;
    Some(Cow::Owned(number.to_string()))
}

fn number<T: ArrowPrimitiveType>(column: &dyn Array, row: usize) -> Option<T::Native> {
    column.as_primitive_opt::<T>().map(|values| values.value(row))
}

/// When a cell of dates, timestamps (their day in UTC), strings or whole numbers (years) says that it was.
pub(crate) fn when(column: &dyn Array, row: usize) -> When {
    if row >= column.len() || column.is_null(row) {
        return When::Unknown;
    }
    let days = match column.data_type() {
        DataType::Date32 => number::<Date32Type>(column, row).map(i64::from),
        DataType::Timestamp(unit, _) => ticks(column, *unit, row),
        _ => return text(column, row).map_or(When::Unknown, |text| When::read(&text)),
    };
    let date = days.and_then(|days| Date::from_epoch_days(i32::try_from(days).ok()?));
    date.map_or(When::Unknown, When::Day)
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

/// The strings in a cell: those of a list, or those that one string lists.
pub(crate) fn list(column: &dyn Array, row: usize) -> Vec<Cow<'_, str>> {
    let Some(lists) = column.as_list_opt::<i32>() else {
        return match text(column, row) {
            Some(Cow::Borrowed(cell)) => split_cwes(cell),
            _ => Vec::new(),
        };
    };
    list_range(lists, row).filter_map(|at| text(lists.values().as_ref(), at)).collect()
}

/// Where the items of the list in `row` stand among the column's values.
pub(crate) fn list_range(lists: &arrow_array::ListArray, row: usize) -> std::ops::Range<usize> {
    let offset = |at: usize| lists.value_offsets().get(at).and_then(|offset| usize::try_from(*offset).ok());
    let range = || (!lists.is_null(row)).then(|| Some(offset(row)?..offset(row.checked_add(1)?)?)).flatten();
    if row < lists.len() { range().unwrap_or_default() } else { 0..0 }
}
