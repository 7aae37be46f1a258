//! The parser of CAPEC's STIX bundle.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(catalog) = vulnlens_taxonomy::capec::parse(bytes, "fuzz") {
        assert!(catalog.patterns.is_sorted_by(|a, b| a.id < b.id));
    }
});
