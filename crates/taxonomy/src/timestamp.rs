//! Points in time in UTC, as STIX and other exchange formats write them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// A point in time in UTC, to the millisecond.
///
/// ```
/// use vulnlens_taxonomy::Timestamp;
///
/// assert_eq!(Timestamp::of_day(18_971).to_string(), "2021-12-10T00:00:00.000Z");
/// assert_eq!("2017-05-31T21:30:19.73Z".parse::<Timestamp>().unwrap().to_string(), "2017-05-31T21:30:19.730Z");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Timestamp(i64);

/// A text that is not a point in time in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a point in time of the form 2021-12-10T07:01:00.000Z")]
pub struct ParseTimestampError;

impl Timestamp {
    /// The beginning of a day, counted from 1970-01-01.
    #[must_use]
    pub fn of_day(days: i32) -> Self {
        Self(i64::from(days).saturating_mul(DAY))
    }

    /// Milliseconds since 1970-01-01.
    #[must_use]
    pub fn milliseconds(self) -> i64 {
        self.0
    }

    /// The day, as `2021-12-10`.
    #[must_use]
    pub fn day(self) -> String {
        let (year, month, day) = civil(self.0.div_euclid(DAY));
        format!("{year:04}-{month:02}-{day:02}")
    }
}

/// The year, month and day of a day, counted from 1970-01-01: years are counted from March on, so that the leap day is the
/// last of its year, and in eras of 400 years, which all have the same number of days.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(719_468);
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The inverse of [`civil`].
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = self.0.rem_euclid(DAY);
        let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
        let (second, milli) = (rest / 1000 % 60, rest % 1000);
        write!(f, "{}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z", self.day())
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, ParseTimestampError> {
        let read = || {
            let text = text.strip_suffix('Z')?;
            let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
            let bytes = whole.as_bytes();
            let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
            let is_marked = marks.iter().all(|(at, mark)| bytes.get(*at) == Some(mark));
            let number = |from: usize, to: usize| {
                let digits = whole.get(from..to).filter(|part| part.bytes().all(|b| b.is_ascii_digit()))?;
                digits.parse::<i64>().ok()
            };
            let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
            let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
            let is_fraction = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
            // Digits behind the third are smaller than what is kept.
            let milli = format!("{fraction:0<3}").get(..3)?.parse::<i64>().ok()?;
            let days = days_of(year, month, day);
            let in_range = bytes.len() == 19 && hour < 24 && minute < 60 && second < 60;
            let is_day = civil(days) == (year, month, day);
            let of_day = ((hour * 60 + minute) * 60 + second) * 1000 + milli;
            (is_marked && is_fraction && in_range && is_day).then_some(Self(days * DAY + of_day))
        };
        read().ok_or(ParseTimestampError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_in_time_comes_back() {
        for text in [
            "1970-01-01T00:00:00.000Z",
            "1969-12-31T23:59:59.999Z",
            "2000-02-29T12:34:56.789Z",
            "1900-02-28T00:00:00.001Z",
            "2400-02-29T00:00:00.000Z",
            "0001-01-01T00:00:00.000Z",
            "9999-12-31T23:59:59.999Z",
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
        assert_eq!("2021-12-10T07:01:00Z".parse::<Timestamp>().unwrap().milliseconds(), 1_639_119_660_000);
        assert_eq!("1970-01-01T00:00:00.0019Z".parse::<Timestamp>().unwrap().milliseconds(), 1);
    }

    #[test]
    fn a_text_that_is_none_is_refused() {
        for text in [
            "",
            "Z",
            "2021-12-10",
            "2021-12-10T07:01:00",
            "2021-13-10T07:01:00Z",
            "2021-02-29T07:01:00Z",
            "2021-12-10T24:00:00Z",
            "2021-12-10T07:01:00.Z",
            "2021-12-10T07:01:00.1éZ",
            "2021-12-10T07:01:00.5+01:00",
            "2021-é2-10T07:01:00Z",
            "+021-12-10T07:01:00Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(ParseTimestampError), "{text}");
        }
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        let days = [(0, "1970-01-01"), (-1, "1969-12-31"), (11_016, "2000-02-29"), (20_000, "2024-10-04")];
        for (day, text) in days {
            assert_eq!(Timestamp::of_day(day).day(), text);
        }
        // The extremes neither overflow nor panic.
        let _ = (Timestamp::of_day(i32::MIN).to_string(), Timestamp::of_day(i32::MAX).to_string());
    }
}
