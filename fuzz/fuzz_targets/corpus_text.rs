//! Texts in any encoding and markup: each is one record or a list, and none is blank.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use vulnlens_corpus::sources::{Options, file_formats, open};
use vulnlens_corpus::{Input, Limits};

const HEADS: [&[u8]; 6] =
    [b"", b"<html><body>", b"# Heading\n\n", b"From: a\nTo: b\nSubject: c\n\n", b"\xFF\xFE", b"<?xml version=\"1.0\"?>"];

fuzz_target!(|bytes: &[u8]| {
    for head in HEADS {
        for name in ["text", "lines"] {
            let format = file_formats().find(|format| format.name() == name);
            let input = Input::stream("fuzz", Cursor::new([head, bytes].concat()));
            let options = Options { format, limits: Limits::default(), ..Options::default() };
            if let Ok(records) = open(input, &options) {
                for record in records.with_text().flatten() {
                    assert!(!record.text.unwrap_or_default().trim().is_empty());
                }
            }
        }
    }
});
