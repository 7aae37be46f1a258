//! The documents of `docs/exports.md`, each made by the command above it.
//!
//! `VULNLENS_UPDATE_DOCS=1 cargo test -p vulnlens-cli --test suite exports` writes them anew.

use std::env;
use std::fmt;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::vulnlens::Folder;

/// Entries of a list, and characters of a text, that are shown.
const ENTRIES: usize = 2;
const CHARACTERS: usize = 100;

/// JSON with its keys in the order of the file.
enum Node {
    Plain(Value),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Nodes;
        impl<'de> Visitor<'de> for Nodes {
            type Value = Node;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
                Ok(Node::Plain(value.into()))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
                Ok(Node::Plain(value.into()))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
                Ok(Node::Plain(value.into()))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
                Ok(Node::Plain(value.into()))
            }
            fn visit_str<E>(self, value: &str) -> Result<Node, E> {
                Ok(Node::Plain(value.into()))
            }
            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Plain(Value::Null))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
                let mut nodes = vec![];
                while let Some(node) = list.next_element()? {
                    nodes.push(node);
                }
                Ok(Node::List(nodes))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut members = vec![];
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Node::Object(members))
            }
        }
        deserializer.deserialize_any(Nodes)
    }
}

impl Node {
    /// The shortened document.
    fn shown(&self, indent: usize) -> String {
        let (space, end) = ("  ".repeat(indent + 1), "  ".repeat(indent));
        match self {
            Self::Plain(Value::String(text)) if text.chars().count() > CHARACTERS => {
                let text: String = text.chars().take(CHARACTERS).chain(['…']).collect();
                Value::from(text).to_string()
            }
            Self::Plain(value) => value.to_string(),
            Self::List(nodes) if nodes.is_empty() => "[]".to_owned(),
            Self::Object(members) if members.is_empty() => "{}".to_owned(),
            Self::List(nodes) => {
                // Of each kind of object in a mixed list, the first ones.
                let kind = |node: &Self| match node {
                    Self::Object(members) => members
                        .iter()
                        .find(|(key, _)| key == "type" || key == "name")
                        .map_or(String::new(), |(key, value)| {
                            if key == "type" || members.iter().any(|(key, _)| key == "template_uuid") {
                                value.shown(0)
                            } else {
                                String::new()
                            }
                        }),
                    _ => String::new(),
                };
                let is_mixed = nodes.iter().any(|node| kind(node) != kind(&nodes[0]));
                let most = if is_mixed { 1 } else { ENTRIES };
                let mut lines = vec![];
                for (index, node) in nodes.iter().enumerate() {
                    let before = nodes[..index].iter().filter(|other| kind(other) == kind(node)).count();
                    if before < most {
                        lines.push(format!("{space}{}", node.shown(indent + 1)));
                    }
                }
                let is_short = lines.len() < nodes.len();
                let rest = if is_short { format!(",\n{space}…") } else { String::new() };
                format!("[\n{}{rest}\n{end}]", lines.join(",\n"))
            }
            Self::Object(members) => {
                let member = |(key, node): &(String, Self)| {
                    format!("{space}{}: {}", Value::from(key.as_str()), node.shown(indent + 1))
                };
                let members: Vec<String> = members.iter().map(member).collect();
                format!("{{\n{}\n{end}}}", members.join(",\n"))
            }
        }
    }
}

/// The page with the document of each command behind it.
fn with_documents(page: &str, folder: &Folder) -> String {
    let (mut written, mut lines) = (String::new(), page.lines());
    let mut command: Option<String> = None;
    while let Some(line) = lines.next() {
        written += &format!("{line}\n");
        if let Some(arguments) = line.strip_prefix("vulnlens ") {
            command = Some(arguments.to_owned());
        }
        let fence = line.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let is_document = (line == "```json" || line == "````markdown") && command.is_some();
        if let Some(arguments) = command.take_if(|_| is_document) {
            let arguments: Vec<&str> = arguments.split_whitespace().collect();
            let output = folder.run(&arguments).code(0).stdout;
            let shown = match line {
                "```json" => serde_json::from_str::<Node>(&output).unwrap().shown(0) + "\n",
                _ => output,
            };
            written += &shown;
            written += &format!("{fence}\n");
            assert!(lines.by_ref().any(|line| line == fence), "{arguments:?}: the block does not end");
        }
    }
    written
}

#[test]
fn the_documents_of_the_page_are_made_by_their_commands() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/exports.md");
    let page = fs::read_to_string(&path).unwrap();
    let folder = Folder::new();
    let record = page.split_once("```json\n").and_then(|(_, rest)| rest.split_once("\n```")).unwrap().0;
    folder.file("cve.jsonl", format!("{record}\n"));
    let written = with_documents(&page, &folder);
    if env::var_os("VULNLENS_UPDATE_DOCS").is_some() {
        fs::write(&path, &written).unwrap();
        return;
    }
    let differs = page.lines().zip(written.lines()).find(|(old, new)| old != new);
    assert!(
        page == written,
        "docs/exports.md is not what its commands write, first at {differs:?}; write it anew: \
         VULNLENS_UPDATE_DOCS=1 cargo test -p vulnlens-cli --test suite exports"
    );
}
