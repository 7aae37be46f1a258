//! Questions as programs put them in JSON: options and records.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use vulnlens_model::additions::{Additions, domain_name};
use vulnlens_model::{LabelMode, Options, Task, Tasks, TopK};
use vulnlens_report::RecordKey;
use vulnlens_taxonomy::{CveId, Domain};

use crate::stream::TextRecord;

/// Most labels that may be asked for by number.
pub const MOST_LABELS: u64 = 999_999_999;
/// The years that records are asked as of.
const YEARS: std::ops::RangeInclusive<u16> = 1980..=2200;

/// The options that change an answer, named as on the command line.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AskedOptions {
    /// The name of the model.
    pub model: Option<String>,
    taxonomy: Option<Names>,
    labels: Option<String>,
    top_k: Option<Count>,
    threshold: Option<f64>,
    as_of: Option<Whole>,
    /// True if the answers are to come with their reasons.
    #[serde(default)]
    pub evidence: bool,
    #[serde(default)]
    severity: bool,
    #[serde(default)]
    atlas: bool,
    #[serde(default)]
    d3fend: bool,
    domain: Option<Names>,
}

/// A value that makes no sense; the message names its field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AskedError {
    message: String,
    hint: Option<&'static str>,
}

impl AskedError {
    fn new(message: String) -> Self {
        Self { message, hint: None }
    }

    /// The way to do better, where the message does not tell it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        self.hint
    }
}

/// A record to answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AskedRecord {
    /// The id, of any form.
    pub id: Option<String>,
    /// The description.
    #[serde(alias = "description")]
    pub text: String,
    /// The date of publication, which begins with its year.
    pub published: Option<String>,
}

impl AskedRecord {
    /// The record with its year: that of the date of publication, else of a CVE id.
    ///
    /// # Errors
    /// The date does not begin with a year.
    pub fn text_record(self) -> Result<TextRecord, AskedError> {
        let year = match &self.published {
            None => self.id.as_deref().and_then(|id| id.parse::<CveId>().ok()).map(CveId::year),
            Some(date) => {
                let year = date.get(..4).filter(|year| year.bytes().all(|byte| byte.is_ascii_digit()));
                let year = year.and_then(|year| year.parse().ok());
                Some(year.ok_or_else(|| {
                    let message = format!("published: {date:?} does not begin with a year");
                    AskedError { message, hint: Some("write dates as 2025-01-31") }
                })?)
            }
        };
        Ok(TextRecord::new(self.text, ()).key(RecordKey { id: self.id, line: None }).year(year))
    }
}

/// The names of tasks: a list, or one text with commas.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Names {
    List(Vec<String>),
    Text(String),
}

/// A whole number from 0, which may be written with a fraction of 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole(pub u64);

