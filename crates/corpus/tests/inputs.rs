//! Texts to classify: every format, and every bad input that the field knows.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use vulnlens_corpus::sources::{self, Options, open};
use vulnlens_corpus::{CorpusError, Input, Limits, Problem, Record, RecordError};

type Item = Result<Record, RecordError>;

fn open_with(input: Input, limits: &Limits) -> Result<impl Iterator<Item = Item> + use<>, CorpusError> {
    open(input, &Options { limits: *limits, ..Options::default() }).map(vulnlens_corpus::Records::with_text)
}

fn read_with(name: &str, bytes: &[u8], limits: &Limits) -> Vec<Item> {
    let input = Input::stream(name, std::io::Cursor::new(bytes.to_vec()));
    open_with(input, limits).unwrap().collect()
}

fn read(name: &str, bytes: &[u8]) -> Vec<Item> {
    read_with(name, bytes, &Limits::default())
}

/// The text of a record.
fn text(record: &Record) -> &str {
    record.text.as_deref().unwrap()
}

/// Each record as its id and text, or its message.
fn shown(records: Vec<Item>) -> Vec<String> {
    let id = |record: &Record| record.id.as_ref().map(ToString::to_string).unwrap_or_default();
    let show = |record: Record| format!("{}|{}", id(&record), text(&record));
    records.into_iter().map(|record| record.map_or_else(|error| error.to_string(), show)).collect()
}

/// A zip archive of one empty file.
fn zip(name: &str) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
    writer.finish().unwrap().into_inner()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn json_lines_give_ids_texts_and_years() {
    let lines = br#"{"id":"CVE-2021-44228","published":"2022-01-02T10:00Z","description":"one \"quoted\""}
{"id":7,"text":"two","description":null,"more":{"a":[1]}}

{"id":"CVE-2019-0001","published":"","text":"three\u0000"}"#;
    let records: Vec<_> = read("-", lines).into_iter().map(Result::unwrap).collect();
    let id = |record: &'_ Record| record.id.as_ref().map(ToString::to_string).unwrap();
    let seen: Vec<_> = records.iter().map(|r| (id(r), text(r), r.year(), r.line())).collect();
    let want = [
        ("CVE-2021-44228".to_owned(), "one \"quoted\"", Some(2022), Some(1)),
        ("7".to_owned(), "two", None, Some(2)),
        ("CVE-2019-0001".to_owned(), "three ", Some(2019), Some(4)),
    ];
    assert_eq!(seen, want);
}

#[test]
fn an_id_that_is_a_number_keeps_its_digits() {
    for id in ["7", "-7", "9007199254740993", "12345678901234567890123", "1e3", "1.50"] {
        let record = read("in.jsonl", format!("{{\"id\":{id},\"text\":\"a\"}}").as_bytes()).remove(0);
        assert_eq!(record.unwrap().id.unwrap().as_str(), id);
    }
    let escaped = read("in.jsonl", b"{\"id\":\"a\\\"b\",\"text\":\"a\"}").remove(0);
    assert_eq!(escaped.unwrap().id.unwrap().as_str(), "a\"b");
}

#[test]
fn one_bad_line_never_loses_the_others() {
    let lines = b"{\"id\":1,\"text\":\"a\"}\n{\"id\":2,\"text\":\n{\"id\":3,\"text\":\" \"}\n{\"id\":4,\"text\":\"\xFF\"}\n{\"id\":5,\"text\":5}\n{\"id\":6,\"text\":\"b\",\"published\":\"soon\"}\n{\"id\":7,\"text\":\"c\"}";
    let shown = shown(read("in.jsonl", lines));
    assert_eq!(shown.len(), 8);
    let note = "in.jsonl:6: the date of the record cannot be read as a date, and counts as not given; write 2021-12-10";
    assert_eq!(shown[7], note);
    assert_eq!((shown[0].as_str(), shown[6].as_str()), ("1|a", "7|c"));
    assert!(
        shown[1].starts_with("in.jsonl:2: malformed JSON: EOF while parsing a value at column 15;"),
        "{}",
        shown[1]
    );
    assert_eq!(shown[2], "in.jsonl:3: the text is empty; give each record a description");
    assert_eq!(shown[3], "in.jsonl:4: byte 17 of the record is not UTF-8; convert the file to UTF-8");
    assert!(
        shown[4].starts_with("in.jsonl:5: malformed JSON: found the number 5 where a string"),
        "{}",
        shown[4]
    );
    assert_eq!(shown[5], "6|b", "a date only refines a record");
}

