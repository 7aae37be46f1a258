//! A server as clients see it: over a socket, in the forms that they speak.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use vulnlens_server::ApiKey;

use crate::running::{Running, SQLI};

#[test]
fn a_text_and_records_are_answered_as_the_library_answers() {
    let server = Running::new(|_| {});
    let (status, answer) = server.post("/v1/classify", &json!({ "text": SQLI }));
    assert_eq!((status, &answer["cwe"][0]["label"]), (200, &json!("CWE-89")));
    let classifier = vulnlens::embedded();
    let options = vulnlens::Options::default();
    let prediction = classifier.predict(vulnlens::Input::text(SQLI), &options);
    let score = f64::from(prediction.cwe.unwrap().labels[0].score);
    assert!((answer["cwe"][0]["score"].as_f64().unwrap() - score).abs() < 1e-6);

    let records = json!([{ "id": "CVE-2015-1", "text": SQLI }, { "id": "b", "description": "Use after free", "published": "2024-05-01" }]);
    let options = json!({ "taxonomy": ["cwe"], "top_k": 1 });
    let (status, answer) = server.post("/v1/classify", &json!({ "records": records, "options": options }));
    assert_eq!((status, answer["records"].as_array().map(Vec::len)), (200, Some(2)));
    assert_eq!(answer["records"][1]["cwe"][0]["label"], "CWE-416");
    assert_eq!(answer["records"][0]["capec"], json!([]));

    let (status, answer) = server.post("/v1/explain", &json!({ "text": SQLI }));
    assert_eq!((status, &answer["explained"]["label"]), (200, &json!("CWE-89")));
    assert!(answer["curated"][0]["nearest"].is_array(), "{answer}");
}

