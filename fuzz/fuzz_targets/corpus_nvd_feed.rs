//! NVD's yearly feeds: any member of the array is a record or an error.
#![no_main]

use std::io::{Cursor, Read};

use libfuzzer_sys::fuzz_target;
use vulnlens_corpus::sources::{Needs, Options, open};
use vulnlens_corpus::{Input, Limits};

/// How such a file begins: it is told apart by this.
const HEAD: &[u8] = br#"{"CVE_data_type":"CVE","CVE_Items":["#;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { record_bytes: 4096, ..Limits::default() };
    let input = Input::stream("fuzz", HEAD.chain(Cursor::new(bytes.to_vec())));
    let options = Options { limits, needs: Needs { cve: true }, ..Options::default() };
    if let Ok(records) = open(input, &options) {
        assert!(records.count() <= bytes.len() + 1);
    }
});
