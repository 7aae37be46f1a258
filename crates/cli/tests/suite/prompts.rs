//! `prompt` against an endpoint on this machine, and `evaluate --answers` on what it wrote. No other machine is asked.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::vulnlens::{Folder, command};

const SQL: &str = "SQL injection in login.php allows remote attackers to execute SQL via the id parameter.";
const FREE: &str = "Use after free in the renderer of a browser lets attackers run code.";
const SCRIPT: &str = "Cross-site scripting in the comment form lets attackers inject script.";

/// An endpoint; its thread ends with the tests.
struct Endpoint {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Endpoint {
    /// An endpoint that answers each prompt with a status and the content of a reply.
    fn start(answer: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, answer) = (Arc::new(Mutex::new(vec![])), Arc::new(answer));
        let log = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                // A client that is killed hangs up.
                thread::spawn(move || serve(stream, &log, &*answer).ok());
            }
        });
        Self { address, seen }
    }

    fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The requests so far: their heads and bodies.
    fn seen(&self) -> Vec<(String, Value)> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(
    stream: TcpStream,
    log: &Mutex<Vec<(String, Value)>>,
    answer: &dyn Fn(&str) -> (u16, String),
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body: Value = serde_json::from_slice(&body)?;
    log.lock().unwrap().push((head, body.clone()));
    let (status, content) = answer(body["messages"][0]["content"].as_str().unwrap());
    let choice = json!({"message": {"role": "assistant", "content": content}, "finish_reason": "stop"});
    let usage = json!({"prompt_tokens": 50, "completion_tokens": 5});
    let reply = json!({"choices": [choice], "usage": usage}).to_string();
    let head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Type: application/json\r\n");
    let mut stream = reader.into_inner();
    stream.write_all(format!("{head}Content-Length: {}\r\n\r\n{reply}", reply.len()).as_bytes())
}

/// A reply with these labels.
fn labels(ids: &[&str]) -> (u16, String) {
    let labels: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
    (200, json!({ "labels": labels }).to_string())
}

