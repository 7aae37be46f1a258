//! The door to records: any bytes under any name, alone or packed, with and without the need for a CVE id.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use vulnlens_corpus::sources::{ColumnNames, Needs, Options, open};
use vulnlens_corpus::{Input, Limits};

const NAMES: [&str; 8] = ["fuzz", "fuzz.json", "fuzz.jsonl", "fuzz.csv", "fuzz.tsv", "fuzz.txt", "fuzz.html", "fuzz.md"];

fuzz_target!(
    // The decoders of tables catch their own panics, which are no finding; one that gets out still aborts.
    init: std::panic::set_hook(Box::new(|_| ())),
    |bytes: &[u8]| {
        let Some((choice, bytes)) = bytes.split_first() else { return };
        let limits = Limits {
            record_bytes: 4096,
            document_bytes: if choice & 8 == 0 { 64 } else { 4096 },
            unpacked_bytes: 1 << 20,
            ..Limits::default()
        };
        let columns = ColumnNames::new((choice & 16 != 0).then(|| "a".to_owned()), None, None);
        let needs = Needs { cve: choice & 32 != 0 };
        let name = NAMES[usize::from(choice & 7)];
        let input = Input::stream(name, Cursor::new(bytes.to_vec()));
        if let Ok(records) = open(input, &Options { limits, columns, needs, ..Options::default() }) {
            for record in records.with_text().flatten() {
                assert!(!record.text.unwrap_or_default().trim().is_empty());
            }
        }
    }
);
