//! The parser of CWE's XML catalogue.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(catalog) = vulnlens_taxonomy::cwe::parse(bytes, "fuzz") {
        assert!(catalog.weaknesses.is_sorted_by(|a, b| a.id < b.id));
        assert!(catalog.groupings.is_sorted_by(|a, b| a.id < b.id));
    }
});
