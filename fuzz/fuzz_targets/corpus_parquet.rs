//! Parquet of texts to classify. The decoder's own panics are caught by the reader and are no finding: the hook that
//! would abort on them is taken away, and a panic that gets out still aborts.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use vulnlens_corpus::{Input, InputFormat, Limits, open_inputs};

fuzz_target!(
    init: std::panic::set_hook(Box::new(|_| ())),
    |bytes: &[u8]| {
        let limits = Limits { unpacked_bytes: 16 << 20, ..Limits::default() };
        let input = Input::stream("fuzz", Cursor::new([b"PAR1", bytes].concat()));
        if let Ok(inputs) = open_inputs(input, InputFormat::Parquet, &limits) {
            for record in inputs.flatten() {
                assert!(!record.text.trim().is_empty());
            }
        }
    }
);
