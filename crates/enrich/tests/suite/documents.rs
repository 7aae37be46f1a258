//! Layouts of documents: lines, arrays, one behind the other, packed, long.

use serde_json::json;

use crate::oracle::enrich;

#[test]
fn lines_are_filled_one_by_one() {
    let text = "{\"id\":1,\"text\":\"SQL\"}\r\n\r\n{\"id\": 2, \"text\": \"cut\n  {\"id\" : 3, \"text\" : \"XSS\"}  \n{\"id\":4,\"text\":\"XSS\"}";
    let outcome = enrich("in.jsonl", text);
    let lines: Vec<&str> = outcome.text().split('\n').collect();
    assert!(
        lines[0].starts_with("{\"id\":1,\"text\":\"SQL\",\"cwe\":[\"CWE-89\"],\"capec\":"),
        "{}",
        lines[0]
    );
    assert!(lines[0].ends_with("}\r"));
    assert_eq!((lines[1], lines[2]), ("\r", "{\"id\": 2, \"text\": \"cut"));
    assert!(
        lines[3].starts_with("  {\"id\" : 3, \"text\" : \"XSS\", \"cwe\" : [\"CWE-79\"], ")
            && lines[3].ends_with("}  ")
    );
    assert_eq!((outcome.summary.filled, outcome.summary.bad), (3, 1));
    assert!(outcome.errors[0].starts_with("in.jsonl:3: malformed JSON: "), "{:?}", outcome.errors);
    assert!(outcome.errors[0].ends_with("; mend it, it is passed on as it is"), "{:?}", outcome.errors);
}

#[test]
fn arrays_and_documents_behind_one_another_are_filled() {
    let text =
        "[ {\"id\":1,\"text\":\"SQL\"} ,\n7, \"x{\", {\"id\":{},\"text\":\"XSS\"}, {\"text\":\"XSS\"} ]\n";
    let outcome = enrich("in.json", text);
    assert_eq!(outcome.summary.filled, 2);
    assert_eq!(outcome.summary.bad, 1, "{:?}", outcome.errors);
    assert!(
        outcome.text().contains(" ,\n7, \"x{\", {\"id\":{},\"text\":\"XSS\"}, {\"text\":\"XSS\",\"cwe\""),
        "{}",
        outcome.text()
    );
    let two = "{\n\"id\": 1, \"text\": \"SQL\"\n}\n{\n\"id\": 2, \"text\": \"XSS\"\n}\n";
    assert_eq!(enrich("in.json", two).summary.filled, 2);
}

#[test]
fn documents_within_others_are_filled() {
    let bom = json!({"bomFormat": "CycloneDX", "vulnerabilities": [{"id": "CVE-2024-0001", "description": "SQL", "affects": []}]});
    let csaf = json!({"document": {"csaf_version": "2.1"}, "vulnerabilities": [{"cve": "CVE-2024-0002", "title": "XSS", "notes": [],
        "product_status": {}}]});
    let outcome = enrich("in.json", json!({"meta": 1, "data": [bom, csaf]}).to_string());
    let new = outcome.json();
    assert_eq!(new["data"][0]["vulnerabilities"][0]["cwes"], json!([89]));
    assert_eq!(new["data"][1]["vulnerabilities"][0]["cwes"][0]["id"], json!("CWE-79"));
}

#[test]
fn more_findings_than_wait_at_once_are_filled_in_their_order() {
    let rows: Vec<String> = (0..5000)
        .map(|n| format!("{{\"id\":{n},\"text\":\"{} {n}\"}}", ["SQL", "XSS", "x"][n % 3]))
        .collect();
    let outcome = enrich("in.json", format!("[{}]", rows.join(",\n")));
    let new = outcome.json();
    let rows = new.as_array().unwrap();
    assert_eq!(rows.len(), 5000);
    for (n, row) in rows.iter().enumerate() {
        let want = [json!(["CWE-89"]), json!(["CWE-79"]), json!(null)];
        assert_eq!((&row["id"], &row["cwe"]), (&json!(n), &want[n % 3]));
    }
    assert_eq!(outcome.summary.unsure, 1666);
}
