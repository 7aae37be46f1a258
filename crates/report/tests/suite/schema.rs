//! The frozen schema of records, and what it says of one.

use serde_json::Value;

const SCHEMA: &str = include_str!("../../../../docs/schema/record-v1.json");

/// What is wrong with `value` under `schema`, in the keywords that the frozen schema uses.
fn violations(schema: &Value, root: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        violations(&root["$defs"][name], root, value, at, found);
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        kind => kind.as_str().into_iter().collect(),
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let wanted = [("const", schema.get("const").is_none_or(|only| only == value))];
    let among = schema["enum"].as_array().is_none_or(|all| all.contains(value));
    let number = value.as_f64();
    let least = schema["minimum"].as_f64().is_none_or(|least| number.is_some_and(|n| n >= least));
    let most = schema["maximum"].as_f64().is_none_or(|most| number.is_some_and(|n| n <= most));
    let kind_fits =
        kinds.is_empty() || kinds.contains(&kind) || (kinds.contains(&"integer") && value.is_u64());
    let checks = [("type", kind_fits), ("enum", among), ("minimum", least), ("maximum", most)];
    let failed = wanted.into_iter().chain(checks).filter(|(_, holds)| !holds);
    found.extend(failed.map(|(keyword, _)| format!("{at}: {keyword}: {value}")));
    for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        // The keyword says nothing of values that are not objects.
        if value.is_object() && value.get(key).is_none() {
            found.push(format!("{at}: {key} is missing"));
        }
    }
    for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(member) = value.get(key) {
            violations(inner, root, member, &format!("{at}/{key}"), found);
        }
    }
    for key in value.as_object().into_iter().flat_map(|object| object.keys()) {
        if schema["additionalProperties"] == false && schema["properties"].get(key).is_none() {
            found.push(format!("{at}: {key} is not known"));
        }
    }
    if let (Some(items), Some(members)) = (schema.get("items"), value.as_array()) {
        for (index, member) in members.iter().enumerate() {
            violations(items, root, member, &format!("{at}/{index}"), found);
        }
    }
}

/// What is wrong with a value under a schema.
pub(crate) fn violations_of(schema: &str, value: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(schema).unwrap();
    let mut found = Vec::new();
    violations(&schema, &schema, value, "", &mut found);
    found
}

/// What is wrong with a record under the frozen schema.
pub(crate) fn check_schema(record: &Value) -> Vec<String> {
    violations_of(SCHEMA, record)
}