#[test]
fn a_list_is_one_record_a_line() {
    let list = b"\xEF\xBB\xBFfirst\r\nnul\0 here\r\nodd \xE9 letter";
    let odd = "in.txt: 1 bytes are not UTF-8 and were read as Windows-1252";
    assert_eq!(shown(read("in.txt", list)), ["|first", "|nul  here", "|odd é letter", odd]);
    let nul = "in.txt: the text is empty; give each record a description";
    assert!(shown(read("in.txt", b"\0\0\0 "))[0].ends_with(&nul[8..]), "a text of NUL is empty");
    let input = Input::stream("in.txt", b"first\n\nlast".as_slice());
    let format = sources::file_formats().find(|format| format.name() == "lines");
    let lines = open(input, &Options { format, ..Options::default() }).unwrap().with_text().collect();
    let blank = "in.txt:2: the text is empty; give each record a description";
    assert_eq!(shown(lines), ["|first", blank, "|last"]);
}

#[test]
fn a_document_is_one_record() {
    let mail = b"From: a\nTo: b\nSubject: c\nContent-Transfer-Encoding: base64\n\nU1FM\n".as_slice();
    let error = open_with(Input::stream("in", mail), &Limits::default()).err().unwrap();
    assert_eq!(error.to_string(), "in: is a mail whose body is encoded or in parts; save its text");
    let long = Limits { record_bytes: 9, ..Limits::default() };
    let got = shown(read_with("in.md", "# \u{e9}\u{e9}\u{e9}\u{e9}\u{e9}".as_bytes(), &long));
    assert!(got.last().unwrap().starts_with("in.md: longer than 9 bytes"), "{got:?}");
    let fragment = shown(read("in", b"<p>SQL injection</p>"));
    assert_eq!(fragment.last().unwrap(), "|SQL injection", "a fragment of a page is not XML");
    let wrapped = "A flaw in the login form of Acme Portal before 2.1 lets remote\nattackers execute SQL commands by the parameter id, which is\nnot escaped.\n";
    let note = "in: its lines are read as one text; --input-format lines reads a text a line";
    assert_eq!(shown(read("in", wrapped.as_bytes())), [note, &format!("|{wrapped}")]);
    let page = "<html><body><h1>Flaw</h1><p>SQL injection</p></body></html>";
    let note = "in: is HTML, read as one text without its markup; --input-format lines reads a text a line";
    assert_eq!(shown(read("in", page.as_bytes())), [note, "|Flaw\nSQL injection"]);
    let error =
        open_with(Input::stream("in", b"<?xml version=\"1.0\"?><analysis/>".as_slice()), &Limits::default());
    assert!(
        error
            .err()
            .unwrap()
            .to_string()
            .starts_with("in: is a report of dependency-check in XML; write it as")
    );
}

#[test]
fn csv_reads_quotes_line_ends_and_a_byte_order_mark() {
    let table = b"\xEF\xBB\xBFpublished,id,description\r\n2020-05-06,CVE-2019-0001,\"a, \"\"b\"\"\r\nc\"\r\n,x,d\r\n1,2\r\n,,e\n";
    let records = read("in.csv", table);
    let lines: Vec<_> = records.iter().flatten().map(|record| (record.line(), record.year())).collect();
    assert_eq!(lines, [(Some(2), Some(2020)), (Some(4), None), (Some(6), None)]);
    let fields = "in.csv:5: 2 fields where the header has 3; quote fields that hold commas or line ends";
    assert_eq!(shown(records), ["CVE-2019-0001|a, \"b\"\r\nc", "x|d", fields, "|e"]);
}

