//! Ranges of settings: how they are written, and where in one a value stands.

use super::setting::{Searchable, SettingValue};
use crate::error::TrainError;
use crate::setting::Kind;

/// The values that a search gives a setting.
///
/// Written as `rate=1e-4..1e-3:log` (both ends included; `:log` draws evenly from the logarithms), `dropout=0..0.3` or
/// `batch=16,32,64`.
#[derive(Debug, Clone)]
pub struct SettingRange {
    name: String,
    kind: Kind,
    pub(crate) values: Values,
    /// As it was written.
    pub(crate) text: String,
}

/// The values of a range.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Values {
    Between { low: f64, high: f64, is_log: bool },
    OneOf(Vec<SettingValue>),
}

impl SettingRange {
    /// Reads a range of a setting of `S`.
    ///
    /// # Errors
    /// [`TrainError::Setting`]: it is not written as one, has a setting that is not searched for, or values that
    /// training would refuse.
    pub fn read<S: Searchable>(text: &str) -> Result<Self, TrainError> {
        let refused = |problem: &str| TrainError::Setting(format!("range {text:?}: {problem}"));
        let (name, values) = text.split_once('=').ok_or_else(|| {
            refused("write a setting and its values, such as rate=1e-4..1e-3:log or batch=16,32,64")
        })?;
        let name = name.trim();
        let kind = S::kind_of(name).ok_or_else(|| {
            let mut known = S::names();
            known.sort_unstable();
            refused(&format!("there is no setting {name:?} to search over; there are {}", known.join(", ")))
        })?;
        let values = values.trim();
        let read = if values.contains("..") { between(values, kind) } else { one_of(values, kind) };
        let values = read.map_err(|problem| refused(&problem))?;
        let range = Self { name: name.to_owned(), kind, values, text: text.to_owned() };
        range.check::<S>().map_err(|problem| refused(&problem))?;
        Ok(range)
    }
}

/// Reads `low..high` or `low..high:log`.
fn between(text: &str, kind: Kind) -> Result<Values, String> {
    if matches!(kind, Kind::Name(_)) {
        return Err("names have no order; list them, joined by commas".to_owned());
    }
    let (ends, is_log) = match text.split_once(':') {
        None => (text, false),
        Some((ends, "log")) => (ends, true),
        Some((_, other)) => return Err(format!("{other:?} is not a scale; there is only `:log`")),
    };
    let (low, high) = ends.split_once("..").unwrap_or_default();
    let (low, high) = (number(low, kind)?, number(high, kind)?);
    if low >= high {
        return Err(format!("is empty: {low} is not below {high}"));
    }
    if is_log && low <= 0.0 {
        return Err(format!("a logarithmic range must begin above 0, not at {low}"));
    }
    Ok(Values::Between { low, high, is_log })
}

/// Reads values that are joined by commas.
fn one_of(text: &str, kind: Kind) -> Result<Values, String> {
    let mut values: Vec<SettingValue> = Vec::new();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let value = match kind {
            Kind::Name(_) => SettingValue::Word(word.to_owned()),
            _ => SettingValue::Number(number(word, kind)?),
        };
        if values.contains(&value) {
            return Err(format!("{word} stands there twice"));
        }
        values.push(value);
    }
    if values.len() < 2 {
        return Err("is empty: give at least two values, or `low..high`".to_owned());
    }
    Ok(Values::OneOf(values))
}

fn number(text: &str, kind: Kind) -> Result<f64, String> {
    let number: f64 = text.trim().parse().map_err(|_| format!("{:?} is not a number", text.trim()))?;
    if !number.is_finite() {
        return Err(format!("{number} is not a bound"));
    }
    if matches!(kind, Kind::Whole) && (number.fract() != 0.0 || !(0.0..=MOST).contains(&number)) {
        return Err(format!("{number} is not a whole number from 0 to {MOST}"));
    }
    Ok(number)
}

/// The greatest whole number of a range: no setting allows as much.
const MOST: f64 = 1e9;

impl SettingRange {
    /// The name of the setting.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Refuses values that training would refuse.
    fn check<S: Searchable>(&self) -> Result<(), String> {
        let ends = match &self.values {
            Values::Between { low, high, .. } => {
                vec![SettingValue::Number(*low), SettingValue::Number(*high)]
            }
            Values::OneOf(values) => values.clone(),
        };
        for value in ends {
            let mut settings = S::sample();
            let fits = settings.set(&self.name, &value);
            fits.map_err(|expected| format!("{value} is not {expected}"))?;
            settings.check().map_err(|error| format!("{value}: {error}"))?;
        }
        Ok(())
    }

    /// The value at a place: from 0 to below 1 in an interval, the number of one of a list.
    pub(crate) fn at(&self, place: f64) -> SettingValue {
        match &self.values {
            Values::OneOf(values) => {
                let number = (place.max(0.0) as usize).min(values.len() - 1);
                values[number].clone()
            }
            Values::Between { low, high, .. } => {
                let (from, to) = self.ends(*low, *high);
                let along = self.unscaled(from + place * (to - from));
                let value =
                    if matches!(self.kind, Kind::Whole) { along.floor() } else { three_digits(along) };
                SettingValue::Number(value.clamp(*low, *high))
            }
        }
    }

