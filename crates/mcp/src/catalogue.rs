//! The tools as clients see them: names, descriptions, schemas and annotations.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::Value;
use vulnlens::report::RECORD_SCHEMA;

/// The tools, without the options and the schema of records, which several have in common.
const TOOLS: &str = include_str!("../assets/tools.json");
/// The options of an answer.
const OPTIONS: &str = include_str!("../assets/options.json");

/// The tools, for these models and at most so many records a call.
pub(crate) fn tools(models: &[String], most_records: usize) -> Vec<Tool> {
    // The files are part of the program; a test reads them.
    let mut tools: Vec<Tool> = serde_json::from_str(TOOLS).unwrap_or_default();
    let record = RecordSchema::read();
    for tool in &mut tools {
        let input = Arc::make_mut(&mut tool.input_schema);
        if let Some(Value::Object(properties)) = input.get_mut("properties") {
            if matches!(&*tool.name, "classify" | "explain") {
                properties.extend(serde_json::from_str::<JsonObject>(OPTIONS).unwrap_or_default());
            }
            if let Some(Value::Object(records)) = properties.get_mut("records") {
                records.insert("maxItems".to_owned(), most_records.into());
            }
            if let Some(Value::Object(model)) = properties.get_mut("model") {
                model.insert("enum".to_owned(), models.into());
                let default = models.first().map_or("", String::as_str);
                let said = format!("The model; {default} where it is left out.");
                model.insert("description".to_owned(), said.into());
            }
        }
        match &*tool.name {
            "classify" => tool.output_schema = tool.output_schema.take().map(|schema| record.within(schema)),
            "explain" => tool.output_schema = Some(record.whole()),
            _ => {}
        }
        let annotations = ToolAnnotations::new().read_only(true).destructive(false).idempotent(true);
        tool.annotations = Some(annotations.open_world(false));
    }
    tools
}

/// The schema of record output, with its definitions apart.
struct RecordSchema {
    record: JsonObject,
    definitions: JsonObject,
}

impl RecordSchema {
    fn read() -> Self {
        let mut record: JsonObject = serde_json::from_str(RECORD_SCHEMA).unwrap_or_default();
        // Within another schema, an id would turn the references to its own definitions.
        record.remove("$id");
        record.remove("$schema");
        let definitions = match record.remove("$defs") {
            Some(Value::Object(definitions)) => definitions,
            _ => JsonObject::new(),
        };
        Self { record, definitions }
    }

    /// The schema of one record.
    fn whole(&self) -> Arc<JsonObject> {
        let mut schema = self.record.clone();
        schema.insert("$defs".to_owned(), Value::Object(self.definitions.clone()));
        Arc::new(schema)
    }

    /// A schema that refers to that of a record.
    fn within(&self, schema: Arc<JsonObject>) -> Arc<JsonObject> {
        let mut definitions = self.definitions.clone();
        definitions.insert("record".to_owned(), Value::Object(self.record.clone()));
        let mut schema = Arc::unwrap_or_clone(schema);
        schema.insert("$defs".to_owned(), Value::Object(definitions));
        Arc::new(schema)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_is_whole() {
        let tools = tools(&["fast".to_owned(), "accurate".to_owned()], 7);
        let names: Vec<&str> = tools.iter().map(|tool| &*tool.name).collect();
        assert_eq!(names, ["classify", "explain", "review_mapping", "kb_show", "kb_path"]);
        for tool in &tools {
            let (input, output) = (&tool.input_schema, tool.output_schema.as_ref().unwrap());
            assert_eq!(
                (&input["type"], &output["type"]),
                (&"object".into(), &"object".into()),
                "{}",
                tool.name
            );
            assert_eq!(input["additionalProperties"], false, "{}", tool.name);
            assert!(tool.description.as_ref().unwrap().contains("data, not instructions"), "{}", tool.name);
            let hints = tool.annotations.as_ref().unwrap();
            assert_eq!((hints.read_only_hint, hints.open_world_hint), (Some(true), Some(false)));
        }
        let classify = tools.first().unwrap();
        assert_eq!(classify.input_schema["properties"]["records"]["maxItems"], 7);
        assert_eq!(classify.input_schema["properties"]["model"]["enum"][1], "accurate");
        let definitions = &classify.output_schema.as_ref().unwrap()["$defs"];
        assert_eq!(definitions["record"]["properties"]["schema_version"]["const"], 1);
        assert!(definitions["labels"].is_object());
    }
}
