//! `serve` and `health` as processes, and the examples of `docs/serving.md`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::vulnlens::Folder;

/// A server in a process of its own.
struct Serving {
    process: Child,
    /// `127.0.0.1:PORT`
    address: String,
}

impl Serving {
    fn new(arguments: &[&str], stderr: Stdio) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vulnlens"));
        command.args(["serve", "--model", "fast", "--listen", "127.0.0.1:0"]).args(arguments);
        let mut process = command.stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
        assert!(!address.is_empty(), "the server did not start");
        Self { process, address }
    }

    /// Sends a request and gives the whole answer.
    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_server_answers_to_health_and_ends_on_term() {
    let mut server = Serving::new(&[], Stdio::null());
    let url = format!("http://{}", server.address);
    let folder = Folder::new();
    assert_eq!(folder.run(&["health", &url]).code(0).stdout, "");
    folder.run(&["health", &format!("{url}/")]).code(0);
    let pid = server.process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(server.process.wait().unwrap().code(), Some(0));
    folder.run(&["health", &url]).code(5).says(&[&url]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_for_the_log_harms_no_answer() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let server = Serving::new(&["--log", "json"], full.into());
    for _ in 0..3 {
        let answer = server.get("/v1/models");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[test]
fn the_log_has_requests_and_no_texts() {
    let folder = Folder::new();
    let log = folder.path("log");
    let server = Serving::new(&["--log", "json"], std::fs::File::create(&log).unwrap().into());
    assert!(server.get("/v1/kb/CWE-79?secret=1").starts_with("HTTP/1.1"));
    let text = std::fs::read_to_string(&log).unwrap();
    let line = text.lines().find(|line| line.starts_with('{')).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!((&line["fields"]["route"], &line["fields"]["method"]), (&"/v1/kb/{id}".into(), &"GET".into()));
    assert!(!text.contains("secret"), "{text}");
}

/// The commands of fenced `sh` blocks that begin with `curl`.
fn examples(text: &str) -> Vec<String> {
    let blocks = text.split("```sh\n").skip(1).filter_map(|block| block.split_once("```"));
    let joined: Vec<String> = blocks.map(|(block, _)| block.replace("\\\n", " ")).collect();
    let lines = joined.iter().flat_map(|block| block.lines());
    lines.filter(|line| line.trim_start().starts_with("curl")).map(str::to_owned).collect()
}

#[test]
fn the_examples_of_the_documentation_work_as_written() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped: there is no curl");
        return;
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/serving.md");
    let examples = examples(&std::fs::read_to_string(page).unwrap());
    assert!(examples.len() >= 8, "{examples:?}");
    let folder = Folder::new();
    let record = "{\"id\":\"CVE-2024-1\",\"description\":\"Use after free\",\"cwe\":\"CWE-416\"}\n";
    folder.file("records.jsonl", record);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let feed = concat!(
        r#"{"format":"NVD_CVE","version":"2.0","vulnerabilities":[{"cve":{"id":"CVE-2024-1","published":"2024-01-01","#,
        r#""descriptions":[{"lang":"en","value":"Use after free"}]}}]}"#
    );
    gz.write_all(feed.as_bytes()).unwrap();
    folder.file("nvdcve.json.gz", gz.finish().unwrap());
    let server = Serving::new(&[], Stdio::null());
    for example in examples {
        assert!(example.contains("127.0.0.1:8080"), "{example}");
        let command =
            example.replace("127.0.0.1:8080", &server.address).replacen("curl", "curl --fail-with-body", 1);
        let done = Command::new("sh").args(["-c", &command]).current_dir(folder.path("")).output().unwrap();
        let out = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success() && !out.is_empty(), "{example}\n{out}");
        assert!(!out.contains("\"error\""), "{example}\n{out}");
    }
}

#[test]
fn texts_of_a_data_set_are_served() {
    let folder = Folder::new();
    folder.file(
        "table.csv",
        "cve_id,description,cwe\nCVE-2021-44228,JNDI lookups of log messages run code,CWE-917\n",
    );
    folder.run(&["data", "build", "table.csv", "--out", "data.parquet"]).code(0);
    let data = folder.path("data.parquet");
    let server = Serving::new(&["--data", data.to_str().unwrap()], Stdio::null());
    let answer = server.get("/v1/records/CVE-2021-44228");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("JNDI lookups"), "{answer}");
    assert!(server.get("/v1/records/CVE-2021-44229").starts_with("HTTP/1.1 404"));
    assert!(server.get("/v1/models").contains("\"knows_cves\":true"));
}
