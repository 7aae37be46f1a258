//! Questions as programs put them in JSON: options and records.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use vulnlens_model::{LabelMode, Options, Task, Tasks, TopK};
use vulnlens_report::RecordKey;
use vulnlens_taxonomy::CveId;

use crate::stream::TextRecord;

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
    threshold: Option<f32>,
    as_of: Option<u16>,
    /// True if the answers are to come with their reasons.
    #[serde(default)]
    pub evidence: bool,
    #[serde(default)]
    severity: bool,
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
                let year = date.get(..4).and_then(|year| year.parse().ok());
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

/// A number of labels, or all of them.
#[derive(Debug, Clone, Copy)]
struct Count(TopK);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountVisitor;
        impl Visitor<'_> for CountVisitor {
            type Value = Count;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number from 1, or \"all\"")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Count, E> {
                match usize::try_from(number) {
                    Ok(number) if number > 0 => Ok(Count(TopK::Best(number))),
                    _ => Err(E::invalid_value(de::Unexpected::Unsigned(number), &self)),
                }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Count, E> {
                match text.parse() {
                    _ if text == "all" => Ok(Count(TopK::All)),
                    Ok(number) => self.visit_u64(number),
                    Err(_) => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
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

impl AskedOptions {
    /// The options of the model.
    ///
    /// # Errors
    /// A value is out of its range; the message names the field.
    pub fn options(&self) -> Result<Options, AskedError> {
        let mut options = Options::default().severity(self.severity);
        if let Some(names) = &self.taxonomy {
            let names: Vec<&str> = match names {
                Names::List(names) => names.iter().map(String::as_str).collect(),
                Names::Text(text) => text.split(',').map(str::trim).collect(),
            };
            let tasks = names.into_iter().map(task).collect::<Result<Vec<Task>, AskedError>>()?;
            options = options.tasks(tasks.into_iter().collect::<Tasks>());
        }
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
            options = options.threshold(threshold);
        }
        if let Some(year) = self.as_of {
            if !YEARS.contains(&year) {
                return Err(AskedError::new(format!("as_of: {year} is not a year from 1980 to 2200")));
            }
            options = options.as_of(Some(year));
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
}