/// An endpoint that knows the three texts.
fn knowing() -> Endpoint {
    Endpoint::start(|prompt| match prompt {
        _ if prompt.ends_with(SQL) => labels(&["CWE-89", "CWE-1"]),
        _ if prompt.ends_with(FREE) => labels(&["CWE-416"]),
        _ => labels(&["CWE-79"]),
    })
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn record(number: u32, text: &str, cwe: u32) -> String {
    let id = format!("CVE-2025-{}", 10_000 + number);
    format!("{}\n", json!({"id": id, "description": text, "cwes": [format!("CWE-{cwe}")]}))
}

#[test]
fn records_are_answered_in_order_and_failures_are_told() {
    let folder = Folder::new();
    let table = record(1, SQL, 89) + "{\"damaged\n" + &record(2, FREE, 416) + &record(3, SCRIPT, 79);
    folder.file("in.jsonl", table);
    let endpoint = Endpoint::start(|prompt| match prompt {
        _ if prompt.ends_with(FREE) => (500, String::new()),
        _ if prompt.ends_with(SQL) => labels(&["CWE-89", "CWE-1"]),
        _ => labels(&["CWE-79"]),
    });
    let url = endpoint.url();
    let asked =
        ["prompt", "--input", "in.jsonl", "--endpoint", &url, "--model-name", "tiny", "--retries", "0"];
    let more = ["--summary", "s.json", "--cache", "cache"];
    let outcome = folder.run(&[&asked[..], &more].concat()).code(4);
    let answers = lines(&outcome.stdout);
    let of = |number: usize, key: &str| answers[number][key].clone();
    let statuses: Vec<Value> = (0..3).map(|number| of(number, "generated")["status"].clone()).collect();
    assert_eq!(statuses, ["answered", "failed", "answered"]);
    assert_eq!(
        (of(0, "schema_version"), of(0, "model"), of(0, "id")),
        (json!(1), json!("tiny"), json!("CVE-2025-10001"))
    );
    assert_eq!(of(0, "cwe")[0]["label"], "CWE-89");
    assert_eq!((&of(0, "cwe")[0]["basis"], &of(0, "cwe")[0]["score"]), (&json!("generated"), &json!(1.0)));
    assert_eq!(of(0, "generated")["refused"], json!(["CWE-1"]));
    assert_eq!(of(1, "generated")["failure"], "the endpoint answers with status 500");
    assert_eq!((of(1, "cwe"), of(1, "none")), (json!([]), json!({})));
    assert!(
        outcome.stderr.contains("records: 3 (2 answered, 1 failed, 0 not asked); requests: 3 (0 retries)"),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("CVE-2025-10002: the endpoint answers with status 500"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains("2 records failed, 2 were answered"), "{}", outcome.stderr);
    let summary: Value = serde_json::from_slice(&fs::read(folder.path("s.json")).unwrap()).unwrap();
    assert_eq!((&summary["answered"], &summary["prompt_tokens"]), (&json!(2), &json!(100)));
    // CWE-1 is an entry of the catalogue, and not among the candidates.
    assert_eq!((&summary["refused_unknown_ids"], &summary["refused_other_ids"]), (&json!(0), &json!(1)));
    // The cache has the two replies: nobody is asked about them, also without an endpoint.
    let offline = ["prompt", "--input", "in.jsonl", "--model-name", "tiny", "--cache", "cache", "--offline"];
    let again = folder.run(&offline).code(4);
    assert_eq!(lines(&again.stdout)[2], answers[2]);
    assert_eq!(endpoint.seen().len(), 3);
}

#[test]
fn a_run_that_is_killed_loses_nothing_that_was_answered() {
    let folder = Folder::new();
    let texts = (0..6).map(|number| record(number, &format!("{SQL} Copy {number}"), 89));
    folder.file("in.jsonl", texts.collect::<String>());
    let endpoint = Endpoint::start(|prompt| {
        // The fourth takes until the process is killed.
        if prompt.ends_with("Copy 3") {
            thread::sleep(Duration::from_secs(3));
        }
        labels(&["CWE-89"])
    });
    let url = endpoint.url();
    let arguments = [
        "prompt",
        "--input",
        "in.jsonl",
        "--endpoint",
        &url,
        "--model-name",
        "tiny",
        "--cache",
        "cache",
        "--out",
        "out.jsonl",
        "--concurrency",
        "1",
    ];
    let mut process = Command::new(env!("CARGO_BIN_EXE_vulnlens"));
    let process = process.args(arguments).current_dir(folder.path("")).env_clear();
    let mut process = process.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while endpoint.seen().len() < 4 && begun.elapsed() < Duration::from_secs(60) {
        thread::sleep(Duration::from_millis(20));
    }
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(!folder.path("out.jsonl").exists());
    let outcome = folder.run(&arguments).code(0);
    assert!(
        outcome.stderr.contains("6 answered") && outcome.stderr.contains("replies from the cache: 3"),
        "{}",
        outcome.stderr
    );
    assert_eq!(lines(&fs::read_to_string(folder.path("out.jsonl")).unwrap()).len(), 6);
}

#[test]
fn answers_stand_in_the_table_of_the_models() {
    let folder = Folder::new();
    let table = record(1, SQL, 89) + &record(2, FREE, 416) + &record(3, SCRIPT, 20);
    folder.file("table.jsonl", table);
    folder.run(&["data", "build", "--table", "table.jsonl", "--out", "data.parquet"]).code(0);
    let endpoint = knowing();
    let url = endpoint.url();
    let asked =
        ["prompt", "--data", "data.parquet", "--part", "test", "--split", "temporal", "--endpoint", &url];
    let more = ["--model-name", "tiny", "--out", "out.jsonl"];
    folder.run(&[&asked[..], &more].concat()).code(0);
    let evaluate =
        ["evaluate", "--data", "data.parquet", "--split", "temporal", "--answers", "tiny=out.jsonl"];
    let both = folder.run(&[&evaluate[..], &["--model", "fast", "--out", "e.json"]].concat()).code(0);
    assert!(both.stdout.contains("| tiny | 0.6667 |") && both.stdout.contains("| fast |"), "{}", both.stdout);
    let evaluation: Value = serde_json::from_slice(&fs::read(folder.path("e.json")).unwrap()).unwrap();
    let run = &evaluation["runs"][1];
    assert_eq!((&run["system"], &run["first_cwe"]["records"]), (&json!("tiny"), &json!(3)));
    assert_eq!(run["tasks"].as_array().unwrap().len(), 4);
    assert_eq!(
        (&run["tasks"][0]["label_rule"], &run["tasks"][0]["reliability"]),
        (&json!("as-written"), &Value::Null)
    );
    // A sample: the others count as wrong, or are left out for every system.
    folder.run(&[&asked[..], &more, &["--sample", "1"]].concat()).code(0);
    let outcome = folder.run(&evaluate).code(0).says(&["tiny has no answer for 2 rows"]);
    assert!(outcome.stdout.contains("| tiny | 0.3333 |"), "{}", outcome.stdout);
    let only = folder.run(&[&evaluate[..], &["--answered-only"]].concat()).code(0);
    assert!(only.stdout.contains("| tiny | 1.0000 |"), "{}", only.stdout);
}

#[test]
fn examples_are_training_records_and_definitions_come_from_a_folder() {
    let folder = Folder::new();
    let old = |number: u32, text: &str| {
        let id = format!("CVE-2015-{}", 10_000 + number);
        format!("{}\n", json!({"id": id, "description": text, "cwes": ["CWE-89"]}))
    };
    let table =
        old(1, "SQL injection in search.php via the q parameter.") + &old(2, "SQL injection in news.php.");
    folder.file(
        "table.jsonl",
        table + &record(1, "SQL injection in a record of the test part, in login.php.", 89),
    );
    folder.run(&["data", "build", "--table", "table.jsonl", "--out", "data.parquet"]).code(0);
    let endpoint = knowing();
    let url = endpoint.url();
    folder.file("t.txt", "{candidates}\n--\n{definitions}\n--\n{examples}\n--\n{text}");
    let asked = ["prompt", SQL, "--endpoint", &url, "--model-name", "tiny", "--template", "t.txt"];
    let more = ["--examples", "data.parquet", "--split", "temporal"];
    folder.run(&[&asked[..], &more].concat()).code(0);
    let prompt = endpoint.seen()[0].1["messages"][0]["content"].as_str().unwrap().to_owned();
    let parts: Vec<&str> = prompt.split("\n--\n").collect();
    assert_eq!((parts[0].lines().count(), parts[1], parts[3]), (20, "", SQL));
    assert!(parts[2].starts_with("Description: SQL injection in search.php"), "{}", parts[2]);
    assert_eq!(parts[2].matches("Answer: {\"labels\": [{\"id\": \"CWE-89\"}]}").count(), 2, "{}", parts[2]);
    assert!(!parts[2].contains("test part"));
}

#[test]
fn what_cannot_be_asked_is_told_before_anybody_is() {
    let folder = Folder::new();
    folder.file("t.txt", "{text}\n{label}");
    let asked = ["prompt", SQL, "--model-name", "tiny"];
    let run = |more: &[&str]| folder.run(&[&asked[..], more].concat());
    run(&[]).code(2).says(&["--endpoint"]);
    run(&["--endpoint", "http://llm.example/v1"]).code(2).says(&["without encryption", "--allow-http"]);
    run(&["--endpoint", "ftp://llm.example"]).code(2).says(&["is not the address of an endpoint"]);
    run(&["--endpoint", "http://localhost/v1", "--key-variable", "KEY"]).code(2).says(&["KEY is not set"]);
    run(&["--endpoint", "http://localhost/v1", "--template", "t.txt"])
        .code(2)
        .says(&["t.txt:2: {label} is not one of"]);
    run(&["--endpoint", "http://localhost/v1", "--all-candidates"]).code(2).says(&["--max-prompt-chars"]);
    run(&["--offline"]).code(2).says(&["--cache"]);
    let part = ["prompt", "--model-name", "tiny", "--endpoint", "http://localhost/v1", "--part", "test"];
    folder.run(&part).code(2).says(&["--data"]);
}

#[test]
fn the_key_goes_to_the_endpoint_and_is_never_shown() {
    let folder = Folder::new();
    let endpoint = Endpoint::start(|_| (401, String::new()));
    let url = endpoint.url();
    let mut command = command(&folder.path(""));
    command.env("LLM_KEY", "sk-very-secret");
    let arguments =
        ["prompt", "-v", SQL, "--endpoint", &url, "--model-name", "tiny", "--key-variable", "LLM_KEY"];
    let output = command.args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("status 401") && !said.contains("secret"), "{said}");
    let seen = endpoint.seen();
    let has_key = |head: &str| head.to_ascii_lowercase().contains("authorization: bearer sk-very-secret");
    assert!(seen.len() == 1 && has_key(&seen[0].0), "{seen:?}");
}