#[test]
fn a_year_is_a_year_and_a_bad_date_loses_nothing() {
    for (value, day, year) in [
        ("\"2019\"", None, 2019),
        ("2019", None, 2019),
        ("2019.0", None, 2019),
        ("\"2019-02-03\"", Some("2019-02-03"), 2019),
        ("\"2019-02-30\"", None, 2021),
        ("\"soon\"", None, 2021),
        ("20190203", Some("2019-02-03"), 2019),
        ("-2019", None, 2021),
        ("null", None, 2021),
        ("true", None, 2021),
        ("[2019, {}]", None, 2021),
        ("{\"year\": 2019}", None, 2021),
    ] {
        let line = format!("{{\"id\":\"CVE-2021-0001\",\"text\":\"a\",\"published\":{value}}}");
        let record = read("in.jsonl", line.as_bytes()).remove(0).unwrap();
        let got = record.dates.published.day().map(|day| day.to_string());
        assert_eq!((got.as_deref(), record.year()), (day, Some(year)), "{value}");
    }
    let rows = read("in.csv", b"id,published,text\nCVE-2021-0001,2019,a\nCVE-2021-0001,soon,b\n,x,c\n");
    let years: Vec<_> = rows.into_iter().flatten().map(|row| row.year()).collect();
    assert_eq!(years, [Some(2019), Some(2021), None]);
}

#[test]
fn a_quote_that_never_closes_is_reported_with_its_line() {
    for (table, kept, at, opens) in [
        ("id,text\n1,a\n2,\"b\n3,c\n4,d\n", 1, 3, 3),
        ("id,text\n1,a\n\"2\n\",\"b\n3,c", 1, 3, 4),
        ("id,text\n1,\"a", 0, 2, 2),
        ("id,text\n1,\"a\"\"", 0, 2, 2),
        ("id,text\r\n1,a\r\n2,b\r\n3,\"c\r\n4,d\r\n", 2, 4, 4),
    ] {
        let records = read("in.csv", table.as_bytes());
        let (last, others) = records.split_last().unwrap();
        assert!(others.len() == kept && others.iter().all(Result::is_ok), "{table:?}: {others:?}");
        let want =
            format!("in.csv:{at}: the quote that opens on line {opens} never closes; the lines from there");
        let Err(error) = last else { panic!("{table:?}: {last:?}") };
        let error = error.to_string();
        assert!(error.starts_with(&want), "{table:?}: {error}");
    }
    for closed in ["id,text\n1,\"a\"", "id,text\n1,\"a\"\n\n", "id,text\n1,a\"", "id,text\n1,\"a\nb\"\r\n"] {
        let records = read("in.csv", closed.as_bytes());
        assert!(records.len() == 1 && records[0].is_ok(), "{closed:?}: {records:?}");
    }
    let limits = Limits { record_bytes: 8, ..Limits::default() };
    let long = read_with("in.csv", b"id,text\n1,a\n2,\"long and without an end\n", &limits);
    assert_eq!(long[1].as_ref().unwrap_err().problem, Problem::OpenQuote { line: 3 });
}

#[test]
fn a_quote_that_joins_lines_is_named_where_the_fields_are_off() {
    let records = shown(read("in.csv", b"id,text\n1,\"a\n2,b\n3,\"c\",d\n4,e\n"));
    let joined = "in.csv:2: 3 fields where the header has 2; a quote in it joins the lines up to 4";
    assert!(records[0].starts_with(joined), "{records:?}");
    assert_eq!(records[1], "4|e");
}

#[test]
fn a_missing_column_is_named_with_those_that_exist() {
    let input = Input::stream("in.csv", b"id,remark\n1,a\n".as_slice());
    let error = open_with(input, &Limits::default()).err().unwrap();
    assert!(matches!(error, CorpusError::MissingColumn { .. }));
    assert_eq!(error.to_string(), "in.csv: has no column description or text; its columns are: id, remark");
}

