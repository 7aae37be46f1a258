//! Findings that wait for their answers, and the judgements of these.

use vulnlens::Input;
use vulnlens_corpus::RecordError;

use crate::error::EnrichError;
use crate::filling::{Filling, Judgement};
use crate::predictor::Predictor;
use crate::summary::EnrichSummary;

/// Texts that are answered at once.
const MOST: usize = 2048;
/// Bytes of documents and texts after which they are answered whatever their number.
const MOST_BYTES: usize = 16 << 20;

/// Takes in what is wrong with a finding.
pub(crate) type Tell<'a> = &'a mut dyn FnMut(&RecordError);

/// The texts that wait for their answers.
#[derive(Default)]
pub(crate) struct Questions {
    texts: Vec<(String, Option<u16>)>,
    bytes: usize,
}

impl Questions {
    /// Adds a text of a year; its number among those that wait.
    pub(crate) fn add(&mut self, text: String, year: Option<u16>) -> usize {
        self.bytes = self.bytes.saturating_add(text.len());
        self.texts.push((text, year));
        self.texts.len().saturating_sub(1)
    }

    /// Counts bytes that wait with the texts.
    pub(crate) fn hold(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Tests whether enough wait.
    pub(crate) fn is_full(&self) -> bool {
        self.texts.len() >= MOST || self.bytes >= MOST_BYTES
    }

    /// The judgements of all texts, in their order; none wait afterwards.
    pub(crate) fn judge<P: Predictor>(
        &mut self,
        predictor: &mut P,
        min_score: f32,
    ) -> Result<Vec<Judgement>, EnrichError> {
        let texts = std::mem::take(&mut self.texts);
        self.bytes = 0;
        let inputs: Vec<Input<'_>> = texts.iter().map(|(text, year)| Input::text(text).year(*year)).collect();
        let predictions = predictor.predict(&inputs);
        if predictions.len() != inputs.len() {
            return Err(EnrichError::Stopped);
        }
        let kb = predictor.knowledge_base();
        Ok(predictions.iter().map(|prediction| Judgement::of(prediction, kb, min_score)).collect())
    }
}

/// The filling of a judgement; any other is counted.
pub(crate) fn filling<'a>(
    judgement: Option<&'a Judgement>,
    summary: &mut EnrichSummary,
) -> Option<&'a Filling> {
    let count = match judgement? {
        Judgement::Fill(filling) => return Some(filling),
        Judgement::Left => &mut summary.left,
        Judgement::Unsure => &mut summary.unsure,
        Judgement::NoVulnerability => &mut summary.no_vulnerability,
        Judgement::NoText => &mut summary.without_text,
    };
    *count = count.saturating_add(1);
    None
}
