//! Arrow IPC, streams and files. The decoder's own panics are caught by the reader and are no finding: the hook that
//! would abort on them is taken away, and a panic that gets out still aborts.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use vulnlens_corpus::sources::{Options, file_formats, open};
use vulnlens_corpus::{Input, Limits};

fuzz_target!(
    init: std::panic::set_hook(Box::new(|_| ())),
    |bytes: &[u8]| {
        let format = file_formats().find(|format| format.name() == "arrow");
        for head in [b"ARROW1\0\0".as_slice(), b"\xFF\xFF\xFF\xFF"] {
            let limits = Limits { unpacked_bytes: 16 << 20, ..Limits::default() };
            let input = Input::stream("fuzz", Cursor::new([head, bytes].concat()));
            if let Ok(records) = open(input, &Options { format, limits, ..Options::default() }) {
                for record in records.flatten() {
                    assert!(record.text.is_err() || record.text.is_ok_and(|text| !text.trim().is_empty()));
                }
            }
        }
    }
);
