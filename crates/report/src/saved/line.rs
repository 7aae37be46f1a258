//! One line of record output, version 1, as an answer. Strings are borrowed of the line; unknown keys, such as those of
//! later releases, are passed over.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::str::FromStr;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use serde_json::{Map, Value};
use vulnlens_model::severity::{MetricProbabilities, Severity};
use vulnlens_model::{
    Basis, Family, LabelMode, LabelSource, Labels, Prediction, Run, Said, ScoredLabel, Task, Tasks, Via,
};
use vulnlens_taxonomy::{BaseVector, CapecId, CweId, Outcome, Role, Versions};

use super::error::SavedProblem;
use crate::answer::{Answer, RecordKey};
use crate::generated::Generated;
use crate::label::OTHER;

/// The version of record output that is read.
const VERSION: u64 = 1;

/// An answer and the facts of its run, or the reason why it cannot be read.
pub(super) type ReadAnswer = Result<(Answer, Arc<Run>), SavedProblem>;

/// A line.
#[derive(Deserialize)]
struct Line<'a> {
    schema_version: u64,
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    model: Text<'a>,
    #[serde(borrow)]
    model_revision: Text<'a>,
    #[serde(borrow)]
    taxonomies: Releases<'a>,
    #[serde(borrow)]
    cwe: Vec<Item<'a>>,
    #[serde(borrow)]
    capec: Vec<Item<'a>>,
    #[serde(borrow)]
    attack: Vec<Item<'a>>,
    #[serde(borrow)]
    attack_curated: Vec<Item<'a>>,
    #[serde(default)]
    none: NoneOf,
    #[serde(borrow)]
    labels: Option<Text<'a>>,
    #[serde(borrow)]
    outcome: Option<Text<'a>>,
    #[serde(borrow, default)]
    outcomes: BTreeMap<Text<'a>, f32>,
    #[serde(borrow)]
    family: Option<FamilyItem<'a>>,
    line: Option<u64>,
    #[serde(borrow)]
    derived: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    other: Option<Vec<Item<'a>>>,
    #[serde(borrow, default, deserialize_with = "present")]
    severity: Option<Option<SeverityItem<'a>>>,
    generated: Option<Generated>,
}

#[derive(Deserialize)]
struct Releases<'a> {
    #[serde(borrow)]
    cwe: Text<'a>,
    #[serde(borrow)]
    capec: Text<'a>,
    #[serde(borrow)]
    attack: Text<'a>,
}

/// A label in a list.
#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow)]
    label: Text<'a>,
    score: f32,
    predicted: bool,
    #[serde(borrow)]
    via: Option<Vec<Text<'a>>>,
    #[serde(default)]
    distance: u8,
    #[serde(borrow)]
    role: Option<Text<'a>>,
    #[serde(borrow)]
    basis: Option<Text<'a>>,
    #[serde(borrow)]
    original: Option<Text<'a>>,
    #[serde(default)]
    unmapped: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NoneOf {
    cwe: Option<f32>,
    capec: Option<f32>,
    attack: Option<f32>,
    attack_curated: Option<f32>,
}

#[derive(Deserialize)]
struct FamilyItem<'a> {
    #[serde(borrow)]
    label: Text<'a>,
    score: f32,
    #[serde(borrow)]
    members: Vec<MemberItem<'a>>,
}

#[derive(Deserialize)]
struct MemberItem<'a> {
    #[serde(borrow)]
    label: Text<'a>,
    score: f32,
}

#[derive(Deserialize)]
struct SeverityItem<'a> {
    #[serde(borrow)]
    vector: Text<'a>,
    confidence: f32,
    #[serde(borrow)]
    metrics: BTreeMap<Text<'a>, BTreeMap<Text<'a>, f32>>,
}

/// A string, borrowed where it has no escapes.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Strings;
        impl<'de> Visitor<'de> for Strings {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Strings)
    }
}

/// A value that is there, be it null.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The answer of a line, and the facts of its run: those of the answer before, where they are the same.
pub(super) fn read(bytes: &[u8], last: Option<&Arc<Run>>) -> ReadAnswer {
    let mut line: Line<'_> = serde_json::from_slice(bytes).map_err(|error| problem(bytes, &error))?;
    if line.schema_version != VERSION {
        return Err(SavedProblem::Version(line.schema_version));
    }
    let run = run(&line, last);
    let key = RecordKey { id: line.id.as_ref().map(|id| id.0.clone().into_owned()), line: line.line };
    let generated = line.generated.take();
    Ok((Answer { generated, ..Answer::new(key, prediction(line)?) }, run))
}

