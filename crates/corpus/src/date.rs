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
/// A date only refines a record, so one that cannot be read loses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum When {
    /// Not given.
    #[default]
    Unknown,
    /// Given, and not readable as a date: `03/01/2014` is one day in Europe and another in America.
    Unreadable,
    /// A year.
    Year(u16),
    /// A day.
    Day(Date),
}

impl When {
    /// Reads a date, with or without a time: of ISO 8601 (RFC 3339), also with `/` or `.` or without marks, of mail and HTTP
    /// (RFC 2822), with the name of the month (`Mar 1, 2014`), as seconds or milliseconds since 1970; or a year of four
    /// digits.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::Unknown;
        }
        let whole = text.strip_suffix(".0").unwrap_or(text);
        let year = || number(whole.as_bytes()).filter(|_| whole.len() == 4).map(Self::Year);
        let day = || text.parse().ok().or_else(|| other_date(text)).map(Self::Day);
        year().or_else(day).unwrap_or(Self::Unreadable)
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
            Self::Unknown | Self::Unreadable => None,
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
    #[must_use]
    pub fn to_epoch_days(self) -> i32 {
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
        of_civil(jiff::civil::date(1970, 1, 1).checked_add(span).ok()?)
    }
}

/// The day of a date in another form than ISO 8601's.
fn other_date(text: &str) -> Option<Date> {
    // A table's numbers may be written as 1393632000.0.
    let whole = text.strip_suffix(".0").unwrap_or(text);
    if whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return of_digits(whole);
    }
    let marked: String = text.chars().map(|c| if matches!(c, '/' | '.') { '-' } else { c }).collect();
    let is_more = |rest: &str| rest.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    let date = marked.get(..10).filter(|_| !marked.get(10..).is_some_and(is_more));
    if let Some(date) = date.and_then(|date| date.parse().ok()) {
        return Some(date);
    }
    if let Ok(time) = jiff::fmt::rfc2822::parse(text) {
        return of_civil(time.date());
    }
    let words: Vec<&str> = text.split([' ', ',', '-']).filter(|word| !word.is_empty()).collect();
    let (year, rest) = words.split_last()?;
    let [month, day] = rest else { return None };
    let (month, day) =
        if month.starts_with(|c: char| c.is_ascii_digit()) { (day, month) } else { (month, day) };
    let day = number(day.trim_end_matches(|c: char| c.is_ascii_alphabetic()).as_bytes())?;
    let year = number(year.as_bytes()).filter(|_| year.len() == 4)?;
    Date::new(year, month_of(month)?, u8::try_from(day).ok()?)
}

/// The month of a name, whole or of three letters.
fn month_of(name: &str) -> Option<u8> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let is_meant =
        |month: &&str| *month == name || (month.starts_with(&name) && (3..=4).contains(&name.len()));
    u8::try_from(MONTHS.iter().position(is_meant)?).ok()?.checked_add(1)
}

/// The day that nothing but digits writes: `20140301`, or the seconds or milliseconds since 1970.
fn of_digits(digits: &str) -> Option<Date> {
    if digits.len() == 8 {
        let part = |range: std::ops::Range<usize>| number(digits.get(range)?.as_bytes());
        return Date::new(part(0..4)?, u8::try_from(part(4..6)?).ok()?, u8::try_from(part(6..8)?).ok()?);
    }
    let number: i64 = digits.parse().ok()?;
    let seconds = match digits.len() {
        9 | 10 => number,
        12 | 13 => number / 1000,
        _ => return None,
    };
    Date::from_epoch_days(i32::try_from(seconds.div_euclid(86_400)).ok()?)
}

fn of_civil(date: jiff::civil::Date) -> Option<Date> {
    let part = |part: i8| u8::try_from(part).ok();
    Date::new(u16::try_from(date.year()).ok()?, part(date.month())?, part(date.day())?)
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
    fn other_forms_are_read_and_ambiguous_ones_are_not() {
        for (text, want) in [
            ("2014/03/01", "2014-03-01"),
            ("2014/03/01 10:00", "2014-03-01"),
            ("2014.03.01", "2014-03-01"),
            ("20140301", "2014-03-01"),
            ("1393632000", "2014-03-01"),
            ("1393632000.0", "2014-03-01"),
            ("1393632000000", "2014-03-01"),
            ("Mar 1, 2014", "2014-03-01"),
            ("1 March 2014", "2014-03-01"),
            ("March 1st, 2014", "2014-03-01"),
            ("01-Mar-2014", "2014-03-01"),
            ("Sat, 01 Mar 2014 10:00:00 +0000", "2014-03-01"),
        ] {
            assert_eq!(When::read(text).day().map(|day| day.to_string()).as_deref(), Some(want), "{text}");
        }
        for text in [
            "03/01/2014",
            "1.3.2014",
            "soon",
            "2014-13-01",
            "12345",
            "Mars 1, 2014",
            "2021-12-10-1",
            "2021-12-100",
            "-1",
        ] {
            assert_eq!(When::read(text), When::Unreadable, "{text}");
        }
        assert_eq!(
            (When::read(" "), When::read("2014"), When::read("2019.0").year()),
            (When::Unknown, When::Year(2014), Some(2019))
        );
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
