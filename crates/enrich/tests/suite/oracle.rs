//! A predictor that knows a few words, and one way to fill a document by it.

use serde_json::Value;
use vulnlens::model::LabelSource;
use vulnlens::taxonomy::Role;
use vulnlens::{
    CapecId, CweId, Input, KnowledgeBase, LabelMode, Labels, Prediction, Run, Said, ScoredLabel, TechniqueId,
    Via,
};
use vulnlens_enrich::{EnrichError, EnrichOptions, EnrichSummary, Enricher, Predictor};

/// Answers by words: `SQL` and `XSS` are sure, `overflow` is not sure enough, `validation` is discouraged, `cake` is not a
/// vulnerability, and anything else is unsure.
pub(crate) struct Oracle {
    kb: KnowledgeBase,
    /// The inputs so far.
    pub(crate) asked: Vec<(String, Option<u16>)>,
}

impl Oracle {
    pub(crate) fn new() -> Self {
        Self { kb: vulnlens::embedded_knowledge_base(), asked: Vec::new() }
    }
}

impl Predictor for Oracle {
    fn predict(&mut self, inputs: &[Input<'_>]) -> Vec<Prediction> {
        self.asked.extend(inputs.iter().map(|input| (input.text.to_owned(), input.year)));
        inputs.iter().map(|input| answer(input.text)).collect()
    }

    fn run(&self) -> Run {
        let labels = LabelSource::Spaces(LabelMode::Recommended);
        Run::new("oracle", "0123456789ab", self.kb.versions().clone(), labels)
    }

    fn knowledge_base(&self) -> &KnowledgeBase {
        &self.kb
    }
}

fn answer(text: &str) -> Prediction {
    let mut prediction = Prediction::default();
    let mut weaknesses = Vec::new();
    for (word, cwe, score) in
        [("SQL", 89, 0.97), ("XSS", 79, 0.95), ("overflow", 787, 0.5), ("validation", 20, 0.99)]
    {
        if text.contains(word) {
            weaknesses.push(ScoredLabel::new(CweId(cwe), score, true));
        }
    }
    prediction.said = Some(if text.contains("cake") { Said::NotAVulnerability } else { Said::Weaknesses });
    if text.contains("SQL") {
        let via = |weakness, distance| {
            Some(Via { weakness: CweId(weakness), ancestor: CweId(weakness), pattern: None, distance })
        };
        let mut pattern = ScoredLabel::new(CapecId(66), 0.96, true);
        pattern.via = via(89, 0);
        let mut far = ScoredLabel::new(CapecId(248), 0.99, true);
        far.via = via(89, 2);
        prediction.capec = Some(Labels::new(vec![pattern, far], 0.0));
        let mut technique = ScoredLabel::new("T1190".parse::<TechniqueId>().unwrap(), 0.93, true);
        technique.role = Some(Role::Exploitation);
        prediction.attack_curated = Some(Labels::new(vec![technique], 0.0));
    }
    prediction.cwe = Some(Labels::new(weaknesses, 0.0));
    prediction
}

/// The result of filling a document.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) bytes: Vec<u8>,
    pub(crate) summary: EnrichSummary,
    pub(crate) errors: Vec<String>,
    pub(crate) asked: Vec<(String, Option<u16>)>,
}

impl Outcome {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(self.bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.bytes)).unwrap()
    }
}

/// A predictor that is lent, so that what it was asked can be looked at.
struct Lent<'a>(&'a mut Oracle);

impl Predictor for Lent<'_> {
    fn predict(&mut self, inputs: &[Input<'_>]) -> Vec<Prediction> {
        self.0.predict(inputs)
    }

    fn run(&self) -> Run {
        self.0.run()
    }

    fn knowledge_base(&self) -> &KnowledgeBase {
        self.0.knowledge_base()
    }
}

pub(crate) fn try_enrich(
    oracle: &mut Oracle,
    name: &str,
    bytes: &[u8],
    options: EnrichOptions,
) -> Result<Outcome, EnrichError> {
    oracle.asked.clear();
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let mut enricher = Enricher::new(Lent(oracle), options);
    let summary = enricher.enrich(name, bytes, &mut out, &mut |error| errors.push(error.to_string()))?;
    drop(enricher);
    Ok(Outcome { bytes: out, summary, errors, asked: oracle.asked.clone() })
}

/// Fills a document.
pub(crate) fn enrich(name: &str, bytes: impl AsRef<[u8]>) -> Outcome {
    try_enrich(&mut Oracle::new(), name, bytes.as_ref(), EnrichOptions::default()).unwrap()
}

/// Tests that `new` has all that `old` has, in its order: null may have become something.
pub(crate) fn holds(new: &Value, old: &Value) -> bool {
    match (new, old) {
        (Value::Object(new), Value::Object(old)) => {
            old.iter().all(|(key, old)| new.get(key).is_some_and(|new| holds(new, old)))
        }
        (Value::Array(new), Value::Array(old)) => {
            new.len() >= old.len() && new.iter().zip(old).all(|(new, old)| holds(new, old))
        }
        (_, Value::Null) => true,
        // What stands for nothing in findings of DefectDojo and records of one's own.
        (_, Value::String(blank)) if blank.is_empty() => true,
        (Value::Number(_), Value::Number(old)) if old.as_u64() == Some(0) => true,
        _ => new == old,
    }
}

/// Tests that all bytes of `old` stand in `new`, in their order.
pub(crate) fn is_subsequence(new: &[u8], old: &[u8]) -> bool {
    let mut rest = new.iter();
    old.iter().all(|byte| rest.any(|other| other == byte))
}