/// The facts of the run.
fn run(line: &Line<'_>, last: Option<&Arc<Run>>) -> Arc<Run> {
    let releases = &line.taxonomies;
    let labels = match &line.derived {
        Some(derived) => LabelSource::Checkpoint {
            derived: Task::ALL
                .iter()
                .copied()
                .filter(|task| derived.iter().any(|key| key.0 == task.key()))
                .collect::<Tasks>(),
            other: line.other.is_some(),
        },
        None => {
            let named = |mode: &LabelMode| line.labels.as_ref().is_some_and(|name| name.0 == mode.name());
            LabelSource::Spaces(LabelMode::ALL.into_iter().find(named).unwrap_or_default())
        }
    };
    let is_same = |run: &&Arc<Run>| {
        run.model == line.model.0
            && run.model_revision == line.model_revision.0
            && run.versions.cwe == releases.cwe.0
            && run.versions.capec == releases.capec.0
            && run.versions.attack == releases.attack.0
            && run.labels == labels
    };
    last.filter(is_same).cloned().unwrap_or_else(|| {
        let versions = Versions {
            cwe: releases.cwe.0.clone().into_owned(),
            cwe_date: None,
            cwe_categories: None,
            capec: releases.capec.0.clone().into_owned(),
            attack: releases.attack.0.clone().into_owned(),
            attack_date: None,
        };
        Arc::new(Run::new(&line.model.0, &line.model_revision.0, versions, labels))
    })
}

fn prediction(line: Line<'_>) -> Result<Prediction, SavedProblem> {
    let mut prediction = Prediction::default();
    let NoneOf { cwe, capec, attack, attack_curated } = line.none;
    prediction.cwe = labels(Task::Cwe, &line.cwe, cwe)?;
    prediction.capec = labels(Task::Capec, &line.capec, capec)?;
    // All techniques of an answer are of one level; a list without any does not tell it.
    if [&line.attack, &line.attack_curated].into_iter().flatten().any(|item| item.label.0.starts_with("TA")) {
        prediction.attack_tactics = labels(Task::Attack, &line.attack, attack)?;
        prediction.attack_curated_tactics =
            labels(Task::AttackCurated, &line.attack_curated, attack_curated)?;
    } else {
        prediction.attack = labels(Task::Attack, &line.attack, attack)?;
        prediction.attack_curated = labels(Task::AttackCurated, &line.attack_curated, attack_curated)?;
    }
    let others = line.other.iter().flatten().enumerate();
    for (at, item) in others {
        let score = score(item, || format!("{OTHER}[{at}].score"))?;
        prediction.other.push(ScoredLabel::new(item.label.0.as_ref().into(), score, item.predicted));
    }
    prediction.said = line.outcome.and_then(|word| Said::ALL.into_iter().find(|said| said.name() == word.0));
    let outcome = |outcome: Outcome| {
        Some((outcome, *line.outcomes.iter().find(|(name, _)| name.0 == outcome.name())?.1))
    };
    prediction.outcomes = Outcome::ALL.into_iter().filter_map(outcome).collect();
    prediction.family = line.family.map(family).transpose()?;
    prediction.severity = line.severity.map(|severity| severity.map(severity_of).transpose()).transpose()?;
    Ok(prediction)
}

/// The labels of a task; none where it was not asked for.
fn labels<L: FromStr<Err: Display>>(
    task: Task,
    items: &[Item<'_>],
    none: Option<f32>,
) -> Result<Option<Labels<L>>, SavedProblem> {
    if items.is_empty() && none.is_none() {
        return Ok(None);
    }
    let labels = items.iter().enumerate().map(|(at, item)| scored(task.key(), at, item));
    Ok(Some(Labels::new(labels.collect::<Result<_, _>>()?, none.unwrap_or_default())))
}

fn scored<L: FromStr<Err: Display>>(
    list: &str,
    at: usize,
    item: &Item<'_>,
) -> Result<ScoredLabel<L>, SavedProblem> {
    let field = |name: &str| format!("{list}[{at}].{name}");
    let id = |name: &str, text: &Text<'_>| {
        text.0.parse().map_err(|error| SavedProblem::field(field(name), format!("is wrong: {error}")))
    };
    let score = score(item, || field("score"))?;
    let mut scored = ScoredLabel::new(id("label", &item.label)?, score, item.predicted);
    if let Some(entries) = &item.via {
        let entries = entries.iter().map(|entry| &*entry.0);
        let via = via(entries, item.distance);
        scored.via =
            Some(via.ok_or_else(|| SavedProblem::field(field("via"), "is not a way from a weakness"))?);
    }
    scored.role = item.role.as_ref().and_then(|name| Role::named(&name.0));
    let named = |basis: &Basis| item.basis.as_ref().is_some_and(|name| name.0 == basis.name());
    scored.basis = Basis::ALL.into_iter().find(named);
    scored.original = item.original.as_ref().map(|text| id("original", text)).transpose()?;
    scored.unmapped = item.unmapped;
    Ok(scored)
}

/// The probability of a label.
fn score(item: &Item<'_>, field: impl Fn() -> String) -> Result<f32, SavedProblem> {
    let is_one = (0.0..=1.0).contains(&item.score);
    let wrong = || SavedProblem::field(field(), format!("is {}, not from 0 to 1", item.score));
    is_one.then_some(item.score).ok_or_else(wrong)
}

