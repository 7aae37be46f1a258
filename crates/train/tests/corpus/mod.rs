//! A made-up corpus, small enough to fit on in a moment: what every kind of model here is trained on.

use vulnlens_evaluation::{Example, Part};
use vulnlens_taxonomy::{CveId, CweId, KnowledgeBase};
use vulnlens_train::Description;

pub(crate) fn kb() -> KnowledgeBase {
    KnowledgeBase::embedded()
}

/// Sentences of four kinds, each with the CWE ids that it should lead to.
const KINDS: [(&str, &[u32]); 4] = [
    ("SQL injection in the PRODUCT module lets attackers run statements through PLACE", &[89]),
    ("Stored cross-site scripting in PLACE of the PRODUCT web interface", &[79]),
    ("A heap overflow in the PRODUCT parser corrupts memory near PLACE", &[122, 787]),
    ("Missing authorization for PLACE in PRODUCT", &[862]),
];

/// `n` texts over the years 2015 to 2024, every fifth without a label.
pub(crate) fn examples(n: usize) -> Vec<Example> {
    let example = |i: usize| {
        let (pattern, cwes) = KINDS[i % KINDS.len()];
        let product = ["acme", "borealis", "cumulus", "delta"][i / 4 % 4];
        let place = ["the id field", "a search form", "page seven", "the export route"][i / 16 % 4];
        let cwes = if i % 5 == 4 { &[][..] } else { cwes };
        let year = 2015 + (i % 10) as u16;
        let text = pattern.replace("PRODUCT", product).replace("PLACE", place);
        let cwes = cwes.iter().copied().map(CweId).collect();
        let part = [Part::Train, Part::Train, Part::Train, Part::Validation, Part::Test][i / 20 % 5];
        Example::record(CveId::new(year, 1000 + i as u32), text, year, cwes, part)
    };
    (0..n).map(example).collect()
}

pub(crate) fn description() -> Description {
    Description {
        name: "made-up".to_owned(),
        data: "made-up.parquet".to_owned(),
        data_sha256: "0".repeat(64),
        split: "random".to_owned(),
        tool_version: "0".to_owned(),
    }
}
