//! Scoring of texts by an n-gram model.

use vulnlens_taxonomy::TechniqueId;

use super::evidence::{curated_evidence, word_evidence};
use super::gemm::{Matrix, product};
use super::network::NgramModel;
use super::room::NgramRoom;
use super::vocabulary::Entry;
use crate::curated::{CuratedEvidence, CuratedHead, CuratedText};
use crate::evidence::WordEvidence;
use crate::header::Header;
use crate::network::Network;
use crate::outputs::Outputs;
use crate::prediction::Input;
use crate::room::Room;
use crate::severity::{SeverityHead, SeverityText};

impl Network for NgramModel {
    fn name(&self) -> &str {
        &self.header.name
    }

    /// Twelve digits of the file's checksum.
    fn revision(&self) -> &str {
        &self.revision
    }

    fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    fn header(&self) -> Option<&Header> {
        Some(&self.header)
    }

    fn curated(&self) -> Option<&CuratedHead> {
        self.curated.as_ref()
    }

    fn severity(&self) -> Option<&SeverityHead> {
        self.severity.as_ref()
    }

    fn reads_years(&self) -> bool {
        true
    }

    /// Enough to use the output weights many times while they are in the cache, few enough that the
    /// buffers stay there, too.
    fn texts_at_once(&self) -> usize {
        64
    }

    fn score(&self, inputs: &[Input<'_>], room: &mut Room, scores: &mut Vec<f32>) {
        let (d, sets) = (self.dimensions, self.outputs.len());
        let Room { ngram, known, asks_curated, asks_described, curated, asks_severity, severity } = room;
        let NgramRoom { vectorizer, weighted, hidden } = ngram;
        let head = self.curated.as_ref().filter(|_| *asks_curated);
        if head.is_some() {
            curated.resize_with(inputs.len(), CuratedText::default);
        }
        let severity_head = self.severity.as_ref().filter(|_| *asks_severity);
        if severity_head.is_some() {
            severity.resize_with(inputs.len(), SeverityText::default);
        }
        known.clear();
        hidden.clear();
        hidden.resize(inputs.len() * d, 0.0);
        scores.clear();
        scores.resize(inputs.len() * sets, 0.0);
        for ((number, input), hidden) in inputs.iter().enumerate().zip(hidden.chunks_exact_mut(d)) {
            let text = self.header.normalised(input.text);
            let entries = vectorizer.vectorize(&self.vocabulary, &text);
            self.hidden(entries, self.year_index(input.year), weighted, hidden);
            hidden.iter_mut().for_each(|x| *x = x.max(0.0));
            if let (Some(head), Some(text)) = (head, curated.get_mut(number)) {
                head.read(entries, input.year, text);
                if *asks_described {
                    head.compare(entries, text);
                }
            }
            if let (Some(head), Some(text)) = (severity_head, severity.get_mut(number)) {
                head.read(entries, input.year, text);
            }
            known.push(vectorizer.known_words());
        }
        let output = Matrix::new(&self.output, d, sets);
        product(Matrix::new(hidden, inputs.len(), d), output, scores);
        for (input, row) in inputs.iter().zip(scores.chunks_exact_mut(sets)) {
            let year = &self.year_output[self.year_index(input.year) * sets..][..sets];
            for ((logit, bias), year) in row.iter_mut().zip(&self.output_bias).zip(year) {
                *logit += bias + year;
            }
        }
    }

    fn word_evidence(
        &self,
        input: &Input<'_>,
        probabilities: &[f32],
        first: usize,
    ) -> Option<Vec<WordEvidence>> {
        Some(word_evidence(self, input, probabilities, first))
    }

    fn entries(&self, text: &str) -> Vec<Entry> {
        Self::entries(self, text)
    }

    fn curated_evidence(
        &self,
        input: &Input<'_>,
        cwes: &[f32],
        techniques: &[TechniqueId],
    ) -> Vec<CuratedEvidence> {
        let head = self.curated.as_ref();
        head.map_or_else(Vec::new, |head| curated_evidence(self, head, input, cwes, techniques))
    }
}
