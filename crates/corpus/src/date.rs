//! A calendar date, the only precision that the field's records agree on.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A day of the Gregorian calendar, in the years 0 to 9999; prints as `2021-12-10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// The time of an event, as precisely as a source gives it.
///
/// A date only refines a record, so one that cannot be read is unknown and loses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum When {
    /// Not given, or not readable as a date.
    #[default]
    Unknown,
    /// A year.
    Year(u16),
    /// A day.
    Day(Date),
}

impl When {
    /// Reads a date, with or without a time, or a year of four digits.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        let is_year = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        match (is_year, text.parse(), text.parse()) {
            (true, Ok(year), _) => Self::Year(year),
            (_, _, Ok(day)) => Self::Day(day),
            _ => Self::Unknown,
        }
    }

    /// The day, if it is known.
    #[must_use]
    pub fn day(self) -> Option<Date> {
        if let Self::Day(day) = self { Some(day) } else { None }
    }

    /// The year, if it is known.
    #[must_use]
    pub fn year(self) -> Option<u16> {
        match self {
            Self::Unknown => None,
            Self::Year(year) => Some(year),
            Self::Day(day) => Some(day.year()),
        }
    }
}

/// A text that does not begin with a date of the form `2021-12-10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date of the form 2021-12-10 or 2021-12-10T07:01Z")]
pub struct ParseDateError;

impl Date {
    /// The day, unless the calendar has no such day (30 February) or the year is above 9999.
    #[must_use]
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let signed = |part: u8| i8::try_from(part).ok();
        jiff::civil::Date::new(i16::try_from(year).ok()?, signed(month)?, signed(day)?).ok()?;
        Some(Self { year, month, day })
    }

    /// The year, as the temporal questions of the models need it.
    #[must_use]
    pub fn year(self) -> u16 {
        self.year
    }

    /// The month, 1 to 12.
    #[must_use]
    pub fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, 1 to 31.
    #[must_use]
    pub fn day(self) -> u8 {
        self.day
    }

    /// Days since 1970-01-01, as Arrow's `date32` counts.
    pub(crate) fn to_epoch_days(self) -> i32 {
        let civil = jiff::civil::date(
            i16::try_from(self.year).unwrap_or_default(),
            i8::try_from(self.month).unwrap_or(1),
            i8::try_from(self.day).unwrap_or(1),
        );
        jiff::civil::date(1970, 1, 1).until(civil).map_or(0, |span| span.get_days())
    }

    /// The day that is `days` after 1970-01-01, if it lies in the years 0 to 9999.
    pub(crate) fn from_epoch_days(days: i32) -> Option<Self> {
        let span = jiff::Span::new().try_days(days).ok()?;
        let civil = jiff::civil::date(1970, 1, 1).checked_add(span).ok()?;
        let part = |part: i8| u8::try_from(part).ok();
        Self::new(u16::try_from(civil.year()).ok()?, part(civil.month())?, part(civil.day())?)
    }
}

/// The number that `digits` writes in decimal, if they are nothing but digits.
fn number(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0u16, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| u16::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

impl FromStr for Date {
    type Err = ParseDateError;

    /// Reads the date before the time of an ISO 8601 text; the time and its zone are not looked at.
    fn from_str(text: &str) -> Result<Self, ParseDateError> {
        let parse = || {
            let (date, time) = text.trim().as_bytes().split_at_checked(10)?;
            matches!(time.first(), None | Some(b'T' | b' ')).then_some(())?;
            (date.get(4) == Some(&b'-') && date.get(7) == Some(&b'-')).then_some(())?;
            let part = |range: std::ops::Range<usize>| number(date.get(range)?);
            let small = |value: u16| u8::try_from(value).ok();
            Self::new(part(0..4)?, small(part(5..7)?)?, small(part(8..10)?)?)
        };
        parse().ok_or(ParseDateError)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_date_of_every_form_that_the_sources_write() {
        for text in ["2021-12-10", "2021-12-10T10:15Z", "2021-12-10T10:15:09.123", " 2021-12-10 10:15:00 "] {
            assert_eq!(text.parse::<Date>().unwrap().to_string(), "2021-12-10", "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_day() {
        for text in
            ["", "2021", "2021-12", "2021-02-30", "2021-13-01", "2021-12-100", "20211210T1", "é021-12-10"]
        {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }

    #[test]
    fn epoch_days_go_there_and_back() {
        for (text, days) in
            [("1970-01-01", 0), ("1969-12-31", -1), ("2000-03-01", 11_017), ("9999-12-31", 2_932_896)]
        {
            let date: Date = text.parse().unwrap();
            assert_eq!(date.to_epoch_days(), days);
            assert_eq!(Date::from_epoch_days(days), Some(date));
        }
        assert_eq!(Date::from_epoch_days(i32::MAX), None);
        assert_eq!(Date::from_epoch_days(i32::MIN), None);
    }
}