#[test]
fn a_line_beyond_the_limit_is_reported_and_skipped() {
    let limits = Limits { record_bytes: 1 << 20, ..Limits::default() };
    let long = "x".repeat(10 << 20);
    for (name, bytes) in [
        ("in.txt", format!("a\n{long}\nb\n")),
        ("in.csv", format!("text\na\n\"{long}\"\nb\n")),
        ("in.jsonl", format!("{{\"text\":\"a\"}}\n{{\"text\":\"{long}\"}}\n{{\"text\":\"b\"}}\n")),
    ] {
        let records = read_with(name, bytes.as_bytes(), &limits);
        assert_eq!(records[1].as_ref().unwrap_err().problem, Problem::TooLong(1 << 20), "{name}");
        assert_eq!((text(records[0].as_ref().unwrap()), text(records[2].as_ref().unwrap())), ("a", "b"));
        let whole = read(name, bytes.as_bytes());
        assert_eq!(
            text(whole[1].as_ref().unwrap()).len(),
            10 << 20,
            "{name}: 10 MB are within the default limit"
        );
    }
}

#[test]
fn a_truncated_gzip_keeps_the_records_before_the_cut() {
    let lines: String =
        (0..2000).map(|n| format!("{{\"id\":{n},\"text\":\"text {}\"}}\n", n * 7919)).collect();
    let packed = gzip(lines.as_bytes());
    let records = read("in.jsonl.gz", &packed[..packed.len() / 2]);
    let (last, kept) = records.split_last().unwrap();
    assert!(kept.len() > 500 && kept.iter().all(Result::is_ok), "{} records", kept.len());
    let error = last.as_ref().unwrap_err();
    assert_eq!(error.problem, Problem::Truncated);
    assert!(error.ends_input());
    let members = [gzip(b"a\n"), gzip(b"b\n")].concat();
    assert_eq!(shown(read("in.txt.gz", &members)), ["|a", "|b"], "a gzip file may have several members");
}

#[test]
fn a_decompression_bomb_is_stopped() {
    let limits = Limits { ratio_from: 1 << 20, ..Limits::default() };
    let bomb = gzip(&b"ab\n".repeat(2 << 20));
    let records = read_with("in.txt.gz", &bomb, &limits);
    assert!(matches!(records.last().unwrap().as_ref().unwrap_err().problem, Problem::Bomb(_)));
    let limits = Limits { unpacked_bytes: 1000, ..Limits::default() };
    let error = read_with("in.txt.gz", &bomb, &limits).pop().unwrap().unwrap_err();
    assert!(error.to_string().contains("unpacks to more than 1000 bytes"), "{error}");
}

#[test]
fn a_gzip_with_other_bytes_behind_it_is_read_to_its_end() {
    for (text, other) in [
        ("a\nb", b"more".as_slice()),
        ("a\nb\n", b"\0"),
        ("a\nb\n", b"PK\x03\x04 and much more than a header"),
    ] {
        let records = read("in.txt.gz", &[&gzip(text.as_bytes()), other].concat());
        let error = records[2].as_ref().unwrap_err();
        assert_eq!((error.problem.clone(), error.ends_input()), (Problem::TrailingBytes, true));
        assert_eq!((records.len(), &shown(records)[..2]), (3, ["|a".to_owned(), "|b".to_owned()].as_slice()));
    }
}

#[test]
fn a_line_that_is_no_record_says_what_it_is() {
    for (line, want) in [
        (
            "7",
            "malformed JSON: invalid type: integer `7`, expected an object at column 1; the record is left out",
        ),
        (
            "[1]",
            "malformed JSON: an array without a record in it; give one object a line; the record is left out",
        ),
        ("{\"id\":1}", "the text is empty: the record has no field description or text; give it one"),
        ("{\"text\":\"\"}", "the text is empty; give each record a description"),
        ("{\"CVE_Items\":[{}]}", "malformed JSON: missing field `cve` at column 2; the record is left out"),
        (
            "{\"cveMetadata\":{}}",
            "malformed JSON: missing field `cveId` at column 17; the record is left out",
        ),
    ] {
        let lines = format!("{{\"text\":\"a\",\"vulnerabilities\":1}}\n{line}\n");
        assert_eq!(shown(read("in", lines.as_bytes())), ["|a", &format!("in:2: {want}")]);
    }
}

