//! CSV and Parquet.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::oracle::enrich;

#[test]
fn rows_get_cells_and_every_byte_stays() {
    let text = "\u{feff}id,\"description\"\r\n1,\"SQL, \"\"quoted\"\"\nover lines\"\r\n\r\n2,cake\r\n3,XSS";
    let outcome = enrich("in.csv", text);
    assert_eq!(
        outcome.text(),
        "\u{feff}id,\"description\",cwe,cwe_score,cwe_basis,cwe_model,cwe_version,capec,attack\r\n\
         1,\"SQL, \"\"quoted\"\"\nover lines\",CWE-89,0.97,predicted,oracle@0123456789ab,4.18,CAPEC-66,T1190\r\n\r\n\
         2,cake,,,,,,,\r\n3,XSS,CWE-79,0.95,predicted,oracle@0123456789ab,4.18,,"
    );
    assert_eq!((outcome.summary.filled, outcome.summary.no_vulnerability), (2, 1));
    let again = enrich("in.csv", &outcome.bytes);
    assert_eq!(again.text(), outcome.text());
    assert_eq!((again.summary.filled, again.summary.had), (0, 2));
}

#[test]
fn a_column_of_weaknesses_is_filled_where_it_is_blank() {
    let outcome =
        enrich("in.csv", "sep=;\nid;CWE ID;description\n1;;SQL\n2;CWE-20;XSS\n3;\"\";XSS\n4;;one;two\n");
    let lines: Vec<&str> = outcome.text().lines().collect();
    assert_eq!(lines[1], "id;CWE ID;description;cwe_score;cwe_basis;cwe_model;cwe_version;capec;attack");
    assert!(lines[2].starts_with("1;CWE-89;SQL;0.97;"), "{}", lines[2]);
    assert_eq!(lines[3], "2;CWE-20;XSS;;;;;;");
    assert!(lines[4].starts_with("3;CWE-79;XSS;"), "{}", lines[4]);
    assert_eq!(lines[5], "4;;one;two", "a row with other fields than the header stays as it is");
    assert_eq!((outcome.summary.bad, outcome.errors.len()), (1, 1));
}

#[test]
fn a_row_that_cannot_be_read_keeps_its_bytes_and_gets_empty_cells() {
    let outcome = enrich("in.csv", b"id,description\n1,caf\xE9\n2,XSS\n");
    assert!(outcome.bytes.windows(15).any(|part| part == b"1,caf\xE9,,,,,,,\n2"), "{:?}", outcome.bytes);
    assert_eq!((outcome.summary.filled, outcome.summary.bad), (1, 1));
}

fn parquet_of(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn rows_of(bytes: Vec<u8>) -> RecordBatch {
    let file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut &file, &bytes).unwrap();
    let mut reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    reader.next().unwrap().unwrap()
}

#[test]
fn a_parquet_file_gets_columns() {
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["SQL", "cake", "XSS"]));
    let numbers: ArrayRef = Arc::new(arrow_array::Int64Array::from(vec![1, 2, 3]));
    let bytes = parquet_of(vec![("number", numbers), ("description", Arc::clone(&texts))]);
    let outcome = enrich("in.parquet", &bytes);
    let rows = rows_of(outcome.bytes.clone());
    let cwe = rows.column_by_name("cwe").unwrap().as_string::<i32>();
    assert_eq!((cwe.value(0), cwe.is_null(1), cwe.value(2)), ("CWE-89", true, "CWE-79"));
    assert_eq!(rows.column(0).data_type(), &arrow_schema::DataType::Int64);
    assert_eq!(rows_of(enrich("in.parquet", &outcome.bytes).bytes), rows, "nothing is added the second time");
    let mut lists = ListBuilder::new(StringBuilder::new());
    lists.append(false);
    lists.append(true);
    lists.values().append_value("CWE-20");
    lists.append(true);
    let bytes = parquet_of(vec![("cwes", Arc::new(lists.finish())), ("description", texts)]);
    let rows = rows_of(enrich("in.parquet", &bytes).bytes);
    let lists = rows.column(0).as_list::<i32>();
    let items = |row: usize| {
        lists.value(row).as_string::<i32>().iter().flatten().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!((items(0), items(2)), (vec!["CWE-89".to_owned()], vec!["CWE-20".to_owned()]));
}
