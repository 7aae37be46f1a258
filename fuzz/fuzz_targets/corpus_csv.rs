//! CSV of texts to classify: no more records than bytes, whatever the bytes.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use vulnlens_corpus::sources::{Options, file_formats, open};
use vulnlens_corpus::{Input, Limits};

fn options(limits: Limits) -> Options {
    let format = file_formats().find(|format| format.name() == "csv");
    Options { format, limits, ..Options::default() }
}

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { record_bytes: 64, ..Limits::default() };
    for limits in [limits, Limits::default()] {
        let input = Input::stream("fuzz", Cursor::new(bytes.to_vec()));
        if let Ok(inputs) = open(input, &options(limits)) {
            assert!(inputs.count() <= bytes.len());
        }
    }
});
