//! The options of a request, in its body or behind its path.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema, Type};
use vulnlens::{LabelMode, Options, Task, Tasks, TopK};

use crate::error::ApiError;
use crate::json::Whole;

/// The years that records are asked as of.
const YEARS: std::ops::RangeInclusive<u16> = 1980..=2200;

/// Texts with a character that is not a blank.
pub(crate) const NOT_BLANK: &str = r"\S";
/// Most labels that may be asked for by number.
pub(crate) const MOST_LABELS: u64 = 999_999_999;
/// A number of labels, or all of them, as text.
const COUNT_TEXT: &str = "^(all|[1-9][0-9]{0,8})$";

/// The options that change an answer, named as on the command line.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Options, example = json!({ "taxonomy": ["cwe"], "top_k": 3 }))]
pub(crate) struct AskedOptions {
    /// The name of a model of `/v1/models`; the first of them where none is named.
    pub(crate) model: Option<String>,
    #[schema(schema_with = taxonomy_schema)]
    taxonomy: Option<Names>,
    #[schema(schema_with = labels_schema)]
    labels: Option<String>,
    #[schema(schema_with = count_schema)]
    top_k: Option<Count>,
    /// The least probability of a label that is listed.
    #[schema(minimum = 0, maximum = 1)]
    threshold: Option<f64>,
    /// The year to answer as of, whatever the record's.
    #[schema(minimum = 1980, maximum = 2200, value_type = Option<u16>)]
    as_of: Option<Whole>,
    /// Reasons for each answer.
    #[serde(default)]
    pub(crate) evidence: bool,
    /// The severity that the text implies.
    #[serde(default)]
    severity: bool,
}

/// The names of tasks: their keys, and `curated`.
fn task_names() -> impl Iterator<Item = &'static str> {
    Task::ALL.iter().map(|task| task.key()).chain(["curated"])
}

fn enumerated(values: impl IntoIterator<Item = &'static str>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(values))
}

fn null() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Null)
}

/// Names of tasks in one text.
pub(crate) fn taxonomy_text_schema() -> Schema {
    let name = task_names().collect::<Vec<_>>().join("|");
    let pattern = format!("^ *({name}) *(, *({name}) *)*$");
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
    text.description(Some("The taxonomies to answer, with commas between them")).build().into()
}

fn taxonomy_schema() -> Schema {
    let list = ArrayBuilder::new().items(enumerated(task_names()));
    let any = AnyOfBuilder::new().item(list).item(taxonomy_text_schema()).item(null());
    any.description(Some("The taxonomies to answer: a list, or one text with commas")).build().into()
}

/// The names of the label spaces.
pub(crate) fn labels_text_schema() -> Schema {
    let names = enumerated(LabelMode::ALL.map(LabelMode::name));
    names.description(Some("The label spaces")).build().into()
}

fn labels_schema() -> Schema {
    AnyOfBuilder::new().item(labels_text_schema()).item(null()).build().into()
}

/// A number of labels behind a path.
pub(crate) fn count_text_schema() -> Schema {
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(COUNT_TEXT));
    text.description(Some("The number of labels to list, or `all`")).build().into()
}

fn count_schema() -> Schema {
    let number = ObjectBuilder::new().schema_type(Type::Integer);
    let number = number.minimum(Some(1)).maximum(Some(MOST_LABELS));
    AnyOfBuilder::new().item(number).item(count_text_schema()).item(null()).build().into()
}

/// A number of labels that a request lists.
///
/// # Errors
/// It is 0, or too great.
pub(crate) fn best(top_k: u64) -> Result<TopK, ApiError> {
    let number = usize::try_from(top_k).ok().filter(|_| (1..=MOST_LABELS).contains(&top_k));
    let wrong = || ApiError::validation(format!("top_k: {top_k} is not a number from 1 to {MOST_LABELS}"));
    number.map(TopK::Best).ok_or_else(wrong)
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
fn task(name: &str) -> Result<Task, ApiError> {
    let is_named = |task: &&Task| task.key() == name || (name == "curated" && **task == Task::AttackCurated);
    Task::ALL.iter().find(is_named).copied().ok_or_else(|| {
        ApiError::validation(format!("taxonomy: {name:?} is not one of cwe, capec, attack, curated"))
    })
}

impl AskedOptions {
    /// The options of the model.
    ///
    /// # Errors
    /// A value is out of its range; the message names the field.
    pub(crate) fn options(&self) -> Result<Options, ApiError> {
        let mut options = Options::default().severity(self.severity);
        if let Some(names) = &self.taxonomy {
            let names: Vec<&str> = match names {
                Names::List(names) => names.iter().map(String::as_str).collect(),
                Names::Text(text) => text.split(',').map(str::trim).collect(),
            };
            let tasks = names.into_iter().map(task).collect::<Result<Vec<Task>, ApiError>>()?;
            options = options.tasks(tasks.into_iter().collect::<Tasks>());
        }
        if let Some(name) = &self.labels {
            let mode = LabelMode::ALL.into_iter().find(|mode| mode.name() == name);
            let modes = LabelMode::ALL.map(LabelMode::name).join(", ");
            let wrong = || ApiError::validation(format!("labels: {name:?} is not one of {modes}"));
            options = options.labels(mode.ok_or_else(wrong)?);
        }
        if let Some(Count(top_k)) = self.top_k {
            options = options.top_k(top_k);
        }
        if let Some(threshold) = self.threshold {
            if !(0.0..=1.0).contains(&threshold) {
                return Err(ApiError::validation(format!("threshold: {threshold} is not from 0 to 1")));
            }
            #[expect(
                clippy::cast_possible_truncation,
                reason = "probabilities are computed in single precision"
            )]
            let threshold = threshold as f32;
            options = options.threshold(threshold);
        }
        if let Some(Whole(year)) = self.as_of {
            let wrong = || ApiError::validation(format!("as_of: {year} is not a year from 1980 to 2200"));
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
}
