//! The description of the routes as OpenAPI 3.1, made from the handlers and their types.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{classify, enrich, gateway, kb, known, models, page, predict, records, review, state};
use crate::error::ErrorBody;
use crate::forms::{COMPONENTS, KnownErrors, RECORD_NAME};

/// The frozen schema of records, a link to the one of the documentation.
const RECORD: &str = include_str!("../schema/record-v1.json");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "vulnlens",
        description = "Weaknesses, attack patterns and techniques of vulnerability texts, as `vulnlens serve` answers. \
                       docs/serving.md says more. Where the server has no key, none is needed."
    ),
    paths(
        classify::classify,
        classify::explain,
        review::review,
        enrich::enrich,
        kb::entry,
        kb::matrix,
        known::record,
        models::models,
        openapi,
        predict::predict,
        predict::inference,
        gateway::techniques,
        gateway::weaknesses,
        gateway::severity,
        models::info,
        state::health,
        state::ping,
        state::metrics,
        page::page,
        page::style,
        page::script,
        page::icon,
    ),
    components(schemas(ErrorBody, records::BadRecord)),
    modifiers(&Keys),
    security(("bearer" = []), ("key" = [])),
    tags(
        (name = "records", description = "Our own: records in, record output out"),
        (name = "knowledge", description = "The knowledge base and the models"),
        (name = "text-embeddings-inference", description = "Routes of its clients"),
        (name = "inference-api", description = "Routes of clients of Hugging Face's inference API"),
        (name = "ml-gateway", description = "Routes of clients of CIRCL's ML-Gateway"),
        (name = "server", description = "The state of the server, and the page")
    )
)]
struct Description;

/// The ways in which a request carries the key.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let key = ApiKey::Header(ApiKeyValue::new("X-Api-Key"));
        components.add_security_scheme("key", SecurityScheme::ApiKey(key));
    }
}

/// The description as JSON.
fn document() -> &'static str {
    static DOCUMENT: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", written()));
    &DOCUMENT
}

fn written() -> Value {
    // Neither the description nor the schema, which tests read, can fail here.
    let mut document = serde_json::to_value(Description::openapi()).unwrap_or_default();
    let record = serde_json::from_str(RECORD).unwrap_or_default();
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        add_record(record, schemas);
    }
    document
}

/// Adds the schema of records, and each of its definitions, as components.
fn add_record(mut record: Value, schemas: &mut Map<String, Value>) {
    let Some(fields) = record.as_object_mut() else { return };
    // In a part of a document, they would be about the whole.
    fields.remove("$schema");
    fields.remove("$id");
    let definitions = fields.remove("$defs");
    for (name, mut definition) in
        definitions.into_iter().flat_map(|all| all.as_object().cloned().unwrap_or_default())
    {
        refer_to_components(&mut definition);
        schemas.insert(of_record(&name), definition);
    }
    refer_to_components(&mut record);
    schemas.insert(RECORD_NAME.to_owned(), record);
}

/// The name of a definition of the schema of records among the components.
fn of_record(definition: &str) -> String {
    let mut letters = definition.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    RECORD_NAME.chars().chain(first).chain(letters).collect()
}

fn refer_to_components(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                let name =
                    value.as_str().filter(|_| key == "$ref").and_then(|path| path.strip_prefix("#/$defs/"));
                match name {
                    Some(name) => *value = json!(format!("{COMPONENTS}{}", of_record(name))),
                    None => refer_to_components(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(refer_to_components),
        _ => {}
    }
}

/// `GET /v1/openapi.json`: these routes, for programs.
#[utoipa::path(
    get,
    path = "/v1/openapi.json",
    tag = "server",
    summary = "Describe the routes, as here",
    responses(
        (status = 200, description = "The description", content_type = "application/json", body = Object),
        KnownErrors,
    )
)]
pub(super) async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], document())
}
