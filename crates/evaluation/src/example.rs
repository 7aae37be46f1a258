//! Texts with their CWE ids, each in one part of a split: what fitting and evaluating work on.

use vulnlens_corpus::{Part, TextKind};
use vulnlens_taxonomy::{CveId, CweId, Outcome};

/// One text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The id of the record, the advisory, the package or the weakness. Only records have one each.
    pub name: String,
    /// The CVE that the text is about; every record has one.
    pub cve: Option<CveId>,
    /// The kind of the text.
    pub kind: TextKind,
    /// The source of a text that is not a record.
    pub style: Option<String>,
    /// The text.
    pub text: String,
    /// The year: of the publication, else of the CVE id, else one that tells nothing.
    pub year: u16,
    /// CWE ids as assigned, sorted, without ancestors. Empty: nobody has labelled the text.
    pub cwes: Vec<CweId>,
    /// The outcome of reading the text, where it is known and no set of weaknesses.
    pub outcome: Option<Outcome>,
    /// Its part of the split.
    pub part: Part,
}

impl Example {
    /// The description of a CVE record.
    #[must_use]
    pub fn record(cve: CveId, text: String, year: u16, cwes: Vec<CweId>, part: Part) -> Self {
        Self {
            name: cve.to_string(),
            cve: Some(cve),
            kind: TextKind::Record,
            style: None,
            text,
            year,
            cwes,
            outcome: None,
            part,
        }
    }

    /// True when the text has a CWE.
    #[must_use]
    pub fn is_labelled(&self) -> bool {
        !self.cwes.is_empty()
    }

    /// True when it is known what reading the text leads to: weaknesses, or another outcome.
    #[must_use]
    pub fn is_taught(&self) -> bool {
        self.is_labelled() || self.outcome.is_some()
    }

    /// True for a record of which nobody has said what it implies.
    #[must_use]
    pub fn is_unlabelled_record(&self) -> bool {
        self.kind == TextKind::Record && !self.is_labelled() && self.outcome.is_none()
    }
}

/// The labelled records of a part, in their order: what models are judged and calibrated on.
#[must_use]
pub fn labelled_part(examples: &[Example], part: Part) -> Vec<&Example> {
    let is_wanted = |example: &&Example| {
        example.part == part && example.is_labelled() && example.kind == TextKind::Record
    };
    examples.iter().filter(is_wanted).collect()
}

/// The labelled texts of the training part, of every kind, in their order: what models are fitted on.
#[must_use]
pub fn training_part(examples: &[Example]) -> Vec<&Example> {
    examples.iter().filter(|example| example.part == Part::Train && example.is_labelled()).collect()
}

/// The labelled records of a part and behind them its texts that lead to something else than weaknesses: what
/// temperature and weights are chosen on.
#[must_use]
pub fn judged_part(examples: &[Example], part: Part) -> Vec<&Example> {
    let mut rows = labelled_part(examples, part);
    rows.extend(outcome_part(examples, part));
    rows
}

/// At most `most` numbers below `count`, evenly spread.
#[must_use]
pub fn spread(count: usize, most: usize) -> Vec<usize> {
    let taken = count.min(most);
    (0..taken).map(|number| number * count / taken).collect()
}

/// The texts of a part that are known to lead to something else than weaknesses, in their order.
#[must_use]
pub fn outcome_part(examples: &[Example], part: Part) -> Vec<&Example> {
    let is_wanted =
        |example: &&Example| example.part == part && !example.is_labelled() && example.outcome.is_some();
    examples.iter().filter(is_wanted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_kind_are_fitted_on_and_records_alone_judged() {
        let cve = CveId::new(2020, 1);
        let record = |cwes: &[u32]| {
            let cwes = cwes.iter().map(|id| CweId(*id)).collect();
            Example::record(cve, "Flaw".to_owned(), 2020, cwes, Part::Train)
        };
        let style = Example { kind: TextKind::Style, ..record(&[79]) };
        let negative = Example {
            kind: TextKind::Negative,
            outcome: Some(Outcome::NotAVulnerability),
            cve: None,
            ..record(&[])
        };
        let untold = Example { outcome: Some(Outcome::NotTold), ..record(&[]) };
        let examples = [record(&[79]), record(&[]), style, negative, untold];
        assert_eq!(labelled_part(&examples, Part::Train), [&examples[0]]);
        assert_eq!(training_part(&examples), [&examples[0], &examples[2]]);
        let unlabelled: Vec<_> = examples.iter().map(Example::is_unlabelled_record).collect();
        assert_eq!(unlabelled, [false, true, false, false, false]);
    }
}