#[test]
fn records_in_other_forms_come_and_go_as_a_stream() {
    let server = Running::new(|_| {});
    let lines = format!(
        "{{\"id\":\"a\",\"description\":\"{SQLI}\"}}\nnot JSON\n{{\"id\":\"b\",\"description\":\"Use after free\"}}\n"
    );
    let kind = [("Content-Type", "application/x-ndjson")];
    let (status, head, body) =
        server.send("POST", "/v1/classify?taxonomy=cwe&top_k=1", &kind, lines.as_bytes());
    assert_eq!(status, 200, "{head}");
    let answers: Vec<Value> = body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: Vec<&Value> =
        answers.iter().filter(|answer| answer["error"].is_null()).map(|answer| &answer["id"]).collect();
    assert_eq!(ids, ["a", "b"], "one bad record loses no other: {body}");
    let error = answers.iter().find_map(|answer| answer["error"].as_str()).unwrap();
    assert!(error.contains("the body:2"), "{error}");

    let table = "cve_id,description\nCVE-2024-1,Use after free in a browser\n";
    let (status, head, body) =
        server.send("POST", "/v1/classify?format=csv", &[("Content-Type", "text/csv")], table.as_bytes());
    assert_eq!((status, body.contains("CWE-416")), (200, true), "{body}");
    assert!(head.to_ascii_lowercase().contains("x-records-failed: 0"), "{head}");
    let (status, _, body) = server.send("POST", "/v1/classify?format=pdf", &kind, lines.as_bytes());
    assert_eq!((status, body.contains("NotAcceptable")), (406, true), "{body}");
    let (status, _, body) =
        server.send("POST", "/v1/classify", &kind, b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR");
    assert!(status == 422 && body.contains("is a picture"), "{status} {body}");
}

#[test]
fn a_record_without_a_text_is_an_error_as_on_the_command_line() {
    let server = Running::new(|_| {});
    let kind = [("Content-Type", "application/x-ndjson")];
    let good = json!({ "id": "a", "description": SQLI, "cwe": "CWE-89" });
    let lines = [
        good.to_string(),
        json!({ "id": "no-field", "cwe": "CWE-79" }).to_string(),
        json!({ "id": "blank", "description": " ", "cwe": "CWE-79" }).to_string(),
    ]
    .join("\n");
    for path in ["/v1/classify", "/v1/review"] {
        let (status, _, body) = server.send("POST", path, &kind, lines.as_bytes());
        let answers: Vec<Value> = body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let ids: Vec<&Value> =
            answers.iter().map(|answer| &answer["id"]).filter(|id| !id.is_null()).collect();
        assert_eq!((status, &ids[..]), (200, &[&json!("a")][..]), "{path}: {body}");
        let errors: Vec<&Value> = answers.iter().filter(|answer| answer["error"].is_string()).collect();
        let is_told = |line: &str| errors.iter().any(|error| error["error"].as_str().unwrap().contains(line));
        assert!(errors.len() == 2 && is_told("the body:2") && is_told("the body:3"), "{path}: {body}");
        assert!(errors.iter().all(|error| error["schema_version"] == 1), "{path}: {body}");
    }
    let (status, head, body) = server.send("POST", "/v1/classify?format=csv", &kind, lines.as_bytes());
    assert_eq!((status, body.contains("blank")), (200, false), "{body}");
    assert!(head.to_ascii_lowercase().contains("x-records-failed: 2"), "{head}");
}

#[test]
fn atlas_d3fend_and_other_matrices_are_answered_where_they_are_asked_for() {
    let server = Running::new(|_| {});
    let text = "A prompt injection in LangChain lets remote attackers run SQL commands";
    let options = json!({ "atlas": true, "d3fend": true, "domain": ["enterprise", "ics"] });
    let (status, record) = server.post("/v1/classify", &json!({ "text": text, "options": options }));
    assert_eq!(status, 200, "{record}");
    assert_eq!(record["atlas"]["opened_by"], json!(["prompt injection", "LangChain"]));
    assert!(record["d3fend"].is_array() && record["other_domains"].is_array(), "{record}");
    let (_, plain) = server.post("/v1/classify", &json!({ "text": text }));
    assert!(plain["atlas"].is_null() && plain["d3fend"].is_null() && plain["other_domains"].is_null());
    assert_eq!(plain["cwe"], record["cwe"]);
    let wrong = json!({ "text": text, "options": { "domain": ["cloud"] } });
    let (status, error) = server.post("/v1/classify", &wrong);
    assert_eq!(status, 422, "{error}");
}

#[test]
fn clients_of_others_are_answered_in_their_forms() {
    let server = Running::new(|_| {});
    let (status, one) = server.post("/predict", &json!({ "inputs": SQLI }));
    assert_eq!((status, &one[0]["label"]), (200, &json!("CWE-89")));
    let scores: Vec<f64> =
        one.as_array().unwrap().iter().map(|scored| scored["score"].as_f64().unwrap()).collect();
    assert!(scores.len() > 100 && scores.is_sorted_by(|a, b| a >= b), "all labels, the best first");
    let (_, batch) = server.post("/predict", &json!({ "inputs": [[SQLI], ["Use after free"]] }));
    assert_eq!((&batch[0][0]["label"], &batch[1][0]["label"]), (&json!("CWE-89"), &json!("CWE-416")));
    let (status, pair) = server.post("/predict", &json!({ "inputs": ["a", "b"] }));
    assert_eq!((status, &pair["error_type"]), (422, &json!("Validation")));

    let (status, inference) = server.post("/", &json!({ "inputs": SQLI, "parameters": { "top_k": 2 } }));
    assert_eq!((status, inference[0].as_array().map(Vec::len)), (200, Some(2)));
    assert_eq!(inference[0][0]["label"], "CWE-89");

    let asked = json!({ "description": SQLI, "top_k": 3, "model": "fast" });
    let (status, techniques) = server.post("/classify/attack-techniques", &asked);
    assert_eq!((status, techniques["techniques"].as_array().map(Vec::len)), (200, Some(3)));
    for key in ["technique", "name", "score", "predicted"] {
        assert!(!techniques["techniques"][0][key].is_null(), "{techniques}");
    }
    assert_eq!(techniques["model"], "fast");
    let (_, cwes) = server.post("/classify/cwe", &json!({ "description": SQLI }));
    assert_eq!((&cwes["cwes"][0]["cwe"], &cwes["cwes"][0]["usage"]), (&json!("CWE-89"), &json!("Allowed")));

    let (status, severity) = server.post("/classify/severity", &json!({ "description": SQLI }));
    assert_eq!(status, 200, "{severity}");
    let bands = ["NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL"];
    assert!(severity["severity"].as_str().is_some_and(|band| bands.contains(&band)), "{severity}");

    let (status, info) = server.get("/info");
    let info: Value = serde_json::from_str(&info).unwrap();
    assert_eq!((status, &info["model_id"]), (200, &json!("fast")));
    assert_eq!(server.get("/health"), (200, String::new()));
    let (_, metrics) = server.get("/metrics");
    assert!(metrics.contains("vulnlens_requests_total{route=\"/predict\",status=\"422\"} 1"), "{metrics}");
}

#[test]
fn the_weaknesses_of_records_are_reviewed() {
    let server = Running::new(|_| {});
    let record = |id: &str, cwe: &str| json!({ "id": id, "description": SQLI, "cwe": cwe }).to_string();
    let lines = [record("a", "CWE-89"), record("b", "CWE-79"), "not JSON".to_owned()].join("\n");
    let kind = [("Content-Type", "application/x-ndjson")];
    let (status, _, body) = server.send("POST", "/v1/review", &kind, lines.as_bytes());
    let verdicts: Vec<Value> = body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |id: &str| verdicts.iter().find(|review| review["id"] == id).map(|review| &review["verdict"]);
    assert_eq!((status, of("a"), of("b")), (200, Some(&json!("agree")), Some(&json!("differs"))), "{body}");
    assert!(verdicts.iter().any(|review| review["error"].is_string()), "{body}");
    let (status, _, body) = server.send("POST", "/v1/review?format=markdown", &kind, lines.as_bytes());
    assert!(status == 200 && body.contains("| ") && body.contains("CWE-79"), "{body}");
}

#[test]
fn a_document_is_filled() {
    let server = Running::new(|_| {});
    let document = r#"{"bomFormat": "CycloneDX", "vulnerabilities": [{"id": "CVE-2024-10001", "affects": [],
        "description": "SQL injection in login.php via the id parameter."}, {"id": 1, "description": {}}]}"#;
    let kind = [("Content-Type", "application/vnd.cyclonedx+json")];
    let (status, head, body) = server.send("POST", "/v1/enrich", &kind, document.as_bytes());
    assert_eq!(status, 200, "{body}");
    assert!(head.contains("application/vnd.cyclonedx+json"), "{head}");
    for part in [r#"x-enrich-summary: {"filled":1,"had":0,"#, r#""bad":1}"#] {
        assert!(head.contains(part), "{head}");
    }
    let filled: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(filled["vulnerabilities"][0]["cwes"], json!([89]));
    for (path, status) in
        [("/v1/enrich?min_score=2", 422), ("/v1/enrich?as_of=1", 422), ("/v1/enrich?nothing=1", 422)]
    {
        assert_eq!(server.send("POST", path, &kind, document.as_bytes()).0, status, "{path}");
    }
    assert_eq!(server.send("POST", "/v1/enrich", &kind, b"").0, 400);
}

