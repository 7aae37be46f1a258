//! The normaliser: what it blanks is blanked byte for byte, and everything else keeps its place.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vulnlens_text::{is_withdrawal_notice, normalise};

fuzz_target!(|text: &str| {
    let normal = normalise(text);
    assert_eq!(normal.len(), text.len());
    for ((at, byte), kept) in normal.bytes().enumerate().zip(text.bytes()) {
        assert!(byte == kept || byte == b' ', "another byte at {at}");
    }
    let _ = is_withdrawal_notice(text);
});