    /// Where a value stands; whole numbers in the middle of what leads to them.
    pub(crate) fn place(&self, value: &SettingValue) -> Option<f64> {
        match (&self.values, value) {
            (Values::OneOf(values), _) => Some(values.iter().position(|known| known == value)? as f64),
            (Values::Between { low, high, .. }, SettingValue::Number(number)) => {
                let (from, to) = self.ends(*low, *high);
                let middle = if matches!(self.kind, Kind::Whole) { number + 0.5 } else { *number };
                let place = (self.scaled(middle) - from) / (to - from);
                Some(place.clamp(0.0, 1.0 - f64::EPSILON))
            }
            _ => None,
        }
    }

    /// The ends of the interval that is drawn from; every whole number has its own part of it.
    fn ends(&self, low: f64, high: f64) -> (f64, f64) {
        let end = if matches!(self.kind, Kind::Whole) { high + 1.0 } else { high };
        (self.scaled(low), self.scaled(end))
    }

    fn is_log(&self) -> bool {
        matches!(self.values, Values::Between { is_log: true, .. })
    }

    fn scaled(&self, value: f64) -> f64 {
        if self.is_log() { value.ln() } else { value }
    }

    fn unscaled(&self, value: f64) -> f64 {
        if self.is_log() { value.exp() } else { value }
    }
}

/// Rounded to three digits: what a table shows is then what was tried.
fn three_digits(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoder::{ClassifierSettings, HierarchySettings};
    use crate::ngram;

    fn range(text: &str) -> SettingRange {
        SettingRange::read::<ClassifierSettings>(text).unwrap()
    }

    #[test]
    fn places_lead_to_values_and_back() {
        for text in
            ["rate=1e-4..1e-3:log", "dropout=0..0.3", "batch=16..64", "epochs=1..8:log", "batch=16,32,64"]
        {
            let range = range(text);
            let most = if let Values::OneOf(values) = &range.values { values.len() as f64 } else { 1.0 };
            for step in 0..100 {
                let value = range.at(f64::from(step) / 100.0 * most);
                assert_eq!(range.at(range.place(&value).unwrap()), value, "{text} {step}");
            }
        }
        assert_eq!(range("decay=linear,cosine").at(1.0), SettingValue::Word("cosine".to_owned()));
    }

    #[test]
    fn both_ends_are_reached_and_logarithms_are_even() {
        let batch = range("batch=16..19");
        let found = [0.0, 0.3, 0.6, 0.99].map(|place| batch.at(place));
        assert_eq!(found, [16.0, 17.0, 18.0, 19.0].map(SettingValue::Number));
        let rate = range("rate=1e-4..1e-2:log");
        assert_eq!(
            [0.0, 0.5, 0.9999].map(|place| rate.at(place)),
            [1e-4, 1e-3, 1e-2].map(SettingValue::Number)
        );
    }

    #[test]
    fn what_is_no_range_is_told() {
        for (text, problem) in [
            ("rate", "write a setting and its values"),
            ("speed=1,2", "there is no setting \"speed\" to search over; there are batch,"),
            ("rate=", "is empty"),
            ("batch=16", "at least two values"),
            ("batch=16,16", "16 stands there twice"),
            ("rate=1e-3..1e-4", "is empty: 0.001 is not below 0.0001"),
            ("rate=0..1e-3:log", "a logarithmic range must begin above 0"),
            ("rate=1e-4..1e-3:exp", "\"exp\" is not a scale"),
            ("rate=1e-4..fast", "\"fast\" is not a number"),
            ("rate=0..1e-3", "rate must be above 0"),
            ("dropout=0..1", "dropout must be"),
            ("batch=1.5..3", "1.5 is not a whole number"),
            ("epochs=1..inf", "inf is not a bound"),
            ("decay=linear..cosine", "names have no order"),
            ("decay=linear,steep", "steep is not one of constant, linear, cosine"),
        ] {
            let error = SettingRange::read::<ClassifierSettings>(text).unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }

    #[test]
    fn every_kind_has_its_own_settings() {
        for name in <ngram::Settings as Searchable>::names() {
            assert!(ngram::Settings::kind_of(&name).is_some(), "{name}");
        }
        SettingRange::read::<ngram::Settings>("embedding-rate=1e-3..0.1:log").unwrap();
        SettingRange::read::<HierarchySettings>("fewest-texts=10,20,50").unwrap();
        for error in [
            SettingRange::read::<ngram::Settings>("loss=plain,focal").unwrap_err(),
            SettingRange::read::<ClassifierSettings>("fewest-texts=10,20").unwrap_err(),
            SettingRange::read::<ngram::Settings>("dimensions=63,64").unwrap_err(),
        ] {
            assert!(matches!(error, TrainError::Setting(_)), "{error}");
        }
    }
}
