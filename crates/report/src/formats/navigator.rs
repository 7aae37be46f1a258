//! ATT&CK Navigator: a layer of the format 4.5 (`layers/spec/v4.5` in mitre-attack/attack-navigator), which colours the
//! techniques of the matrix by their scores.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};
use vulnlens_model::{LabelSource, Labels, Prediction, Run, ScoredLabel, Task, Via};
use vulnlens_taxonomy::{Domain, KnowledgeBase, TechniqueId};

use crate::answer::{Answer, RecordKey};
use crate::findings::way;
use crate::format::Format;
use crate::label::Label;
use crate::rendering::{Document, FormatError, Setup};

use crate::score::percent;

pub(super) const FORMAT: Format = Format::document(
    "navigator",
    "An ATT&CK Navigator layer 4.5: the predicted techniques of all records",
    |setup| Ok(Box::new(NavigatorLayer::new(setup))),
)
.own_ending("json")
.media("application/json")
.of_techniques();

/// Records that a technique names as examples.
const EXAMPLES: usize = 3;
/// The colours of the least and of the greatest score.
const COLORS: [&str; 2] = ["#ffe5d9", "#cb181d"];
/// The colour of techniques that only follow from weaknesses, whatever their scores, in a layer that has others, too: what
/// the two kinds of scores say cannot be compared.
const DERIVED_COLOR: &str = "#c6dbef";

/// The predicted techniques of all records as one layer of the domain `enterprise-attack`. The score of a technique is
/// the number of records that it is predicted for; in the layer of a single record it is the probability in per cent.
/// Techniques that ATT&CK revoked stand as their successors.
///
/// A technique that analysts assign has the score of that, even where it follows from a weakness, too, and stands in front
/// of those that only follow from one. The field `basis` of its metadata tells the two kinds apart.
struct NavigatorLayer {
    kb: Arc<KnowledgeBase>,
    run: Run,
    records: u64,
    /// The first record.
    first: RecordKey,
    techniques: BTreeMap<(Kind, TechniqueId), Tally>,
    /// True if techniques that analysts assign were asked for and answered.
    asks_curated: bool,
    /// Predicted techniques that the matrix does not have.
    left_out: BTreeSet<TechniqueId>,
}

/// The records that a technique is predicted for.
#[derive(Default)]
struct Tally {
    records: u64,
    /// The greatest probability in any record.
    greatest: f32,
    examples: Vec<String>,
    /// The way of the first record that has one.
    via: Option<Via>,
}

/// The kinds of techniques, in the order of the layer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Analysts assign it.
    Curated,
    /// It follows from a weakness, or a checkpoint has a label of it.
    Linked,
}

impl NavigatorLayer {
    /// The format made ready for a run.
    fn new(setup: &Setup) -> Self {
        Self {
            kb: Arc::clone(&setup.kb),
            run: setup.run.clone(),
            records: 0,
            first: RecordKey::default(),
            techniques: BTreeMap::new(),
            asks_curated: false,
            left_out: BTreeSet::new(),
        }
    }

    /// The predicted techniques of a list with their probabilities and ways, each once and as it is called today.
    fn predicted(&self, list: Option<&Labels<TechniqueId>>) -> BTreeMap<TechniqueId, (f32, Option<Via>)> {
        let labels = list.map_or(&[][..], |list| &list.labels);
        let mut predicted = BTreeMap::new();
        for ScoredLabel { label, score, via, .. } in labels.iter().filter(|scored| scored.predicted) {
            let (greatest, way): &mut (f32, Option<Via>) =
                predicted.entry(self.kb.current(*label)).or_default();
            *greatest = greatest.max(*score);
            *way = way.or(*via);
        }
        predicted
    }

    fn is_in_matrix(&self, id: TechniqueId) -> bool {
        let technique = self.kb.technique(id).filter(|technique| technique.domain == Domain::Enterprise);
        technique.is_some_and(|technique| !technique.revoked && !technique.deprecated)
    }

    fn name(&self) -> String {
        match self.first.text() {
            Some(id) if self.records == 1 => id.into_owned(),
            _ => counted(self.records),
        }
    }

    fn description(&self) -> String {
        let score = if self.records == 1 {
            "Score: the probability of the technique in per cent.".to_owned()
        } else {
            format!("Score: the number of the {} records that the technique is predicted for.", self.records)
        };
        let ids: Vec<String> = self.left_out.iter().map(TechniqueId::to_string).collect();
        let left_out = match ids.len() {
            0 => String::new(),
            _ => format!(" Not in the matrix and left out: {}.", ids.join(", ")),
        };
        let Run { model, model_revision, .. } = &self.run;
        format!("{} {score}{left_out} vulnlens, model {model}, revision {model_revision}.", self.origin())
    }

    /// True if the techniques that analysts do not assign follow from weaknesses.
    fn is_derived(&self) -> bool {
        match self.run.labels {
            LabelSource::Spaces(_) => true,
            LabelSource::Checkpoint { derived, .. } => derived.contains(Task::Attack),
        }
    }

