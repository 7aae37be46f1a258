//! Tables as the field's tools write them: Parquet in every codec, Arrow IPC, columns of every type, CSV of spreadsheets,
//! and files packed in every way.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use std::io::Cursor;
use std::sync::Arc;

use arrow_array::types::Int8Type;
use arrow_array::{
    Array, ArrayRef, BinaryArray, DictionaryArray, Float64Array, Int16Array, Int64Array, LargeStringArray,
    RecordBatch, StringArray, StringViewArray, TimestampMillisecondArray, UInt64Array,
};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use parquet::arrow::ArrowWriter;
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::WriterProperties;
use vulnlens_corpus::Input;
use vulnlens_corpus::sources::{ColumnNames, Options, open};

/// Id, text and year of each record, or what is wrong.
fn read_with(name: &str, bytes: Vec<u8>, options: &Options) -> Vec<String> {
    let records = open(Input::stream(name, Cursor::new(bytes)), options).unwrap().with_text();
    let shown = records.map(|record| match record {
        Ok(record) => {
            let id = record.id.as_ref().map(ToString::to_string).unwrap_or_default();
            let labels: Vec<String> = record.labels.iter().map(|label| label.cwe.to_string()).collect();
            let year = record.year().map(|year| year.to_string()).unwrap_or_default();
            format!("{id}|{}|{year}|{}", record.text.unwrap(), labels.join(","))
        }
        Err(error) => error.to_string(),
    });
    shown.collect()
}

fn read(name: &str, bytes: Vec<u8>) -> Vec<String> {
    read_with(name, bytes, &Options::default())
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

fn parquet(batch: &RecordBatch, compression: Compression) -> Vec<u8> {
    let mut bytes = Vec::new();
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn arrow_stream(batch: &RecordBatch, compression: Option<CompressionType>) -> Vec<u8> {
    let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new_with_options(&mut bytes, &batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    bytes
}

fn arrow_file(batch: &RecordBatch, compression: Option<CompressionType>) -> Vec<u8> {
    let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = FileWriter::try_new_with_options(&mut bytes, &batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    bytes.into_inner()
}

fn two_rows() -> RecordBatch {
    batch(vec![
        ("id", Arc::new(UInt64Array::from(vec![9_223_372_036_854_775_813, 2])) as ArrayRef),
        ("text", Arc::new(StringArray::from(vec!["one", "two"]))),
    ])
}

const TWO_ROWS: [&str; 2] = ["9223372036854775813|one||", "2|two||"];

#[test]
fn parquet_is_read_in_every_codec() {
    for codec in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        assert_eq!(read("in", parquet(&two_rows(), codec)), TWO_ROWS, "{codec}");
    }
}

#[test]
fn arrow_is_read_as_a_stream_and_as_a_file() {
    for compression in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
        assert_eq!(read("in", arrow_stream(&two_rows(), compression)), TWO_ROWS, "{compression:?}");
        assert_eq!(read("in", arrow_file(&two_rows(), compression)), TWO_ROWS, "{compression:?}");
    }
    let stream = arrow_stream(&two_rows(), None);
    for length in [8, 20, stream.len() / 2, stream.len() - 20] {
        let cut = open(Input::stream("cut", Cursor::new(stream[..length].to_vec())), &Options::default());
        let errors = cut.map(|records| records.filter(Result::is_err).count());
        assert!(errors.is_err() || errors.is_ok_and(|errors| errors <= 1), "{length}");
    }
}

#[test]
fn a_column_is_read_whatever_its_type() {
    let texts: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["a text"])),
        Arc::new(LargeStringArray::from(vec!["a text"])),
        Arc::new(StringViewArray::from(vec!["a text"])),
        Arc::new(BinaryArray::from(vec![b"a text".as_slice()])),
        Arc::new(["a text"].into_iter().collect::<DictionaryArray<Int8Type>>()),
    ];
    let ids: Vec<ArrayRef> = vec![
        Arc::new(Int16Array::from(vec![7])),
        Arc::new(Int64Array::from(vec![7])),
        Arc::new(Float64Array::from(vec![7.0])),
        Arc::new(StringViewArray::from(vec!["7"])),
    ];
    for (number, text) in texts.into_iter().enumerate() {
        let id = Arc::clone(&ids[number % ids.len()]);
        let published = Arc::new(TimestampMillisecondArray::from(vec![1_393_632_000_000])) as ArrayRef;
        let table = batch(vec![("ID", id), ("Description", text), ("date", published)]);
        for bytes in [arrow_stream(&table, None), parquet(&table, Compression::SNAPPY)] {
            assert_eq!(read("in", bytes), ["7|a text|2014|"], "{}", table.column(1).data_type());
        }
    }
}

