//! The ids: what is read, printed and read again is the same id.
#![no_main]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use libfuzzer_sys::fuzz_target;
use vulnlens_taxonomy::{
    AtlasMitigationId, AtlasTacticId, AtlasTechniqueId, CapecId, CountermeasureId, CveId, CweId, TacticId, TechniqueId,
};

fn reads_back<Id: FromStr + Display + Debug + PartialEq>(text: &str) {
    if let Ok(id) = text.parse::<Id>() {
        assert_eq!(id.to_string().parse().ok(), Some(id));
    }
}

fuzz_target!(|text: &str| {
    reads_back::<CveId>(text);
    reads_back::<CweId>(text);
    reads_back::<CapecId>(text);
    reads_back::<TechniqueId>(text);
    reads_back::<TacticId>(text);
    reads_back::<AtlasTechniqueId>(text);
    reads_back::<AtlasTacticId>(text);
    reads_back::<AtlasMitigationId>(text);
    reads_back::<CountermeasureId>(text);
});
