//! The frozen schema of records, schemas of other formats, and what they say of a document.

use regex::Regex;
use serde_json::Value;

const SCHEMA: &str = include_str!("../../../../docs/schema/record-v1.json");

/// The schemas of STIX 2.1, by the ends of their names.
macro_rules! stix_schemas {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../schemas/stix-2.1/", $name, ".json")))),*]
    };
}
const STIX: &[(&str, &str)] = stix_schemas![
    "common/core",
    "common/external-reference",
    "common/identifier",
    "common/kill-chain-phase",
    "common/properties",
    "common/timestamp",
    "common/url-regex",
    "sdos/attack-pattern",
    "sdos/identity",
    "sdos/vulnerability",
    "sros/relationship",
];

/// Keywords that say nothing of a value, or that are read together with others.
const SILENT: [&str; 11] = [
    "$schema",
    "$id",
    "id",
    "title",
    "description",
    "$defs",
    "definitions",
    "default",
    "examples",
    "$comment",
    "format",
];

/// The reading of a value by a schema; a keyword that it does not know is a violation, too.
struct Check<'a> {
    root: &'a Value,
    found: Vec<String>,
}

impl Check<'_> {
    fn violations(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        let mut check = Check { root, found: vec![] };
        check.all(schema, value, at);
        check.found
    }

    fn holds(&self, schema: &Value, value: &Value) -> bool {
        Self::violations(self.root, schema, value, "").is_empty()
    }

    fn fails(&mut self, at: &str, keyword: &str, value: &Value) {
        self.found.push(format!("{at}: {keyword}: {value}"));
    }

    fn all(&mut self, schema: &Value, value: &Value, at: &str) {
        for (keyword, said) in schema.as_object().into_iter().flatten() {
            if !SILENT.contains(&keyword.as_str()) {
                self.keyword(schema, keyword, said, value, at);
            }
        }
    }

    fn keyword(&mut self, schema: &Value, keyword: &str, said: &Value, value: &Value, at: &str) {
        let several = || said.as_array().into_iter().flatten();
        let length = value.as_str().map(|text| text.chars().count() as f64);
        let count = value.as_array().map(|list| list.len() as f64);
        let members = value.as_object().map(|object| object.len() as f64);
        let least = |number: Option<f64>| number.is_none_or(|number| number >= said.as_f64().unwrap());
        let most = |number: Option<f64>| number.is_none_or(|number| number <= said.as_f64().unwrap());
        let holds = match keyword {
            "$ref" => return self.reference(said.as_str().unwrap(), value, at),
            "properties" => {
                for (key, inner) in said.as_object().unwrap() {
                    if let Some(member) = value.get(key) {
                        self.all(inner, member, &format!("{at}/{key}"));
                    }
                }
                true
            }
            "patternProperties" => {
                for (pattern, inner) in said.as_object().unwrap() {
                    let pattern = Regex::new(pattern).unwrap();
                    for (key, member) in value.as_object().into_iter().flatten() {
                        if pattern.is_match(key) {
                            self.all(inner, member, &format!("{at}/{key}"));
                        }
                    }
                }
                true
            }
            "additionalProperties" => {
                for (key, member) in value.as_object().into_iter().flatten() {
                    let patterns = schema["patternProperties"].as_object().into_iter().flatten();
                    let mut patterns = patterns.map(|(pattern, _)| Regex::new(pattern).unwrap());
                    if schema["properties"].get(key).is_some() || patterns.any(|p| p.is_match(key)) {
                        continue;
                    }
                    match said {
                        Value::Bool(false) => self.found.push(format!("{at}: {key} is not known")),
                        inner => self.all(inner, member, &format!("{at}/{key}")),
                    }
                }
                true
            }
            "items" => {
                for (index, member) in value.as_array().into_iter().flatten().enumerate() {
                    self.all(said, member, &format!("{at}/{index}"));
                }
                true
            }
            "required" => {
                for key in several().filter_map(Value::as_str) {
                    // The keyword says nothing of values that are not objects.
                    if value.is_object() && value.get(key).is_none() {
                        self.found.push(format!("{at}: {key} is missing"));
                    }
                }
                true
            }
            "allOf" => {
                several().for_each(|inner| self.all(inner, value, at));
                true
            }
            "anyOf" => several().any(|inner| self.holds(inner, value)),
            "oneOf" => several().filter(|inner| self.holds(inner, value)).count() == 1,
            "not" => !self.holds(said, value),
            "type" => {
                let kinds: Vec<&str> = match said {
                    Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
                    kind => kind.as_str().into_iter().collect(),
                };
                kinds.contains(&kind(value))
                    || (kinds.contains(&"integer") && (value.is_i64() || value.is_u64()))
            }
            "const" => said == value,
            "enum" => said.as_array().unwrap().contains(value),
            "pattern" => {
                let pattern = Regex::new(said.as_str().unwrap()).unwrap();
                value.as_str().is_none_or(|text| pattern.is_match(text))
            }
            "minimum" => least(value.as_f64()),
            "maximum" => most(value.as_f64()),
            "minLength" => least(length),
            "maxLength" => most(length),
            "minItems" => least(count),
            "minProperties" => least(members),
            _ => panic!("{at}: the keyword {keyword} is not checked"),
        };
        if !holds {
            self.fails(at, keyword, value);
        }
    }

    fn reference(&mut self, path: &str, value: &Value, at: &str) {
        if let Some(inner) = path.strip_prefix('#') {
            let root = self.root;
            let inner = root.pointer(inner).unwrap_or_else(|| panic!("{at}: there is no schema {path}"));
            return self.all(inner, value, at);
        }
        let named =
            |(name, _): &&(&str, &str)| path.strip_suffix(".json").is_some_and(|path| path.ends_with(name));
        let (_, schema) =
            STIX.iter().find(named).unwrap_or_else(|| panic!("{at}: there is no schema {path}"));
        let schema: Value = serde_json::from_str(schema).unwrap();
        let found = Self::violations(&schema, &schema, value, at);
        self.found.extend(found);
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What is wrong with a value under a schema.
pub(crate) fn violations_of(schema: &str, value: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(schema).unwrap();
    Check::violations(&schema, &schema, value, "")
}

/// What is wrong with a record under the frozen schema.
pub(crate) fn check_schema(record: &Value) -> Vec<String> {
    violations_of(SCHEMA, record)
}

/// What is wrong with an object of STIX under the schema of its type.
pub(crate) fn check_stix(object: &Value) -> Vec<String> {
    let folder = if object["type"] == "relationship" { "sros" } else { "sdos" };
    let schema = serde_json::json!({ "$ref": format!("{folder}/{}.json", object["type"].as_str().unwrap()) });
    Check::violations(&schema, &schema, object, "")
}