impl Whole {
    /// The number, if it has no fraction and is not too great to be told from its neighbours.
    pub fn of(number: f64) -> Option<Self> {
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

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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

/// A number of labels that a question lists.
///
/// # Errors
/// It is 0, or more than [`MOST_LABELS`].
pub fn best(top_k: u64) -> Result<TopK, AskedError> {
    let number = usize::try_from(top_k).ok().filter(|_| (1..=MOST_LABELS).contains(&top_k));
    let wrong = || AskedError::new(format!("top_k: {top_k} is not a number from 1 to {MOST_LABELS}"));
    number.map(TopK::Best).ok_or_else(wrong)
}

/// A number of labels, or all of them.
#[derive(Debug, Clone, Copy)]
struct Count(TopK);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountVisitor;
        impl Visitor<'_> for CountVisitor {
            type Value = Count;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "a number from 1 to {MOST_LABELS}, or \"all\"")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Count, E> {
                let wrong = |_| E::invalid_value(de::Unexpected::Unsigned(number), &self);
                best(number).map(Count).map_err(wrong)
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Count, E> {
                match Whole::of(number) {
                    Some(Whole(number)) => self.visit_u64(number),
                    None => Err(E::invalid_value(de::Unexpected::Float(number), &self)),
                }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Count, E> {
                let is_plain = !text.starts_with(['+', '0']);
                match text.parse() {
                    _ if text == "all" => Ok(Count(TopK::All)),
                    Ok(number) if is_plain => self.visit_u64(number),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(CountVisitor)
    }
}

/// The name of a task: its key, or `curated`, as on the command line.
fn task(name: &str) -> Result<Task, AskedError> {
    let is_named = |task: &&Task| task.key() == name || (name == "curated" && **task == Task::AttackCurated);
    Task::ALL.iter().find(is_named).copied().ok_or_else(|| {
        AskedError::new(format!("taxonomy: {name:?} is not one of cwe, capec, attack, curated"))
    })
}

impl Names {
    /// The names, one by one.
    fn names(&self) -> Vec<&str> {
        match self {
            Self::List(names) => names.iter().map(String::as_str).collect(),
            Self::Text(text) => text.split(',').map(str::trim).collect(),
        }
    }
}

/// A matrix of ATT&CK by its name.
fn domain(name: &str) -> Result<Domain, AskedError> {
    let all = [Domain::Enterprise, Domain::Ics, Domain::Mobile];
    all.into_iter()
        .find(|domain| domain_name(*domain) == name)
        .ok_or_else(|| AskedError::new(format!("domain: {name:?} is not one of enterprise, ics, mobile")))
}

impl AskedOptions {
    /// The options of the model.
    ///
    /// # Errors
    /// A value is out of its range; the message names the field.
    pub fn options(&self) -> Result<Options, AskedError> {
        let mut additions = Additions::NOTHING.atlas(self.atlas).d3fend(self.d3fend);
        let mut options = Options::default().severity(self.severity);
        if let Some(names) = &self.taxonomy {
            let tasks = names.names().into_iter().map(task).collect::<Result<Vec<Task>, AskedError>>()?;
            options = options.tasks(tasks.into_iter().collect::<Tasks>());
        }
        if let Some(names) = &self.domain {
            let domains =
                names.names().into_iter().map(domain).collect::<Result<Vec<Domain>, AskedError>>()?;
            additions = domains.iter().fold(additions, |additions, domain| additions.domain(*domain, true));
            if !domains.contains(&Domain::Enterprise) {
                options.tasks = options.tasks.without(Task::Attack).without(Task::AttackCurated);
            }
        }
        options = options.additions(additions);
        if let Some(name) = &self.labels {
            let mode = LabelMode::ALL.into_iter().find(|mode| mode.name() == name);
            let modes = LabelMode::ALL.map(LabelMode::name).join(", ");
            let wrong = || AskedError::new(format!("labels: {name:?} is not one of {modes}"));
            options = options.labels(mode.ok_or_else(wrong)?);
        }
        if let Some(Count(top_k)) = self.top_k {
            options = options.top_k(top_k);
        }
        if let Some(threshold) = self.threshold {
            if !(0.0..=1.0).contains(&threshold) {
                return Err(AskedError::new(format!("threshold: {threshold} is not from 0 to 1")));
            }
            #[expect(
                clippy::cast_possible_truncation,
                reason = "probabilities are computed in single precision"
            )]
            let threshold = threshold as f32;
            options = options.threshold(threshold);
        }
        if let Some(Whole(year)) = self.as_of {
            let wrong = || AskedError::new(format!("as_of: {year} is not a year from 1980 to 2200"));
            let known = u16::try_from(year).ok().filter(|year| YEARS.contains(year));
            options = options.as_of(Some(known.ok_or_else(wrong)?));
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(json: &str) -> Result<Options, String> {
        let asked: AskedOptions = serde_json::from_str(json).map_err(|error| error.to_string())?;
        asked.options().map_err(|error| format!("{error:?}"))
    }

    #[test]
    fn options_are_those_of_the_command_line() {
        assert_eq!(asked("{}"), Ok(Options::default()));
        let both: Tasks = [Task::Cwe, Task::AttackCurated].into_iter().collect();
        let wanted = Options::default().tasks(both).top_k(TopK::All).threshold(0.0);
        assert_eq!(asked(r#"{"taxonomy":"cwe, curated","top_k":"all","threshold":0}"#), Ok(wanted));
        assert_eq!(
            asked(r#"{"taxonomy":["attack_curated","cwe"],"top_k":"all","threshold":0.0}"#),
            Ok(wanted)
        );
        let additions = Additions::NOTHING.atlas(true).d3fend(true).domain(Domain::Ics, true);
        let wanted = Options::default().additions(additions);
        assert_eq!(asked(r#"{"atlas":true,"d3fend":true,"domain":["enterprise","ics"]}"#), Ok(wanted));
        let alone = asked(r#"{"domain":"mobile"}"#).unwrap();
        assert!(
            alone.additions.mobile && !alone.tasks.contains(Task::Attack) && alone.tasks.contains(Task::Cwe)
        );
        let wanted = Options::default().labels(LabelMode::Assigned).top_k(3).as_of(Some(2020));
        assert_eq!(asked(r#"{"labels":"assigned","top_k":"3","as_of":2020}"#), Ok(wanted));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (json, named) in [
            (r#"{"top_k":0}"#, "a number from 1"),
            (r#"{"top_k":-1}"#, "a number from 1"),
            (r#"{"top_k":"many"}"#, "a number from 1"),
            (r#"{"threshold":1.5}"#, "threshold"),
            (r#"{"labels":"x"}"#, "recommended"),
            (r#"{"taxonomy":"cve"}"#, "cwe, capec"),
            (r#"{"domain":"cloud"}"#, "enterprise, ics"),
            (r#"{"as_of":99}"#, "as_of"),
            (r#"{"topk":1}"#, "topk"),
        ] {
            let error = asked(json).unwrap_err();
            assert!(error.contains(named), "{json}: {error}");
        }
    }

    #[test]
    fn the_year_is_that_of_the_date_or_of_a_cve() {
        let year = |id: Option<&str>, published: Option<&str>| {
            let (id, published) = (id.map(str::to_owned), published.map(str::to_owned));
            AskedRecord { id, published, ..AskedRecord::default() }
                .text_record()
                .map(|record| record.year)
                .ok()
        };
        assert_eq!(year(None, None), Some(None));
        assert_eq!(year(Some("CVE-2021-44228"), None), Some(Some(2021)));
        assert_eq!(year(Some("CVE-2021-44228"), Some("2022-01-02T00:00Z")), Some(Some(2022)));
        assert_eq!(year(Some("GHSA-x"), None), Some(None));
        assert_eq!(year(None, Some("yesterday")), None);
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
