//! Bad input of every kind: a clear message, the right exit code, and the other records answered.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::packed::gzip;
use crate::vulnlens::Folder;

fn record(id: &str) -> String {
    format!("{{\"id\":\"{id}\",\"description\":\"Buffer overflow in the parser of {id}\"}}\n")
}

#[test]
fn an_empty_text_is_no_input() {
    let folder = Folder::new();
    for text in ["", " \t\n"] {
        folder.run(&["classify", text]).code(3).says(&["the text is empty", "hint:"]);
    }
}

#[test]
fn an_empty_input_is_no_input() {
    let folder = Folder::new();
    folder.file("empty.jsonl", "");
    folder.file("blank.jsonl", "\n \n");
    folder.file("header.csv", "id,description\n");
    for name in ["empty.jsonl", "blank.jsonl", "header.csv"] {
        let outcome = folder.run(&["classify", "--input", name]).code(3).says(&[name, "no records", "hint:"]);
        assert!(!outcome.stdout.contains('{'), "{outcome:?}");
    }
    folder.run(&["classify"]).code(3).says(&["standard input: holds no records"]);
}

#[test]
fn what_is_not_there_is_named() {
    let folder = Folder::new();
    folder.run(&["classify", "--input", "missing.jsonl"]).code(3).says(&["missing.jsonl: cannot be read"]);
    folder.run(&["classify", "missing.jsonl"]).code(3).says(&["missing.jsonl: there is no such file"]);
    folder.run(&["classify", "."]).code(3).says(&[".: is a folder", "hint:"]);
    folder.run(&["classify", "CVE-2021-44228"]).code(2).says(&["id of a record", "--cve-id"]);
}

#[test]
fn one_bad_record_never_loses_the_others() {
    let (good, other) = (record("a"), record("z"));
    let cases: [(&str, Vec<u8>, &str); 5] = [
        ("malformed JSON", b"{\"id\": \"b\", \"description\": ".to_vec(), "malformed JSON"),
        ("no text", b"{\"id\":\"b\"}".to_vec(), "the text is empty"),
        ("blank text", b"{\"id\":\"b\",\"description\":\" \"}".to_vec(), "the text is empty"),
        ("no UTF-8", b"{\"id\":\"b\",\"description\":\"caf\xE9\"}".to_vec(), "is not UTF-8"),
        ("no object", b"[1, 2]".to_vec(), "malformed JSON"),
    ];
    for (name, line, problem) in cases {
        let folder = Folder::new();
        folder.file("in.jsonl", [good.as_bytes(), &line, b"\n", other.as_bytes()].concat());
        let outcome = folder.run(&["classify", "--input", "in.jsonl"]).code(4);
        let outcome = outcome.says(&["in.jsonl:2: ", problem, "in.jsonl: 1 records failed, 2 were answered"]);
        assert_eq!(outcome.ids(), [Some("a".to_owned()), Some("z".to_owned())], "{name}");
    }
}

#[test]
fn bad_records_alone_are_no_input_and_make_no_file() {
    let folder = Folder::new();
    folder.file("bad.jsonl", "{]\n{\"id\":\"b\"}\n");
    for name in ["out.jsonl", "out.csv", "out.parquet"] {
        let outcome = folder.run(&["classify", "--input", "bad.jsonl", "--output", name]).code(3);
        outcome.says(&["bad.jsonl:1: ", "bad.jsonl:2: ", "none of its records was answered, all 2 failed"]);
        assert!(!folder.path(name).exists(), "{name}");
    }
}

#[test]
fn a_blank_line_of_plain_text_is_a_bad_record() {
    let text = "Buffer overflow in x\n\nSQL injection in y\n";
    let outcome = Folder::new().run_with(&["classify", "--input-format", "lines"], text).code(4);
    assert_eq!(outcome.records().len(), 2);
    outcome.says(&["standard input:2: ", "the text is empty"]);
}

#[test]
fn odd_bytes_of_plain_text_are_answered() {
    let folder = Folder::new();
    let plain = folder.run_with(&["classify"], "Buffer overflow in the parser\n").code(0).stdout;
    for (name, bytes) in [
        ("line ends of Windows", &b"Buffer overflow in the parser\r\n"[..]),
        ("a byte order mark", b"\xEF\xBB\xBFBuffer overflow in the parser\n"),
        ("no line end", b"Buffer overflow in the parser"),
        ("a NUL", b"Buffer overflow in\0the parser\n"),
    ] {
        assert_eq!(folder.run_with(&["classify"], bytes).code(0).stdout, plain, "{name}");
    }
    folder.run_with(&["classify"], &b"Buffer overflow in caf\xE9\n"[..]).code(0);
}

#[test]
fn line_ends_of_windows_and_a_byte_order_mark_do_no_harm_to_tables() {
    let folder = Folder::new();
    folder.file("in.csv", "\u{feff}id,description\r\na,Buffer overflow\r\nb,SQL injection\r\n");
    let outcome = folder.run(&["classify", "--input", "in.csv"]).code(0);
    assert_eq!(outcome.ids(), [Some("a".to_owned()), Some("b".to_owned())]);
}

