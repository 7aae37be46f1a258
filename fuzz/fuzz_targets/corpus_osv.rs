//! OSV records: any object that is recognised as one is a record or an error.
#![no_main]

use std::io::{Cursor, Read};

use libfuzzer_sys::fuzz_target;
use vulnlens_corpus::sources::{Needs, Options, open};
use vulnlens_corpus::{Input, Limits};

/// The beginning of such a record, by which it is recognised.
const HEAD: &[u8] = br#"{"schema_version":"1.6.0","id":"GHSA-2222-3333-4444","#;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { record_bytes: 4096, ..Limits::default() };
    for cve in [false, true] {
        let input = Input::stream("fuzz.json", HEAD.chain(Cursor::new(bytes.to_vec())));
        let options = Options { limits, needs: Needs { cve }, ..Options::default() };
        if let Ok(records) = open(input, &options) {
            assert!(records.count() <= bytes.len() + 1);
        }
    }
});