#[test]
fn json_documents_are_read_as_lines_are() {
    let pretty = "{\n  \"id\": \"a\",\n  \"text\": \"one\"\n}";
    let other = "{\n  \"id\": \"b\",\n  \"text\": \"two\"\n}";
    for (documents, want) in [
        (pretty.to_owned(), vec!["a|one"]),
        (format!("{pretty}\n{other}"), vec!["a|one", "b|two"]),
        (format!("[{pretty},\n{other}]\n"), vec!["a|one", "b|two"]),
        (
            format!("[{pretty},{{\"id\":\"c\"}},{other}]"),
            vec![
                "a|one",
                "in: record 2 (c): the text is empty: the record has no field description or text; give it one",
                "b|two",
            ],
        ),
        (
            format!("{pretty}\n<html>"),
            vec!["a|one", "in: record 2: '<' where a JSON document should begin; reading stopped there"],
        ),
    ] {
        assert_eq!(shown(read("in", documents.as_bytes())), want, "{documents}");
    }
    let array = read("-", b"[\n  {\"text\":\"a\"}\n]");
    assert_eq!(shown(array), ["|a"], "a stream is looked at as far as tells its format");
    let records: Vec<_> = read("in.json", pretty.as_bytes());
    assert_eq!(records[0].as_ref().unwrap().line(), None, "a document alone has no line");
    let error = read("in", format!("{pretty}x").as_bytes()).pop().unwrap().unwrap_err();
    assert!(error.ends_input());
}

#[test]
fn a_quote_without_a_partner_is_told_though_another_closes_it() {
    let table = "id,description\n1,\"a in login\n2,\"b in parser\"\n3,\"c, \"\"quoted\"\"\nover lines\"\n4,\"d\" sloppy\n";
    let shown = shown(read("in.csv", table.as_bytes()));
    assert!(
        shown[0].starts_with("in.csv:2: a quote joins the lines up to 3 and closes within its field"),
        "{shown:?}"
    );
    assert_eq!(shown[1..], ["3|c, \"quoted\"\nover lines", "4|d sloppy"]);
}

#[test]
fn json_that_a_text_hides_is_not_answered_as_a_text() {
    for text in ["2024-01-01 scan done\n{\"id\":1,\"text\":\"a\"}\n", "[\"SQL injection\",\"XSS\"]"] {
        let error =
            open_with(Input::stream("in", std::io::Cursor::new(text.to_owned())), &Limits::default()).err();
        assert!(error.unwrap().to_string().contains("--input-format jsonl"), "{text}");
    }
}