#[test]
fn a_very_long_line_is_answered_and_a_longer_one_reported() {
    let folder = Folder::new();
    let line = |length: usize| {
        format!("{{\"id\":\"long\",\"description\":\"{}\"}}\n", "overflow ".repeat(length / 9))
    };
    folder.file("ten.jsonl", line(10 << 20) + &record("z"));
    let outcome = folder.run(&["classify", "--input", "ten.jsonl"]).code(0);
    assert_eq!(outcome.ids(), [Some("long".to_owned()), Some("z".to_owned())]);
    folder.file("twenty.jsonl", line(20 << 20) + &record("z"));
    let outcome =
        folder.run(&["classify", "--input", "twenty.jsonl"]).code(4).says(&["twenty.jsonl:1: longer than"]);
    assert_eq!(outcome.ids(), [Some("z".to_owned())]);
}

#[test]
fn gzip_is_read_and_a_truncated_one_is_answered_as_far_as_it_goes() {
    let folder = Folder::new();
    let text: String = (0..5000).map(|number| record(&format!("r{number}"))).collect();
    let packed = gzip(text.as_bytes());
    folder.file("whole.jsonl.gz", &packed);
    assert_eq!(folder.run(&["classify", "--input", "whole.jsonl.gz"]).code(0).records().len(), 5000);
    folder.file("cut.jsonl.gz", &packed[..packed.len() / 2]);
    let outcome = folder.run(&["classify", "--input", "cut.jsonl.gz"]).code(4);
    let answered = outcome.records().len();
    assert!((1..5000).contains(&answered), "{answered}");
    outcome.says(&["cut.jsonl.gz", "ends too early", "the rest could not be read"]);
    folder.file("stub.jsonl.gz", &packed[..15]);
    folder.run(&["classify", "--input", "stub.jsonl.gz"]).code(3).says(&["stub.jsonl.gz", "ends too early"]);
}

#[test]
fn a_decompression_bomb_is_stopped() {
    let folder = Folder::new();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(record("a").as_bytes()).unwrap();
    let zeros = vec![b' '; 1 << 20];
    (0..300).for_each(|_| encoder.write_all(&zeros).unwrap());
    folder.file("bomb.jsonl.gz", encoder.finish().unwrap());
    let outcome = folder.run(&["classify", "--input", "bomb.jsonl.gz"]).code(4);
    assert_eq!(outcome.ids(), [Some("a".to_owned())]);
    outcome.says(&["bomb.jsonl.gz", "unpacks to more than"]);
}

#[test]
fn a_missing_column_is_named_with_those_that_exist() {
    let folder = Folder::new();
    folder.file("in.csv", "id,remark\n1,Buffer overflow\n");
    let words = ["in.csv", "no column description or text", "id, remark", "hint:"];
    folder.run(&["classify", "--input", "in.csv"]).code(3).says(&words);
}

#[test]
fn ids_that_come_twice_are_both_answered_and_told_of() {
    let folder = Folder::new();
    folder.file("in.jsonl", record("a") + &record("b") + &record("a"));
    let outcome = folder.run(&["classify", "--input", "in.jsonl"]).code(0).says(&["warning:", "\"a\" at 3"]);
    assert_eq!(outcome.records().len(), 3);
}

#[test]
fn a_format_that_the_input_is_not_in_is_told() {
    let folder = Folder::new();
    folder.file("in.parquet", "no parquet");
    folder.run(&["classify", "--input", "in.parquet"]).code(3).says(&["in.parquet"]);
    folder.file("in.zip", b"PK\x03\x04rest");
    folder.run(&["classify", "--input", "in.zip"]).code(3).says(&["zip archive"]);
}

#[test]
fn many_bad_records_are_counted_not_listed() {
    let folder = Folder::new();
    folder.file("in.jsonl", "{]\n".repeat(100) + &record("a"));
    let outcome = folder.run(&["classify", "--input", "in.jsonl"]).code(4).says(&["100 records failed"]);
    assert!(outcome.stderr.lines().count() < 30, "{}", outcome.stderr);
    let verbose = folder.run(&["classify", "--input", "in.jsonl", "-v"]).code(4);
    assert!(verbose.stderr.lines().count() > 100, "{}", verbose.stderr);
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let folder = Folder::new();
    for arguments in [
        &["classify", "x", "--threshold", "2"][..],
        &["classify", "x", "--threshold", "NaN"],
        &["classify", "x", "--top-k", "0"],
        &["classify", "x", "--taxonomy", "cve"],
        &["classify", "x", "--as-of", "12"],
        &["classify", "x", "--input", "y"],
        &["classify", "--cve-id", "CVE-2020-0001"],
        &["classify", "x", "--data", "data.parquet"],
        &["classify", "x", "--threads", "0"],
        &["classify", "x", "--threads", "1025"],
        &["kb", "info", "--attack-version", "18.1"],
        &["data", "build", "--out", "x.parquet"],
        &["data", "split", "a", "b", "--train", "0.9", "--validation", "0.2"],
        &["kb", "path", "T1027", "CWE-79"],
        &["kb", "show", "CVE-2020-0001"],
        &["nonsense"],
        &[],
    ] {
        let outcome = folder.run(arguments);
        assert_eq!(outcome.code, 2, "{arguments:?}: {outcome:?}");
        assert_eq!(outcome.stdout, "", "{arguments:?}");
    }
}