    /// The origin of the techniques, in a sentence or two.
    fn origin(&self) -> String {
        let Run { versions, .. } = &self.run;
        if !self.is_derived() {
            return "Techniques as the model predicts them, not observed.".to_owned();
        }
        let derived = format!(
            "Techniques derived from the predicted weaknesses through the catalogues CWE {}, CAPEC {} and ATT&CK {}, \
             not observed.",
            versions.cwe, versions.capec, versions.attack
        );
        if !self.asks_curated {
            return derived;
        }
        format!(
            "Basis curated, in the colours of the scale: techniques that analysts assign to such vulnerabilities, not \
             observed. Basis derived, in one colour: {derived}"
        )
    }

    fn technique(&self, kind: Kind, id: TechniqueId, tally: &Tally) -> Value {
        let percentage = percent(tally.greatest);
        let percentage = percentage.trim_start();
        let (score, comment) = if self.records == 1 {
            let score = (f64::from(tally.greatest) * 1000.0).round() / 10.0;
            (json!(score), format!("probability {percentage}"))
        } else {
            let of = format!("predicted for {} of {} records", tally.records, self.records);
            (json!(tally.records), format!("{of}; greatest probability {percentage}"))
        };
        let also = match kind {
            Kind::Curated if self.techniques.contains_key(&(Kind::Linked, id)) => {
                "; derived from a weakness, too"
            }
            _ => "",
        };
        let way = tally.via.map(|via| format!("; {}", way(via))).unwrap_or_default();
        let basis = match kind {
            Kind::Curated => Some("curated"),
            Kind::Linked => self.is_derived().then_some("derived"),
        };
        let entry = |name: &str, value: &str| json!({ "name": name, "value": value });
        let mut metadata = vec![entry("technique", &id.name(&self.kb))];
        metadata.extend(basis.map(|basis| entry("basis", basis)));
        metadata.extend(tally.examples.iter().map(|id| entry("record", id)));
        let mut technique = json!({
            "techniqueID": id.to_string(),
            "score": score,
            "comment": comment + also + &way,
            "enabled": true,
            "metadata": metadata,
        });
        if self.asks_curated && kind == Kind::Linked {
            technique["color"] = DERIVED_COLOR.into();
        }
        technique
    }

    /// The techniques, those that analysts assign first, and each once.
    fn techniques(&self) -> Value {
        let is_again = |kind, id| kind == Kind::Linked && self.techniques.contains_key(&(Kind::Curated, id));
        let once = self.techniques.iter().filter(|((kind, id), _)| !is_again(*kind, *id));
        once.map(|((kind, id), tally)| self.technique(*kind, *id, tally)).collect()
    }

    fn layer(&self) -> Value {
        let greatest = self.techniques.values().map(|tally| tally.records).max().unwrap_or(1);
        let (greatest, legend) = match self.records {
            1 => (100, ["0 %".to_owned(), "100 %".to_owned()]),
            _ => (greatest, ["no record".to_owned(), counted(greatest)]),
        };
        let derived = self.asks_curated.then(|| ("derived from weaknesses".to_owned(), DERIVED_COLOR));
        let legend = legend.into_iter().zip(COLORS).chain(derived);
        let legend = legend.map(|(label, color)| json!({"label": label, "color": color}));
        let attack = self.run.versions.attack.split('.').next();
        json!({
            "name": self.name(),
            "versions": { "attack": attack, "navigator": "5.1.0", "layer": "4.5" },
            "domain": "enterprise-attack",
            "description": self.description(),
            // Highest scores first.
            "sorting": 3,
            "layout": { "layout": "side", "showID": true, "expandedSubtechniques": "annotated" },
            "techniques": self.techniques(),
            "gradient": { "colors": COLORS, "minValue": 0, "maxValue": greatest },
            "legendItems": legend.collect::<Value>(),
        })
    }
}

/// `1 record`, `2 records`.
fn counted(records: u64) -> String {
    if records == 1 { "1 record".to_owned() } else { format!("{records} records") }
}

impl Document for NavigatorLayer {
    fn push(&mut self, answer: &Answer, _out: &mut Vec<u8>) -> Result<(), FormatError> {
        if self.records == 0 {
            self.first = answer.record.clone();
        }
        self.records = self.records.saturating_add(1);
        let Prediction { attack, attack_curated, .. } = &answer.prediction;
        self.asks_curated |= attack_curated.is_some();
        for (kind, list) in [(Kind::Curated, attack_curated), (Kind::Linked, attack)] {
            for (id, (score, via)) in self.predicted(list.as_ref()) {
                if !self.is_in_matrix(id) {
                    self.left_out.insert(id);
                    continue;
                }
                let tally = self.techniques.entry((kind, id)).or_default();
                tally.records = tally.records.saturating_add(1);
                tally.greatest = tally.greatest.max(score);
                tally.via = tally.via.or(via);
                if let Some(id) = answer.record.text().filter(|_| tally.examples.len() < EXAMPLES) {
                    tally.examples.push(id.into_owned());
                }
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<(), FormatError> {
        serde_json::to_writer_pretty(&mut *out, &self.layer())
            .map_err(|error| FormatError::new("Navigator", &error))?;
        out.push(b'\n');
        Ok(())
    }
}
