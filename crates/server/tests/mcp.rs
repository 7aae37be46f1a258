//! The tools of the Model Context Protocol over HTTP, as clients meet them.

#![cfg(feature = "mcp")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::{Value, json};
use vulnlens_server::{ApiKey, Server, Settings};

const SQLI: &str = "SQL injection in login.php allows remote attackers to execute SQL commands";

/// A server on a free port, which lives as long as the tests.
fn server(change: impl FnOnce(&mut Settings)) -> SocketAddr {
    let mut settings = Settings::default();
    settings.threads = 2;
    change(&mut settings);
    let (told, address) = channel();
    std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let models = vec![("fast".to_owned(), vulnlens::embedded())];
            let server = Server::bind("127.0.0.1:0".parse().unwrap(), models, settings).await.unwrap();
            told.send(server.address().unwrap()).unwrap();
            server.run(std::future::pending()).await;
        });
    });
    address.recv().unwrap()
}

/// Sends a message; gives the status and the answer.
fn post(address: SocketAddr, headers: &[(&str, &str)], message: &Value) -> (u16, Value) {
    let body = message.to_string();
    let mut head = "POST /mcp HTTP/1.1\r\nConnection: close\r\nContent-Type: application/json\r\n\
                    Accept: application/json, text/event-stream\r\n"
        .to_owned();
    head += &format!("Content-Length: {}\r\n", body.len());
    if !headers.iter().any(|(name, _)| *name == "Host") {
        head += &format!("Host: {address}\r\n");
    }
    headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

fn initialize() -> Value {
    let client = json!({ "name": "test", "version": "1" });
    let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params })
}

fn call(arguments: &Value) -> Value {
    let params = json!({ "name": "classify", "arguments": arguments });
    json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params })
}

#[test]
fn tools_are_listed_and_called_without_a_session() {
    let address = server(|settings| settings.texts = 3);
    let (status, begun) = post(address, &[], &initialize());
    assert_eq!((status, &begun["result"]["serverInfo"]["name"]), (200, &json!("vulnlens")), "{begun}");
    let (status, listed) = post(address, &[], &json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/list" }));
    let tools = listed["result"]["tools"].as_array().unwrap();
    assert_eq!((status, tools.len()), (200, 5));
    let properties = &tools.first().unwrap()["inputSchema"]["properties"];
    assert_eq!(
        (&properties["records"]["maxItems"], &properties["model"]["enum"]),
        (&json!(3), &json!(["fast"]))
    );

    let version = [("MCP-Protocol-Version", "2025-06-18")];
    let (status, answer) = post(address, &version, &call(&json!({ "text": SQLI, "taxonomy": ["cwe"] })));
    let record = &answer["result"]["structuredContent"]["records"][0];
    assert_eq!((status, &record["cwe"][0]["label"]), (200, &json!("CWE-89")), "{answer}");
    let many = json!({ "records": vec![json!({ "text": "a" }); 4] });
    assert_eq!(post(address, &version, &call(&many)).1["result"]["isError"], true);
}

#[test]
fn the_guards_of_the_server_stand_in_front() {
    let address = server(|settings| settings.api_key = ApiKey::new("secret"));
    let key = ("Authorization", "Bearer secret");
    for (headers, wanted) in [
        (vec![], 401),
        (vec![("Authorization", "Bearer wrong")], 401),
        (vec![key], 200),
        (vec![key, ("Host", "evil.example")], 403),
        (vec![key, ("Origin", "http://evil.example")], 403),
        (vec![key, ("Origin", "null")], 403),
    ] {
        assert_eq!(post(address, &headers, &initialize()).0, wanted, "{headers:?}");
    }
    let full = server(|settings| settings.requests = 0);
    assert_eq!(post(full, &[], &initialize()).0, 429);
    let narrow = server(|settings| settings.body_bytes = 1_000);
    assert_eq!(post(narrow, &[], &call(&json!({ "text": "x".repeat(2_000) }))).0, 413);
}
