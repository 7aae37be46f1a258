//! JSON Lines of texts to classify: no more records than bytes, whatever the bytes.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use vulnlens_corpus::{Input, InputFormat, Limits, open_inputs};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { record_bytes: 64, ..Limits::default() };
    for limits in [limits, Limits::default()] {
        let input = Input::stream("fuzz", Cursor::new(bytes.to_vec()));
        if let Ok(inputs) = open_inputs(input, InputFormat::Jsonl, &limits) {
            assert!(inputs.count() <= bytes.len());
        }
    }
});
