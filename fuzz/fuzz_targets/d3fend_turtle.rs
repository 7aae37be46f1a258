//! The parser of D3FEND's ontology.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(catalog) = vulnlens_taxonomy::d3fend::parse(bytes, "fuzz") {
        let d3fend = catalog.d3fend;
        assert!(d3fend.countermeasures.is_sorted_by(|a, b| a.id < b.id));
        for countermeasure in &d3fend.countermeasures {
            for threat in d3fend.threats(countermeasure.id) {
                assert!(d3fend.against(threat).iter().any(|it| it.countermeasure.id == countermeasure.id));
            }
        }
    }
});
