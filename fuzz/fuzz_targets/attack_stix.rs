//! The parser of ATT&CK's STIX bundles.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(catalog) = vulnlens_taxonomy::attack::parse(bytes, "fuzz") {
        assert!(catalog.techniques.is_sorted_by(|a, b| a.id < b.id));
        assert!(catalog.tactics.is_sorted_by(|a, b| a.id < b.id));
    }
});