#[test]
fn the_page_and_the_knowledge_base_are_served() {
    let server = Running::new(|_| {});
    let (status, head, page) = server.send("GET", "/", &[], b"");
    assert_eq!((status, page.contains("<title>vulnlens</title>")), (200, true));
    assert!(head.to_ascii_lowercase().contains("content-security-policy: default-src 'none'"), "{head}");
    let mut bytes = page.len();
    for file in ["/page.css", "/page.js", "/favicon.ico"] {
        let (status, body) = server.get(file);
        assert!(status == 200 && !body.is_empty(), "{file}");
        bytes += body.len();
    }
    assert!(bytes < 100_000, "{bytes} bytes for the first view");
    assert!(!page.contains("http://") && !page.contains("https://"), "nothing comes from elsewhere");
    let (status, entry) = server.get("/v1/kb/CWE-79");
    assert_eq!((status, entry.contains("Cross-site Scripting")), (200, true), "{entry}");
    assert_eq!(server.get("/v1/kb/CWE-99999").0, 404);
    assert_eq!(server.get("/v1/kb/nothing").0, 422);
    let matrix: Value = serde_json::from_str(&server.get("/v1/matrix").1).unwrap();
    assert!(matrix["tactics"].as_array().unwrap().len() >= 14, "{matrix}");
}