#[test]
fn what_stands_around_records_is_not_taken_for_them() {
    for (text, want) in [
        (
            r#"{"title":"Weekly","description":"Weekly export","items":[{"id":"1","description":"a"},{"id":"2","text":"b"}]}"#,
            &["1|a", "2|b"][..],
        ),
        (r#"{"summary":{"total":2},"findings":[{"id":"1","description":"a"}]}"#, &["1|a"]),
        (r#"[{"id":17,"cve_id":"CVE-2001-0001","details":"a","year":2001}]"#, &["CVE-2001-0001|a"]),
        (r#"{"id":"1","description":"a","affected":["acme 1.0"]}"#, &["1|a"]),
        (r#"{"id":"1","description":"a","cwe":79.0}"#, &["1|a"]),
        (r#"{"id":"1","description":"a","cwes":[["CWE-89"],true,null,-1]}"#, &["1|a"]),
        (
            "\u{1e}{\"id\":\"1\",\"description\":\"a\"}\n\u{1e}{\"id\":\"2\",\"description\":\"b\"}\n",
            &["1|a", "2|b"],
        ),
        (
            "{\"vulnerabilities\":[{\"id\":1,\"text\":\"a\"}]}\n{\"vulnerabilities\":[{\"id\":2,\"text\"\n{\"vulnerabilities\":[{\"id\":3,\"text\":\"c\"}]}\n",
            &[
                "1|a",
                "in:2: malformed JSON: EOF while parsing an object at column 14; the record is left out",
                "3|c",
            ],
        ),
        ("ORCID login form allows SQL injection", &["|ORCID login form allows SQL injection"]),
    ] {
        assert_eq!(shown(read("in", text.as_bytes())), want, "{text}");
    }
}

#[test]
fn a_page_that_states_more_records_than_it_holds_is_noted() {
    let page = |total: u64, first: bool| {
        let list = "\"vulnerabilities\":[{\"id\":1,\"text\":\"a\"},{\"id\":2,\"text\":\"b\"}]";
        let total = format!("\"totalResults\":{total}");
        if first { format!("{{{total},{list}}}") } else { format!("{{{list},{total}}}\n") }
    };
    let note = "in: holds 2 of 3 records; fetch the other pages for the rest";
    for (whole, first) in [(1000, true), (1000, false), (20, true), (20, false)] {
        let limits = Limits { document_bytes: whole, ..Limits::default() };
        let got = |text: String| shown(read_with("in", text.as_bytes(), &limits));
        assert_eq!(got(page(3, first)), ["1|a", "2|b", note], "{whole} {first}");
        assert_eq!(got(page(2, first)), ["1|a", "2|b"], "{whole} {first}");
    }
    let both = page(4, true) + &page(4, false);
    assert_eq!(shown(read("in", both.as_bytes())).len(), 4, "together they are whole");
}

#[test]
fn what_is_no_text_is_refused_with_the_way_out() {
    for (name, bytes, part) in [
        ("in.zip", b"PK\x03\x04....".as_slice(), "not a readable zip archive"),
        ("in.xlsx", &zip("[Content_Types].xml"), "is an Office document; save it as CSV"),
        ("in.parquet", b"PAR1 and then nothing", "not a readable Parquet file"),
        ("in.parquet", b"text", "is not a Parquet file"),
        ("in.txt", b"MZ\x90\0\x03\0", "is binary"),
        ("in", b"\x7FELF with text", "is a program"),
        ("in.txt", b"\xFA\xFB\xFC\xFD and twenty letters", "is binary"),
        ("in.txt", b"a\0\0b\0c\0\0d\0e", "give text, JSON Lines, CSV or Parquet"),
    ] {
        let input = Input::stream(name, std::io::Cursor::new(bytes.to_vec()));
        let error = open_with(input, &Limits::default()).err().unwrap();
        assert!(error.to_string().contains(part), "{error}");
    }
    let absent = open_with(Input::path("no such file"), &Limits::default());
    assert!(matches!(absent.err().unwrap(), CorpusError::Open { .. }));
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b','), Just(b'\n'), Just(b'{')], 0..200),
        name in prop_oneof![Just("a.csv"), Just("a.jsonl"), Just("a.txt"), Just("a")],
        limit in 0usize..100,
    ) {
        let limits = Limits { record_bytes: limit, ..Limits::default() };
        let input = Input::stream(name, std::io::Cursor::new(bytes.clone()));
        let records = open_with(input, &limits).map(Iterator::count).unwrap_or_default();
        prop_assert!(records <= bytes.len() + 1);
    }

    #[test]
    fn json_lines_give_back_what_was_written(texts in proptest::collection::vec("\\PC*[a-z]", 1..20)) {
        let lines: String = texts.iter().map(|text| serde_json::json!({ "text": text }).to_string() + "\n").collect();
        let got: Vec<_> = read("a.jsonl", lines.as_bytes()).into_iter().map(|record| record.unwrap().text.unwrap()).collect();
        prop_assert_eq!(got, texts);
    }
}
