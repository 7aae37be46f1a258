//! The body of a request: structures alone, so that the same question has the same bytes and is found in the cache.

use serde::Serialize;

use crate::candidates::Candidates;

/// The way in which a reply is bound to its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SchemaStyle {
    /// `response_format` of the type `json_schema`.
    #[default]
    JsonSchema,
    /// `response_format` of the type `json_object`, with the schema beside it for servers that read it there.
    JsonObject,
    /// No `response_format`: the words of the prompt alone.
    None,
}

impl SchemaStyle {
    /// All styles.
    pub const ALL: [Self; 3] = [Self::JsonSchema, Self::JsonObject, Self::None];

    /// The name of the style on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::JsonSchema => "json_schema",
            Self::JsonObject => "json_object",
            Self::None => "none",
        }
    }

    /// The style in one line, for people.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::JsonSchema => {
                "A JSON Schema whose ids are the candidates: llama.cpp's server, vLLM, Ollama"
            }
            Self::JsonObject => "A JSON object; servers such as llama-cpp-python read the schema from it",
            Self::None => "Nothing: the model is told the form in words alone",
        }
    }
}

/// The settings of a request that are the same for all texts.
#[derive(Debug, Clone)]
pub(crate) struct RequestSettings {
    pub(crate) model: String,
    pub(crate) seed: u64,
    pub(crate) max_tokens: u32,
    pub(crate) style: SchemaStyle,
    /// True if each label is to have a confidence.
    pub(crate) confidence: bool,
    pub(crate) max_labels: usize,
}

/// A message of a conversation.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Message<'a> {
    pub(crate) role: &'static str,
    pub(crate) content: &'a str,
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: &'a [Message<'a>],
    temperature: u8,
    seed: u64,
    max_tokens: u32,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat<'a>>,
}

#[derive(Serialize)]
struct ResponseFormat<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_schema: Option<NamedSchema<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<ObjectSchema<ReplyProperties<'a>>>,
}

#[derive(Serialize)]
struct NamedSchema<'a> {
    name: &'static str,
    strict: bool,
    schema: ObjectSchema<ReplyProperties<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ObjectSchema<P> {
    #[serde(rename = "type")]
    kind: &'static str,
    properties: P,
    required: Vec<&'static str>,
    additional_properties: bool,
}

#[derive(Serialize)]
struct ReplyProperties<'a> {
    labels: ListSchema<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListSchema<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    max_items: usize,
    items: ObjectSchema<LabelProperties<'a>>,
}

#[derive(Serialize)]
struct LabelProperties<'a> {
    id: IdSchema<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<NumberSchema>,
}

#[derive(Serialize)]
struct IdSchema<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    r#enum: Vec<&'a str>,
}

#[derive(Serialize)]
struct NumberSchema {
    #[serde(rename = "type")]
    kind: &'static str,
    minimum: u8,
    maximum: u8,
}

impl RequestSettings {
    /// The body of a request with these messages, whose reply is one of the candidates.
    pub(crate) fn body(&self, messages: &[Message<'_>], candidates: &Candidates) -> Vec<u8> {
        let response_format = match self.style {
            SchemaStyle::JsonSchema => Some(ResponseFormat {
                kind: "json_schema",
                json_schema: Some(NamedSchema {
                    name: "labels",
                    strict: true,
                    schema: self.schema(candidates),
                }),
                schema: None,
            }),
            SchemaStyle::JsonObject => Some(ResponseFormat {
                kind: "json_object",
                json_schema: None,
                schema: Some(self.schema(candidates)),
            }),
            SchemaStyle::None => None,
        };
        let Self { model, seed, max_tokens, .. } = self;
        let (seed, max_tokens) = (*seed, *max_tokens);
        let request =
            Request { model, messages, temperature: 0, seed, max_tokens, stream: false, response_format };
        // Texts and numbers always become JSON.
        serde_json::to_vec(&request).unwrap_or_default()
    }

    fn schema<'a>(&self, candidates: &'a Candidates) -> ObjectSchema<ReplyProperties<'a>> {
        let ids = candidates.0.iter().map(|candidate| candidate.label.as_str()).collect();
        let confidence = NumberSchema { kind: "number", minimum: 0, maximum: 1 };
        let label = ObjectSchema {
            kind: "object",
            properties: LabelProperties {
                id: IdSchema { kind: "string", r#enum: ids },
                confidence: self.confidence.then_some(confidence),
            },
            required: if self.confidence { vec!["id", "confidence"] } else { vec!["id"] },
            additional_properties: false,
        };
        let labels = ListSchema { kind: "array", max_items: self.max_labels, items: label };
        ObjectSchema {
            kind: "object",
            properties: ReplyProperties { labels },
            required: vec!["labels"],
            additional_properties: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use vulnlens_model::Task;

    use super::*;

    #[test]
    fn the_schema_holds_exactly_the_candidates() {
        let classifier = vulnlens::embedded();
        let options = vulnlens::Options::default().tasks(Task::Cwe).top_k(3).threshold(0.0);
        let prediction = classifier.predict(vulnlens::Input::text("SQL injection in login.php"), &options);
        let candidates = Candidates::of(&prediction, Task::Cwe);
        let settings = |style, confidence| RequestSettings {
            model: "tiny".to_owned(),
            seed: 7,
            max_tokens: 100,
            style,
            confidence,
            max_labels: 5,
        };
        let messages = [Message { role: "user", content: "\"quoted\"" }];
        let body = |style, confidence| -> Value {
            serde_json::from_slice(&settings(style, confidence).body(&messages, &candidates)).unwrap()
        };
        let asked = body(SchemaStyle::JsonSchema, false);
        assert_eq!(
            (&asked["temperature"], &asked["seed"], &asked["stream"]),
            (&json!(0), &json!(7), &json!(false))
        );
        assert_eq!(asked["messages"], json!([{"role": "user", "content": "\"quoted\""}]));
        let schema = &asked["response_format"]["json_schema"]["schema"];
        let ids: Vec<&str> = candidates.0.iter().map(|candidate| candidate.label.as_str()).collect();
        assert_eq!(schema["properties"]["labels"]["items"]["properties"]["id"]["enum"], json!(ids));
        assert_eq!(schema["properties"]["labels"]["items"]["required"], json!(["id"]));
        assert_eq!(schema["properties"]["labels"]["maxItems"], json!(5));
        let object = body(SchemaStyle::JsonObject, true);
        assert_eq!(object["response_format"]["type"], "json_object");
        let label = &object["response_format"]["schema"]["properties"]["labels"]["items"];
        assert_eq!(label["required"], json!(["id", "confidence"]));
        assert!(body(SchemaStyle::None, false).get("response_format").is_none());
    }
}