#[test]
fn csv_of_spreadsheets_is_read_with_any_mark_and_in_any_encoding() {
    let want = ["CVE-2020-0001|Überlauf in “x”|2020|"];
    let table = |mark: &str| format!("CVE ID{mark}Description\r\nCVE-2020-0001{mark}Überlauf in “x”\r\n");
    for mark in [",", ";", "\t", "|"] {
        for name in ["in.csv", "in", "-"] {
            assert_eq!(read(name, table(mark).into_bytes()), want, "{mark:?} {name}");
        }
    }
    assert_eq!(read("in.csv", format!("sep=;\r\n{}", table(";")).into_bytes()), want);
    assert_eq!(read("in.tsv", table("\t").into_bytes()), want);
    let utf16: Vec<u8> =
        format!("\u{feff}{}", table(";")).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let note = "in: is in UTF-16LE and was read as such";
    assert_eq!(read("in", utf16.clone()), [note, want[0]]);
    assert_eq!(read("in", utf16[2..].to_vec()), [note, want[0]], "without a byte order mark");
    let windows = table(";").replace('Ü', "\u{1}").replace('“', "\u{2}").replace('”', "\u{3}").into_bytes();
    let windows = windows.into_iter().map(|byte| match byte {
        1 => 0xDC,
        2 => 0x93,
        3 => 0x94,
        byte => byte,
    });
    let note = "in.csv: 3 bytes are not UTF-8 and were read as Windows-1252";
    assert_eq!(read("in.csv", windows.collect()), [want[0], note]);
}

#[test]
fn the_column_of_cve_ids_wins_and_names_can_be_given() {
    for table in ["id,cve_id,text\n17,CVE-2014-0001,a\n", "cve_id,id,text\nCVE-2014-0001,17,a\n"] {
        assert_eq!(read("in.csv", table.into()), ["CVE-2014-0001|a|2014|"]);
    }
    assert_eq!(read("in.csv", b"id,cve_id,text\n17,,a\n".to_vec()), ["17|a||"]);
    assert_eq!(
        read("in", br#"{"id":17,"cveID":"CVE-2014-0001","Summary":"a"}"#.to_vec()),
        ["CVE-2014-0001|a|2014|"]
    );
    let nessus = b"CVE,Name,Synopsis\nCVE-2014-0001,SQLi,a\n,Info,b\n".to_vec();
    assert_eq!(read("in.csv", nessus), ["CVE-2014-0001|a|2014|", "|b||"], "a name is not an id");
    let languages =
        br#"{"cveId":"CVE-2014-0001","descriptions":[{"lang":"es","value":"b"},{"lang":"en","value":"a"}]}"#;
    assert_eq!(read("in", languages.to_vec()), ["CVE-2014-0001|a|2014|"]);
    let columns = ColumnNames::new(Some("finding".into()), Some("key".into()), Some("seen".into()));
    let options = Options { columns, ..Options::default() };
    let table = b"id,key,Finding,text,seen\n1,2,a,b,2014/03/01\n".to_vec();
    assert_eq!(read_with("in.csv", table, &options), ["2|a|2014|"]);
    let object = br#"{"id":1,"key":2,"Finding":"a","text":"b","seen":"2014/03/01"}"#.to_vec();
    assert_eq!(read_with("in", object, &options), ["2|a|2014|"]);
    let table = b"Key;Finding\n1;a\n".to_vec();
    let columns = ColumnNames::new(Some("Finding".into()), None, None);
    assert_eq!(read_with("in", table, &Options { columns, ..Options::default() }), ["|a||"]);
    let columns = ColumnNames::new(Some("body".into()), None, None);
    let nested = br#"{"data":[{"id":"1","body":"a","affected":[],"modified":"x"}]}"#.to_vec();
    assert_eq!(read_with("in", nested, &Options { columns, ..Options::default() }), ["1|a||"]);
    let missing = open(Input::stream("in.csv", b"id,text\n".as_slice()), &options);
    assert_eq!(
        missing.err().unwrap().to_string(),
        "in.csv: has no column finding; its columns are: id, text"
    );
}

#[test]
fn labels_in_cells_are_ids_and_never_the_numbers_of_a_prose() {
    let table = "id,text,cwes\n1,a,\"CWE-79 (CVSS 9.8, rank 20)\"\n2,a,(type 2)\n3,a,OWASP 2021\n4,a,79;89\n5,a,\"[\"\"CWE 79\"\", 89]\"\n";
    let want = ["1|a||CWE-79", "2|a||", "3|a||", "4|a||CWE-79,CWE-89", "5|a||CWE-79"];
    assert_eq!(read("in.csv", table.into()), want);
    let lines = br#"{"text":"a","cwes":["CWE-89 SQL Injection","CWE79",20,null]}
{"text":"a","weaknesses":[{"cwe_id":"CWE-79","name":"x"}]}
{"text":"a","cwe":79}"#;
    assert_eq!(read("in", lines.to_vec()), ["|a||CWE-89,CWE-79,CWE-20", "|a||CWE-79", "|a||CWE-79"]);
}

#[test]
fn files_are_read_in_every_packing() {
    let text = b"{\"id\":1,\"text\":\"a\"}\n".as_slice();
    // As the programs xz and zstd write it.
    let xz = include_bytes!("data/row.jsonl.xz").to_vec();
    let zst = include_bytes!("data/row.jsonl.zst").to_vec();
    for (name, packed) in
        [("in", xz.clone()), ("in.jsonl.xz", xz), ("in", zst.clone()), ("in.jsonl.zst", zst)]
    {
        assert_eq!(read(name, packed.clone()), ["1|a||"], "{name}");
        let cut = packed[..packed.len() - 8].to_vec();
        let last = read(name, cut).pop().unwrap();
        assert!(last.contains("ends too early") || last.contains("damaged"), "{last}");
    }
    assert_eq!(read("in", text.to_vec()), ["1|a||"]);
}
