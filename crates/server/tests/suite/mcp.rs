//! The tools of the Model Context Protocol over HTTP, as clients meet them.

use serde_json::{Value, json};
use vulnlens_server::ApiKey;

use crate::running::{Running, SQLI};

/// Sends a message; gives the status and the answer.
fn post(server: &Running, headers: &[(&str, &str)], message: &Value) -> (u16, Value) {
    let own = [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")];
    let headers: Vec<(&str, &str)> = own.into_iter().chain(headers.iter().copied()).collect();
    let (status, _, body) = server.send("POST", "/mcp", &headers, message.to_string().as_bytes());
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
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
    let server = Running::new(|settings| settings.texts = 3);
    let (status, begun) = post(&server, &[], &initialize());
    assert_eq!((status, &begun["result"]["serverInfo"]["name"]), (200, &json!("vulnlens")), "{begun}");
    let (status, listed) = post(&server, &[], &json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/list" }));
    let tools = listed["result"]["tools"].as_array().unwrap();
    assert_eq!((status, tools.len()), (200, 5));
    let properties = &tools.first().unwrap()["inputSchema"]["properties"];
    assert_eq!(
        (&properties["records"]["maxItems"], &properties["model"]["enum"]),
        (&json!(3), &json!(["fast"]))
    );

    let version = [("MCP-Protocol-Version", "2025-06-18")];
    let (status, answer) = post(&server, &version, &call(&json!({ "text": SQLI, "taxonomy": ["cwe"] })));
    let record = &answer["result"]["structuredContent"]["records"][0];
    assert_eq!((status, &record["cwe"][0]["label"]), (200, &json!("CWE-89")), "{answer}");
    let many = json!({ "records": vec![json!({ "text": "a" }); 4] });
    assert_eq!(post(&server, &version, &call(&many)).1["result"]["isError"], true);
}

#[test]
fn the_guards_of_the_server_stand_in_front() {
    let server = Running::new(|settings| settings.api_key = ApiKey::new("secret"));
    let key = ("Authorization", "Bearer secret");
    for (headers, wanted) in [
        (vec![], 401),
        (vec![("Authorization", "Bearer wrong")], 401),
        (vec![key], 200),
        (vec![key, ("Host", "evil.example")], 403),
        (vec![key, ("Origin", "http://evil.example")], 403),
        (vec![key, ("Origin", "null")], 403),
    ] {
        assert_eq!(post(&server, &headers, &initialize()).0, wanted, "{headers:?}");
    }
    let full = Running::new(|settings| settings.requests = 0);
    assert_eq!(post(&full, &[], &initialize()).0, 429);
    let narrow = Running::new(|settings| settings.body_bytes = 1_000);
    assert_eq!(post(&narrow, &[], &call(&json!({ "text": "x".repeat(2_000) }))).0, 413);
}
