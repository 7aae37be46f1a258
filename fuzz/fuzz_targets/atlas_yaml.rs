//! The parser of ATLAS.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(catalog) = vulnlens_taxonomy::atlas::parse(bytes, "fuzz") {
        let atlas = catalog.atlas;
        assert!(atlas.techniques.is_sorted_by(|a, b| a.id < b.id));
        assert!(atlas.tactics.is_sorted_by(|a, b| a.id < b.id));
        assert!(atlas.mitigations.is_sorted_by(|a, b| a.id < b.id));
    }
});
