//! The description of the routes: written from the code, complete, and true of each status that it promises.
//!
//! `VULNLENS_UPDATE_DOCS=1 cargo test -p vulnlens-server description` writes `docs/openapi.json`.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use vulnlens_server::{ApiKey, CveText, CveTexts};

use crate::running::{Running, parsed};

/// Routes whose messages another protocol describes.
const OF_OTHERS: [&str; 1] = ["/mcp"];
const KEY: &str = "secret";
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR";

fn described() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn the_description_is_that_of_the_code() {
    let (status, served) = Running::new(|_| {}).get("/v1/openapi.json");
    assert_eq!(status, 200);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    if std::env::var_os("VULNLENS_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &served).unwrap();
    }
    let served: Value = serde_json::from_str(&served).unwrap();
    assert!(
        served == described(),
        "docs/openapi.json is not what the code says; write it anew: \
         VULNLENS_UPDATE_DOCS=1 cargo test -p vulnlens-server description"
    );
}

#[test]
fn every_route_is_described() {
    let code = include_str!("../../src/routes/mod.rs");
    let routes: BTreeSet<&str> =
        code.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let described = described();
    let paths: BTreeSet<&str> = described["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let of_others: BTreeSet<&str> = OF_OTHERS.into_iter().collect();
    assert!(routes.len() > 15, "{routes:?}");
    assert_eq!(&routes - &of_others, paths);
}

/// Servers in the states that the statuses are about.
struct Servers {
    usual: Running,
    keyed: Running,
    full: Running,
    small: Running,
    hasty: Running,
}

/// A request as bytes but for its frame.
struct Asked {
    method: String,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    has_host: bool,
    /// Bytes of the body that are announced and never come.
    missing: usize,
}

impl Asked {
    /// The request that the examples of an operation make.
    fn example(path: &str, method: &str, operation: &Value) -> Self {
        let mut path = path.to_owned();
        for parameter in
            operation["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == "path")
        {
            let name = parameter["name"].as_str().unwrap();
            path = path.replace(&format!("{{{name}}}"), parameter["example"].as_str().unwrap());
        }
        let content = operation["requestBody"]["content"].as_object();
        let content = content.and_then(|all| {
            let has_example = |(_, media): &(&String, &Value)| media.get("example").is_some();
            all.get_key_value("application/json").or_else(|| all.iter().find(has_example))
        });
        let (mut headers, mut body) = (vec![], vec![]);
        if let Some((kind, media)) = content {
            headers.push(("Content-Type", kind.clone()));
            body = match &media["example"] {
                Value::String(text) => text.clone().into_bytes(),
                example => example.to_string().into_bytes(),
            };
        }
        Self { method: method.to_uppercase(), path, headers, body, has_host: true, missing: 0 }
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    fn body(self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self.header("Content-Type", kind) }
    }

    /// The request with a field of its JSON changed.
    fn field(self, path: &str, value: Value) -> Self {
        let mut body: Value = serde_json::from_slice(&self.body).unwrap();
        let (outer, inner) = path.split_once('.').unwrap_or((path, ""));
        match inner {
            "" => body[outer] = value,
            _ => body[outer][inner] = value,
        }
        self.body("application/json", body.to_string())
    }

    fn path(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    fn send(&self, server: &Running) -> (u16, String, String) {
        let length = self.body.len() + self.missing;
        let mut head = format!(
            "{} {} HTTP/1.1\r\nConnection: close\r\nContent-Length: {length}\r\n",
            self.method, self.path
        );
        if self.has_host {
            head += &format!("Host: {}\r\n", server.address);
        }
        self.headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        parsed(&server.raw(&[head.as_bytes(), b"\r\n", &self.body].concat()))
    }
}

/// The answer of the given status: a request for each that the description promises.
fn reach(
    servers: &Servers,
    path: &str,
    method: &str,
    operation: &Value,
    status: u16,
) -> (u16, String, String) {
    let asked = Asked::example(path, method, operation);
    let lines = "application/x-ndjson";
    match (status, path, method) {
        (200, ..) => asked.send(&servers.usual),
        (400, ..) => Asked { has_host: false, ..asked }.send(&servers.usual),
        (401, ..) => asked.send(&servers.keyed),
        (403, ..) => asked.header("Origin", "http://evil.example").send(&servers.usual),
        (408, ..) => Asked { body: vec![], missing: 100, ..asked }.send(&servers.hasty),
        (413, ..) => asked.send(&servers.small),
        (415, ..) => asked.header("Content-Type", "text/plain").send(&servers.usual),
        (429, ..) => asked.send(&servers.full),
        (404, "/v1/kb/{id}", _) => asked.path("/v1/kb/CWE-99999").send(&servers.usual),
        (404, "/v1/records/{cve}", _) => asked.path("/v1/records/CVE-2020-10001").send(&servers.usual),
        (422, "/v1/records/{cve}", _) => asked.path("/v1/records/nothing").send(&servers.usual),
        (422, "/v1/kb/{id}", _) => asked.path("/v1/kb/nothing").send(&servers.usual),
        (404, "/v1/classify" | "/v1/explain", _) => {
            asked.field("options", json!({})).field("options.model", json!("none")).send(&servers.usual)
        }
        (404, "/classify/attack-techniques" | "/classify/cwe" | "/classify/severity", _) => {
            asked.field("model", json!("none")).send(&servers.usual)
        }
        (404, "/v1/review" | "/v1/enrich", _) => {
            asked.path(&format!("{path}?model=none")).send(&servers.usual)
        }
        (406, "/v1/classify" | "/v1/review" | "/v1/enrich", _) => {
            let path = format!("{path}?format=pdf");
            asked.path(&path).body(lines, "{\"description\":\"Use after free\"}\n").send(&servers.usual)
        }
        (422, "/v1/review" | "/v1/enrich", _) => {
            asked.body("application/octet-stream", PICTURE).send(&servers.usual)
        }
        (422, _, "post") => asked.body("application/json", "{}").send(&servers.usual),
        _ => panic!("no request is known that {method} {path} answers with {status}; add one"),
    }
}

#[test]
fn every_status_is_reached_and_each_answer_has_its_form() {
    let servers = Servers {
        usual: Running::new(|settings| {
            settings.cve_texts = Some(CveTexts::new(|cve| {
                let text =
                    CveText { text: "JNDI lookups".to_owned(), published: Some("2021-12-10".to_owned()) };
                Ok((cve.to_string() == "CVE-2021-44228").then_some(text))
            }));
        }),
        keyed: Running::new(|settings| settings.api_key = ApiKey::new(KEY)),
        full: Running::new(|settings| settings.requests = 0),
        small: Running::new(|settings| {
            settings.body_bytes = 10;
            settings.records_bytes = 10;
        }),
        hasty: Running::new(|settings| settings.patience = Duration::from_millis(100)),
    };
    let described = described();
    let mut reached = 0;
    for (path, methods) in described["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let status: u16 = status.parse().unwrap();
                let (found, head, body) = reach(&servers, path, method, operation, status);
                assert_eq!(found, status, "{method} {path}: {head}\n{body}");
                check_form(response, &head, &body, &described, &format!("{method} {path} {status}"));
                reached += 1;
            }
        }
    }
    assert!(reached > 100, "{reached}");
}

#[test]
fn the_key_is_taken_in_each_way_that_is_described() {
    let server = Running::new(|settings| settings.api_key = ApiKey::new(KEY));
    let described = described();
    let schemes = described["components"]["securitySchemes"].as_object().unwrap();
    for (name, scheme) in schemes {
        let (header, value) = match scheme["type"].as_str() {
            Some("http") => ("Authorization", format!("Bearer {KEY}")),
            _ => (scheme["name"].as_str().unwrap(), KEY.to_owned()),
        };
        assert_eq!(server.send("GET", "/v1/models", &[(header, &value)], b"").0, 200, "{name}");
    }
    assert_eq!(schemes.len(), 2);
}

/// Checks an answer against what is described: its type, and in JSON its form.
fn check_form(response: &Value, head: &str, body: &str, document: &Value, at: &str) {
    let Some(content) = response["content"].as_object() else {
        assert!(body.is_empty(), "{at}: {body}");
        return;
    };
    let kind = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-type: ").map(str::to_owned));
    let kind = kind.unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    let media = content.get(kind).unwrap_or_else(|| panic!("{at}: {kind} is not described"));
    if kind == "application/json" {
        let value = serde_json::from_str(body).unwrap();
        let mut found = vec![];
        violations(&media["schema"], document, &value, "", &mut found);
        assert!(found.is_empty(), "{at}: {found:?}: {body}");
    }
}

/// The differences between a value and a schema, by the keywords that the description uses.
fn violations(schema: &Value, document: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(path) = schema["$ref"].as_str() {
        let schema =
            document.pointer(path.trim_start_matches('#')).unwrap_or_else(|| panic!("{path} leads nowhere"));
        violations(schema, document, value, at, found);
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_kind = |wanted: &Value| wanted == kind || wanted == "number" && kind == "integer";
    let kind_fits = match &schema["type"] {
        Value::Null => true,
        Value::Array(kinds) => kinds.iter().any(is_kind),
        wanted => is_kind(wanted),
    };
    let is_listed = schema["enum"].as_array().is_none_or(|all| all.contains(value));
    let is_const = schema.get("const").is_none_or(|only| only == value);
    let number = value.as_f64();
    let is_least = schema["minimum"].as_f64().is_none_or(|least| number.is_none_or(|number| number >= least));
    let is_most = schema["maximum"].as_f64().is_none_or(|most| number.is_none_or(|number| number <= most));
    if !(kind_fits && is_listed && is_const && is_least && is_most) {
        found.push(format!("{at}: {value} is not as {schema}"));
    }
    let fits = |schema: &Value| {
        let mut found = vec![];
        violations(schema, document, value, at, &mut found);
        found.is_empty()
    };
    for (keyword, fitting) in [("anyOf", 1..usize::MAX), ("oneOf", 1..2)] {
        let Some(all) = schema[keyword].as_array() else { continue };
        if !fitting.contains(&all.iter().filter(|one| fits(one)).count()) {
            found.push(format!("{at}: {keyword}: {value}"));
        }
    }
    for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.is_object() && value.get(key).is_none() {
            found.push(format!("{at}: {key} is missing"));
        }
    }
    for (key, member) in value.as_object().into_iter().flatten() {
        let at = format!("{at}/{key}");
        match (schema["properties"].get(key), &schema["additionalProperties"]) {
            (Some(inner), _) => violations(inner, document, member, &at, found),
            (None, Value::Bool(false)) => found.push(format!("{at} is not known")),
            (None, inner) => violations(inner, document, member, &at, found),
        }
    }
    for (index, member) in value.as_array().into_iter().flatten().enumerate() {
        violations(&schema["items"], document, member, &format!("{at}/{index}"), found);
    }
}

#[test]
fn a_value_of_another_form_is_told() {
    let document = json!({ "components": { "schemas": { "A": { "type": "integer", "minimum": 1 } } } });
    let schema = json!({
        "type": "object",
        "required": ["a"],
        "properties": { "a": { "$ref": "#/components/schemas/A" }, "b": { "enum": ["x"] } },
        "additionalProperties": false
    });
    let count = |value: Value| {
        let mut found = vec![];
        violations(&schema, &document, &value, "", &mut found);
        found.len()
    };
    assert_eq!(count(json!({ "a": 1, "b": "x" })), 0);
    for bad in [
        json!({}),
        json!({ "a": 0 }),
        json!({ "a": "1" }),
        json!({ "a": 1, "b": "y" }),
        json!({ "a": 1, "c": 1 }),
    ] {
        assert_eq!(count(bad.clone()), 1, "{bad}");
    }
}