/// The way with these entries: a weakness, its ancestor if that is another one, and the pattern of a technique.
pub(super) fn via<'a>(mut entries: impl Iterator<Item = &'a str>, distance: u8) -> Option<Via> {
    let weakness: CweId = entries.next()?.parse().ok()?;
    let mut next = entries.next();
    let ancestor = next.and_then(|entry| entry.parse::<CweId>().ok());
    if ancestor.is_some() {
        next = entries.next();
    }
    let pattern = next.map(str::parse::<CapecId>).transpose().ok()?;
    entries.next().is_none().then_some(Via {
        weakness,
        ancestor: ancestor.unwrap_or(weakness),
        pattern,
        distance,
    })
}

fn family(item: FamilyItem<'_>) -> Result<Family, SavedProblem> {
    let id = |text: &Text<'_>| {
        text.0.parse::<CweId>().map_err(|error| SavedProblem::field("family", format!("is wrong: {error}")))
    };
    let member = |member: &MemberItem<'_>| Ok(ScoredLabel::new(id(&member.label)?, member.score, false));
    let members = item.members.iter().map(member).collect::<Result<_, SavedProblem>>()?;
    Ok(Family::new(id(&item.label)?, item.score, members))
}

fn severity_of(item: SeverityItem<'_>) -> Result<Severity, SavedProblem> {
    let vector = item.vector.0.parse::<BaseVector>();
    let vector =
        vector.map_err(|error| SavedProblem::field("severity.vector", format!("is wrong: {error}")))?;
    let of = |metric: &str, value: &str| {
        let metric = item.metrics.iter().find(|(name, _)| name.0 == metric);
        let value = metric.and_then(|(_, values)| values.iter().find(|(name, _)| name.0 == value));
        value.map_or(0.0, |(_, probability)| *probability)
    };
    Ok(Severity::new(vector, item.confidence, MetricProbabilities::new(of)))
}

/// The problem of a line that is not an answer, with the field where one is at fault.
fn problem(bytes: &[u8], error: &serde_json::Error) -> SavedProblem {
    let message = |error: &serde_json::Error| {
        let text = error.to_string();
        text.replace(" at line 1 column ", " at column ")
    };
    let object: Map<String, Value> = match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => object,
        Ok(_) => return SavedProblem::NotAnAnswer("it is not a JSON object"),
        Err(error) => return SavedProblem::Json(message(&error)),
    };
    // Records of OSV have a version that is a string.
    if !object.get("schema_version").is_some_and(Value::is_number) {
        return SavedProblem::NotAnAnswer("it has no number schema_version");
    }
    if let Some(version) = object.get("schema_version").and_then(Value::as_u64).filter(|it| *it != VERSION) {
        return SavedProblem::Version(version);
    }
    let wrong = FIELDS.iter().find_map(|(field, fits)| {
        let problem = match object.get(*field) {
            None => "is missing".to_owned(),
            Some(value) => format!("is wrong: {}", message(&fits(value).err()?)),
        };
        let is_optional = !REQUIRED.contains(field) && !object.contains_key(*field);
        (!is_optional).then(|| SavedProblem::field(*field, problem))
    });
    wrong.unwrap_or_else(|| SavedProblem::Json(message(error)))
}

/// The fields that every answer has.
const REQUIRED: [&str; 7] =
    ["model", "model_revision", "taxonomies", "cwe", "capec", "attack", "attack_curated"];

/// A test of a field's value.
type Fits = fn(&Value) -> Result<(), serde_json::Error>;

/// The fields, each with the test of its type.
const FIELDS: [(&str, Fits); 17] = [
    ("id", |value| fits::<Option<Text<'_>>>(value)),
    ("model", |value| fits::<Text<'_>>(value)),
    ("model_revision", |value| fits::<Text<'_>>(value)),
    ("taxonomies", |value| fits::<Releases<'_>>(value)),
    ("cwe", |value| fits::<Vec<Item<'_>>>(value)),
    ("capec", |value| fits::<Vec<Item<'_>>>(value)),
    ("attack", |value| fits::<Vec<Item<'_>>>(value)),
    ("attack_curated", |value| fits::<Vec<Item<'_>>>(value)),
    ("none", |value| fits::<NoneOf>(value)),
    ("labels", |value| fits::<Option<Text<'_>>>(value)),
    ("outcome", |value| fits::<Option<Text<'_>>>(value)),
    ("outcomes", |value| fits::<BTreeMap<Text<'_>, f32>>(value)),
    ("family", |value| fits::<Option<FamilyItem<'_>>>(value)),
    ("line", |value| fits::<Option<u64>>(value)),
    ("other", |value| fits::<Option<Vec<Item<'_>>>>(value)),
    ("severity", |value| fits::<Option<SeverityItem<'_>>>(value)),
    ("generated", |value| fits::<Option<Generated>>(value)),
];

fn fits<'a, T: Deserialize<'a>>(value: &'a Value) -> Result<(), serde_json::Error> {
    T::deserialize(value).map(drop)
}