#[test]
fn bad_requests_get_their_error_and_harm_no_other() {
    let server = Running::new(|settings| {
        settings.body_bytes = 10_000;
        settings.texts = 3;
    });
    let json_kind = [("Content-Type", "application/json")];
    let long = format!("{{\"text\":\"{}\"}}", "x".repeat(20_000));
    for (path, body, status, says) in [
        ("/v1/classify", "{", 400, "the body: EOF"),
        ("/v1/classify", "{\"text\":1}", 422, "invalid type: integer"),
        ("/v1/classify", "{\"texts\":[]}", 422, "unknown field `texts`"),
        ("/v1/classify", "{\"text\":\"a\",\"options\":{\"topk\":1}}", 422, "unknown field `topk`"),
        ("/v1/classify", "{}", 422, "neither or both"),
        ("/v1/classify", "[\"a\"]", 422, "expected an object"),
        ("/", "{\"inputs\":\"a\",\"parameters\":[1]}", 422, "expected an object"),
        ("/v1/classify", "{\"text\":\" \"}", 400, "there is no text"),
        ("/v1/classify", "{\"text\":\"a\",\"options\":{\"model\":\"x\"}}", 404, "there is no model"),
        (
            "/v1/classify",
            "{\"records\":[{\"text\":\"a\"},{\"text\":\"a\"},{\"text\":\"a\"},{\"text\":\"a\"}]}",
            422,
            "4 are more than 3",
        ),
        ("/v1/classify", &long, 413, "longer than 10000 bytes"),
        ("/predict", "{\"inputs\":\"\"}", 400, "there is no text"),
        ("/predict", "{\"inputs\":\"a\",\"raw_scores\":true}", 422, "raw_scores"),
        ("/classify/cwe", "{\"description\":\"a\",\"top_k\":0}", 422, "top_k"),
    ] {
        let (found, _, answer) = server.send("POST", path, &json_kind, body.as_bytes());
        let start = &body[..body.len().min(80)];
        assert_eq!(found, status, "{path} {start}: {answer}");
        assert!(answer.contains(says) && answer.contains("error_type"), "{start}: {answer}");
    }
    for (method, path, headers, status) in [
        ("GET", "/v1/classify", &[][..], 405),
        ("GET", "/nothing", &[], 404),
        ("POST", "/predict", &[("Content-Type", "text/plain")], 415),
        ("GET", "/v1/models", &[("Host", "evil.example")], 403),
        ("GET", "/v1/models", &[("Origin", "http://evil.example")], 403),
        ("GET", "/v1/models", &[("Origin", "null")], 403),
    ] {
        let (found, _, answer) = server.send(method, path, headers, b"{}");
        assert_eq!(found, status, "{method} {path} {headers:?}: {answer}");
        assert!(answer.contains("error_type"), "{answer}");
    }
    let (status, answer) = server.post("/v1/classify", &json!({ "text": SQLI }));
    assert_eq!((status, &answer["cwe"][0]["label"]), (200, &json!("CWE-89")));
}

#[test]
fn slow_and_broken_clients_are_let_go() {
    let server = Running::new(|settings| settings.patience = Duration::from_millis(300));
    let begun = std::time::Instant::now();
    let (host, half) = (server.address, "POST /v1/classify HTTP/1.1\r\nHost: ");
    server.raw(half.as_bytes());
    assert!(begun.elapsed() < Duration::from_secs(10), "a head that never ends is not waited for");
    let slow =
        format!("{half}{host}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{\"text\":");
    let answer = server.raw(slow.as_bytes());
    assert!(answer.contains(" 408 ") && answer.contains("too slowly"), "{answer}");
    let large = format!("GET /health HTTP/1.1\r\nHost: {host}\r\nX-Large: {}\r\n\r\n", "x".repeat(100_000));
    let answer = server.raw(large.as_bytes());
    assert!(answer.is_empty() || answer.contains(" 431 "), "{answer}");
    for _ in 0..50 {
        let mut stream = TcpStream::connect(host).unwrap();
        stream.write_all(half.as_bytes()).unwrap();
    }
    assert_eq!(server.get("/health").0, 200);
}

#[test]
fn a_key_opens_what_the_page_needs_no_key_for() {
    let server = Running::new(|settings| settings.api_key = ApiKey::new("secret"));
    for (headers, status) in [
        (&[][..], 401),
        (&[("Authorization", "Bearer wrong")], 401),
        (&[("Authorization", "Bearer secret")], 200),
        (&[("X-Api-Key", "secret")], 200),
    ] {
        assert_eq!(server.send("GET", "/v1/models", headers, b"").0, status, "{headers:?}");
    }
    assert_eq!((server.get("/").0, server.get("/health").0, server.get("/metrics").0), (200, 200, 401));
    let kind = [("Content-Type", "application/json")];
    assert_eq!(
        server.send("POST", "/", &kind, b"{\"inputs\":\"a\"}").0,
        401,
        "the page is open, the API beside it is not"
    );
}

#[test]
fn too_many_requests_are_told_to_come_again() {
    let server = Running::new(|settings| settings.requests = 0);
    let body = json!({ "text": SQLI }).to_string();
    let (status, head, answer) =
        server.send("POST", "/v1/classify", &[("Content-Type", "application/json")], body.as_bytes());
    assert_eq!(status, 429, "{answer}");
    assert!(head.to_ascii_lowercase().contains("retry-after: 1"), "{head}");
    assert_eq!(server.get("/health").0, 200, "what asks nothing of a model is answered");
}

#[test]
fn what_was_begun_is_answered_when_the_server_stops() {
    let mut server = Running::new(|_| {});
    let body = json!({ "text": SQLI }).to_string();
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = format!(
        "POST /v1/classify HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        server.address,
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    drop(server.stop.take());
    std::thread::sleep(Duration::from_millis(100));
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("CWE-89"), "{answer}");
    assert!(
        TcpStream::connect(server.address).is_err() || server.raw(b"GET /health HTTP/1.1\r\n\r\n").is_empty()
    );
}
